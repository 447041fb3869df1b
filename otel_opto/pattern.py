"""The regular expressions that a text parameter can be held to: RE2's, and what one of them may cost.

A declared pattern comes from outside and runs on both ends: in the collector on every proposal, in the application on
every released value. Python's `re` needs exponential time for ``(a+)+`` and holds the interpreter's lock meanwhile; RE2
needs time linear in the text, and lets the lock go (docs/adr/011). Both ends run this module, so they agree.
"""

import re
from functools import lru_cache
from typing import Any

MAX_PATTERN_LENGTH = 1_000
"""Characters of a pattern."""

MAX_PROGRAM_SIZE = 2_000
"""Instructions of a compiled pattern; the longest text costs half a second then, where everything goes against it."""

_SYNTAX = "allowed is RE2's syntax, without look-around and back-references (https://github.com/google/re2/wiki/Syntax)"
_MEMORY_BYTES = 2**20
_SHORT_REPETITION = re.compile(r"(?<!\\)(?:\\\\)*\{,\d+\}")
_KEPT = 128


class InvalidPattern(ValueError):
    """A pattern that is refused: what was found, and what is allowed."""


def check(pattern: str) -> None:
    """Passes where the pattern can be run.

    Raises:
        InvalidPattern: it is no regular expression of RE2, it is too long, or the engine is not installed.
    """
    _compiled(pattern)


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches the whole text; ``.`` matches a line's end too. Raises as `check`."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(_KEPT)
def _compiled(pattern: str) -> Any:  # the package has no types
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise InvalidPattern(f"found {len(pattern)} characters, allowed are {MAX_PATTERN_LENGTH}")
    if _SHORT_REPETITION.search(pattern):  # RE2 would take it for a text
        raise InvalidPattern(f"found {pattern!r}: a repetition names its least number: {{0,3}}, not {{,3}}")
    try:
        import re2  # noqa: PLC0415 - an extra of the SDK
    except ModuleNotFoundError:
        raise InvalidPattern(
            "found one, but google-re2 is not installed, which matches in linear time: pip install 'otel-opto[pattern]'"
        ) from None
    options = re2.Options()
    options.dot_nl = options.never_capture = True
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    try:
        program = re2.compile(pattern, options)
    except UnicodeEncodeError:
        raise InvalidPattern(f"found {pattern!r}, which is no text: it has half of a surrogate pair") from None
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise InvalidPattern(f"found {pattern!r}, which is not a regular expression: {reason}; {_SYNTAX}") from None
    if program.programsize > MAX_PROGRAM_SIZE:
        raise InvalidPattern(
            f"found {pattern!r}, which makes {program.programsize} instructions, allowed are {MAX_PROGRAM_SIZE}; "
            "repeat less, or bound the length by max_length"
        )
    return program
