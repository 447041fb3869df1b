"""Texts with fields that the application fills: in which style, and whether it can fill another text.

The style is inferred once, from what the developer declared. A declared text does not say what its fields are filled
with, so another text may use a field bare or just as a declared text uses it, and nothing else.
"""

import re
import string
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count


class Style(Enum):
    """How the fields of a text are written."""

    FORMAT = "format"
    """Of `str.format`: ``{question}``, ``{doc.title}``, ``{items[0]!r:>9}``; a brace of no field is doubled."""
    DOUBLE = "double"
    """``{{question}}``, ``{{ doc.title }}`` (Langfuse, MLflow, Jinja, Mustache); single braces are text."""
    PLAIN = "plain"
    """``{question}`` among other braces, JSON for example: the application replaces the fields by itself."""


class _Fault(Exception):
    """Why a text cannot be filled."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field.

    Attributes:
        name: What the application gives: ``doc`` of ``doc.title!r:>9``; empty where it is not one name.
        expression: All of it, without its braces.
    """

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Template:
    """What a text must be to be filled as the declared texts are.

    Attributes:
        style: Of the declared texts.
        required: Names, or whole expressions, that a text must use.
        known: Fields that a text may use: bare names, and the expressions of the declared texts.
        statements: Of each declared text the statements (``{% if … %}``, ``{{#section}}``) and, where there are any,
            the fields between them, in their order.
    """

    style: Style
    required: tuple[str, ...]
    known: frozenset[str]
    statements: frozenset[tuple[str, ...]] = frozenset()

    def fault_of(self, text: str) -> str:
        """Why the application cannot fill the text; empty if it can. Linear in the text, whatever it asks for."""
        try:
            used = _fields(self.style, text)
            if self.style is Style.FORMAT:
                _Proof().vformat(text, (), {})
        except (_Fault, ValueError) as fault:
            return f"it cannot be filled: {fault}"
        unknown = next((field.expression for field in used if field.expression not in self.known), None)
        if unknown is not None:
            shown = sorted(self.known)[:_MAX_SHOWN]
            allowed = ", ".join(map(self._written, shown)) + (" …" if len(self.known) > _MAX_SHOWN else "")
            return f"{self._written(_short(unknown))} is no field that can be filled; these can: {allowed or 'none'}"
        missing = _missing(self.style, text, used, self.required)
        if missing:
            return f"{self._written(missing[0])} is missing"
        if self.style is Style.DOUBLE and _statements(text) not in self.statements:
            return "its statements, {% … %} or {{#…}}, are not in number and order those of the default"
        return ""

    def words(self) -> str:
        """What a text must be, for people and optimizers; it follows on "a text"."""
        words = " containing " + ", ".join(map(self._written, self.required)) if self.required else ""
        if self.style is Style.FORMAT:
            words += ", braces beside fields doubled"
        return words

    def _written(self, expression: str) -> str:
        return "{{" + expression + "}}" if self.style is Style.DOUBLE else "{" + expression + "}"


def template_of(declared: Sequence[str], placeholders: Collection[str]) -> Template | None:
    """The template that the declared texts are; None where these are texts without fields.

    Its style is the first in which the default has every placeholder. Where none are named: that of the fields which
    the default has, or `str.format`'s where it has doubled braces.

    Args:
        declared: The default, then the candidates; all of them tell what the application can fill.
        placeholders: Names, or whole expressions, that every text must use.

    Raises:
        ValueError: in no style has the default every placeholder, or a field asks for much room; the text says what a
            text must be.
    """
    default = declared[0]
    if placeholders:
        fits = (style for style in Style if _fits(style, default, placeholders))
        style = next(fits, None)
        if style is None:
            raise ValueError("containing " + ", ".join("{" + name + "}" for name in placeholders))
    elif _fits(Style.FORMAT, default) and not _COMMAND.search(default):
        style = Style.FORMAT
    elif _fits(Style.DOUBLE, default):
        style = Style.DOUBLE
    elif _is_escaped(default):
        style = Style.FORMAT
    else:
        return None
    readable = [text for text in declared if _readable(style, text)]  # another one is told of where it is checked
    fields = [field for text in readable for field in _fields(style, text)]
    if style is Style.FORMAT and any(_VAST.search(field.expression, len(field.name)) for field in fields):
        raise ValueError("with fields at most 99999 wide")
    known = {name for field in fields for name in (field.name, field.expression) if name} | set(placeholders)
    statements = frozenset(map(_statements, readable)) if style is Style.DOUBLE else frozenset()
    return Template(style, tuple(placeholders), frozenset(known), statements)


_MAX_SHOWN = 20
_NAME = re.compile(r"[^\W\d]\w*")
_COMMAND = re.compile(r"\\[A-Za-z]+\{(?!\{)")
r"""Of LaTeX: ``\boxed{}`` alone is no sign of a template."""

_SPEC = re.compile(r"(.?[<>=^])?[-+ ]?z?#?0?\d*[,_]?(\.\d+)?[A-Za-z%]?|.*%.*", re.DOTALL)
"""Of numbers and texts (Python's format specification mini-language), or of times (``%Y``)."""

