"""Which output is found inside which later input: dataflow that nobody stated.

An output's texts are looked for in the inputs of later operations, and short inputs in earlier outputs (`hits.py`).
Each input is split into words once, and only texts are compared with it whose anchor, a few words in a row, stands in
it (`anchors.py`). So the cost grows with the length of the texts and the number of true finds; what bounds the rest are
the constants there. Of several operations that made a text `makers.py` says whose it was.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from collector.graph.clock import Times
from collector.graph.content.corpus import Corpus, Taken
from collector.graph.content.hits import Hit, hits
from collector.graph.content.makers import Makers
from collector.graph.doubled import Records
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts
from collector.graph.rules import CONTAINED, EQUAL, EXTRACTED, RECORD, SHORT, Find

MAX_QUOTE: Final = 80
"""Characters of a text that an edge's reason quotes."""

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
        off: Rules that are not asked.
    """

    def __init__(
        self,
        forest: Forest,
        readings: Mapping[str, Facts],
        times: Times,
        records: Records,
        off: Collection[str] = (),
    ) -> None:
        self._forest = forest
        self._times = times
        self._off = off
        self._corpus = Corpus(forest, readings, times)
        self._makers = Makers(forest, times, records, self._corpus)
        self.parts: dict[str, dict[str, str]] = {}

    def finds(self) -> Iterator[Find]:
        """The best find for each pair of producer and consumer, by consumer."""
        found = [hit for hit in hits(self._corpus) if hit.rule.name not in self._off]
        best: dict[tuple[str, str], Find] = {}
        for hit, makers in self._not_inside_others(self._attributed(found, Counter(self._corpus.taken))):
            made, taken, rule = hit
            for maker, factor in makers:
                if rule is CONTAINED:
                    self.parts.setdefault(taken.span_id, {})[made.text] = maker
                find = Find(maker, taken.span_id, rule, taken.argument, _reason(hit), factor)
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

    def _attributed(self, found: Sequence[Hit], times: Counter[Taken]) -> Iterator[_Attributed]:
        """With those who made the text, where there are any."""
        for hit in found:
            made, taken, rule = hit
            makers = self._makers.of(made, taken, times[taken] if made.text == taken.text else 0)
            if rule is SHORT:
                whole = self._corpus.whole
                makers = [one for one in makers if whole.get(one[0]) == made.text or self._makers.is_own(hit, one[0])]
            if makers:
                yield hit, makers

    def _not_inside_others(self, found: Iterator[_Attributed]) -> Iterator[_Attributed]:
        """Without texts that stand in an input only inside of a longer one that is found, too: it brought them."""
        by_taken: dict[Taken, list[_Attributed]] = {}
        for one in found:
            by_taken.setdefault(one[0].taken, []).append(one)
        for taken, ones in by_taken.items():
            longer = [hit.made.text for hit, makers in ones if hit.rule in (EQUAL, CONTAINED) and makers[0][1] == 1.0]
            for hit, makers in ones:
                if hit.rule is not CONTAINED or not _explained(hit.made.text, taken.text, longer):
                    yield hit, makers


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
    made, taken, rule = hit
    text = made.text if len(made.text) <= len(taken.text) or rule is RECORD else taken.text
    quoted = text if len(text) <= MAX_QUOTE else f"{text[:MAX_QUOTE]}…"
    if rule is RECORD:
        return f"the values of the output are in the input: {quoted}"
    return f"{'the input is in the output' if rule is EXTRACTED else 'the output is in the input'}: {quoted}"
