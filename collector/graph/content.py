"""Which output is found inside which later input: dataflow that nobody stated.

An output's texts are looked for in the inputs of later operations, and short inputs in earlier outputs. Each input is
split into words once, and only texts are compared with it whose anchor, a few words in a row, stands in it
(`anchors.py`). So the cost grows with the length of the texts and the number of true finds; what bounds the rest are
the constants below.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from collector.core.span import AnyValue
from collector.graph.anchors import Anchors
from collector.graph.find import Find
from collector.graph.forest import Forest
from collector.graph.reading import SpanReading
from collector.graph.recognition import (
    EXTRACTED,
    HEAD,
    MIN_LENGTH,
    MIN_LINE,
    MIN_PART,
    SHORT,
    WHOLE,
    found_as,
    is_common,
    significant,
)
from collector.graph.records import fields_of, record
from collector.graph.statement import Message
from collector.graph.texts import texts, words

FIRST_WORDS: Final = 3
"""By that many words a text is known of which only the beginning is left."""

LAST_WORDS: Final = 15
"""So near to the end of a cut input the text begins of which only the beginning is left."""

SHARED_BEGINNING: Final = 64
"""Of more texts that begin alike only the latest that many are compared with a cut input."""

MAX_PRODUCERS: Final = 16
"""Of more producers of one text only the latest that many before the consumer are considered."""

MAX_REVERSE: Final = 2_000
"""Characters. A longer input is not looked for inside of outputs."""

OVERLAP: Final = 0.8
"""Factor where the consumer had begun before the producer ended."""

MAX_QUOTE: Final = 80
"""Characters of a text that an edge's reason quotes."""


@dataclass(slots=True)
class _Text:
    """A distinct text among the outputs: who produced it, in order of ending."""

    text: str
    producers: list[tuple[int, str]]
    part: bool


