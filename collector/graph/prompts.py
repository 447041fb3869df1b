"""Prompts as parameters: system messages and templates, under keys that stay the same from run to run."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final, NamedTuple

from collector.core.wildcard import fits
from collector.graph.clock import Times
from collector.graph.content.texts import plain, texts
from collector.graph.doubled import Records
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts, ParameterUse, Role
from collector.graph.reading.values import structured

MIN_WORDS: Final = 5
"""Of the application's own in a message. With fewer it is labels around values: ``Question: … Notes: …``."""

MIN_HOLE: Final = 8
"""Characters of a caller's input that is taken for a field."""

MIN_FIELD: Final = 5
"""Characters of a value beside one that was found."""

MAX_UP: Final = 4
"""So many callers' inputs are looked for."""

MAX_LENGTH: Final = 20_000
"""Characters of a message that is looked at."""

MAX_NAME: Final = 64
"""Characters of a field's name."""

_RUN: Final = re.compile(r"\S+")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_VALUE: Final = re.compile(r"\{[^{}]*\}|^[^\w\n]*+\w++(?: \w++){0,2}+:[ \n].*$", re.MULTILINE)
"""A field, or a line with a label of up to three words: what follows it is a value, too."""


class Filled(NamedTuple):
    """A user's message and its template, whose fields have the names of the operations that made their values."""

    message: str
    template: str


class Fillings:
    """The templates of the users' messages in a trace; a message that comes again in a history is looked at once.

    Args:
        forest: The spans.
        readings: What they say.
        parts: By span, the texts that were found inside its messages, and the spans that made them.
    """

    def __init__(self, forest: Forest, readings: Mapping[str, Facts], parts: Mapping[str, Mapping[str, str]]) -> None:
        self._forest = forest
        self._readings = readings
        self._parts = parts
        self._templates: dict[str, str] = {}

    def of_span(self, span_id: str, role: str) -> Iterator[Filled]:
        """Those of a model's messages; what a caller was given whole is its user's own words.

        Of a system's message only what other operations made are fields: callers carry their own instructions around.
        """
        said = [message.content for message in self._readings[span_id].taken if message.role == role]
        texts_ = [text for text in said if isinstance(text, str) and len(text) <= MAX_LENGTH]
        fresh = [text for text in texts_ if text not in self._templates]
        around: dict[str, str] = {}
        if fresh and role != "system":
            around = dict(_given_around(self._forest, self._readings, span_id))
        for text in fresh:
            self._templates[text] = self._template(text, around, self._parts.get(span_id, {}))
        for text in texts_:
            if self._templates[text] != text:
                yield Filled(text, self._templates[text])

    def _template(self, said: str, around: Mapping[str, str], parts: Mapping[str, str]) -> str:
        """The message itself where it is no template."""
        whole = plain(said)
        if any(whole in text for text in around):
            return said
        values = {text: name for text, name in around.items() if text in whole}
        makers = {text: self._readings[one] for text, one in parts.items() if text in whole != text}
        values.update({text: maker.actor or maker.name for text, maker in makers.items()})
        for maker in makers.values():
            values.update((text, maker.actor or maker.name) for text in _fields(maker) if text in whole != text)
        template = said
        for text, name in sorted(values.items(), key=lambda item: (-len(item[0]), item[0])):
            template = _replaced(template, text, "{" + re.sub(r"\W+", "_", name[:MAX_NAME]).strip("_") + "}")
            if len(template) > 2 * MAX_LENGTH:  # names that hold values, whose names hold values
                return said
        return template if len(_WORD.findall(_VALUE.sub(" ", template))) >= MIN_WORDS else said


def _fields(maker: Facts) -> Iterator[str]:
    """Of a structure that was found in parts the rest of its values."""
    if isinstance(structured(maker.output), Mapping | list):
        yield from (text for text in texts(maker.output) if len(text) >= MIN_FIELD)


def _replaced(template: str, text: str, field: str) -> str:
    """The template with the field where the text stands; else where it does with other white space between its words.

    Found in the words of both with single spaces between them, in time linear in the template.
    """
    if text in template:
        return template.replace(text, field)
    wanted = " ".join(text.split())
    words = list(_RUN.finditer(template))
    said = " ".join(word[0] for word in words)
    at = said.find(wanted) if wanted else -1
    if at < 0:
        return template
    starts = list(accumulate((len(word[0]) + 1 for word in words), initial=0))

    def place(position: int) -> int:
        index = bisect_right(starts, position, hi=len(words)) - 1
        return words[index].start() + position - starts[index]

    pieces, end = [], 0
    while at >= 0:
        pieces.append(template[end : place(at)])
        end = place(at + len(wanted) - 1) + 1
        at = said.find(wanted, at + len(wanted))
    return field.join([*pieces, template[end:]])


