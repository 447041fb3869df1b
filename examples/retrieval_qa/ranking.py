"""Step 3: the passages in order, titles considered."""

from dataclasses import replace

import otel_opto

from .analysis import Analysis
from .parameters import TITLE_WEIGHT
from .retrieval import Hit
from .words import stems


@otel_opto.node
def rank(hits: list[Hit], analysis: Analysis) -> list[Hit]:
    """A question word that stands in the title lifts a passage."""
    weight, asked = TITLE_WEIGHT.value, set(analysis.words)
    lifted = [replace(hit, score=hit.score + weight * len(asked & set(stems(hit.title)))) for hit in hits]
    return sorted(lifted, key=lambda hit: (-hit.score, hit.passage))
