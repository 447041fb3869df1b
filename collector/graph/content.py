"""Which output is found inside which later input: dataflow that nobody stated.

An output's texts are looked for in the inputs of later operations, and short inputs in earlier outputs. Every text
is known by one anchor, the rarest word near its beginning; each input is split into words once, and only texts whose
anchor stands in it are compared. So the cost grows with the length of the texts and the number of true finds; what
bounds the rest are the constants below.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from collector.core.span import AnyValue
from collector.graph.forest import Forest
from collector.graph.reading import SpanReading
from collector.graph.statement import Message
from collector.graph.texts import texts, words

MIN_LENGTH: Final = 12
"""Characters. A shorter text says nothing where it stands inside another one."""

MIN_WHOLE: Final = 3
"""Characters. A shorter output is not recognised even where it is a whole input."""

HEAD_WORDS: Final = 12
"""An anchor is chosen among that many first words of a text."""

FIRST_WORDS: Final = 3
"""That many words at its very beginning must stand in an input, too, before a text is compared with it."""

FEW: Final = 8
"""So few texts are compared at once, without anchors."""

SHARED_ANCHOR: Final = 16
"""Of more texts with the same anchor only the latest that many are compared with an input."""

MIN_PART: Final = 20
"""Characters. A shorter line of an output is not looked for by itself."""

MAX_PRODUCERS: Final = 16
"""Of more producers of one text only the latest that many before the consumer are considered."""

MAX_REVERSE: Final = 2_000
"""Characters. A longer input is not looked for inside of outputs."""

WHOLE: Final = 0.95
CONTAINED: Final = 0.8
EXTRACTED: Final = 0.7
SHORT: Final = 0.5
OVERLAP: Final = 0.8
"""Factor where the consumer had begun before the producer ended."""

_COMMON: Final = frozenset((
    "true", "false", "none", "null", "yes", "no", "ok", "okay", "done", "success", "failed", "failure", "error",
    "stop", "end", "start", "unknown", "default", "n/a", "user", "assistant", "system", "tool", "continue", "next",
    "approved", "rejected", "pass", "fail", "retry", "finish",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Find:
    """A producer's text in a consumer's input."""

    producer: str
    consumer: str
    confidence: float
    argument: str


@dataclass(slots=True)
class _Text:
    """A distinct text among the outputs: who produced it, in order of ending."""

    text: str
    producers: list[tuple[int, str]]
    part: bool


@dataclass(frozen=True, slots=True)
class _Taken:
    """A text among a span's inputs."""

    text: str
    span_id: str
    argument: str