class _Taken(NamedTuple):
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
        self._both: list[_Taken] = []
        self._weak: list[tuple[_Taken, float]] = []
        self._own: dict[str, list[str]] = {}
        self._made: dict[str, _Text] = {}
        self._whole: dict[str, str] = {}
        self._cut = frozenset(span_id for span_id, reading in readings.items() if reading.incomplete)
        self._first_taken: dict[str, str] = {}
        self._from_outside: dict[tuple[str, str, bool], bool] = {}
        self._relayed: dict[tuple[str, str], bool] = {}
        for span_id in sorted(readings, key=lambda one: (ends[one], one)):
            self._collect(span_id, readings[span_id])

    def _collect(self, span_id: str, reading: SpanReading) -> None:
        self._own[span_id] = []
        if self._parses(span_id, reading):
            return
        for argument, value in _inputs(reading):
            lines: list[str] = []
            fields: list[str] = []
            for text in texts(value, lines, fields):
                self._take(_Taken(text, span_id, argument))
            for line in lines:
                if len(line) >= MIN_LINE and not significant(line):
                    self._weak.append((_Taken(line, span_id, argument), SHORT))
            self._take_fields(span_id, argument, fields)
        if len(reading.inputs) > 1:
            self._take(_Taken(record(reading.inputs), span_id, ""))
        self._take_fields(span_id, "", fields_of(reading.inputs))
        for name, value in reading.both.items():
            self._both += [_Taken(text, span_id, name) for text in texts(value)]
        parts: list[str] = []
        made: list[str] = []
        produced = [text for value in _outputs(reading) for text in texts(value, parts, made)]
        if len(produced) == 1:
            self._whole[span_id] = produced[0]
        end = self._ends[span_id]
        for text in produced:
            self._make(text, end, span_id, False)
        for text in parts:
            if len(text) >= MIN_PART:
                self._make(text, end, span_id, True)
        for text in (*made, *fields_of(reading.both)):
            self._make(text, end, span_id, True)

    def _take(self, taken: _Taken) -> None:
        if taken.text:
            self._own[taken.span_id].append(taken.text)
            self._taken.append(taken)
            self._first_taken.setdefault(taken.text, taken.span_id)

    def _take_fields(self, span_id: str, argument: str, fields: Iterable[str]) -> None:
        for field in fields:
            self._own[span_id].append(field)
            self._first_taken.setdefault(field, span_id)
            self._weak.append((_Taken(field, span_id, argument), EXTRACTED))

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
            find = Find(
                producer,
                taken.span_id,
                round(confidence * factor, 3),
                taken.argument,
                _reason(text.text if len(text.text) <= len(taken.text) else taken.text, confidence),
            )
            other = best.get((producer, taken.span_id))
            if other is None or (find.confidence, other.argument) > (other.confidence, find.argument):
                best[producer, taken.span_id] = find
        yield from best.values()

    def _equal(self) -> Iterator[tuple[_Text, _Taken, float]]:
        for taken in self._taken:
            text = self._made.get(taken.text)
            if text is not None and not is_common(text.text):
                yield text, taken, WHOLE if significant(text.text) else SHORT
        for taken, confidence in self._weak:
            text = self._made.get(taken.text)
            if text is not None and not is_common(text.text):
                yield text, taken, confidence

    def _contained(self) -> Iterator[tuple[_Text, _Taken, float]]:
        """Outputs inside longer inputs, and those of which only the beginning is left at the end of a cut input."""
        found = {text: made for text, made in self._made.items() if significant(text)}
        anchors = Anchors(found)
        beginnings = _beginnings(found) if self._cut else {}
        cache: dict[str, list[tuple[_Text, float]]] = {}
        for taken in (*self._taken, *self._both):
            if len(taken.text) <= MIN_LENGTH or not found:
                continue
            near = cache.get(taken.text)
            if near is None:
                cut = taken.span_id in self._cut
                candidates = [*anchors.among(taken.text), *(_at_the_end(beginnings, taken.text) if cut else ())]
                near = cache[taken.text] = [
                    (found[text], sure) for text in candidates if (sure := found_as(text, taken.text, cut))
                ]
            for text, confidence in near:
                yield text, taken, confidence

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
        anchors = Anchors(asked)
        for text in self._made.values():
            if text.part or len(text.text) <= MIN_LENGTH:
                continue
            for part in anchors.among(text.text):
                if len(part) < len(text.text) and part in text.text:
                    yield from ((text, taken, EXTRACTED) for taken in asked[part])

    def _producer(self, text: _Text, taken: _Taken) -> tuple[str, float] | None:
        """The latest producer before the consumer: of nested ones the outermost, since it ended last.

        One that was itself given the text, and made it a part of more, comes after those that were not.
        """
        consumer = taken.span_id
        within = text.text if len(text.text) <= len(taken.text) else taken.text
        if self._external(within, text, within == taken.text == text.text):
            return None
        last = bisect_right(text.producers, (self._ends[consumer], "\uffff"))
        overlapping = relay = None
        for end, producer in reversed(text.producers[max(0, last - MAX_PRODUCERS) : last]):
            if producer == consumer or self._forest.encloses(producer, consumer):
                continue
            if self._forest.encloses(consumer, producer):
                continue
            if end > self._starts[consumer]:
                overlapping = overlapping or producer
            elif self._hands_on(producer, within):
                relay = relay or producer
            else:
                return producer, 1.0
        if relay is not None:
            return relay, 1.0
        return None if overlapping is None else (overlapping, OVERLAP)

    def _hands_on(self, producer: str, text: str) -> bool:
        """Whether it was given the text and says more than just that."""
        known = self._relayed.get((producer, text))
        if known is None:
            known = self._whole.get(producer) != text and any(text in own for own in self._own[producer])
            self._relayed[producer, text] = known
        return known

    def _external(self, text: str, made: _Text, equal: bool) -> bool:
        """Whether the first to produce it only handed on what came to it from outside of the trace's operations.

        Who picked it out of a longer text is its producer for those who took just that.
        """
        key = (text, made.text, equal)
        known = self._from_outside.get(key)
        if known is None:
            end, producer = made.producers[0]
            first = self._first_taken.get(text)
            before = first is not None and self._ends[first] < end and not self._forest.encloses(producer, first)
            parent = self._forest.parent(producer)
            around = [*self._own[producer], *(self._own[parent] if parent else ())]
            handed = text in around if equal else any(text in own for own in around)
            known = self._from_outside[key] = before or handed
        return known


def _reason(text: str, confidence: float) -> str:
    quoted = text if len(text) <= MAX_QUOTE else f"{text[:MAX_QUOTE]}…"
    where = "the input is in the output" if confidence == EXTRACTED else "the output is in the input"
    return f"{where}: {quoted}"


_Beginnings: TypeAlias = dict[tuple[str, ...], list[str]]
"""Texts by their first words."""


def _beginnings(found: Iterable[str]) -> _Beginnings:
    by_words: _Beginnings = {}
    for text in found:
        if len(text) >= HEAD:
            by_words.setdefault(tuple(words(text[: HEAD * 3])[:FIRST_WORDS]), []).append(text)
    return {beginning: texts_[-SHARED_BEGINNING:] for beginning, texts_ in by_words.items()}


def _at_the_end(beginnings: _Beginnings, text: str) -> Iterator[str]:
    """The texts that begin among the last words of this one."""
    last = words(text)[-LAST_WORDS:]
    for at in range(len(last) - FIRST_WORDS + 1):
        yield from beginnings.get(tuple(last[at : at + FIRST_WORDS]), ())


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
