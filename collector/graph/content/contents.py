"""Which output is found inside which later input: dataflow that nobody stated.

An output's texts are looked for in the inputs of later operations, and short inputs in earlier outputs (`hits.py`).
Each input is split into words once, and only texts are compared with it whose anchor, a few words in a row, stands in
it (`anchors.py`). So the cost grows with the length of the texts and the number of true finds; what bounds the rest are
the constants there. Of several operations that made a text `makers.py` says whose it was.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias

from collector.graph.clock import Times
from collector.graph.content.corpus import Corpus, Made, Taken
from collector.graph.content.hits import Hit, hits
from collector.graph.content.makers import Makers
from collector.graph.content.recognition import CONTAINED, EXTRACTED, SHORT
from collector.graph.content.records import field_value
from collector.graph.content.scattered import SCATTERED
from collector.graph.doubled import Records
from collector.graph.find import Find
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts

MAX_QUOTE: Final = 80
"""Characters of a text that an edge's reason quotes."""

MAX_ALIKE: Final = 64
"""Of more operations that say a field only so many are looked at."""

_Attributed: TypeAlias = tuple[Hit, list[tuple[str, float]]]
"""A hit, and who made its text with a factor for its confidence."""


class Contents:
    """The dataflow that the texts of a trace show.

    Attributes:
        parts: Once `finds` is through: by consumer, outputs that are a part of one of its inputs, and who made them.

    Args:
        forest: The spans.
        readings: What they say.
        times: When they ran.
        records: Which instrumentations recorded the same.
    """

    def __init__(self, forest: Forest, readings: Mapping[str, Facts], times: Times, records: Records) -> None:
        self._forest = forest
        self._times = times
        self._readings = readings
        self._corpus = Corpus(forest, readings, times)
        self._makers = Makers(forest, times, records, self._corpus)
        self.parts: dict[str, dict[str, str]] = {}

    def finds(self) -> Iterator[Find]:
        """The best find for each pair of producer and consumer, by consumer."""
        found = self._outermost_and_innermost([*hits(self._corpus)])
        named = {
            (hit.taken.span_id, value)
            for hit in found
            if (value := field_value(hit.taken.text)) and self._makers.of(hit.made, hit.taken, 1)
        }
        best: dict[tuple[str, str], Find] = {}
        for hit, makers in self._not_inside_others(self._attributed(found, named, Counter(self._corpus.taken))):
            made, taken, confidence = hit
            for maker, factor in makers:
                if confidence == CONTAINED:
                    self.parts.setdefault(taken.span_id, {})[made.text] = maker
                find = Find(maker, taken.span_id, round(confidence * factor, 3), taken.argument, _reason(hit))
                other = best.get((maker, taken.span_id))
                if other is None or (find.confidence, other.argument) > (other.confidence, find.argument):
                    best[maker, taken.span_id] = find
        known: dict[str, list[str]] = {}
        for find in best.values():
            if find.argument:
                known.setdefault(find.consumer, []).append(find.producer)
        yield from (find for find in best.values() if find.argument or not self._by_way_of(find, known))

    def _by_way_of(self, find: Find, known: Mapping[str, Sequence[str]]) -> bool:
        """Whether what is only in the output of a cut operation may have come in what another cut one gave it."""
        cut, end = self._corpus.cut, self._times.ends[find.producer]
        others = known.get(find.consumer, ()) if find.consumer in cut else ()
        return any(one in cut and end <= self._times.starts[one] for one in others)

    def _attributed(
        self, found: Sequence[Hit], named: AbstractSet[tuple[str, str]], times: Counter[Taken]
    ) -> Iterator[_Attributed]:
        """With those who made the text, where there are any."""
        for hit in found:
            made, taken, confidence = hit
            if confidence == SHORT and (taken.span_id, made.text) in named:
                continue
            if field_value(made.text) and self._is_constant(made, taken.span_id):
                continue
            makers = self._makers.of(made, taken, times[taken] if made.text == taken.text else 0)
            if confidence == SHORT:
                whole = self._corpus.whole
                makers = [one for one in makers if whole.get(one[0]) == made.text or self._makers.is_own(hit, one[0])]
            if makers:
                yield hit, makers

    def _is_constant(self, made: Made, consumer: str) -> bool:
        """Whether a field is what operations of one name say alike, the consumer among them."""
        others = [maker.span_id for maker in made.makers[:MAX_ALIKE] if maker.span_id != consumer]
        name = self._readings[consumer].name
        return len(others) < len(made.makers) and any(self._readings[one].name == name for one in others)

    def _not_inside_others(self, found: Iterator[_Attributed]) -> Iterator[_Attributed]:
        """Without texts that stand in an input only inside of a longer one that is found, too: it brought them."""
        by_taken: dict[Taken, list[_Attributed]] = {}
        for one in found:
            by_taken.setdefault(one[0].taken, []).append(one)
        for taken, ones in by_taken.items():
            longer = [hit.made.text for hit, makers in ones if hit.confidence >= CONTAINED and makers[0][1] == 1.0]
            for hit, makers in ones:
                if hit.confidence != CONTAINED or not _explained(hit.made.text, taken.text, longer):
                    yield hit, makers

    def _outermost_and_innermost(self, found: Sequence[Hit]) -> list[Hit]:
        """Of nested operations that were all given a text, those in the middle only hand it down."""
        takers: dict[str, set[str]] = {}
        for hit in found:
            takers.setdefault(hit.made.text, set()).add(hit.taken.span_id)
        around = {text: {self._forest.parent(one) for one in spans} for text, spans in takers.items()}
        return [
            hit
            for hit in found
            if self._forest.parent(hit.taken.span_id) not in takers[hit.made.text]
            or hit.taken.span_id not in around[hit.made.text]
        ]


def _explained(text: str, whole: str, others: Sequence[str]) -> bool:
    """Whether every place of a text in a whole is inside of one of the other texts there."""
    around = [other for other in others if len(other) > len(text) and text in other]
    if not around:
        return False
    rest = whole
    for other in sorted(around, key=len, reverse=True):
        rest = rest.replace(other, " ")
    return text not in rest


def _reason(hit: Hit) -> str:
    made, taken, confidence = hit
    text = made.text if len(made.text) <= len(taken.text) or confidence == SCATTERED else taken.text
    quoted = text if len(text) <= MAX_QUOTE else f"{text[:MAX_QUOTE]}…"
    if confidence == SCATTERED:
        return f"the values of the output are in the input: {quoted}"
    return f"{'the input is in the output' if confidence == EXTRACTED else 'the output is in the input'}: {quoted}"