_VAST = re.compile(r"\d{6}")
_FORMAT_NAME = re.compile(r"[^\W\d]\w*|\d{1,4}")
_FORMAT_REST = re.compile(r"(\.\w+|\[[^\[\]]+\])*(?:![rsa])?(?::(?P<spec>.*))?", re.DOTALL)
_PLAIN_FIELD = re.compile(r"""\{(?P<all>(?P<name>[^\W\d]\w*)(\.\w+|\[[^\[\]{}]*\])*(?:![A-Za-z])?(?::[^\s{}"']*)?)\}""")
_OPENING = re.compile(r"\{\{\{?|\{%|\{#")
_CLOSING = {"{{{": "}}}", "{{": "}}", "{%": "%}", "{#": "#}"}
_SECTION = re.compile(r"[#/^>!=]|else\b")
"""So begin Mustache's and Handlebars' statements."""


def _fits(style: Style, default: str, placeholders: Collection[str] = ()) -> bool:
    """Whether the default is a template in this style: with every placeholder, or with a field where none are named."""
    try:
        fields = _fields(style, default)
    except _Fault:
        return False
    if style is Style.FORMAT:
        sound = all(_is_sound(field, placeholders) for field in fields)
    else:
        sound = bool(placeholders) or any(field.name for field in fields)
    return sound and bool(fields or placeholders) and not _missing(style, default, fields, placeholders)


def _is_sound(field: _Field, placeholders: Collection[str]) -> bool:
    """Whether a field of `str.format` is one that an application could mean; JSON in braces is none."""
    rest = _FORMAT_REST.fullmatch(field.expression, len(field.name))
    named = field.name in placeholders or _FORMAT_NAME.fullmatch(field.name)
    if field.expression in placeholders or rest is None or not named:
        return field.expression in placeholders
    return bool(_SPEC.fullmatch(re.sub(r"\{[^{}]*\}", "1", rest["spec"] or "")))


def _is_escaped(text: str) -> bool:
    """Whether it has doubled braces and no others, as only `str.format` would want it."""
    return ("{{" in text or "}}" in text) and _readable(Style.FORMAT, text) and not _fields(Style.FORMAT, text)


def _readable(style: Style, text: str) -> bool:
    try:
        _fields(style, text)
    except _Fault:
        return False
    return True


def _missing(style: Style, text: str, fields: Collection[_Field], required: Collection[str]) -> list[str]:
    used = {field.name for field in fields} | {field.expression for field in fields}
    return [name for name in required if name not in used and not (style is Style.PLAIN and "{" + name + "}" in text)]


def _fields(style: Style, text: str) -> list[_Field]:
    """Raises `_Fault` where the text is not well-formed."""
    if style is Style.PLAIN:
        return [_Field(found["name"], found["all"]) for found in _PLAIN_FIELD.finditer(text)]
    if style is Style.DOUBLE:
        return [_double_field(inside) for opening, inside in _tokens(text) if not _is_statement(opening, inside)]
    try:
        return list(_format_fields(text, count(), nested=False))
    except ValueError as error:
        raise _Fault(f"{error}; braces beside fields are doubled, {{{{ and }}}}") from None


def _format_fields(text: str, numbers: Iterator[int], *, nested: bool) -> Iterator[_Field]:
    """Those of a specification (``{value:{width}}``), too; ``{}`` by its number."""
    for _, found, spec, conversion in string.Formatter().parse(text):
        if found is None:
            continue
        if nested and "{" in (spec or ""):
            raise ValueError("fields stand in fields in fields")
        path = f"{next(numbers)}{found}" if found[:1] in ("", ".", "[") else found
        name = re.split(r"[.\[]", path, maxsplit=1)[0]
        yield _Field(name, path + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else ""))
        if spec:
            yield from _format_fields(spec, numbers, nested=True)


class _Proof(string.Formatter):
    """Formats with sample values; what a width or a conversion would make of them is not carried out."""

    def get_field(self, field_name: str, *_: object) -> tuple[str, str]:
        return "1", field_name

    def convert_field(self, value: object, *_: object) -> object:
        return value

    def format_field(self, *_: object) -> str:
        return "1"


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """What stands in double braces, with their opening; Jinja's statements, too, its comments not."""
    at = 0
    while opening := _OPENING.search(text, at):
        closing = _CLOSING[opening[0]]
        end = text.find(closing, opening.end())
        if end < 0:
            raise _Fault(f"{opening[0]} is never closed")
        if opening[0] != "{#":
            yield opening[0], text[opening.end() : end].strip()
        at = end + len(closing)


def _is_statement(opening: str, inside: str) -> bool:
    return opening == "{%" or bool(_SECTION.match(inside))


def _double_field(inside: str) -> _Field:
    found = _NAME.match(inside)
    name = found[0] if found and inside[found.end() : found.end() + 1] != "-" else ""
    return _Field(name, inside)


def _statements(text: str) -> tuple[str, ...]:
    tokens = list(_tokens(text))
    if not any(_is_statement(*token) for token in tokens):
        return ()
    return tuple(inside for _, inside in tokens)


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
