"""Whose a text was that several operations had made by the time at which it was given to another one."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final

from collector.graph.edges.corpus import Corpus, Made, Maker, Taken
from collector.graph.reading.facts import Role
from collector.graph.spans.trace import Trace
from collector.graph.texts import MIN_DIGITS, MIN_LEAF

MAX_MAKERS: Final = 16
"""Of more operations that made one text only the latest that many before the consumer are considered."""

MAX_UP: Final = 8
"""So many callers are asked whether a text came to them from outside."""


class Makers:
    """Tells who made a text from who only handed it on, and from what came from outside.

    Args:
        trace: The spans.
        corpus: Their texts.
        holds: Whether a text is in one of a span's inputs.
    """

    def __init__(self, trace: Trace, corpus: Corpus, holds: Callable[[str, str], bool]) -> None:
        self._trace = trace
        self._corpus = corpus
        self._holds = holds
        self._from_outside: dict[str, bool] = {}

    def of(self, made: Made, taken: Taken, times: int) -> list[str]:
        """Whose text it was.

        Of those that had made it before the consumer began the latest, as many as took part: a text that an input has
        twice was made twice, where there are so many that made it. Of nested makers the outermost counts, since it
        ended last. One that only repeats the text comes after those that do not; one that was not through when the
        consumer began counts last. Where two instrumentations recorded the same
        calls, those of the consumer's own record count first.

        Args:
            made: The text.
            taken: Where it was found.
            times: How often it is there; 0 to count it.
        """
        if self._external(made, taken) or self._is_constant(made, taken.span_id):
            return []
        trace, consumer = self._trace, taken.span_id
        last = bisect_right(made.makers, (trace.ends[consumer], "\uffff"))
        before = made.makers[max(0, last - MAX_MAKERS) : last]
        if not times:
            times = taken.text.count(made.text) if len(before) > 1 else 1
        if trace.records.rivals:
            own = [one for one in before if not trace.records.apart(trace.forest, one.span_id, consumer)]
            if found := self._latest(own, made, consumer, times):
                return found
        return self._latest(before, made, consumer, times)

    def _latest(self, makers: Sequence[Maker], made: Made, consumer: str, times: int) -> list[str]:
        trace, chosen = self._trace, list[str]()
        overlapping = relay = ""
        for maker in reversed(makers):
            if any(trace.forest.nested(maker.span_id, other) for other in (consumer, *chosen)):
                continue
            if maker.end > trace.starts[consumer]:
                if not trace.facts[maker.span_id].both:  # what may have gone in is nobody's while its operation runs
                    overlapping = overlapping or maker.span_id
            elif self._hands_on(maker, made):
                relay = relay or maker.span_id
            else:
                chosen.append(maker.span_id)
                if len(chosen) >= times:
                    break
        return chosen or [one for one in (relay or overlapping,) if one]

    def _external(self, made: Made, taken: Taken) -> bool:
        """Whether the first to make it only handed on what came to it from outside of the trace's operations.

        Who picked it out of a longer text is its maker for those who took just that part; so is who chose it among
        several.
        """
        text, own, maker = made.text, self._corpus.own, made.makers[0].span_id
        known = self._from_outside.get(text)
        if known is None:
            handed = any(text in own[one] for one in (maker, *self._trace.forest.above(maker, MAX_UP)))
            known = self._from_outside[text] = handed and not self._corpus.chose(maker, text)
        if known or text == taken.text or text in own[maker] or not self._holds(maker, text):
            return known
        return made.is_part or any(text in one and one in taken.text for one in own[maker])

    def _is_constant(self, made: Made, consumer: str) -> bool:
        """Whether operations of one name say it alike, the consumer among them: lookups, whatever else they say."""
        facts = self._trace.facts
        said = facts[consumer]
        alike = [one.span_id for one in made.makers[:MAX_MAKERS] if facts[one.span_id].name == said.name]
        return said.role not in (Role.MODEL, Role.AGENT) and len(alike) > 1 and consumer in alike

    def is_own(self, made: Made, taken: Taken, maker: str) -> bool:
        """Whether nobody else had made a short text by then, and it is not too short."""
        start, text = self._trace.starts[taken.span_id], made.text
        return len(text) >= (MIN_DIGITS if text.isdigit() else MIN_LEAF) and all(
            self._trace.forest.nested(maker, other.span_id) or other.end > start for other in made.makers[:MAX_MAKERS]
        )

    def _hands_on(self, maker: Maker, made: Made) -> bool:
        """Whether it repeats what another one had made: among more that it says, or as a line of more.

        Who searches and ranks says which texts matter, be it a repetition.
        """
        if self._trace.facts[maker.span_id].role is Role.RETRIEVER:
            return False
        if maker.part and made.makers[0].end < maker.end:
            return True
        return self._corpus.whole.get(maker.span_id) != made.text and self._holds(maker.span_id, made.text)