def _given_around(forest: Forest, readings: Mapping[str, Facts], span_id: str) -> Iterator[tuple[str, str]]:
    """The texts that the callers were given, with the names under which they were."""
    parent = forest.parent(span_id)
    for _ in range(MAX_UP):
        if parent is None:
            return
        for name, value in readings[parent].inputs.items():
            for text in texts(value):
                if len(text) >= MIN_HOLE:
                    yield text, name
        parent = forest.parent(parent)


FIELD: Final = re.compile(r"\{%[^{}\n]*%\}|\{\{[^{}\n]*\}\}|\{[\w.\[\]!:]*\}|%\(\w+\)s")
"""Of a template, in any style."""

_GENERIC: Final = re.compile(
    r"(RunnableSequence|RunnableLambda|RunnableParallel|RunnableWithFallbacks|RunnableRetry|ChatPromptTemplate|turn|response|"
    r"agent run|Step \d+|(execute_task |invoke_agent )?(RunnableSequence|call_model|LangGraph)|chat|chat .*|.*\.chat|"
    r"ChatCompletion|AutoFunctionInvocationLoop|call_llm|openai\..*|ai\..*|LLM|Chat.*|.*Chat|completion|generate|generation)$"
)
_LITERAL_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_COUNT: Final = re.compile(r"(?<=\w)[ :]+[#№]?\d+$")
"""What tells the rounds of a loop apart: ``turn 7``."""

_MAX_UP: Final = 8
MIN_LITERAL_WORDS: Final = 2
"""Fewer words between the inputs of a filled-in prompt make no template."""


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A prompt that a span used: its place in the workflow, what it is for, its text."""

    span_id: str
    site: str
    kind: str
    text: str


def prompts(
    forest: Forest,
    readings: Mapping[str, Facts],
    times: Times,
    parts: Mapping[str, Mapping[str, str]],
    records: Records,
) -> Mapping[str, tuple[ParameterUse, ...]]:
    """By span, all parameter uses: those stated, and system messages and templates under keys of their place.

    A system message that is the value of a stated parameter, or a recorded template with its fields filled in, is a use
    of that. Different prompts of one kind in one place are numbered in the order of their use.

    Args:
        forest: The spans.
        readings: What they say.
        times: When they ran.
        parts: `Flow.parts`.
        records: Which instrumentations recorded the same.
    """
    stated = {
        use.value: use
        for reading in readings.values()
        for use in reading.uses
        if not use.prompt and isinstance(use.value, str)
    }
    found: list[_Prompt] = []
    uses: dict[str, dict[str, ParameterUse]] = {}
    templates = _Templates(forest, readings, parts)
    for span_id in forest.spans:
        reading = readings[span_id]
        if not (reading.uses or reading.taken or (templates.used and reading.inputs)):
            continue
        for use in (*reading.uses, *(stated[text] for text in _systems(reading) if text in stated)):
            if not use.prompt:
                uses.setdefault(span_id, {}).setdefault(use.key, use)
        found.extend(templates.of_span(span_id, stated))
    found = _at_home(forest, found, records)
    numbers = _numbered(found, times)
    for prompt in found:
        number = numbers[prompt.site, prompt.kind, prompt.text]
        key = f"{prompt.site}.{prompt.kind}" + (f".{number}" if number > 1 else "")
        uses.setdefault(prompt.span_id, {}).setdefault(
            key, ParameterUse(key, value=prompt.text, prompt=True, discovered=True)
        )
    return {span_id: tuple(by_key.values()) for span_id, by_key in uses.items()}


def _at_home(forest: Forest, found: Sequence[_Prompt], records: Records) -> list[_Prompt]:
    """An operation that is given the same prompt as one around it is a part of that: the place is the outer one's.

    So it is with one call in two records.
    """
    sites: dict[tuple[str, str, str], str] = {}
    placed = []
    for prompt in sorted(found, key=lambda one: forest.position[one.span_id]):
        site, up = prompt.site, forest.parent(prompt.span_id)
        for _ in range(_MAX_UP):
            if up is None:
                break
            if (outer := sites.get((up, prompt.kind, prompt.text))) is not None:
                site = outer
                break
            up = forest.parent(up)
        site = sites.get((records.first.get(prompt.span_id, ""), prompt.kind, prompt.text), site)
        sites[prompt.span_id, prompt.kind, prompt.text] = site
        placed.append(replace(prompt, site=site))
    return placed


class _Templates:
    """The recorded templates of a trace, and what they were made into."""

    def __init__(self, forest: Forest, readings: Mapping[str, Facts], parts: Mapping[str, Mapping[str, str]]) -> None:
        self._forest = forest
        self._fillings = Fillings(forest, readings, parts)
        self._readings = readings
        self._recorded: dict[str, list[str]] = {
            span_id: texts_
            for span_id, reading in readings.items()
            if (texts_ := [str(use.value) for use in reading.uses if use.prompt and use.value])
        }
        self.used = any(reading.taken for reading in readings.values())
        templates = {text for texts_ in self._recorded.values() for text in texts_ if FIELD.search(text)}
        self._literals = [(text, FIELD.split(text)) for text in sorted(templates)[:64]]
        self._given = {
            plain(message.content)
            for reading in readings.values()
            for message in reading.taken
            if message.role == "user" and isinstance(message.content, str)
        }
        self._written: set[str] = set()
        self._system_texts = {self._template(text) for reading in readings.values() for text in _systems(reading)}

    def of_span(self, span_id: str, stated: Mapping[str, ParameterUse]) -> Iterator[_Prompt]:
        """Templates that the span itself records, its system messages, and the template that it fills in."""
        reading = self._readings[span_id]
        seen: set[str] = set()
        site = _site(self._forest, self._readings, span_id)
        filled = {one.message: one.template for one in self._fillings.of_span(span_id, "system")}
        systems = [self._template(filled.get(text, text)) for text in _systems(reading) if text not in stated]
        recorded = [text for text in self._recorded.get(span_id, ()) if text not in stated]
        for text in (*systems, *recorded):
            if text not in seen:
                seen.add(text)
                kind = "system_prompt" if text in systems or text in self._system_texts else "template"
                yield _Prompt(span_id, site, kind, text)
        for one in self._fillings.of_span(span_id, "user") if not recorded else ():
            known = self._template(one.message) != one.message or plain(one.message) in self._written
            if not known and one.template not in seen:
                seen.add(one.template)
                yield _Prompt(span_id, site, "user_prompt", one.template)
        if self._given and not recorded and reading.role in (Role.STEP, Role.TEMPLATE) and reading.inputs:
            for text in self._derived(reading):
                yield _Prompt(span_id, reading.name, "template", text)

    def _template(self, text: str) -> str:
        """The recorded template that was filled in to give the text, else the text.

        Loops of a template may repeat what is in them: anything may stand between its literal parts.
        """
        return next((template for template, literals in self._literals if fits(literals, text)), text)

    def _derived(self, reading: Facts) -> Iterator[str]:
        """An operation whose output is what a model's user says fills in a template: its inputs are the fields."""
        for said in texts(reading.output):
            if said not in self._given:
                continue
            self._written.add(said)
            text, holes = said, 0
            for name, value in reading.inputs.items():
                for part in sorted(set(texts(value)), key=len, reverse=True):
                    if len(part) >= 8 and part in text and part != text:
                        text, holes = text.replace(part, "{" + name + "}"), holes + 1
            own = len(_LITERAL_WORD.findall(FIELD.sub(" ", text)))
            if holes >= (1 if reading.role is Role.TEMPLATE else 2) and own >= MIN_LITERAL_WORDS:
                yield text


