"""Step 5: the answer in words."""

import logging
import string
from collections.abc import Mapping
from dataclasses import dataclass

import otel_opto

from .extraction import Extraction
from .parameters import DEFAULT_TEMPLATE, TEMPLATE

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Composed:
    """The answer that is given, and what was wrong with the template; empty if nothing was."""

    answer: str
    fault: str = ""


@otel_opto.node
def compose_answer(extraction: Extraction) -> Composed:
    """Fills the template in force; one that cannot be filled gives way to the code's own, and the fault is said."""
    known = {"answer": extraction.answer, "sentence": extraction.sentence, "title": extraction.title}
    template = TEMPLATE.value
    fault = fault_of(template, known)
    if fault:
        _LOG.warning("%s", fault)
        return Composed(DEFAULT_TEMPLATE.format_map(known), fault)
    return Composed(template.format_map(known))


def fault_of(template: str, known: Mapping[str, str]) -> str:
    """Why the template cannot be filled; empty if it can.

    Only plain names are let through: a template comes from outside, and ``{answer.__class__}`` would look into the
    program.
    """
    allowed = ", ".join(f"{{{name}}}" for name in known)
    try:
        fields = [(name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(template)]
    except ValueError as error:
        return f"The template {template!r} is not well-formed ({error}); the code's own was used."
    for name, spec, conversion in fields:
        if name is not None and (name not in known or spec or conversion):
            found = f"{{{name}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}}}"
            return f"The template {template!r} asks for {found}, allowed are {allowed}; the code's own was used."
    return ""
