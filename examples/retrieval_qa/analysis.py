"""Step 1: what is asked for."""

import re
from dataclasses import dataclass
from enum import StrEnum

import otel_opto

from .words import stems


class Kind(StrEnum):
    """What sort of words the answer must be."""

    NUMBER = "number"
    TIME = "time"
    PERSON = "person"
    PLACE = "place"
    PHRASE = "phrase"


_SIGNS = (
    (Kind.TIME, r"^when\b|^(?:until|since|before) (?:when|what|which)\b"),
    (Kind.TIME, r"\b(?:what|which) (?:year|months?|date|day|evening|morning|hour|time)\b"),
    (Kind.NUMBER, r"\bhow (?!(?:do|does|did|is|are|was|were|can|may)\b)\w+|\b(?:costs?|pay|price|fine)\b"),
    (Kind.PERSON, r"^whom?\b|\bname of the (?:\w+ )?\w+er\b"),
    (Kind.PLACE, r"^where\b|\b(?:what|which) (?:street|building|place|house)\b"),
)


@dataclass(frozen=True, slots=True)
class Analysis:
    """A question taken apart: the stems of its meaningful words, each once and in order, and the kind of answer."""

    question: str
    words: tuple[str, ...]
    kind: Kind


@otel_opto.node
def analyse_question(question: str) -> Analysis:
    """Looks at the question alone; the first sign that fits decides on the kind, a phrase where none does."""
    lowered = question.lower()
    kind = next((kind for kind, sign in _SIGNS if re.search(sign, lowered)), Kind.PHRASE)
    return Analysis(question, tuple(dict.fromkeys(stems(question))), kind)