def _systems(reading: Facts) -> list[str]:
    found = [message.content for message in reading.taken if message.role == "system"]
    return [text for text in found if isinstance(text, str) and text]


def _site(forest: Forest, readings: Mapping[str, Facts], span_id: str) -> str:
    """The agent, else the nearest operation around it that an application named."""
    up = span_id
    for _ in range(_MAX_UP):
        reading = readings[up]
        if reading.actor:
            return reading.actor
        own = reading.role is not Role.MODEL or reading.name != forest.spans[up].name
        if own and not _GENERIC.match(reading.name):
            return _COUNT.sub("", reading.name)
        parent = forest.parent(up)
        if parent is None:
            break
        up = parent
    return readings[span_id].name


def _numbered(found: Sequence[_Prompt], times: Times) -> dict[tuple[str, str, str], int]:
    """1, 2, … for each site and kind; prompts in use at the same time by their text, since their order is chance."""
    by_place: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for prompt in found:
        seen = by_place.setdefault((prompt.site, prompt.kind), {})
        begin, end = times.starts[prompt.span_id], times.ends[prompt.span_id]
        if prompt.text not in seen or begin < seen[prompt.text][0]:
            seen[prompt.text] = (begin, end)
    numbers: dict[tuple[str, str, str], int] = {}
    for (site, kind), seen in by_place.items():
        together, until = 0, 0
        order = []
        for text, (begin, end) in sorted(seen.items(), key=lambda item: (item[1], item[0])):
            together += begin >= until
            until = max(until, end)
            order.append((together, text))
        for number, (_, text) in enumerate(sorted(order), 1):
            numbers[site, kind, text] = number
    return numbers
