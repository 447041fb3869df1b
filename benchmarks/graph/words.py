"""Texts out of 480 words: long ones have nearly every word in common."""

import random

WORDS = [
    first + middle + last
    for first in ("ba", "ko", "ri", "mu", "te", "sol", "ven", "tra")
    for middle in ("lo", "ni", "sa", "ter", "qui", "dor")
    for last in ("", "n", "s", "tion", "ment", "ra", "lia", "x", "ty", "ck")
]


def text_of(chance: random.Random, length: int) -> str:
    """Words up to a length in characters."""
    words: list[str] = []
    while length > 0:
        words.append(chance.choice(WORDS))
        length -= len(words[-1]) + 1
    return " ".join(words)
