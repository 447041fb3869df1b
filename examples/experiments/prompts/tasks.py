"""The tasks: generated questions with exactly one right answer, and instructions that a person would try.

Sentiment asks for the form of the answer; the other three are after tasks of BIG-Bench Hard (Suzgun et al., 2022), made
anew by chance, so that no model has seen these and training, validation and test part have no question in common.
"""

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Example = tuple[str, str]
"""A question, and the only right answer."""

_DRAWS = 100
"""Questions that are drawn for each one that is wanted, at most: many come again."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many examples a run has."""

    train: int
    validation: int
    test: int


@dataclass(frozen=True, slots=True)
class Data:
    """The three parts of a run: what methods see, what chooses among their best, what is measured once."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One task.

    Attributes:
        start: The instruction that everything begins with.
        written: Instructions that a person would try, in the order in which they are tried.
        wanted: The objective, for optimizers that read.
        drawn: Gives an example.
        most_tokens: Of an answer.
    """

    name: str
    start: str
    written: tuple[str, ...]
    wanted: str
    drawn: Callable[[random.Random], Example]
    most_tokens: int

    def data(self, seed: int, sizes: Sizes) -> Data:
        """Training and validation part are half of a pool, so that seeds differ; the test part is the same for all.

        Where there are two answers every part has as many of each: an instruction that always gets one of them would
        look good else.
        """
        train, validation, test = 2 * sizes.train, 2 * sizes.validation, 3 * sizes.test // 2
        pool = self._pool(train + validation + test)
        chance = random.Random(f"{self.name}/{seed}")
        return Data(
            _drawn(chance, pool[:train], sizes.train),
            _drawn(chance, pool[train : train + validation], sizes.validation),
            _first(pool[train + validation :], sizes.test),
        )

    def _pool(self, size: int) -> list[Example]:
        chance, found = random.Random(self.name), dict[str, str]()
        for _ in range(_DRAWS * size):
            question, answer = self.drawn(chance)
            found.setdefault(question, answer)
            if len(found) == size:
                return list(found.items())
        raise ValueError(f"{self.name}: found {len(found)} different questions, wanted are {size}")


def _drawn(chance: random.Random, pool: Sequence[Example], size: int) -> tuple[Example, ...]:
    two = len({answer for _, answer in pool}) == 2
    return _first(chance.sample(pool, len(pool)), size) if two else tuple(chance.sample(pool, size))


def _first(examples: Sequence[Example], size: int) -> tuple[Example, ...]:
    """Those that come first; of two answers in turn, as long as there are any."""
    answers = sorted({answer for _, answer in examples})
    if len(answers) != 2:
        return tuple(examples[:size])
    kinds = [[one for one in examples if one[1] == answer] for answer in answers]
    in_turn = itertools.chain.from_iterable(itertools.zip_longest(*kinds))
    return tuple(one for one in in_turn if one is not None)[:size]


def said_of(answer: str, wanted: str) -> tuple[float, str]:
    """Right is the answer and nothing else."""
    right = answer == wanted
    return float(right), "right" if right else f"wrong: the answer was {answer!r}, expected exactly {wanted!r}"


_THINGS = (
    "soup",
    "film",
    "hotel",
    "lamp",
    "guide",
    "concert",
    "bread",
    "garden",
    "phone",
    "teacher",
    "bus ride",
    "chair",
)
_GOOD = (
    "The {} was a joy from beginning to end.",
    "I would choose the {} again at any time.",
    "The {} was even better than we had hoped.",
    "What a lovely {}, everybody smiled.",
    "The {} was worth every cent.",
)
_BAD = (
    "The {} was a waste of an evening.",
    "I want my money back for the {}.",
    "The {} was worse than anybody had warned us.",
    "What a dreadful {}, we left early.",
    "The {} made all of us angry.",
)


