"""Programs of two functions, one after the other, with a bug or two, and what they should give.

They are sources that are looked for: only the child process of `otel_opto.code.process` ever calls them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bug:
    """One program.

    Attributes:
        first: Gets the input.
        second: Gets what the first one gave.
        wanted: What it is for, in one sentence.
        cases: Inputs, and what the program should give.
    """

    name: str
    first: Callable[[Any], Any]
    second: Callable[[Any], Any]
    wanted: str
    cases: tuple[tuple[Any, Any], ...]


def split_words(text: str) -> list[str]:
    """The words of a text, in lowercase, without punctuation."""
    return [word.strip(".,!?") for word in text.split(" ")]


def count_words(words: list[str]) -> dict[str, int]:
    """How often each word is there."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def parse_numbers(text: str) -> list[int]:
    """The whole numbers in a text that has commas between them."""
    return [int(part) for part in text.split(",")]


def middle(numbers: list[int]) -> float:
    """The median; 0 of nothing."""
    ordered = sorted(numbers)
    return float(ordered[len(ordered) // 2])


def read_time(text: str) -> list[int]:
    """Hours and minutes of a text such as 7:05."""
    hours, minutes = text.split(":")
    return [int(hours), int(minutes)]


def to_minutes(time: list[int]) -> int:
    """Minutes since midnight."""
    return time[0] * 100 + time[1]


def digits_of(number: int) -> list[int]:
    """The digits of a whole number that is not negative, from left to right."""
    found = []
    while number > 0:
        found.append(number % 10)
        number = number // 10
    return found


def weighted_sum(digits: list[int]) -> int:
    """Each digit times its place from the left, which begins at 1, added up."""
    return sum(place * digit for place, digit in enumerate(digits, 1))


def unique(items: list[int]) -> list[int]:
    """Each item once, in the order in which it comes first."""
    found: list[int] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def second_largest(items: list[int]) -> int:
    """The second largest of items that are all different; 0 where there are fewer than two."""
    return sorted(items)[1]


BUGS = (
    Bug(
        "word counts", split_words, count_words, "Counts the words of a text, whatever their case.",
        (
            ("To be or not to be", {"to": 2, "be": 2, "or": 1, "not": 1}),
            ("Yes, yes!", {"yes": 2}),
            ("one", {"one": 1}),
            ("", {}),
        ),
    ),
    Bug(
        "median", parse_numbers, middle, "The median of the numbers in a text, 0 of an empty one.",
        (("3,1,2", 2.0), ("1,2,3,4", 2.5), ("7", 7.0), ("5, 9", 7.0), ("", 0.0)),
    ),
    Bug(
        "minutes", read_time, to_minutes, "The minutes since midnight of a time such as 7:05.",
        (("0:00", 0), ("1:00", 60), ("7:05", 425), ("23:59", 1439)),
    ),
    Bug(
        "digits", digits_of, weighted_sum, "Each digit of a number times its place from the left, added up.",
        ((0, 0), (7, 7), (12, 5), (100, 1), (321, 10)),
    ),
    Bug(
        "runner-up", unique, second_largest, "The second largest of the different numbers; 0 if there is none.",
        (([3, 1, 2], 2), ([5, 5, 4], 4), ([1], 0), ([], 0), ([9, 7, 8, 9], 8)),
    ),
)  # fmt: skip


def bug(seed: int) -> Bug:
    """The program of a seed."""
    return BUGS[(seed - 1) % len(BUGS)]
