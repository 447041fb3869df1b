"""The templates behind what users say to models, where an application wrote it around other operations' outputs."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final, NamedTuple

from collector.graph.content.texts import plain, texts
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts
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
