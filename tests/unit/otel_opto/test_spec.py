"""The one check of a value against its parameter."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_opto.spec import (
    MAX_INTEGER,
    Constraint,
    InvalidValue,
    ParameterSpec,
    ParameterType,
    canonical,
    content_hash,
    value_hash,
)

INTEGER = ParameterSpec("top_k", ParameterType.INTEGER, 3, Constraint(minimum=1, maximum=10))
FLOAT = ParameterSpec("weight", ParameterType.FLOAT, 0.5, Constraint(minimum=0.0, maximum=1.0))
CHOICE = ParameterSpec("method", ParameterType.CHOICE, "bm25", Constraint(choices=("bm25", "overlap")))
TEXT = ParameterSpec(
    "prompt", ParameterType.TEXT, "Q: {question}", Constraint(max_length=40, placeholders=("question",))
)
BOOLEAN = ParameterSpec("rerank", ParameterType.BOOLEAN, default=False)


@pytest.mark.parametrize(
    ("spec", "value", "accepted"),
    [
        (INTEGER, 1, 1),
        (INTEGER, 10.0, 10),
        (FLOAT, 1, 1.0),
        (FLOAT, 0.25, 0.25),
        (CHOICE, "overlap", "overlap"),
        (TEXT, "{question}?", "{question}?"),
        (BOOLEAN, True, True),
    ],
)
def test_a_fitting_value_comes_back_in_the_parameters_type(
    spec: ParameterSpec, value: object, accepted: object
) -> None:
    result = spec.validate(value)
    assert result == accepted
    assert type(result) is type(accepted)


@pytest.mark.parametrize(
    ("spec", "value", "allowed"),
    [
        (INTEGER, 0, "a whole number from 1 to 10"),
        (INTEGER, 2.5, "a whole number from 1 to 10"),
        (INTEGER, "3", "a whole number from 1 to 10"),
        (INTEGER, True, "a whole number from 1 to 10"),
        (FLOAT, math.nan, "a finite number from 0 to 1"),
        (FLOAT, 10**400, "a finite number from 0 to 1"),
        (FLOAT, False, "a finite number from 0 to 1"),
        (CHOICE, "BM25", "one of 'bm25', 'overlap'"),
        (CHOICE, 1, "one of 'bm25', 'overlap'"),
        (TEXT, "no place for it", "containing {question}"),
        (TEXT, "{question}" + "x" * 40, "at most 40 characters"),
        (TEXT, "{question", "containing {question}"),
        (TEXT, "{question}\ud800", "at most 40 characters"),
        (BOOLEAN, 1, "true or false"),
        (BOOLEAN, None, "true or false"),
    ],
)
def test_a_refusal_says_key_found_and_allowed(spec: ParameterSpec, value: object, allowed: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        spec.validate(value)
    message = str(refused.value)
    assert repr(spec.key) in message
    assert allowed in message
    assert type(value).__name__ in message


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("", ParameterType.INTEGER, 1), "parameter key ''"),
        (("a b", ParameterType.INTEGER, 1), "parameter key 'a b'"),
        (("k", ParameterType.INTEGER, 1, Constraint(choices=("a",))), "choices is not a constraint of type integer"),
        (
            ("k", ParameterType.CHOICE, "0", Constraint(choices=tuple(map(str, range(1_001))))),
            "choices: found 1,001, allowed are 1,000",
        ),
        (("k", ParameterType.CHOICE, "a"), "a choice needs at least one of choices"),
        (("k", ParameterType.FLOAT, 1.0, Constraint(minimum=2, maximum=1)), "minimum 2 is above maximum 1"),
        (("k", ParameterType.FLOAT, 5.0, Constraint(maximum=1)), "found 5.0"),
        (
            ("k", ParameterType.TEXT, "x", Constraint(pattern="(")),
            "pattern: found '(', which is not a regular expression",
        ),
        (("k", ParameterType.TEXT, "x", Constraint(max_length=3, candidates=("long one",))), "found 'long one'"),
    ],
)
def test_a_specification_that_contradicts_itself_is_refused(arguments: tuple[object, ...], fault: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        ParameterSpec(*arguments)  # type: ignore[arg-type]
    assert fault in str(refused.value)


@given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none(), st.lists(st.integers())))
def test_validation_accepts_or_raises_invalid_value_and_is_idempotent(value: object) -> None:
    for spec in (INTEGER, FLOAT, CHOICE, TEXT, BOOLEAN):
        try:
            accepted = spec.validate(value)
        except InvalidValue:
            continue
        assert spec.validate(accepted) == accepted


def test_integers_end_where_json_readers_stop_agreeing() -> None:
    spec = ParameterSpec("n", ParameterType.INTEGER, 0)
    assert spec.validate(MAX_INTEGER) == MAX_INTEGER
    with pytest.raises(InvalidValue):
        spec.validate(MAX_INTEGER + 1)


def test_canonical_text_keeps_integers_and_floats_apart() -> None:
    assert [canonical(value) for value in (1, 1.0, True, "ä")] == ["1", "1.0", "true", '"ä"']
    assert len({value_hash(value) for value in (1, 1.0, True, "1")}) == 4


@given(st.dictionaries(st.text(min_size=1), st.one_of(st.booleans(), st.integers(), st.text()), min_size=1))
def test_the_content_hash_depends_on_content_and_not_on_order(values: dict[str, bool | int | str]) -> None:
    pairs = list(values.items())
    assert content_hash(pairs) == content_hash(reversed(pairs))
    key, value = pairs[0]
    changed = [(key, json.dumps([value])), *pairs[1:]]
    assert content_hash(changed) != content_hash(pairs)
