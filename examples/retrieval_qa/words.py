"""Texts as words: tokens, crude stems, and the words that carry no meaning."""

import re


def word_set(text: str) -> frozenset[str]:
    """The words of a text that is written down as a list of them."""
    return frozenset(text.split())


STOP_WORDS = word_set(
    """
    a about also among an and any are as at be been before behind but by can did do does during each for from had has
    have he her here his how if in into is it its last long many may more most much must nor not of off often on one or
    over own s she should since so some than that the their them then there these they this those to today under until
    up was were what when where which while who whom why will with would
    """
)
_TOKEN = re.compile(r"\d[\d.,]*\d|\d|[^\W\d_]+")
_WRITTEN = re.compile(r"\d[\d.,]*\d|\d|[^\W\d_]+(?:'s)?|[.,;:]")
_ENDINGS = ("ing", "ers", "er", "ed", "es", "s")
_SHORTEST_STEM = 3


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers, in order."""
    return _TOKEN.findall(text.lower())


def written_words(text: str) -> list[str]:
    """Words and numbers as they are written, punctuation marks by themselves, in order."""
    return _WRITTEN.findall(text)


def stem(word: str) -> str:
    """The word without its commonest ending; at least three letters are left."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending)
    return word


def stems(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order."""
    return [stem(word) for word in tokens(text) if word not in STOP_WORDS]
