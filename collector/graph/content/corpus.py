"""The texts of a trace: what its operations were given, and what they made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from collector.core.span import AnyValue
from collector.graph.clock import Times
from collector.graph.content.records import record
from collector.graph.content.texts import HEAD, MIN_LENGTH, MIN_LINE, significant, texts, weight
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts, Message, Role
from collector.graph.reading.messages import messages

END: Final = ("__end__",)
"""What routers of graphs say instead of a step's name (LangGraph)."""


class Maker(NamedTuple):
    """Who made a text.

    Attributes:
        end: When it had ended.
        part: The text is only a line of a value of its output.
        given: The text is one of its inputs, too, and not all that it says.
    """

    end: int
    span_id: str
    part: bool
    given: bool


@dataclass(slots=True)
class Made:
    """A distinct text among the outputs and who made it, in order of ending; `origins` were not given it."""

    text: str
    makers: list[Maker]
    origins: list[Maker]

    @property
    def is_part(self) -> bool:
        """Whether nobody made it as a whole value."""
        return all(maker.part for maker in self.makers)


class Taken(NamedTuple):
    """A text among a span's inputs."""

    text: str
    span_id: str
    argument: str


class Corpus:
    """Every text of a trace.

    Attributes:
        made: By text.
        taken: What is looked for as it is and in parts.
        composed: What may be an output and may have been composed of others' outputs, and outputs of which the inputs
            may have been cut: looked for in parts only.
        weak: Short lines, looked for as they are.
        silent: Steps that say what they made and nothing of what they were given.
        own: By span, the texts of its inputs.
        whole: By span, the one text that is its output.
        cut: Spans of which something was dropped or cut.
        first_taken: By text, the first span to end that was given it.
    """

    def __init__(self, forest: Forest, readings: Mapping[str, Facts], times: Times) -> None:
        self._readings = readings
        self._forest = forest
        self.made: dict[str, Made] = {}
        self.taken: list[Taken] = []
        self.composed: list[Taken] = []
        self.weak: list[Taken] = []
        self.silent = frozenset(span_id for span_id, reading in readings.items() if _is_silent(reading))
        self.own: dict[str, set[str]] = {}
        self.whole: dict[str, str] = {}
        self.cut = frozenset(span_id for span_id, reading in readings.items() if reading.incomplete)
        self.first_taken: dict[str, str] = {}
        steps = {word for reading in readings.values() for word in (reading.name, reading.name.rpartition(" ")[2])}
        self._instructions = frozenset(_instructions(readings))
        asking = {forest.parent(span_id) for span_id, reading in readings.items() if reading.role is Role.MODEL}
        for span_id in sorted(readings, key=lambda one: (times.ends[one], one)):
            self.own[span_id] = set()
            reading = readings[span_id]
            copies = forest.parent(span_id) in asking and _copies(forest, readings, span_id)
            if not copies and not _routes(forest, reading, span_id, steps):
                self._collect_inputs(span_id, reading)
                self._collect_outputs(span_id, reading, times.ends[span_id])

    def _collect_inputs(self, span_id: str, reading: Facts) -> None:
        if reading.hearsay:
            echoes = {name for name in reading.hearsay if self._echoes(span_id, reading.inputs.get(name))}
            if echoes:
                kept = {name: value for name, value in reading.inputs.items() if name not in echoes}
                reading = reading._replace(inputs=kept)
        for argument, value in _inputs(reading):
            lines: list[str] = []
            for text in texts(value, lines):
                self._take(Taken(text, span_id, argument))
            for line in lines:
                if weight(line) >= MIN_LINE and not significant(line):
                    self.weak.append(Taken(line, span_id, argument))
        if len(reading.inputs) > 1:
            self._take(Taken(record(reading.inputs), span_id, ""))
        for name, value in reading.both.items():
            self.composed += [Taken(text, span_id, name) for text in texts(value)]

    def _echoes(self, span_id: str, value: AnyValue) -> bool:
        """Whether a value repeats what the operation or one in it made: a raw answer beside the stated output.

        What is made inside did not come from outside, whatever the key says under which it stands.
        """
        own = self._readings[span_id]
        said = texts(value)
        if own.has_output and not own.both:
            made = [text for text in texts(own.output) if weight(text) >= MIN_LENGTH]
            fresh = made and not any(text in self.first_taken or text in self.made for text in made)
            if fresh and all(text in said for text in made):
                return True
        for text in said:
            origins = self.made[text].origins if weight(text) >= MIN_LENGTH and text in self.made else ()
            if any(self._forest.encloses(span_id, one.span_id) and self.own[one.span_id] for one in origins):
                return text not in self.first_taken
        return False

    def _take(self, taken: Taken) -> None:
        if taken.text:
            self.own[taken.span_id].add(taken.text)
            self.taken.append(taken)
            self.first_taken.setdefault(taken.text, taken.span_id)

    def _collect_outputs(self, span_id: str, reading: Facts, end: int) -> None:
        lines: list[str] = []
        produced = [text for value in _outputs(reading) for text in texts(value, lines)]
        if len(produced) > 1 and self._instructions.intersection(produced) and not _asks(reading):
            produced = [text for text in produced if text not in self._instructions]
        if len(produced) == 1 or (produced and self.chose(span_id, produced[0])):
            self.whole[span_id] = produced[0]
        if span_id in self.cut and reading.role is not Role.TEMPLATE:
            self.composed += [Taken(text, span_id, "") for text in produced if len(text) >= HEAD]
        own, whole = self.own[span_id], self.whole.get(span_id)
        for text in produced:
            self._make(text, Maker(end, span_id, False, text in own and text != whole))
        for text in (line for line in lines if weight(line) >= MIN_LINE):
            self._make(text, Maker(end, span_id, True, text in own and text != whole))

    def chose(self, span_id: str, text: str) -> bool:
        """Whether its output is a text that was one of several in a list that it was given."""
        reading = self._readings[span_id]
        if text not in self.own[span_id] or not reading.has_output or texts(reading.output)[:1] != [text]:
            return False
        lists = [value for value in reading.inputs.values() if isinstance(value, Sequence) and len(value) > 1]
        return any(texts(item)[:1] == [text] for value in lists if not isinstance(value, str) for item in value)

    def is_guessed(self, span_id: str) -> bool:
        """Whether what it made may as well be what it was given."""
        return bool(self._readings[span_id].both)

    def are_alike(self, one: str, other: str) -> bool:
        """Whether two operations have one name."""
        return self._readings[one].name == self._readings[other].name

    def _make(self, text: str, maker: Maker) -> None:
        known = self.made.get(text)
        if known is None:
            known = self.made[text] = Made(text, [], [])
        elif known.makers[-1].span_id == maker.span_id:
            return
        known.makers.append(maker)
        if not maker.given:
            known.origins.append(maker)


