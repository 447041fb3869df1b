"""How a trace ended: its final output, which need not be that of its last span.

No word of any language decides here. That the last to speak only judges what another one had said is told by an
evaluation that names the judged call, or by an answer that is a mere label.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from collector.core.graph import Edge, Output
from collector.core.span import AnyValue
from collector.graph.reading.facts import Facts, Role
from collector.graph.spans.trace import Trace
from collector.graph.texts import texts, weight

EVENT: Final = "gen_ai.evaluation.result"
RESPONSE: Final = "gen_ai.response.id"

LABEL_WORDS: Final = 3
LABEL_WEIGHT: Final = 30
"""A longer answer than that is no label."""

_SPEAKS: Final = (Role.MODEL, Role.AGENT)
"""Whose answer can be judged, and may be a verdict."""


def outputs_of(
    trace: Trace, flows: Mapping[str, Mapping[tuple[str, str], Edge]], tops: Sequence[str]
) -> tuple[Output, ...]:
    """One of each top span; where what ran around them is missing, that of the last to end first.

    Args:
        trace: The spans.
        flows: By span, what flowed into it, by the span that it came from.
        tops: The spans that stand for the trace.
    """
    endings = _Endings(trace, flows)
    found = [(top, one) for top in tops if (one := endings.of(top)) is not None]
    if any(trace.forest.spans[top].parent_span_id for top in tops):
        found.sort(key=lambda pair: (-trace.ends[pair[0]], pair))
    return tuple(Output(trace.nodes[one], trace.facts[one].output) for _, one in found)


def _evaluations(trace: Trace) -> Mapping[str, Sequence[str]]:
    """By span that an evaluation stands on, the calls that it names."""
    spans = trace.forest.spans
    responses = [
        (span_id, str(event.attributes.get(RESPONSE) or ""))
        for span_id, span in spans.items()
        if span.events or span_id in trace.events
        for event in (*span.events, *trace.events.get(span_id, ()))
        if event.name == EVENT
    ]
    calls: dict[str, list[str]] = {}
    for span_id, span in spans.items() if responses else ():
        if span.attributes.get(RESPONSE):
            calls.setdefault(str(span.attributes[RESPONSE]), []).append(span_id)
    found: dict[str, list[str]] = {}
    for span_id, response in responses:
        found.setdefault(span_id, []).extend(calls.get(response, ()))
    return found


class _Endings:
    def __init__(self, trace: Trace, flows: Mapping[str, Mapping[tuple[str, str], Edge]]) -> None:
        self._trace = trace
        self._flows = flows
        self._evaluations = _evaluations(trace)

    def of(self, top: str) -> str | None:
        """A top that states its output is believed.

        Where it states none, or a structure that was cut: of its descendants that state one, the last that is no
        evaluation; if that one only judges an earlier answer, this one. Labels under names of no convention are no
        outputs, as a state may have gone in as well.
        """
        trace, facts = self._trace, self._trace.facts
        if _states(facts[top]) and not _is_cut(facts[top]):
            return top
        inside = trace.forest.descendants(top)[1:]
        stating = [one for one in inside if _states(facts[one]) and facts[one].role is not Role.EVALUATOR]
        if not stating:
            return top if facts[top].has_output else None
        last = max(stating, key=trace.ending)
        if _is_cut(facts[last]):
            whole = [one for one in stating if trace.forest.encloses(last, one) and not _is_cut(facts[one])]
            last = max(whole, key=trace.ending, default=last)
        named = [one for one in self._evaluated(last) if one in stating]  # evidence before position
        return max(named, key=trace.ending) if named else self._judged(last)

    def _evaluated(self, judge: str) -> Sequence[str]:
        """The calls that evaluations on a span, around it or in it name by their responses."""
        nested = self._trace.forest.nested
        named = (call for one, calls in self._evaluations.items() if nested(judge, one) for call in calls)
        return [call for call in named if not nested(judge, call)]

    def _judged(self, last: str) -> str:
        """Back from a label for an answer to that answer, if it says nothing of it and its speaker knew no more."""
        trace, facts, nested = self._trace, self._trace.facts, self._trace.forest.nested
        inside = trace.forest.descendants(last)
        if not _is_label(facts[last].output) or all(facts[one].role not in _SPEAKS for one in inside):
            return last
        sources = [one for within in inside for one, _ in self._flows.get(within, ()) if not nested(one, last)]
        speakers = [one for one in sources if facts[one].role in _SPEAKS and facts[one].has_output]
        judged = max(speakers, key=trace.ending, default=last)
        answer = " ".join(texts(facts[judged].output)).casefold()
        told = any(part.casefold() in answer for part in texts(facts[last].output))
        only = all(nested(one, judged) for one in sources)
        return judged if only and not told and not _is_label(facts[judged].output) else last


def _states(said: Facts) -> bool:
    """Whether it has an output that is more than a guess."""
    if not said.has_output or said.output in (None, "", [], {}):
        return False
    return not said.both or not all(map(_is_label, said.both.values()))


def _is_cut(said: Facts) -> bool:
    """Whether a part of a structure was lost, and so perhaps what mattered; of a text the beginning is there."""
    return said.incomplete and isinstance(said.output, Mapping | list)


def _is_label(value: AnyValue) -> bool:
    """A word or a few, a number, some of these; in no sentence."""
    said = texts(value)
    return isinstance(value, int | float) or all(
        len(one.split()) <= LABEL_WORDS and weight(one) <= LABEL_WEIGHT for one in said
    )
