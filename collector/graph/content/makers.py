"""Whose a text was that several operations had made by the time at which it was given to another one."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from collector.graph.clock import Times
from collector.graph.content.corpus import Corpus, Made, Maker, Taken
from collector.graph.content.hits import Hit
from collector.graph.content.texts import HEAD, MIN_DIGITS, MIN_LEAF
from collector.graph.doubled import Records
from collector.graph.forest import Forest

MAX_MAKERS: Final = 16
"""Of more operations that made one text only the latest that many before the consumer are considered."""

MAX_UP: Final = 8
"""So many callers are asked whether a text came to them from outside."""

OVERLAP: Final = 0.8
"""Factor where the consumer had begun before the producer ended."""


class Makers:
    """Tells who made a text from who only handed it on, and from what came from outside.

    Args:
        forest: The spans.
        times: When they ran.
        records: Which instrumentations recorded the same.
        corpus: The texts.
    """

    def __init__(self, forest: Forest, times: Times, records: Records, corpus: Corpus) -> None:
        self._forest = forest
        self._times = times
        self._records = records
        self._corpus = corpus
        self._from_outside: dict[tuple[str, str, bool], bool] = {}
        self._picked: dict[tuple[str, str], Sequence[str]] = {}
        self._relayed: dict[tuple[str, str], bool] = {}

    def of(self, made: Made, taken: Taken, times: int) -> list[tuple[str, float]]:
        """Whose text it was: of those that had made it before the consumer began the latest, as many as took part.

        A text that an input has twice was made twice, where there are so many that made it. Of nested makers the
        outermost counts, since it ended last. One that was itself given the text, and made it a part of more, comes
        after those that were not; one that was not through when the consumer began is less sure.

        Args:
            made: The text.
            taken: Where it was found.
            times: How often it is there; 0 to count it.
        """
        within = made.text if len(made.text) <= len(taken.text) else taken.text
        if self._external(within, made, within == taken.text == made.text, taken):
            return []
        times = times or taken.text.count(made.text)
        found = self._latest(made, made.origins, taken, within, times)
        return found or self._latest(made, made.makers, taken, within, times)

    def _latest(
        self, made: Made, makers: Sequence[Maker], taken: Taken, within: str, times: int
    ) -> list[tuple[str, float]]:
        """Where two instrumentations recorded the same calls, of the consumer's own record if it is there."""
        last = bisect_right(makers, (self._times.ends[taken.span_id], "\uffff"))
        before = makers[max(0, last - MAX_MAKERS) : last]
        if self._records.rivals:
            own = [one for one in before if not self._records.apart(self._forest, one.span_id, taken.span_id)]
            if found := self._last_of(own, made, taken, within, times):
                return found
            start = self._times.starts[taken.span_id]
            before = [one for one in before if one.end <= start or one in own]
        return self._last_of(before, made, taken, within, times)

    def _last_of(
        self, makers: Sequence[Maker], made: Made, taken: Taken, within: str, times: int
    ) -> list[tuple[str, float]]:
        consumer, start = taken.span_id, self._times.starts[taken.span_id]
        chosen: list[str] = []
        overlapping = relay = None
        for maker in reversed(makers):
            if any(self._nested(maker.span_id, other) for other in (consumer, *chosen)):
                continue
            if maker.end > start:
                if not self._corpus.is_guessed(maker.span_id):
                    overlapping = overlapping or maker.span_id
            elif self._hands_on(maker, within, made):
                relay = relay or maker.span_id
            else:
                chosen.append(maker.span_id)
                if len(chosen) >= times:
                    break
        if chosen:
            return [(span_id, 1.0) for span_id in chosen]
        if relay is not None:
            return [(relay, 1.0)]
        return [] if overlapping is None else [(overlapping, OVERLAP)]

    def _nested(self, one: str, other: str) -> bool:
        return self._forest.encloses(one, other) or self._forest.encloses(other, one)

    def _external(self, text: str, made: Made, equal: bool, taken: Taken) -> bool:
        """Whether the first to make it only handed on what came to it from outside of the trace's operations.

        Who picked it out of a longer text is its maker for those who took just that part; so is who chose it among
        several.
        """
        if not equal and text == made.text and not made.is_part:
            longer = self._longer(text, made)
            equal = bool(longer) and not any(
                one in taken.text or one in self._corpus.own[taken.span_id] for one in longer
            )
        key = (text, made.text, equal)
        known = self._from_outside.get(key)
        if known is None:
            own, maker = self._corpus.own, made.makers[0]
            first = self._corpus.first_taken.get(text)
            before = first is not None and self._times.ends[first] < maker.end
            before = before and not self._forest.encloses(maker.span_id, first or "")
            parent = self._forest.parent(maker.span_id)
            around = own[maker.span_id] | own[parent] if parent else own[maker.span_id]
            handed = text in around or (not equal and _is_in(text, around))
            handed = handed or any(text in own[one] for one in self._callers(parent))
            chosen = handed and self._corpus.chose(maker.span_id, made.text)
            known = self._from_outside[key] = before or (handed and not chosen)
        return known

    def _longer(self, text: str, made: Made) -> Sequence[str]:
        """The texts that the first maker and its caller were given of which it picked this one."""
        key = (text, made.text)
        known = self._picked.get(key)
        if known is None:
            maker = made.makers[0].span_id
            around = (*self._corpus.own[maker], *self._corpus.own.get(self._forest.parent(maker) or "", ()))
            known = self._picked[key] = [one for one in around if text in one and text != one]
        return known

    def _callers(self, span_id: str | None) -> Iterator[str]:
        for _ in range(MAX_UP):
            span_id = self._forest.parent(span_id) if span_id else None
            if span_id is None:
                return
            yield span_id

    def is_own(self, hit: Hit, maker: str) -> bool:
        """Whether nobody else had made a short text by then, and it is not too short.

        What operations of one name say alike, the consumer among them, is a constant of theirs.
        """
        consumer = hit.taken.span_id
        says = any(other.span_id == consumer for other in hit.made.makers[:MAX_MAKERS])
        if says and self._corpus.are_alike(maker, consumer):
            return False
        start = self._times.starts[hit.taken.span_id]
        text = hit.made.text
        return len(text) >= (MIN_DIGITS if text.isdigit() else MIN_LEAF) and all(
            self._nested(maker, other.span_id) or other.end > start for other in hit.made.makers[:MAX_MAKERS]
        )

    def _hands_on(self, maker: Maker, text: str, made: Made) -> bool:
        """Whether it was given the text and says more than just that, or repeats what another one made."""
        key = (maker.span_id, text)
        known = self._relayed.get(key)
        if known is None:
            given = self._corpus.whole.get(maker.span_id) != text and _is_in(text, self._corpus.own[maker.span_id])
            part = maker.part and any(not other.part for other in made.makers if other.end < maker.end)
            known = self._relayed[key] = given or part or self._repeats(maker, made)
        return known

    def _repeats(self, maker: Maker, made: Made) -> bool:
        """Whether it says nothing of its inputs, and another one had made a text of some length before it began."""
        if maker.span_id not in self._corpus.silent or len(made.text) < HEAD:
            return False
        start = self._times.starts[maker.span_id]
        return any(other.end <= start for other in made.makers if not self._nested(other.span_id, maker.span_id))


def _is_in(text: str, among: AbstractSet[str]) -> bool:
    """Whether a text is, or is in, one of several."""
    return text in among or any(text in one for one in among)
