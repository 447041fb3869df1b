"""Data sets: what is read of them, and how they are divided."""

import json
from pathlib import Path

import pytest

from otel_opto_train.trainer.examples import Example, InvalidDataset, divided, examples_of, minibatch


def test_every_form_of_an_example() -> None:
    given = [
        Example(1, 2, "a"),
        (3, 4),
        {"input": 5, "expected": 6, "id": "b"},
        {"question": "q", "answer": "r"},
        "alone",
    ]
    found = examples_of(given)
    assert [(one.input, one.expected) for one in found] == [(1, 2), (3, 4), (5, 6), ("q", "r"), ("alone", None)]
    assert [one.key for one in found][::2][:2] == ["a", "b"]


def test_equal_examples_are_one_and_so_in_one_part() -> None:
    assert len(examples_of([(1, 2), (1, 2), (1, 3)])) == 2
    with pytest.raises(InvalidDataset, match="two examples have the id 'a'"):
        examples_of([Example(1, id="a"), Example(2, id="a")])


def test_a_file_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"input": "a", "expected": 1}\n\n{"input": {"b": 2}}\n', encoding="utf-8")
    assert examples_of(path) == examples_of(str(path)) == (Example("a", 1), Example({"b": 2}))
    path.write_text('{"input": 1}\n[1]\nno\n{"out": 3}\n', encoding="utf-8")
    with pytest.raises(InvalidDataset) as caught:
        examples_of(path)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0].rsplit(" ", 1)[1] for line in lines] == ["2", "3", "4"]
    assert "found list, allowed is an object" in lines[0]
    assert "it needs input" in lines[2]


def test_texts_in_a_file_may_have_whatever_json_allows(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    text = "one\u2028two\x85three\u2029four"
    line = json.dumps({"input": text}, ensure_ascii=False)
    path.write_bytes(b"\xef\xbb\xbf" + f'{line}\r\n{{"input": "b"}}\r\n'.encode())
    assert [one.input for one in examples_of(path)] == [text, "b"]
    path.write_bytes(b'{"input": "a"}\n{"input": "\xff"}\n')
    with pytest.raises(InvalidDataset, match=r"data.jsonl, line 2: 'utf-8' codec can't decode byte 0xff"):
        examples_of(path)
    with pytest.raises(InvalidDataset, match=r"found a directory, allowed is .* otel_opto.stored_examples"):
        examples_of(tmp_path)
    with pytest.raises(InvalidDataset, match=r"nowhere.jsonl: No such file or directory; allowed is a JSON Lines file"):
        examples_of(tmp_path / "nowhere.jsonl")


class Array:
    """As libraries of arrays have it: equal element by element, and in short where it is written."""

    def __init__(self, *elements: float) -> None:
        self.elements = elements

    def tolist(self) -> list[float]:
        return list(self.elements)

    def __repr__(self) -> str:
        return "array([0, ..., 0])"

    def __eq__(self, other: object) -> bool:
        raise ValueError("The truth value of an array with more than one element is ambiguous")

    __hash__ = None  # type: ignore[assignment]


def test_arrays_are_known_by_all_their_elements() -> None:
    found = examples_of([(Array(0, number, 0), 1) for number in (1, 2, 3, 1, 4, 5, 2)])
    assert [one.input.elements[1] for one in found] == [1, 2, 3, 4, 5]
    assert len({one.key for one in minibatch(found, 3, 1, 0)}) == 3
    with pytest.raises(InvalidDataset, match="two examples have the id 'a'"):
        examples_of([Example(Array(1), id="a"), Example(Array(2), id="a")])


@pytest.mark.parametrize("given", [{1: 2, "a": 3}, {(1, 2): 3}, "half \ud800 a pair", b"\xff", {1, 2}, float("nan")])
def test_whatever_is_an_input_is_known_by_something(given: object) -> None:
    assert len(examples_of([(given, 1), (given, 1), (given, 2)])) == 2


@pytest.mark.parametrize("given", [[], [{}], [{"expected": 1}]])
def test_what_is_none_is_said(given: list[object]) -> None:
    with pytest.raises(InvalidDataset, match="data set: found"):
        examples_of(given)


def test_parts_have_nothing_in_common_and_follow_from_the_seed() -> None:
    examples = examples_of(range(40))
    parts = divided(examples, 0.25, 0.1, 7)
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [26, 10, 4]
    keys = [example.key for part in (parts.train, parts.validation, parts.test) for example in part]
    assert sorted(keys) == sorted(example.key for example in examples)
    assert divided(examples[::-1], 0.25, 0.1, 7) == parts
    assert divided(examples, 0.25, 0.1, 8).fingerprint != parts.fingerprint


def test_parts_of_their_own() -> None:
    parts = divided(examples_of(range(4)), [10, 11], 0.25, 0)
    assert ([one.input for one in parts.validation], len(parts.test), len(parts.train)) == ([10, 11], 1, 3)
    with pytest.raises(InvalidDataset, match="in two parts"):
        divided(examples_of(range(4)), [3], 0.25, 0)
    with pytest.raises(InvalidDataset, match="in two parts"):
        divided(examples_of(range(4)), [8], [8], 0)


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.1), (1.0, 0.0)])
def test_shares_that_leave_nothing(validation: float, test: float) -> None:
    with pytest.raises(InvalidDataset, match="found"):
        divided(examples_of(range(9)), validation, test, 0)


def test_minibatches_go_through_all_before_any_comes_again() -> None:
    train = examples_of(range(10))
    batches = [minibatch(train, 4, number, 3) for number in range(5)]
    assert all(len({one.key for one in batch}) == 4 for batch in batches)
    first_epoch = [one.key for batch in batches[:3] for one in batch][:10]
    assert len(set(first_epoch)) == 10
    assert batches[0] == minibatch(train, 4, 0, 3) != minibatch(train, 4, 0, 4)
    assert minibatch(train, 99, 5, 3) == train
    assert json.dumps([one.input for one in batches[0]])
