"""Texts as words: tokens, crude stems, and the words that carry no meaning."""

import re

_STOP_WORDS = """
a about an and are at be been before behind by can did do does for from had has have how in into is it its last long
many may might much must not of off often on one or s so than that the their there these they this to today was were
what when where which who with would year
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers."""
    return re.findall(r"[a-zäöüß]+|\d[\d.,]*\d|\d", text.lower())


def stem(word: str) -> str:
    """The word without its commonest endings."""
    for ending in ("ing", "ers", "er", "ed", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            return word.removesuffix(ending)
    return word


def stems(text: str) -> list[str]:
    """Stems of the words that carry meaning."""
    return [stem(word) for word in tokens(text) if word not in STOP_WORDS]
