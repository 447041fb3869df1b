"""The templates behind what users say to models, where an application wrote it around other operations' outputs."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from collector.graph.forest import Forest
from collector.graph.reading import SpanReading
from collector.graph.texts import plain, texts

MIN_WORDS: Final = 5
"""Of the application's own in a message. With fewer it is labels around values: ``Question: … Notes: …``."""

MIN_HOLE: Final = 8
"""Characters of a caller's input that is taken for a field."""

MAX_UP: Final = 4
"""So many callers' inputs are looked for."""

MAX_LENGTH: Final = 20_000
"""Characters of a message that is looked at."""

_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_VALUE: Final = re.compile(r"\{[^{}]*\}|^\W*\w+(?: \w+){0,2}:[ \n].*$", re.MULTILINE)
"""A field, or a line with a label of up to three words: what follows it is a value, too."""


class Filled(NamedTuple):
    """A user's message and its template, whose fields have the names of the operations that made their values."""

    message: str
    template: str


def filled(
    forest: Forest, readings: Mapping[str, SpanReading], parts: Mapping[str, Mapping[str, str]], span_id: str
) -> Iterator[Filled]:
    """The templates of a model's user messages; what a caller was given whole is its user's own words.

    Args:
        forest: The spans.
        readings: What they say.
        parts: By span, the texts that were found inside its messages, and the spans that made them.
        span_id: Of the model.
    """
    reading = readings[span_id]
    if not any(message.role == "user" for message in reading.taken):
        return
    around = dict(_given_around(forest, readings, span_id))
    for message in reading.taken:
        said = message.content
        if message.role != "user" or not isinstance(said, str) or len(said) > MAX_LENGTH:
            continue
        whole = plain(said)
        if any(whole in text for text in around):
            continue
        made = {text: readings[producer].name for text, producer in parts.get(span_id, {}).items() if text != whole}
        template = said
        for text, name in sorted({**around, **made}.items(), key=lambda item: (-len(item[0]), item[0])):
            template = template.replace(text, "{" + re.sub(r"\W+", "_", name).strip("_") + "}")
        if template != said and len(_WORD.findall(_VALUE.sub(" ", template))) >= MIN_WORDS:
            yield Filled(said, template)


def _given_around(forest: Forest, readings: Mapping[str, SpanReading], span_id: str) -> Iterator[tuple[str, str]]:
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