class Contents:
    """The texts of a trace.

    Args:
        forest: Its spans; `ends` and `starts` by one clock.
        readings: What the spans say.
        starts: Of each span, in nanoseconds by one clock.
        ends: Likewise.
    """

    def __init__(
        self,
        forest: Forest,
        readings: Mapping[str, SpanReading],
        starts: Mapping[str, int],
        ends: Mapping[str, int],
    ) -> None:
        self._forest = forest
        self._starts = starts
        self._ends = ends
        self._taken: list[_Taken] = []
        self._own: dict[str, list[str]] = {}
        self._made: dict[str, _Text] = {}
        self._whole: dict[str, str] = {}
        self._first_taken: dict[str, str] = {}
        for span_id in sorted(readings, key=lambda one: (ends[one], one)):
            self._collect(span_id, readings[span_id])

    def _collect(self, span_id: str, reading: SpanReading) -> None:
        own: list[str] = []
        self._own[span_id] = own
        if self._parses(span_id, reading):
            return
        for argument, value in _inputs(reading):
            for text in texts(value):
                own.append(text)
                self._taken.append(_Taken(text, span_id, argument))
                self._first_taken.setdefault(text, span_id)
        parts: list[str] = []
        produced = [text for value in _outputs(reading) for text in texts(value, parts)]
        if len(produced) == 1:
            self._whole[span_id] = produced[0]
        end = self._ends[span_id]
        for text in produced:
            self._make(text, end, span_id, False)
        for text in parts:
            if len(text) >= MIN_PART:
                self._make(text, end, span_id, True)

    def _parses(self, span_id: str, reading: SpanReading) -> bool:
        """Whether it is a parser that hands on a model's answer unchanged: it is a part of that answer."""
        if not reading.name.endswith("Parser") or self._forest.children[span_id]:
            return False
        return set(texts(reading.output)) <= {text for value in reading.inputs.values() for text in texts(value)}

    def _make(self, text: str, end: int, span_id: str, part: bool) -> None:
        known = self._made.get(text)
        if known is None:
            known = self._made[text] = _Text(text, [], part)
        if not known.producers or known.producers[-1][1] != span_id:
            known.producers.append((end, span_id))
        known.part = known.part and part

    def finds(self) -> Iterator[Find]:
        """The best find for each pair of producer and consumer, by consumer."""
        hits = [*self._equal(), *self._contained(), *self._extracted()]
        takers: dict[str, set[str]] = {}
        for text, taken, _ in hits:
            takers.setdefault(text.text, set()).add(taken.span_id)
        within = {text: {self._forest.parent(one) for one in spans} for text, spans in takers.items()}
        best: dict[tuple[str, str], Find] = {}
        for text, taken, confidence in hits:
            parent = self._forest.parent(taken.span_id)
            if parent in takers[text.text] and taken.span_id in within[text.text]:
                continue
            found = self._producer(text, taken)
            if found is None:
                continue
            producer, factor = found
            if confidence == SHORT and self._whole.get(producer) != text.text:
                continue
            find = Find(producer, taken.span_id, round(confidence * factor, 3), taken.argument)
            other = best.get((producer, taken.span_id))
            if other is None or (find.confidence, other.argument) > (other.confidence, find.argument):
                best[producer, taken.span_id] = find
        yield from best.values()

    def _equal(self) -> Iterator[tuple[_Text, _Taken, float]]:
        for taken in self._taken:
            text = self._made.get(taken.text)
            if text is not None and len(text.text) >= MIN_WHOLE and text.text.lower() not in _COMMON:
                yield text, taken, WHOLE if significant(text.text) else SHORT

    def _contained(self) -> Iterator[tuple[_Text, _Taken, float]]:
        """Outputs inside longer inputs."""
        anchors = _anchored([one for one in self._made.values() if significant(one.text)])
        if not anchors:
            return
        keys = frozenset(anchors)
        cache: dict[str, list[_Text]] = {}
        for taken in self._taken:
            if len(taken.text) <= MIN_LENGTH:
                continue
            near = cache.get(taken.text)
            if near is None:
                near = cache[taken.text] = [
                    text
                    for text in _candidates(anchors, keys, words(taken.text))
                    if text.text != taken.text and _stands_in(text.text, taken.text)
                ]
            for text in near:
                yield text, taken, CONTAINED

    def _extracted(self) -> Iterator[tuple[_Text, _Taken, float]]:
        """Whole inputs inside longer outputs."""
        asked: dict[str, list[_Taken]] = {}
        for taken in self._taken:
            if (
                MIN_LENGTH <= len(taken.text) <= MAX_REVERSE
                and taken.text not in self._made
                and significant(taken.text)
            ):
                asked.setdefault(taken.text, []).append(taken)
        if not asked:
            return
        parts = [_Text(text, [], False) for text in asked]
        anchors = _anchored(parts)
        keys = frozenset(anchors)
        for text in self._made.values():
            if text.part or len(text.text) <= MIN_LENGTH:
                continue
            near = parts if len(parts) <= FEW else _candidates(anchors, keys, words(text.text))
            for part in near:
                if len(part.text) < len(text.text) and part.text in text.text:
                    yield from ((text, taken, EXTRACTED) for taken in asked[part.text])

    def _producer(self, text: _Text, taken: _Taken) -> tuple[str, float] | None:
        """The latest producer before the consumer: of nested ones the outermost, since it ended last."""
        consumer = taken.span_id
        within = text.text if len(text.text) <= len(taken.text) else taken.text
        last = bisect_right(text.producers, (self._ends[consumer], "\uffff"))
        overlapping = None
        for end, producer in reversed(text.producers[max(0, last - MAX_PRODUCERS) : last]):
            if producer == consumer or self._forest.encloses(producer, consumer):
                continue
            if self._forest.encloses(consumer, producer) or self._external(within, producer, text):
                continue
            if end <= self._starts[consumer]:
                return producer, 1.0
            overlapping = overlapping or producer
        return None if overlapping is None else (overlapping, OVERLAP)

    def _external(self, text: str, producer: str, made: _Text) -> bool:
        """Whether the producer only hands on what came to it from outside of the trace's operations."""
        first = self._first_taken.get(text)
        if (
            first is not None
            and self._ends[first] < made.producers[0][0]
            and not self._forest.encloses(producer, first)
        ):
            return True
        parent = self._forest.parent(producer)
        around = [self._own[producer], *([self._own[parent]] if parent else [])]
        if not any(text in own for texts_ in around for own in texts_):
            return False
        earlier = made.producers[0][1]
        nested = self._forest.encloses(producer, earlier) or self._forest.encloses(earlier, producer)
        return nested or made.producers[0][0] > self._starts[producer]