def _instructions(readings: Mapping[str, Facts]) -> Iterator[str]:
    """What models are told by their system's messages: a constant that others carry around, and that none made.

    A model may write what another one is told, and a template may be filled in.
    """
    for reading in readings.values():
        for message in reading.taken:
            if message.role == "system":
                yield from texts(message.content)


def _asks(reading: Facts) -> bool:
    """Whether it writes what models are told: a model, a template, or what makes messages before anyone answered."""
    said = messages(reading.output)
    return reading.role in (Role.MODEL, Role.TEMPLATE) or (bool(said) and all(one.role != "assistant" for one in said))


def _is_silent(reading: Facts) -> bool:
    return reading.role in (Role.STEP, Role.OTHER) and not (reading.inputs or reading.taken or reading.both)


def _copies(forest: Forest, readings: Mapping[str, Facts], span_id: str) -> bool:
    """Whether it hands on a model's answer unchanged as the result of what is around both: a part of that answer.

    So do parsers at the end of a chain, whether the text happens to be JSON or not.
    """
    reading, around = readings[span_id], forest.parent(span_id)
    if reading.role is not Role.STEP or around is None or forest.children[span_id] or not reading.has_output:
        return False
    said = texts(reading.output)
    if not said or texts(readings[around].output) != said:
        return False
    beside = (readings[one] for one in forest.children[around])
    return any(one.role is Role.MODEL and texts(one.output) == said for one in beside)


def _routes(forest: Forest, reading: Facts, span_id: str, steps: set[str]) -> bool:
    """Whether it only says which step comes next: it looks at values, and hands none on."""
    chosen = reading.output
    if not isinstance(chosen, str) or reading.role is not Role.STEP or forest.children[span_id]:
        return False
    return chosen in steps or chosen in END


def _inputs(reading: Facts) -> Iterator[tuple[str, AnyValue]]:
    if reading.taken:
        for message in reading.taken:
            yield "messages" if message.role != "system" else "system", _said(message)
    for name, value in reading.inputs.items():
        if not reading.taken or name != "messages":
            yield name, value


def _outputs(reading: Facts) -> Iterator[AnyValue]:
    if reading.given:
        for message in reading.given:
            yield _said(message)
    elif reading.has_output:
        yield reading.output
        yield from reading.both.values()


def _said(message: Message) -> AnyValue:
    return [message.content, *(call.arguments for call in message.calls)]
