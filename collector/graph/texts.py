"""The texts that a value is made of, in the one form in which texts are compared; and when one counts as recognised."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from itertools import pairwise
from typing import Final
from unicodedata import is_normalized, normalize

from collector.core.span import AnyValue
from collector.graph.reading.values import LISTS, structured

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

CODE: Final = re.compile(
    r"(?=.{6})[A-Za-z][A-Za-z]{0,4}[-_/#.]?(?=(?:\D*\d){3})[A-Za-z0-9]+(?:[-_/.][A-Za-z0-9]+)*|"
    r"(?=(?:\D*\d){5})\d+(?:[.,]\d{3})*(?:[.,]\d\d?)?"
)
"""A letter or a few and then digits, as ids of bookings and tickets are made: ``bk_58213``, ``TW-3391``; or an
amount of five digits or more. What a vector is made of has more digits behind the point."""

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


NO_CONTENT: Final = frozenset((
    "lc", "mime_type", "response_metadata", "additional_kwargs", "usage_metadata", "usage", "token_usage", "tags",
    "metadata", "logprobs", "model", "model_name", "system_fingerprint", "service_tier", "created", "created_at",
    "object", "finish_reason", "id", "uuid", "run_id", "thread_id", "role", "type", "invalid_tool_calls",
    "tool_call_id", "call_id", "_type", "generation_info", "llm_output", "status", "langgraph_step", "score",
    "index", "block_type", "tool_choice", "parallel_tool_calls", "stream",
))  # fmt: skip
"""Keys whose values are about a message, and not in it."""

MAX_RECORD: Final = 400
"""Characters of a record's texts."""

MAX_LEAVES: Final = 32
"""Values in a record, those of inner structures included."""

MIN_FIELD: Final = 3
"""Characters of a field's value that says something."""


def record(item: Mapping[str, AnyValue]) -> str:
    """Several small values under their names as one text, the same for every order and layout; empty if it is none."""
    kept = {key: value for key, value in item.items() if key not in NO_CONTENT}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False) if len(kept) > 1 and _is_small(kept) else ""


def _is_small(item: Mapping[str, AnyValue]) -> bool:
    """Whether it has few values, little text, and at least one value that is more than a flag."""
    room, leaves, says = MAX_RECORD, MAX_LEAVES, False
    stack: list[AnyValue] = [item]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            room -= sum(map(len, value))
            stack.extend(value.values())
        elif isinstance(value, LISTS):
            stack.extend(value)
        elif isinstance(value, str):
            room -= len(value)
            says = says or len(value) >= MIN_FIELD
        else:
            says = says or (isinstance(value, int | float) and not isinstance(value, bool))
        leaves -= 1
        if room < 0 or leaves < 0 or len(stack) > MAX_LEAVES or isinstance(value, bytes):
            return False
    return says


MAX_TEXTS: Final = 2_000
"""Of one value. What lies beyond is not compared."""

MAX_LENGTH: Final = 200_000
"""Of one text, in characters. What lies beyond is not compared."""

_ESCAPES: Final = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_LITERALS: Final = re.compile(r"""(?:=|: )(?:'((?:[^'\\]|\\.){12,})'|"((?:[^"\\]|\\.){12,})")""", re.DOTALL)
_QUOTES: Final = ("'", '"')
_QUOTED: Final = re.compile(r"""'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*\"""", re.DOTALL)
"""A text as JSON or Python's repr writes it."""
_REPR: Final = re.compile(r"^\W*[A-Za-z_][\w.$]*\s?[\[({]\s?[\w ]*[=:<'\"]")
"""How an object begins as Python, Rust, Java, Kotlin or Go print it."""
_BARE: Final = re.compile(r"[\[({,]\s?\w+=([^=\"'\n]{12,}?)(?=, \w+=|[\])}]+(?:,|$))")
"""A field's value that stands there without quotation marks."""


MAX_PARTS: Final = 12
"""Of one value. Lines and labelled texts beyond are known only as parts of the whole."""


def texts(value: AnyValue, parts: list[str] | None = None) -> list[str]:
    """The texts in a value, JSON in texts and Python's repr of objects opened; numbers as their digits.

    Args:
        value: Decoded or not.
        parts: Gets the lines and the labelled texts (``Answer: …``) that the texts are made of.
    """
    found: list[str] = []
    stack = [value]
    while stack and len(found) < MAX_TEXTS:
        item = stack.pop()
        if isinstance(item, str):
            stack.extend(_opened(item, found, parts))
        elif isinstance(item, dict):
            whole = record(item)
            if whole:
                found.append(whole)
            stack.extend([inner for key, inner in item.items() if key not in NO_CONTENT][::-1])
        elif isinstance(item, Sequence) and not isinstance(item, bytes):
            stack.extend(reversed(item))
        elif isinstance(item, int | float) and not isinstance(item, bool):
            found.append(f"{item:.12g}" if isinstance(item, float) else str(item))
    return found


