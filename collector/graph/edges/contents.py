"""Which output is found inside which later input: dataflow that nobody stated.

An output's texts are looked for in the inputs of later operations: as they are, inside of longer ones, and records in
another layout. Each input is cut into pieces once, and only texts are compared with it whose anchor, a piece or a few
words in a row, stands in it (`anchors.py`). So the cost grows with the length of the texts and the number of true
finds; what bounds the rest are the constants there. Of several operations that made a text `makers.py` says whose it
was.
"""

from bisect import insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from operator import attrgetter
from typing import Final, NamedTuple

from collector.graph.edges import Find
from collector.graph.edges.anchors import Anchors, Scattered
from collector.graph.edges.corpus import Corpus, Made, Maker, Taken
from collector.graph.edges.makers import Makers
from collector.graph.spans.trace import Trace
from collector.graph.texts import MIN_PART, is_common, is_inside, significant

MAX_QUOTE: Final = 80
"""Characters of a text that an edge's reason quotes."""


class Way(Enum):
    """How a text of an output is among the inputs."""

    EQUAL = "equal"
    CONTAINED = "contained"
    RECORD = "record"
    SHORT = "short"


class Hit(NamedTuple):
    """A text of an output and one of an input, and in which way the one is made of the other.

    Attributes:
        makers: Whose text it was.
    """

    made: Made
    taken: Taken
    way: Way
    makers: Sequence[str] = ()


class Contents:
    """The dataflow that the texts of a trace show.

    Attributes:
        finds: In each way, in order of arguments.
        parts: By consumer, outputs that are a part of one of its inputs, and who made them.

    Args:
        trace: The spans.
    """

    def __init__(self, trace: Trace) -> None:
        self._corpus = corpus = Corpus(trace)
        self._places = (*corpus.taken, *corpus.composed)
        self._texts = [*dict.fromkeys(taken.text for taken in self._places)]
        self._inside = self._contained()
        self._pick(trace.starts)
        self._held: dict[str, frozenset[str]] = {}
        self._makers = Makers(trace, corpus, self._holds)
        self.finds: Mapping[Way, list[Find]] = {way: [] for way in Way}
        self.parts: dict[str, dict[str, str]] = {}
        for made, taken, way, makers in self._without_parts_of_others(self._attributed()):
            for maker in makers:
                if way is Way.CONTAINED:
                    self.parts.setdefault(taken.span_id, {})[made.text] = maker
                self.finds[way].append(Find(maker, taken.span_id, taken.argument, _reason(made.text, way)))
        for finds in self.finds.values():
            finds.sort(key=attrgetter("argument"))

    def _contained(self) -> Mapping[str, Mapping[str, Made]]:
        """By text of an input, the texts of outputs that stand in it."""
        sought = {
            text: made
            for text, made in self._corpus.made.items()
            if significant(text) and (len(text) >= MIN_PART or not made.is_part)
        }
        anchors = Anchors(sought)
        return {text: {one: sought[one] for one in anchors.among(text) if is_inside(one, text)} for text in self._texts}

    def _pick(self, starts: Mapping[str, int]) -> None:
        """Adds what others took out of outputs as it stood there: an answer in tags, a call in words, a chunk.

        Only inputs are looked for of which nothing else was there; instructions were not taken out of anything.
        """
        made = self._corpus.made
        sought = {
            text
            for text, span_id, argument in self._corpus.taken
            if argument != "system" and significant(text) and not self._inside[text]
            and (text not in made or made[text].makers[0].end > starts[span_id])
        }  # fmt: skip
        anchors = Anchors(sorted(sought))
        picked = [
            (one, maker.end, maker.span_id)
            for text, whole in made.items() if sought and not whole.is_part
            for one in anchors.among(text) if is_inside(one, text)
            for maker in whole.makers
        ]  # fmt: skip
        for text, end, span_id in picked:
            insort(made.setdefault(text, Made(text)).makers, Maker(end, span_id, True))

    def _hits(self) -> Iterator[Hit]:
        """All that is found, whoever made it and whenever."""
        corpus = self._corpus
        for taken in (*corpus.taken, *corpus.weak):
            made = corpus.made.get(taken.text)
            if made is not None and not is_common(made.text):
                yield Hit(made, taken, Way.EQUAL if significant(made.text) else Way.SHORT)
        for taken in self._places:
            for made in self._inside.get(taken.text, {}).values():
                yield Hit(made, taken, Way.CONTAINED)
        scattered = Scattered(text for text in corpus.made if text[0] == "{")
        records = {text: sorted(set(scattered.among(text))) for text in self._texts} if scattered else {}
        for taken in self._places if scattered else ():
            for text in records.get(taken.text, ()):
                yield Hit(corpus.made[text], taken, Way.RECORD)

    def _holds(self, span_id: str, text: str) -> bool:
        """Whether a text that is looked for is, or is in, one of a span's inputs."""
        held = self._held.get(span_id)
        if held is None:
            own = self._corpus.own[span_id]
            inside = (one for whole in own for one in self._inside.get(whole, ()))
            held = self._held[span_id] = frozenset((*own, *inside))
        return text in held

    def _attributed(self) -> Iterator[Hit]:
        """With those who made the text, where there are any."""
        times, whole = Counter(self._corpus.taken), self._corpus.whole
        for hit in self._hits():
            made, taken, way, _ = hit
            makers = self._makers.of(made, taken, times[taken] if made.text == taken.text else 0)
            if way is Way.SHORT:
                own = self._makers.is_own
                makers = [one for one in makers if whole.get(one) == made.text or own(made, taken, one)]
            if makers:
                yield hit._replace(makers=makers)

    def _without_parts_of_others(self, found: Iterator[Hit]) -> Iterator[Hit]:
        """Without texts that stand in an input only inside of a longer one that is found, too: it brought them."""
        by_taken: dict[Taken, list[Hit]] = {}
        for hit in found:
            by_taken.setdefault(hit.taken, []).append(hit)
        for taken, hits in by_taken.items():
            longer = [hit.made.text for hit in hits if hit.way in (Way.EQUAL, Way.CONTAINED)]
            for hit in hits:
                if hit.way is not Way.CONTAINED or not _explained(hit.made.text, taken.text, longer):
                    yield hit


def _explained(text: str, whole: str, others: Sequence[str]) -> bool:
    """Whether every place of a text in a whole is inside of one of the other texts there."""
    around = [other for other in others if len(other) > len(text) and text in other]
    for other in sorted(around, key=len, reverse=True):
        whole = whole.replace(other, " ")
    return bool(around) and text not in whole


def _reason(text: str, way: Way) -> str:
    quoted = text if len(text) <= MAX_QUOTE else f"{text[:MAX_QUOTE]}…"
    return f"{'the values of the output are' if way is Way.RECORD else 'the output is'} in the input: {quoted}"
