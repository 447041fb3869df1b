"""Attribute values as what they stand for: JSON decoded, JSON inside JSON too, cut JSON mended, Python's repr read."""

import ast
import json
import re
from typing import Final, NoReturn

from collector.core.span import AnyValue

LISTS: Final = (list, tuple)
"""For `isinstance`: a union is made anew at each look."""

MAX_JSON_DEPTH: Final = 100
"""JSON nested deeper than this stays text: values are walked recursively later on, and the text came from outside."""

MAX_MENDED_LENGTH: Final = 1_000_000
"""Cut JSON longer than this stays text."""

MAX_LITERAL_LENGTH: Final = 100_000
"""Characters. What Python wrote and is longer stays text: reading it takes five times as long as JSON."""

_CUT_MARK: Final = re.compile(r"""(?:\.\.\.|…)\s?(?:[\[(<][^\[\](){}<>"']{1,50}[\])>]?)?$""")
_LONGEST_MARK: Final = 60
"""Dots, and a note in brackets behind them."""

_SPACE: Final = " \t\n\r"
_BEGINNINGS: Final = '{["-0123456789tfn'
"""Of JSON; of what begins otherwise it is known sooner that it is none."""

_HALF: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
"""Half of an escaped character beyond the first 65,536, as cutting leaves it: no text can be written with it."""


def decoded(value: AnyValue) -> AnyValue:
    """The value of a JSON text; anything else, JSON that is too deep and NaN included, as it is."""
    if not isinstance(value, str):
        return value
    inner = value[1:-1]
    if value[:1] == value[-1:] == '"' and inner.isprintable() and '"' not in inner and "\\" not in inner:
        return inner  # what it mostly is, in a third of the time
    text = value if value[:1] not in _SPACE else value.strip(_SPACE)
    if text[:1] not in _BEGINNINGS:
        return value
    if "\\u" in text:
        text = _HALF.sub(r"\\ufffd", text)
    try:
        found, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return value
    if end != len(text) and text[end:].strip(_SPACE):
        return value
    few = len(text) <= MAX_JSON_DEPTH or text.count("[") + text.count("{") <= MAX_JSON_DEPTH
    return found if few or _is_flat(found, MAX_JSON_DEPTH) else value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)


def _is_flat(value: AnyValue, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    return levels > 0 and all(
        _is_flat(one, levels - 1) for one in (value.values() if isinstance(value, dict) else value)
    )


def structured(value: AnyValue) -> AnyValue:
    """Decoded only where it is an object or a list: a foreign text ``42`` stays the text it may well be.

    JSON, cut JSON, and what Python's ``repr`` makes of dicts, lists and tuples.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{", "("):
        return value
    found = decoded(value)
    if isinstance(found, str):
        found = decoded(_mended(value[: cut_mark(value)])) if is_cut(value) else _literal(value)
    return found if isinstance(found, dict | list) else value


_LITERAL: Final = re.compile(r"""\s*[\[({]\s*(?:['"\[({]|[rb]?['"]|-?\d|True|False|None)""")
_NO_REPR: Final = re.compile(r"""(?<!\\)(?:\\\\)*\\[^\\'"nrtxuU]""")
"""An escape that Python does not write."""


def _literal(text: str) -> AnyValue:
    """The dict or list that Python wrote as text; a tuple is a list; anything else as it is."""
    if len(text) > MAX_LITERAL_LENGTH or text.rstrip()[-1:] not in "])}" or not _LITERAL.match(text):
        return text
    if sum(map(text.count, "[({")) > MAX_JSON_DEPTH or _NO_REPR.search(text):
        return text
    try:
        found: AnyValue = json.loads(json.dumps(ast.literal_eval(text.strip()), allow_nan=False))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return found


_CLOSING: Final = {"[": "]", "{": "}"}
_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*("?)|[\[\]{},:]', re.DOTALL)
"""With the quotation mark that closes a text."""

_BEGUN: Final = re.compile(r'\s*(?:\[\s*(?:\{|\[|")|\{\s*")')
"""How a JSON object or list begins; prose in brackets does not."""

_CUT_ESCAPE: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\(u[0-9a-fA-F]{0,3})?$")
_LOOKED_BACK: Final = 6
"""Tokens from the end among which a comma is looked for."""


def is_cut(text: str) -> bool:
    """Whether a text began as a JSON object or list and ends before it is closed."""
    return len(text) <= MAX_MENDED_LENGTH and bool(_BEGUN.match(text)) and bool(_open(text))


def cut_mark(text: str) -> int:
    """Where what an instrumentation wrote when it cut a text begins; the text's end if it wrote nothing."""
    end = text[-_LONGEST_MARK:]
    found = _CUT_MARK.search(text, max(0, len(text) - _LONGEST_MARK)) if "..." in end or "…" in end else None
    return found.start() if found else len(text)


def _mended(text: str) -> str:
    """The longest completion of cut JSON: what is open is closed, what was cut and is no text dropped."""
    tokens = list(_TOKENS.finditer(text))
    commas = [text[: token.start()] for token in reversed(tokens[-_LOOKED_BACK:]) if token[0] == ","]
    is_text_open = tokens[-1][0][0] == '"' and not tokens[-1][1]
    whole = _CUT_ESCAPE.sub(r"\1", text) + '"' if is_text_open else text
    for candidate in (whole, f"{whole}:null", f"{whole}null", *commas):
        closed = candidate + "".join(_CLOSING[bracket] for bracket in reversed(_open(candidate)))
        if isinstance(decoded(closed), dict | list):
            return closed
    return text


def _open(text: str) -> list[str]:
    """The brackets that are still open at the end; none where there are too many of them, or they do not fit."""
    stack: list[str] = []
    for match in _TOKENS.finditer(text):
        token = match[0]
        if token in _CLOSING:
            stack.append(token)
            if len(stack) > MAX_JSON_DEPTH:
                return []
        elif token in ("]", "}") and (not stack or _CLOSING[stack.pop()] != token):
            return []
    return stack