def _opened(text: str, found: list[str], parts: list[str] | None) -> list[AnyValue]:
    """The structure that a text is; if it is none, the text is among the found ones."""
    inner = structured(text)
    if inner is not text:
        return [inner]
    if text[:1] in _QUOTES and _QUOTED.fullmatch(text):
        text = text[1:-1]
    found.extend(_of_text(text))
    if parts is not None and len(parts) < MAX_PARTS:
        parts.extend(_parts(text, MAX_PARTS - len(parts)))
    return []


def _of_text(text: str) -> Iterator[str]:
    whole = plain(text[:MAX_LENGTH])
    if whole:
        yield whole
    if _REPR.match(text):
        for match in _LITERALS.finditer(text):
            yield plain(match[1] or match[2])
        for match in _BARE.finditer(text):
            yield plain(match[1])


_BULLET: Final = re.compile(r"\s*(?:[-*•#>]+|\(?\d{1,3}[.)]|\(?[a-z]\))\s+")
_CELLS: Final = re.compile(r"\s\|\s|\t|;\s")
MAX_ROW: Final = 400
"""Characters. A longer line is no row of cells (``line | wish``)."""

_LABEL: Final = re.compile(r"[^\s:][^:\n]{0,30}:\s+(?=\S)")
_END: Final = re.compile(r"[.!?]\s+(?=\S)")


def _sentences(text: str) -> list[str]:
    """Looked for at the marks that a text has, if it has any: a pattern takes a hundred steps for each letter."""
    if not ("." in text or "!" in text or "?" in text):
        return [text]
    ends = [(found.start() + 1, found.end()) for found in _END.finditer(text)]
    return [text[begin:end] for (_, begin), (end, _) in pairwise([(0, 0), *ends, (len(text), 0)])]


def _parts(text: str, most: int) -> list[str]:
    """Lines without bullets, their cells and sentences, and what follows a label at the beginning of a line."""
    lines = text.split("\n", most + 1)[:most] if "\n" in text else [text]
    found = []
    for line in lines:
        bullet = _BULLET.match(line)
        item = line[bullet.end() :] if bullet else line
        label = _LABEL.match(item)
        if len(lines) > 1 or bullet:
            found.append(plain(item))
        is_row = len(item) <= MAX_ROW
        if is_row and ("|" in item or ";" in item or "\t" in item) and _CELLS.search(item):
            found += [plain(cell) for cell in _CELLS.split(item) if cell.strip()]
        if label:
            found.append(plain(item[label.end() :]))
        sentences = _sentences(item) if is_row else ()
        if len(sentences) > 1:
            found += [plain(one) for one in sentences]
    return found[:most]


def _unescaped(run: re.Match[str]) -> str:
    """Characters beyond the first 65,536 are two escapes, and half of one is none."""
    units = bytes.fromhex(run[0].replace("\\u", ""))
    return units.decode("utf-16-be", "replace")


_TOO_LARGE: Final = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")
"""A reference to no character; read as a number it may be longer than Python reads."""


def plain(text: str) -> str:
    """White space as single spaces; escapes that a repr, JSON or HTML left over undone; a mark of cutting taken off.

    Letters with marks are composed (NFC), as most programs write them.
    """
    if "&" in text and ";" in text:
        text = unescape(_TOO_LARGE.sub("�", text))
    if not text.isascii() and not is_normalized("NFC", text):
        text = normalize("NFC", text)
    if "\\" in text:
        text = _ESCAPES.sub(_unescaped, text)
        text = (
            text.replace("\\\\", "\\").replace("\\n", " ").replace("\\t", " ").replace("\\'", "'").replace('\\"', '"')
        )
    if "\n" in text or "  " in text or "\t" in text or text[:1].isspace() or text[-1:].isspace():
        text = " ".join(text.split())
    return text.rstrip("….").rstrip() if text.endswith(("...", "…")) and len(text) > 32 else text


_SEPARATORS: Final = {ord(mark): " " for mark in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}
_UNSPACED: Final = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{4,}")


def words(text: str) -> list[str]:
    """Words without punctuation; scripts that put no spaces between words in overlapping pieces of four."""
    if not text.isascii():
        text = _UNSPACED.sub(_pieces, text)
    return text.translate(_SEPARATORS).split()


def _pieces(run: re.Match[str]) -> str:
    letters = run[0]
    return f" {' '.join(letters[start : start + 4] for start in range(len(letters) - 3))} "
