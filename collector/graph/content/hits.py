"""Where a text that was made is found in one that was taken: as it is, inside of it, around it, or in pieces."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from collector.graph.content.anchors import Anchors
from collector.graph.content.corpus import Corpus, Made, Taken
from collector.graph.content.scattered import Scattered
from collector.graph.content.texts import MIN_LENGTH, MIN_PART, is_common, is_inside, significant, weight
from collector.graph.rules import CONTAINED, EQUAL, EXTRACTED, RECORD, SHORT, Rule

MAX_REVERSE: Final = 2_000
"""Characters. A longer input is not looked for inside of outputs."""


class Hit(NamedTuple):
    """A text of an output and one of an input, and by which rule the one is made of the other."""

    made: Made
    taken: Taken
    rule: Rule


def hits(corpus: Corpus) -> Iterator[Hit]:
    """All that is found, whoever made it and whenever."""
    yield from _equal(corpus)
    yield from _contained(corpus)
    yield from _extracted(corpus)
    yield from _in_pieces(corpus)


def _equal(corpus: Corpus) -> Iterator[Hit]:
    for taken in corpus.taken:
        made = corpus.made.get(taken.text)
        if made is not None and not is_common(made.text):
            yield Hit(made, taken, EQUAL if significant(made.text) else SHORT)
    for taken in corpus.weak:
        made = corpus.made.get(taken.text)
        if made is not None and not is_common(made.text):
            yield Hit(made, taken, SHORT)


def _contained(corpus: Corpus) -> Iterator[Hit]:
    """Outputs inside longer inputs."""
    found = {
        text: made
        for text, made in corpus.made.items()
        if significant(text) and (len(text) >= MIN_PART or not made.is_part)
    }
    if not found:
        return
    anchors = Anchors(found)
    cache: dict[str, list[Made]] = {}
    for taken in (*corpus.taken, *corpus.composed):
        if weight(taken.text) <= MIN_LENGTH:
            continue
        near = cache.get(taken.text)
        if near is None:
            candidates = anchors.among(taken.text)
            near = cache[taken.text] = [found[text] for text in candidates if is_inside(text, taken.text)]
        for made in near:
            yield Hit(made, taken, CONTAINED)


def _extracted(corpus: Corpus) -> Iterator[Hit]:
    """Whole inputs inside longer outputs; what a system's message says is a constant that records carry around."""
    asked: dict[str, list[Taken]] = {}
    for taken in corpus.taken:
        if taken.argument == "system":
            continue
        if (
            weight(taken.text) >= MIN_LENGTH
            and len(taken.text) <= MAX_REVERSE
            and taken.text not in corpus.made
            and significant(taken.text)
        ):
            asked.setdefault(taken.text, []).append(taken)
    if not asked:
        return
    anchors = Anchors(asked)
    for made in corpus.made.values():
        if weight(made.text) <= MIN_LENGTH or made.is_part:
            continue
        for part in anchors.among(made.text):
            if len(part) < len(made.text) and part in made.text:
                yield from (Hit(made, taken, EXTRACTED) for taken in asked[part])


def _in_pieces(corpus: Corpus) -> Iterator[Hit]:
    """Records whose values stand near each other in an input that shows them in another way."""
    scattered = Scattered(text for text in corpus.made if text[0] in "{[")
    if not scattered:
        return
    cache: dict[str, frozenset[str]] = {}

    def among(text: str) -> frozenset[str]:
        if text not in cache:
            cache[text] = frozenset(scattered.among(text)) if weight(text) > MIN_LENGTH else frozenset()
        return cache[text]

    for taken in (*corpus.taken, *corpus.composed):
        if taken.text in corpus.made:
            continue
        for text in sorted(among(taken.text)):
            first = corpus.made[text].makers[0].span_id
            if not any(text in among(own) for own in corpus.own[first]):
                yield Hit(corpus.made[text], taken, RECORD)
