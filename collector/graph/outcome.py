"""How a trace ended: its final output, which need not be that of its last span.

No word of any language decides here. That the last to speak only judges what another one had said is told by an
evaluation that names the judged call, by the way the two took turns, or by an answer that is a mere label.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collector.core.graph import Output
from collector.core.span import AnyValue, Event
from collector.graph.clock import Times
from collector.graph.content.corpus import END
from collector.graph.content.texts import MIN_LEAF, texts, weight, words
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts, Role
from collector.graph.reading.values import structured

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


LABEL_WORDS: Final = 3
LABEL_WEIGHT: Final = 30
"""A longer answer than that is no label."""

LONGER: Final = 3
"""So many times the length of a label has at least what it judges."""

MIN_ASKED: Final = 8
"""Characters of what a trace was asked by which it is known again."""

_SPEAKS: Final = frozenset((Role.MODEL, Role.AGENT))


class Endings:
    """Finds the final outputs of a trace.

    Args:
        forest: The spans.
        readings: What they say.
        times: When they ran.
        flows: By span, those whose output flowed into it.
        failed: Spans that ended with an error.
        evaluations: Which calls were judged by whom.
    """

    def __init__(
        self,
        forest: Forest,
        readings: Mapping[str, Facts],
        times: Times,
        flows: Mapping[str, Collection[str]],
        failed: frozenset[str],
        evaluations: Evaluations,
    ) -> None:
        self._forest = forest
        self._readings = readings
        self._times = times
        self._flows = flows
        self._failed = failed
        self._evaluations = evaluations

    def outputs(self, tops: Sequence[str]) -> tuple[Output, ...]:
        """One of each top span; where what ran around them is missing, that of the last to end first.

        A top that states its output is believed. Where it states none, or a structure that was cut: of its descendants
        that state one, the last that is no evaluation, has not failed and is nearest to the top; if that one only
        judges an earlier answer, this one.
        """
        found = [(top, one) for top in tops if (one := self._chosen(top)) is not None]
        if any(self._forest.spans[top].parent_span_id for top in tops):
            found.sort(key=lambda pair: (self._is_bare(pair[1]), -self._times.ends[pair[0]], pair))
        return tuple(Output(f"span:{one}", self._readings[one].output) for _, one in found)

    def _chosen(self, top: str) -> str | None:
        readings = self._readings
        stated = readings[top].output
        whole = readings[top].has_output and _says(stated) and not _is_cut(readings[top])
        if whole and not self._guessed(top):
            return top
        if top in self._failed:
            return None
        stating = [
            one
            for one in self._forest.descendants(top)[1:]
            if readings[one].has_output
            and _says(readings[one].output)
            and readings[one].role is not Role.EVALUATOR
            and not (readings[one].both and _labels(readings[one]))
            and one not in self._failed
        ]
        if not stating:
            return top if readings[top].has_output else None
        last = max(stating, key=self._ending)
        if _is_cut(readings[last]):
            inside = [one for one in stating if self._forest.encloses(last, one) and not _is_cut(readings[one])]
            last = max(inside, key=self._ending, default=last)
        return self._judged(last, stating, top)

    def _ending(self, span_id: str) -> tuple[int, int, str]:
        return self._times.ends[span_id], -self._forest.position[span_id], span_id

    def _is_bare(self, span_id: str) -> bool:
        """Whether it is figures, beside fragments that say more."""
        said = self._readings[span_id].output
        return isinstance(said, int | float) or _is_figures(said)

    def _guessed(self, top: str) -> bool:
        """Whether its one value may as well have gone in, or all are single words, and no call made any of it."""
        reading = self._readings[top]
        if not reading.both or (len(reading.both) > 1 and not _labels(reading)):
            return False
        said = " ".join(texts(reading.output))
        inner = self._forest.descendants(top)[1:]
        if any(len(text) >= MIN_LEAF and text in said for one in inner for text in texts(self._readings[one].output)):
            return False
        if _labels(reading) or weight(said) < LABEL_WEIGHT:
            return True
        spoken = set(words(said))
        made = max((len(spoken & set(_words(self._readings[one].output))) for one in inner), default=0)
        given = max((len(spoken & set(_words([*self._readings[one].inputs.values()]))) for one in inner), default=0)
        return given >= made

    def _judged(self, last: str, stating: Sequence[str], top: str) -> str:
        """Back from who only judges to what it judges; evidence before position."""
        named = [one for one in self._evaluations.judged_by(self._forest, last) if one in stating]
        if named:
            return max(named, key=self._ending)
        if self._readings[last].role in (Role.TOOL, Role.RETRIEVER):
            return last
        sources = [one for one in self._sources(last) if self._readings[one].has_output and one not in self._failed]
        speakers = [one for one in sources if self._readings[one].role in _SPEAKS]
        if not speakers:
            return last
        judged = max(speakers, key=self._ending)
        if last not in self._evaluations.judged and judged in self._evaluations.judged:
            return judged if self._adds_nothing(judged, sources) else last
        answers = self._readings[last].output, self._readings[judged].output
        if self._took_turns(last, judged) and _length(answers[0]) < _length(answers[1]):
            return judged
        bare = (_is_label(answers[0]) or _is_figures(answers[0])) and LONGER * _length(answers[0]) <= _length(
            answers[1]
        )
        alone = bare and not _from(answers[0], answers[1]) and self._adds_nothing(judged, sources)
        return judged if alone and not self._was_asked(last, top) else last

    def _sources(self, span_id: str) -> Sequence[str]:
        """Whose outputs came to an operation, to one in it, or to one that is there for it."""
        into = [*self._forest.descendants(span_id)]
        up = self._forest.parent(span_id)
        while up is not None and len(self._forest.children[up]) == 1:
            into.append(up)
            up = self._forest.parent(up)
        found = dict.fromkeys(source for one in into for source in self._flows.get(one, ()))
        return [one for one in found if not self._nested(one, span_id)]

    def _nested(self, one: str, other: str) -> bool:
        return self._forest.encloses(one, other) or self._forest.encloses(other, one)

    def _adds_nothing(self, judged: str, sources: Sequence[str]) -> bool:
        """Whether the last to speak knew nothing else but what the judged one knew."""
        known, waiting = {judged}, [judged]
        while waiting:
            for source in self._sources(waiting.pop()):
                if source not in known:
                    known.add(source)
                    waiting.append(source)
        return all(one in known or any(self._nested(one, other) for other in known) for one in sources)

    def _took_turns(self, last: str, judged: str) -> bool:
        """Whether one of the kind of the last had spoken before, and the judged one, who began, answered to that."""
        kind, other = self._kind(last), self._kind(judged)
        if kind == other:
            return False
        spoken = sorted(
            (one for one in self._readings if self._kind(one) in (kind, other)), key=self._times.starts.__getitem__
        )
        before = [one for one in self._sources(judged) if self._kind(one) == kind]
        return bool(before) and self._kind(spoken[0]) == other

    def _kind(self, span_id: str) -> tuple[Role, str, str, str]:
        reading = self._readings[span_id]
        system = next((str(message.content) for message in reading.taken if message.role == "system"), "")
        return reading.role, reading.name, reading.actor, system

    def _was_asked(self, last: str, top: str) -> bool:
        """Whether it was given what the trace was asked: then it answers that."""
        asked = [
            text for value in self._readings[top].inputs.values() for text in texts(value) if len(text) >= MIN_ASKED
        ]
        given = " ".join(texts([*self._readings[last].inputs.values()]))
        return any(text in given for text in asked)


def _is_cut(reading: Facts) -> bool:
    """Whether a part of a structure was lost, and so perhaps what mattered; of a text the beginning is there."""
    return reading.incomplete and isinstance(reading.output, Mapping | list)


def _labels(reading: Facts) -> bool:
    """Whether all that it may have made are single words: a state, a reason."""
    said = (one for value in reading.both.values() for one in (value if isinstance(value, list) else [value]))
    return all(isinstance(one, str) and one.replace("_", "").replace("-", "").isalpha() for one in said)


def _is_label(value: AnyValue) -> bool:
    """A word or a few, a number; in no sentence."""
    if isinstance(value, int | float):
        return True
    return isinstance(value, str) and len(words(value)) <= LABEL_WORDS and weight(value) <= LABEL_WEIGHT


def _is_figures(value: AnyValue) -> bool:
    """A flat record with a number or a truth value in it."""
    said = _fields(value)
    return said is not None and 0 < len(said) <= 6 and any(isinstance(one, int | float) for one in said)


def _fields(value: AnyValue) -> Sequence[AnyValue] | None:
    """The values of a flat record, JSON too; None if it is none."""
    found = structured(value)
    if not isinstance(found, Mapping) or any(isinstance(one, Mapping) for one in found.values()):
        return None
    return [*found.values()]


def _length(value: AnyValue) -> int:
    return sum(map(len, texts(value)))


def _from(said: AnyValue, whole: AnyValue) -> bool:
    """Whether any of what is said stands in the whole."""
    around = " ".join(texts(whole)).casefold()
    record = _fields(said)
    parts = [part for one in ([said] if record is None else record) if not isinstance(one, bool) for part in texts(one)]
    return any(part.casefold() in around for part in parts)


def _words(value: AnyValue) -> Iterator[str]:
    for text in texts(value):
        yield from words(text)


def _says(value: AnyValue) -> bool:
    return value not in (None, "", [], {}, *END)
