"""Reading what language models write."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.parameter import validated
from collector.core.study import Cost
from collector.optimizer.answer import UnreadableAnswer, read_answer, schema_of
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests.contract.optimizers import DEFAULTS, SPECS

GOOD = {"top_k": 5, "weight": 0.5, "method": "fast", "style": "{a}", "strict": True}
ANSWER = json.dumps({"reasoning": "r", "suggestion": GOOD})


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        f"```json\n{ANSWER}\n```",
        f"Certainly! Here it is: {ANSWER} I hope it helps {{a lot}}.",
        f"Set {{a}} to 1. {ANSWER}",
        str({"reasoning": "it's", "suggestion": GOOD}),
        '{"note": "thinking"} ' + ANSWER,
        '<think>perhaps {"suggestion": {"top_k": 1}}</think>' + ANSWER,
        json.dumps({"suggestion": {**GOOD, "top_k": "5", "weight": " 0.5", "strict": "True", "method": "FAST "}}),
        json.dumps({"suggestion": {f"<{key}>": value for key, value in GOOD.items()}}),
        json.dumps({"reasoning": "without the frame", **GOOD}),
    ],
)
def test_the_suggestion_is_found_and_typed(text: str) -> None:
    assert validated(read_answer(text, SPECS, Cost()).values, SPECS) == (GOOD, ())


def test_reasoning_and_cost_come_along() -> None:
    proposal = read_answer(ANSWER, SPECS, Cost(calls=2))
    assert (proposal.reasoning, proposal.cost) == ("r", Cost(calls=2))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "no",
        "[]",
        '{"suggestion": {}}',
        '{"suggestion": "none"}',
        '{"suggestion": [1]}',
        '{"reasoning": "r", "suggestion": {"top_k": 5',
        "{1: 2}",
        "{1, 2}",
        "{" * 5_000,
        '{"a": ' * 5_000,
        "[" * 100_000 + "{",
    ],
)
def test_what_holds_no_suggestion_is_unreadable_and_shown(text: str) -> None:
    with pytest.raises(UnreadableAnswer, match="found ") as refused:
        read_answer(text, SPECS, Cost())
    assert text[:50] in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("top_k", "many", "many"),
        ("top_k", "7.5", 7.5),
        ("top_k", "nan", "nan"),
        ("top_k", None, None),
        ("top_k", [5], [5]),
        ("top_k", {"value": 5}, {"value": 5}),
        ("weight", math.inf, ["inf"]),
        ("style", math.nan, ["nan"]),
        ("style", 5, 5),
        ("strict", "yes", "yes"),
        ("strict", 1, 1),
        ("method", "quick", "quick"),
        ("temprature", 1, 1),
    ],
)
def test_what_is_not_plain_reaches_validation_as_it_is(key: str, value: object, kept: object) -> None:
    proposal = read_answer(json.dumps({"suggestion": {key: value}}), SPECS, Cost())
    assert proposal.values == {key: kept}
    assert len(validated(proposal.values, SPECS)[1]) == 1


def test_a_choice_that_looks_like_a_number_may_be_written_as_one() -> None:
    spec = ParameterSpec("size", ParameterType.CHOICE, "1", Constraint(choices=("1", "2", "x", "X")))
    assert read_answer('{"suggestion": {"size": 2}}', [spec], Cost()).values == {"size": "2"}
    assert read_answer('{"suggestion": {"size": " x"}}', [spec], Cost()).values == {"size": " x"}
    assert read_answer('{"suggestion": {"size": true}}', [spec], Cost()).values == {"size": True}


def test_lone_surrogates_cannot_come_through() -> None:
    text = '{"reasoning": "\\ud800", "suggestion": {"style": "a\\udfffb", "\\ud800": ["\\ud800"]}}'
    proposal = read_answer(text, SPECS, Cost())
    assert (proposal.reasoning, proposal.values) == ("?", {"style": "a?b", "?": ["?"]})


def test_depth_is_bounded() -> None:
    deep = read_answer('{"suggestion": {"style": ' + "[" * 200 + "]" * 200 + "}}", SPECS, Cost()).values["style"]
    assert json.dumps(deep).count("[") == 9
    assert "too deep" in json.dumps(deep)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*DEFAULTS, "<top_k>", "other", "reasoning"]), TREES, min_size=1))
def test_whatever_is_suggested_can_be_kept_and_validated(suggestion: dict[str, object]) -> None:
    proposal = read_answer(json.dumps({"suggestion": suggestion}), SPECS, Cost())
    json.dumps(proposal.values, allow_nan=False).encode()
    good, _ = validated(proposal.values, SPECS)
    for spec in SPECS:
        if spec.key in good:
            spec.validate(good[spec.key])


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(UnreadableAnswer, match="wanted is"):
        read_answer(text, SPECS, Cost())


def test_the_schema_asks_for_reasons_first_and_for_every_parameter() -> None:
    assert schema_of(SPECS) == {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string"},
            "suggestion": {
                "type": "object",
                "properties": {
                    "top_k": {"type": "integer"},
                    "weight": {"type": "number"},
                    "method": {"type": "string", "enum": ["slow", "fast"]},
                    "style": {"type": "string"},
                    "strict": {"type": "boolean"},
                },
                "required": list(DEFAULTS),
                "additionalProperties": False,
            },
        },
        "required": ["reasoning", "suggestion"],
        "additionalProperties": False,
    }
