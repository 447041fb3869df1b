"""Where a text that was made is found in one that was taken: as it is, inside of it, around it, or in pieces."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from collector.graph.content.anchors import Anchors
from collector.graph.content.corpus import Corpus, Made, Taken
from collector.graph.content.recognition import (
    EXTRACTED,
    HEAD,
    MIN_LENGTH,
    MIN_PART,
    SHORT,
    WHOLE,
    found_as,
    is_common,
    significant,
    weight,
)
from collector.graph.content.scattered import SCATTERED, Scattered
from collector.graph.content.texts import words

FIRST_WORDS: Final = 3
"""By that many words a text is known of which only the beginning is left."""

LAST_WORDS: Final = 15
"""So near to the end of a cut input the text begins of which only the beginning is left."""

SHARED_BEGINNING: Final = 64
"""Of more texts that begin alike only the latest that many are compared with a cut input."""

MAX_REVERSE: Final = 2_000
"""Characters. A longer input is not looked for inside of outputs."""


class Hit(NamedTuple):
    """A text of an output and one of an input, and how sure it is that the one is made of the other."""

    made: Made
    taken: Taken
    confidence: float


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
            yield Hit(made, taken, WHOLE if significant(made.text) else SHORT)
    for taken, confidence in corpus.weak:
        made = corpus.made.get(taken.text)
        if made is not None and not is_common(made.text):
            yield Hit(made, taken, confidence)


def _contained(corpus: Corpus) -> Iterator[Hit]:
    """Outputs inside longer inputs, and those of which only the beginning is left at the end of a cut input."""
    found = {
        text: made
        for text, made in corpus.made.items()
        if significant(text) and (len(text) >= MIN_PART or text[0] == '"' or not made.is_part)
    }
    if not found:
        return
    anchors = Anchors(found)
    beginnings = _beginnings(found) if corpus.cut else {}
    cache: dict[str, list[tuple[Made, float]]] = {}
    for taken in (*corpus.taken, *corpus.composed):
        if weight(taken.text) <= MIN_LENGTH:
            continue
        near = cache.get(taken.text)
        if near is None:
            cut = taken.span_id in corpus.cut and taken.text not in corpus.made
            candidates = [*anchors.among(taken.text), *(_at_the_end(beginnings, taken.text) if cut else ())]
            near = cache[taken.text] = [
                (found[text], sure) for text in candidates if (sure := found_as(text, taken.text, cut))
            ]
        for made, confidence in near:
            yield Hit(made, taken, confidence)


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
                yield Hit(corpus.made[text], taken, SCATTERED)


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
    last: Sequence[str] = words(text)[-LAST_WORDS:]
    for at in range(len(last) - FIRST_WORDS + 1):
        yield from beginnings.get(tuple(last[at : at + FIRST_WORDS]), ())
