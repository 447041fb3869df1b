"""Which calls evaluations judge, by their own word: the id of the judged response, or the span that they stand on.

https://github.com/open-telemetry/semantic-conventions-genai (``gen_ai.evaluation.result``)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collector.core.span import Event
from collector.graph.forest import Forest

EVENT: Final = "gen_ai.evaluation.result"
RESPONSE: Final = "gen_ai.response.id"


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The evaluations of a trace.

    Attributes:
        judged: The spans of the calls that were judged.
        by: By span that an evaluation stands on, the calls that it names by their responses.
    """

    judged: frozenset[str]
    by: Mapping[str, Sequence[str]]

    def judged_by(self, forest: Forest, judge: str) -> Sequence[str]:
        """The calls that evaluations on a span or in it name, itself left out."""
        inside = (one for one in self.by if forest.encloses(judge, one) or forest.encloses(one, judge))
        named = (call for one in inside for call in self.by[one])
        return [call for call in named if not forest.encloses(judge, call) and not forest.encloses(call, judge)]


def evaluations_of(forest: Forest, events: Mapping[str, Sequence[Event]]) -> Evaluations:
    """Of span events and log records.

    Args:
        forest: The spans.
        events: By span, of its log records and of its twins.
    """
    found = [
        (span_id, event)
        for span_id, span in forest.spans.items()
        for event in (*span.events, *events.get(span_id, ()))
        if event.name == EVENT
    ]
    if not found:
        return Evaluations(frozenset(), {})
    responses: dict[str, list[str]] = {}
    for span_id, span in forest.spans.items():
        if span.attributes.get(RESPONSE):
            responses.setdefault(str(span.attributes[RESPONSE]), []).append(span_id)
    by: dict[str, list[str]] = {}
    judged: set[str] = set()
    for span_id, event in found:
        named = responses.get(str(event.attributes.get(RESPONSE) or ""), [])
        judged.update(named or [span_id])
        if named:
            by.setdefault(span_id, []).extend(named)
    return Evaluations(frozenset(judged), by)
