"""How a trace ended: its final output, which need not be that of its last span.

No word of any language decides here. That the last to speak only judges what another one had said is told by an
evaluation that names the judged call, or by an answer that is a mere label.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from collector.core.graph import Edge, Output
from collector.core.span import AnyValue
from collector.graph.edges.corpus import END
from collector.graph.reading.facts import Facts, Role
from collector.graph.spans.trace import Trace
from collector.graph.texts import MIN_LEAF, texts, weight, words

EVENT: Final = "gen_ai.evaluation.result"
RESPONSE: Final = "gen_ai.response.id"

LABEL_WORDS: Final = 3
LABEL_WEIGHT: Final = 30
"""A longer answer than that is no label."""

LONGER: Final = 3
"""So many times the length of a label has at least what it judges."""

_SPEAKS: Final = (Role.MODEL, Role.AGENT)
_ACTS: Final = (Role.TOOL, Role.RETRIEVER)
"""What they say, however short, is a result and no verdict."""


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
        evaluation, has not failed and is nearest to the top; if that one only judges an earlier answer, this one.
        """
        trace, facts = self._trace, self._trace.facts
        if facts[top].has_output and _says(facts[top].output) and not _is_cut(facts[top]) and not self._guessed(top):
            return top
        stating = [
            one
            for one in trace.forest.descendants(top)[1:]
            if facts[one].has_output
            and _says(facts[one].output)
            and facts[one].role is not Role.EVALUATOR
            and not (facts[one].both and _are_words(facts[one]))
            and one not in trace.failed
        ]
        if not stating:
            return top if facts[top].has_output else None
        last = max(stating, key=trace.ending)
        if _is_cut(facts[last]):
            inside = [one for one in stating if trace.forest.encloses(last, one) and not _is_cut(facts[one])]
            last = max(inside, key=trace.ending, default=last)
        named = [one for one in self._evaluated(last) if one in stating]  # evidence before position
        return max(named, key=trace.ending) if named else self._judged(last)

    def _guessed(self, top: str) -> bool:
        """Whether its one value, a short one, may as well have gone in, or all are single words, and none was made."""
        facts = self._trace.facts
        said = facts[top]
        if not said.both or (len(said.both) > 1 and not _are_words(said)):
            return False
        shown = " ".join(texts(said.output))
        made = (text for one in self._trace.forest.descendants(top)[1:] for text in texts(facts[one].output))
        short = _are_words(said) or weight(shown) < LABEL_WEIGHT
        return short and not any(len(text) >= MIN_LEAF and text in shown for text in made)

    def _evaluated(self, judge: str) -> Sequence[str]:
        """The calls that evaluations on a span, around it or in it name by their responses."""
        nested = self._trace.forest.nested
        named = (call for one, calls in self._evaluations.items() if nested(judge, one) for call in calls)
        return [call for call in named if not nested(judge, call)]

    def _judged(self, last: str) -> str:
        """Back from a label for an answer to that answer, if it knew nothing else."""
        trace, facts, nested = self._trace, self._trace.facts, self._trace.forest.nested
        if facts[last].role in _ACTS:
            return last
        into = (source for one in trace.forest.descendants(last) for source, _ in self._flows.get(one, ()))
        sources = [one for one in into if not nested(one, last) and one not in trace.failed]
        speakers = [one for one in sources if facts[one].role in _SPEAKS and facts[one].has_output]
        if not speakers:
            return last
        judged = max(speakers, key=trace.ending)
        label, answer = facts[last].output, facts[judged].output
        bare = _is_label(label) and LONGER * _length(label) <= _length(answer) and not _is_from(label, answer)
        return judged if bare and all(nested(one, judged) for one in sources) else last


def _is_cut(said: Facts) -> bool:
    """Whether a part of a structure was lost, and so perhaps what mattered; of a text the beginning is there."""
    return said.incomplete and isinstance(said.output, Mapping | list)


def _are_words(said: Facts) -> bool:
    """Whether all that it may have made are single words: a state, a reason."""
    values = (one for value in said.both.values() for one in (value if isinstance(value, list) else [value]))
    return all(isinstance(one, str) and one.replace("_", "").replace("-", "").isalpha() for one in values)


def _is_label(value: AnyValue) -> bool:
    """A word or a few, a number; in no sentence."""
    if isinstance(value, int | float):
        return True
    return isinstance(value, str) and len(words(value)) <= LABEL_WORDS and weight(value) <= LABEL_WEIGHT


def _length(value: AnyValue) -> int:
    return sum(map(len, texts(value)))


def _is_from(said: AnyValue, whole: AnyValue) -> bool:
    """Whether any of what is said stands in the whole."""
    around = " ".join(texts(whole)).casefold()
    return any(part.casefold() in around for part in texts(said))


def _says(value: AnyValue) -> bool:
    return value not in (None, "", [], {}, *END)
