"""Step 5: the answer in words."""

from dataclasses import dataclass

import otel_opto

from .extraction import Extraction
from .parameters import TEMPLATE


@dataclass(frozen=True, slots=True)
class Composed:
    """The answer that is given."""

    answer: str


@otel_opto.node
def compose_answer(extraction: Extraction) -> Composed:
    """Fills the template in force; one that could not be filled from these fields never gets into force."""
    known = {"answer": extraction.answer, "sentence": extraction.sentence, "title": extraction.title}
    return Composed(TEMPLATE.value.format_map(known))
