"""Examples, in whatever form they come."""

import codecs
import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

_EXPECTED = ("expected", "reference", "answer", "output")
_INPUT = ("input", "query", "question")
_MOST_FAULTS = 5


class InvalidDataset(ValueError):
    """What was given is no data set."""


@dataclass(frozen=True, slots=True)
class Example:
    """One thing that the workflow is run on.

    Attributes:
        input: Given to the workflow.
        expected: Given to the guide; None where it needs nothing.
        id: Unique in the data set; the hash of its content where nothing is said.
    """

    input: Any
    expected: Any = None
    id: str = ""

    @property
    def key(self) -> str:
        """What it is known by."""
        if self.id:
            return self.id
        content = [self.input, self.expected]
        try:
            told = json.dumps(content, sort_keys=True, ensure_ascii=False, default=_told)
        except (TypeError, ValueError):  # keys that JSON does not know, or that have no order; a circle
            told = repr(content)
        return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()[:16]


Dataset: TypeAlias = Iterable[Any] | str | Path
"""Examples, pairs of input and what is expected, mappings with ``input`` and ``expected``, or inputs alone; or the path
of a JSON Lines file of such mappings."""


def examples_of(dataset: Dataset) -> tuple[Example, ...]:
    """The examples, each once.

    Raises:
        InvalidDataset: there is no such file, a line is none, or two examples have one id; says which.
    """
    found = _lines(Path(dataset)) if isinstance(dataset, str | Path) else [_example(one) for one in dataset]
    once: dict[str, Example] = {}
    for example in found:
        known = once.setdefault(example.key, example)
        if not _is_same(known, example):
            raise InvalidDataset(f"data set: two examples have the id {example.key!r}; ids are unique")
    if not once:
        raise InvalidDataset("data set: found no example")
    return tuple(once.values())


def _told(value: Any) -> Any:
    """What JSON does not know: an array by all its elements, which its `repr` leaves out; else as it writes itself."""
    return value.tolist() if hasattr(value, "tolist") else repr(value)


def _is_same(one: Example, other: Example) -> bool:
    try:
        return bool((one.input, one.expected) == (other.input, other.expected))
    except Exception:  # noqa: BLE001 - arrays of several elements are neither equal nor not
        return Example(one.input, one.expected).key == Example(other.input, other.expected).key


def _example(one: Any) -> Example:
    if isinstance(one, Example):
        return one
    if isinstance(one, Mapping):
        key = next((name for name in _INPUT if name in one), "")
        if not key:
            raise InvalidDataset(
                f"data set: found a mapping with {', '.join(map(str, one)) or 'nothing'}; it needs input, and may have "
                "expected and id"
            )
        expected = next((one[name] for name in _EXPECTED if name in one), None)
        return Example(one[key], expected, str(one.get("id", "")))
    if isinstance(one, tuple) and len(one) == 2:
        return Example(one[0], one[1])
    return Example(one)


def _lines(path: Path) -> list[Example]:
    """Lines end with a line feed only: JSON may have U+2028, and other ends of lines, within its texts."""
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise InvalidDataset(
            f"{path}: found a directory, allowed is a JSON Lines file; examples of what a collector keeps in one are "
            f"otel_opto.stored_examples({str(path)!r})"
        ) from None
    except OSError as error:
        raise InvalidDataset(f"{path}: {error.strerror}; allowed is a JSON Lines file that can be read") from None
    found, faults = [], []
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            tree = json.loads(line.decode())
            if not isinstance(tree, dict):
                raise InvalidDataset(f"found {type(tree).__name__}, allowed is an object with input and expected")
            found.append(_example(tree))
        except ValueError as error:
            faults.append(f"{path}, line {number}: {error}")
    if faults:
        more = len(faults) - _MOST_FAULTS
        raise InvalidDataset("\n".join([*faults[:_MOST_FAULTS], *([f"and {more} more lines"] if more > 0 else [])]))
    return found


@dataclass(frozen=True, slots=True)
class Parts:
    """A data set in three parts that have no example in common.

    Attributes:
        train: Optimizers see runs on them.
        validation: Decide which candidate goes on; no optimizer sees them.
        test: Looked at once, at the end.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]

    @property
    def fingerprint(self) -> str:
        """Of which examples are in which part."""
        keys = [[example.key for example in part] for part in (self.train, self.validation, self.test)]
        return hashlib.sha256(json.dumps(keys).encode()).hexdigest()[:16]


def divided(examples: Sequence[Example], validation: float | Dataset, test: float | Dataset, seed: int) -> Parts:
    """Parts by chance, the same for the same seed and examples, or as they were given.

    Args:
        examples: To learn from; and of parts that are given as a share, to take these from.
        validation: Its share of `examples`, or examples of its own.
        test: The same.
        seed: Another one divides otherwise.

    Raises:
        InvalidDataset: a share is none, a part is empty, or an example would be in two.
    """
    own = {
        name: examples_of(part)
        for name, part in (("validation", validation), ("test", test))
        if not isinstance(part, int | float)
    }
    shares = {
        name: _share(name, part) for name, part in (("validation", validation), ("test", test)) if name not in own
    }
    if sum(shares.values()) >= 1:
        raise InvalidDataset(
            f"validation and test: found shares of {sum(shares.values()):g} together; allowed is below 1"
        )
    given = {example.key for part in own.values() for example in part}
    twice = [example.key for example in examples if example.key in given]
    if twice or len(given) < sum(map(len, own.values())):
        raise InvalidDataset(f"data set: example {twice[0] if twice else 'of validation'!r} is in two parts")
    shuffled = sorted(examples, key=lambda example: example.key)
    random.Random(f"parts/{seed}").shuffle(shuffled)  # noqa: S311 - no secret
    for name, share in shares.items():
        count = max(round(share * len(examples)), 1) if share else 0
        own[name], shuffled = tuple(shuffled[:count]), shuffled[count:]
    if not shuffled:
        raise InvalidDataset(
            f"data set: found {len(examples)} examples, of which {len(own['validation'])} are for validation and "
            f"{len(own['test'])} to test on, which leaves none to learn from; give more, or a share of 0 for either"
        )
    return Parts(tuple(shuffled), own["validation"], own["test"])


def _share(name: str, part: float | Dataset) -> float:
    if not isinstance(part, int | float) or not 0 <= part < 1:
        raise InvalidDataset(f"{name}: found {part!r}, allowed are a share of 0 or more and below 1, or a data set")
    return float(part)


def minibatch(train: Sequence[Example], size: int, number: int, seed: int) -> tuple[Example, ...]:
    """The examples of one round: every one comes once before any comes again.

    Args:
        train: All of them.
        size: How many in a round.
        number: Of the round, from 0.
        seed: For their order.
    """
    if size >= len(train):
        return tuple(train)
    taken: list[Example] = []
    epoch, place = divmod(number * size, len(train))
    while len(taken) < size:
        order = list(train)
        random.Random(f"batch/{seed}/{epoch}").shuffle(order)  # noqa: S311 - no secret
        there = {example.key for example in taken}
        taken += [example for example in order[place:] if example.key not in there][: size - len(taken)]
        epoch, place = epoch + 1, 0
    return tuple(taken)