def significant(text: str) -> bool:
    """Whether a text can be recognised inside another: long enough, and more than one common word."""
    if len(text) < MIN_LENGTH:
        return len(text) >= 4 and not text.isascii() and len(words(text)) > 0 and any(ord(one) > 0x2E80 for one in text)
    return " " in text or len(text) >= 20 or any(one.isdigit() for one in text) or not text.isascii()


def _stands_in(text: str, whole: str) -> bool:
    """Found with word borders around it, or cut off at the end of the whole."""
    at = whole.find(text)
    if at >= 0:
        before, after = whole[at - 1 : at] if at else "", whole[at + len(text) : at + len(text) + 1]
        return len(text) >= 24 or not (
            (before.isalnum() and text[0].isalnum()) or (after.isalnum() and text[-1].isalnum())
        )
    head = text[: 2 * MIN_LENGTH]
    at = whole.rfind(head)
    return at >= 0 and len(head) == 2 * MIN_LENGTH and text.startswith(whole[at:])


_Anchors: TypeAlias = dict[str, list[tuple[_Text, list[str]]]]
"""Texts with their first words, by anchor."""


def _candidates(anchors: _Anchors, keys: frozenset[str], found: list[str]) -> Iterator[_Text]:
    """The texts whose anchor and first words are among the words."""
    hits = keys.intersection(found)
    if hits:
        among = set(found)
        for word in sorted(hits):
            for text, first in anchors[word][-SHARED_ANCHOR:]:
                if among.issuperset(first):
                    yield text


def _anchored(found: Sequence[_Text]) -> _Anchors:
    """The texts by the rarest of their first words, of those the longest."""
    heads = [words(text.text[: HEAD_WORDS * 8])[:HEAD_WORDS] for text in found]
    counts = Counter(word for head in heads for word in set(head))
    anchors: _Anchors = {}
    for text, head in zip(found, heads, strict=True):
        if head:
            anchor = min(head, key=lambda word: (counts[word] - min(len(word), 12) / 16, word))
            anchors.setdefault(anchor, []).append((text, head[:FIRST_WORDS]))
    return anchors


def _inputs(reading: SpanReading) -> Iterator[tuple[str, AnyValue]]:
    if reading.taken:
        for message in reading.taken:
            yield "messages" if message.role != "system" else "system", _said(message)
    for name, value in reading.inputs.items():
        if not reading.taken or name != "messages":
            yield name, value


def _outputs(reading: SpanReading) -> Iterator[AnyValue]:
    if reading.given:
        for message in reading.given:
            yield _said(message)
    if reading.has_output and not reading.given:
        yield reading.output


def _said(message: Message) -> AnyValue:
    return [message.content, *(call.arguments for call in message.calls)]
