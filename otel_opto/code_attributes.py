"""What a function's own spans say of it: where it comes from, and what it does."""

import inspect
import re
from collections.abc import Callable
from typing import Final

from otel_opto import semconv
from otel_opto.capture import without_halves

_MAX_DESCRIPTION: Final = 300


def attributes_of(function: Callable[..., object]) -> dict[str, str | int]:
    """Found out once, when the function becomes a node."""
    attributes: dict[str, str | int] = {}
    module, qualified = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if qualified:
        attributes[semconv.CODE_FUNCTION_NAME] = f"{module}.{qualified}" if module else str(qualified)
    innermost = inspect.unwrap(function)
    code = getattr(innermost, "__code__", None)
    if code is not None:
        attributes[semconv.CODE_FILE_PATH] = code.co_filename
        attributes[semconv.CODE_LINE_NUMBER] = code.co_firstlineno
        if said := _described(innermost):
            attributes[semconv.NODE_DESCRIPTION] = said
    return attributes


def _described(function: Callable[..., object]) -> str:
    """The first paragraph of the function's own docstring, on one line."""
    written = getattr(function, "__doc__", None)
    if not isinstance(written, str):
        return ""
    first = " ".join(re.split(r"\n[^\S\n]*\n", written.strip(), maxsplit=1)[0].split())
    return without_halves(first if len(first) <= _MAX_DESCRIPTION else f"{first[: _MAX_DESCRIPTION - 1]}…")
