"""Attribute values as what they stand for: JSON decoded, JSON inside JSON too, cut JSON mended."""

import ast
import json
import re
from collections.abc import Iterator

from collector.core.span import AnyValue

MAX_JSON_DEPTH = 100
"""JSON nested deeper than this stays text: values are walked recursively later on, and the text came from outside."""

MAX_MENDED_LENGTH = 1_000_000
"""Cut JSON longer than this stays text."""

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{},:]', re.DOTALL)
_HALF = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
"""Half of an escaped character beyond the first 65,536, as cutting leaves it: no text can be written with it."""

_CLOSING = {"[": "]", "{": "}"}
_SPACE = " \t\n\r"
_BEGINNINGS = '{["-0123456789tfn'
"""Of JSON; of what begins otherwise it is known sooner that it is none."""


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
    return value if len(text) > MAX_JSON_DEPTH and _too_deep(text, found) else found


_CUT_MARK = re.compile(
    r"(\.\.\.|…)?\s?[\[(<]?\s?(truncated|\d+ (more )?char(acter)?s( truncated)?)[\])>]?$|(\.\.\.|…)$", re.IGNORECASE
)
_LONGEST_MARK = 60


def cut_mark(text: str) -> int:
    """Where what an instrumentation wrote when it cut a text begins: ``…``, ``[truncated]``; -1 if it wrote nothing."""
    found = _CUT_MARK.search(text, max(0, len(text) - _LONGEST_MARK))
    return found.start() if found else -1


MAX_LITERAL_LENGTH = 100_000
"""Characters. What Python wrote and is longer stays text: reading it takes five times as long as JSON."""

_LITERAL = re.compile(r"""\s*[\[({]\s*(?:['"\[({]|[rb]?['"]|-?\d|True|False|None)""")

_NO_REPR = re.compile(r"""(?<!\\)(?:\\\\)*\\[^\\'"nrtxuU]""")
"""An escape that Python does not write."""


def structured(value: AnyValue) -> AnyValue:
    """Decoded only where it is an object or a list: a foreign text ``42`` stays the text it may well be.

    JSON, and what Python's ``repr`` makes of dicts, lists and tuples.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{", "("):
        return value
    found = decoded(value)
    if isinstance(found, str):
        mark = cut_mark(value)
        text = value[:mark] if mark > 0 else value
        found = decoded(mended(text)) if is_cut(text) else _literal(value)
    return found if isinstance(found, dict | list) else value


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


_EMBEDDED = re.compile(r"""\{\s*["']\w|\[\s*[\["{]""")
MAX_EMBEDDED = 8
"""Structures inside of one text."""

MAX_REPR_LENGTH = 2_000
"""Characters of a structure that Python wrote and JSON would not."""


def embedded(text: str) -> Iterator[AnyValue]:
    """JSON objects and lists that stand inside of a text, and Python's dicts and lists of texts and numbers."""
    at = 0
    for _ in range(MAX_EMBEDDED):
        begin = _EMBEDDED.search(text, at)
        if begin is None:
            return
        at = begin.start()
        source = text
        if begin[0][0] == "{" and "'" in begin[0]:
            source = text[:at] + text[at : at + MAX_REPR_LENGTH].replace("'", '"')
        try:
            found, at = _DECODER.raw_decode(source, at)
        except (ValueError, RecursionError):
            at += 1
        else:
            if found and not _too_deep(source, found):
                yield found


def is_cut(text: str) -> bool:
    """Whether a text began as a JSON object or list and ends before it is closed; prose in brackets does not count."""
    head = text.lstrip()[:2000]
    if not re.match(r'\[\s*(\{|\[|")|\{\s*"', head) or len(text) > MAX_MENDED_LENGTH:
        return False
    return not isinstance(decoded(text), dict | list) and bool(_open(text))


def mended(text: str) -> str:
    """The longest completion of cut JSON: what is open is closed, what was cut and is no text dropped."""
    tokens = list(_TOKENS.finditer(text))
    commas = [text[: token.start()] for token in reversed(tokens[-_LOOKED_BACK:]) if token[0] == ","]
    whole = text
    if tokens and tokens[-1][0][0] == '"' and not _closed(tokens[-1][0]):
        whole = _CUT_ESCAPE.sub(r"\1", text) + '"'
    for candidate in (whole, f"{whole}:null", f"{whole}null", *commas):
        closed = candidate + "".join(_CLOSING[bracket] for bracket in reversed(_open(candidate)))
        if isinstance(decoded(closed), dict | list):
            return closed
    return text


_LOOKED_BACK = 6
"""Tokens from the end among which a comma is looked for."""

_CUT_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(u[0-9a-fA-F]{0,3})?$")


def _closed(token: str) -> bool:
    body = token[1:-1]
    return len(token) > 1 and token[-1] == '"' and (len(body) - len(body.rstrip("\\"))) % 2 == 0


def _open(text: str) -> list[str]:
    """The brackets that are still open at the end; none where there are too many of them, or they do not fit."""
    stack: list[str] = []
    for match in _TOKENS.finditer(text):
        token = match[0]
        if token in ("[", "{"):
            stack.append(token)
            if len(stack) > MAX_JSON_DEPTH:
                return []
        elif token in ("]", "}") and (not stack or _CLOSING[stack.pop()] != token):
            return []
    return stack


def _refuse_constant(name: str) -> AnyValue:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _too_deep(text: str, value: AnyValue) -> bool:
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [child for parent in level for child in _children(parent)]
    return bool(level)


def _children(value: AnyValue) -> Iterator[AnyValue]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value