def _sentiment(chance: random.Random) -> Example:
    good = chance.random() < 0.5
    return chance.choice(_GOOD if good else _BAD).format(chance.choice(_THINGS)), "positive" if good else "negative"


_OBJECTS = (
    "apple",
    "chair",
    "violin",
    "lamp",
    "onion",
    "trumpet",
    "carrot",
    "table",
    "orange",
    "drum",
    "stove",
    "plum",
)
_NUMBERS = ("no", "one", "two", "three", "four")


def _counting(chance: random.Random) -> Example:
    total, listed = 0, []
    for thing in chance.sample(_OBJECTS, chance.randint(3, 5)):
        many = chance.choice((1, 1, 2, 3, 4))
        total += many
        listed.append(f"{_NUMBERS[many]} {thing}{'s' if many > 1 else ''}")
    return f"I have {', '.join(listed[:-1])} and {listed[-1]}. How many things do I have?", str(total)


_WORDS = (
    "river", "candle", "monkey", "basket", "window", "garden", "pepper", "ladder", "engine", "violet", "harbor",
    "tunnel", "ocean", "jacket", "zebra", "island", "needle", "quartz", "salmon", "temple",
)  # fmt: skip


def _sorting(chance: random.Random) -> Example:
    words = chance.sample(_WORDS, chance.randint(3, 5))
    return f"Sort these words by the alphabet: {' '.join(words)}", " ".join(sorted(words))


_PEOPLE = ("Ana", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gita", "Hugo", "Ines", "Jon")


def _lies(chance: random.Random) -> Example:
    people = chance.sample(_PEOPLE, chance.randint(3, 4))
    honest = chance.random() < 0.5
    said = [f"{people[0]} {'tells the truth' if honest else 'lies'}."]
    for before, person in itertools.pairwise(people):
        claimed = chance.random() < 0.5
        said.append(f"{person} says {before} {'tells the truth' if claimed else 'lies'}.")
        honest = claimed == honest
    return f"{' '.join(said)} Does {people[-1]} tell the truth?", "yes" if honest else "no"


TASKS = (
    Task(
        "sentiment",
        "What do you think of the text?",
        (
            "What is the sentiment of the text?",
            "Is the text positive or negative?",
            "Answer with exactly one word in lowercase: positive or negative.",
            "What is the sentiment of the text? Answer with exactly one word in lowercase: positive or negative",
            "Classify the text as positive or negative. Write the label only.",
        ),
        "The program must say the sentiment of the text.",
        _sentiment,
        6,
    ),
    Task(
        "object counting",
        "Answer the question.",
        (
            "Count the things.",
            "Answer with a number only.",
            "Add up the numbers of all things in the text. Answer with the sum in digits and nothing else.",
            "Think step by step, then write the number.",
            "Answer with digits only, without words and without a full stop.",
        ),
        "The program must say how many things there are.",
        _counting,
        8,
    ),
    Task(
        "word sorting",
        "Do what the text asks.",
        (
            "Sort the words.",
            "Write the words in alphabetical order.",
            "Write the words in alphabetical order, separated by single spaces, and nothing else.",
            "Sort the words from a to z. Answer with the sorted words only, in lowercase, with spaces between.",
            "Output the sorted list.",
        ),
        "The program must sort the words.",
        _sorting,
        24,
    ),
    Task(
        "web of lies",
        "Answer the question.",
        (
            "Answer yes or no.",
            "Answer with exactly one word in lowercase: yes or no.",
            "Follow who tells the truth from the first sentence to the last. Answer with one lowercase word: yes or no",
            "Does the last person tell the truth? Say yes or no.",
            "Answer no.",
        ),
        "The program must say whether the last person tells the truth.",
        _lies,
        6,
    ),
)


def task(name: str) -> Task:
    """The task of that name."""
    return next(one for one in TASKS if one.name == name)


def questions(examples: Sequence[Example]) -> set[str]:
    """Without the answers."""
    return {question for question, _ in examples}
