"""When a text counts as recognised: in another text, at its end, or as the whole of it."""

import re
from typing import Final

MIN_LENGTH: Final = 12
"""Characters. A shorter text says nothing where it stands inside another one."""

MIN_WHOLE: Final = 3
"""Characters. A shorter output is not recognised even where it is a whole input."""

MIN_LEAF: Final = 4
"""Characters. A shorter part of an output is not recognised where it is a whole input."""

MIN_DIGITS: Final = 3
"""The same of a number."""

MIN_LINE: Final = 5
"""Characters. A shorter output is not recognised as a line of an input (``Observation:`` and then the output)."""

HEAD: Final = 24
"""Characters. A text that long needs no word borders around it, and may be recognised by its beginning."""

MIN_PART: Final = 20
"""Characters. A shorter line of an output is recognised only where it is a whole input."""

CODE: Final = re.compile(r"(?=.{6})[A-Za-z][A-Za-z]{0,4}[-_/#.]?(?=(?:\D*\d){3})[A-Za-z0-9]+(?:[-_/.][A-Za-z0-9]+)*")
"""A letter or a few and then digits, as ids of bookings and tickets are made: ``bk_58213``, ``TW-3391``."""

_NO_TEXTS: Final = frozenset(("true", "false", "none", "null", "undefined"))
"""How programs write values that are no texts."""

UNSPACED: Final = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Letters of scripts that put no spaces between words; one says about as much as `WEIGHT` of the others."""

WEIGHT: Final = 3


def weight(text: str) -> int:
    """How much a text says, in letters of an alphabet."""
    return len(text) if text.isascii() else len(text) + (WEIGHT - 1) * len(UNSPACED.findall(text))


def significant(text: str) -> bool:
    """Whether a text can be recognised inside another: long enough, and more than one common word; or a code."""
    if weight(text) < MIN_LENGTH:
        return CODE.fullmatch(text) is not None
    return " " in text or len(text) >= 20 or any(one.isdigit() for one in text) or not text.isascii()


def is_inside(text: str, whole: str) -> bool:
    """Whether the text is a part of the whole. An equal text is not meant."""
    at = whole.find(text) if len(text) < len(whole) else -1
    if at >= 0:
        return weight(text) >= HEAD or not (_inside_word(whole, at) or _inside_word(whole, at + len(text)))
    return False


def _inside_word(whole: str, at: int) -> bool:
    if not (0 < at < len(whole) and whole[at - 1].isalnum() and whole[at].isalnum()):
        return False
    return not (UNSPACED.match(whole[at - 1]) or UNSPACED.match(whole[at]))


def is_common(text: str) -> bool:
    """Whether even a whole input that is equal to it proves nothing."""
    return weight(text) < MIN_WHOLE or text.lower() in _NO_TEXTS
