"""Lists and objects as parameters: held to a schema, copied at every read, recorded and pickled like all others."""

import copy
import json
import pickle
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, field_validator

import otel_opto
from otel_opto.testing import Rehearsal

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "number", "minimum": 0}, "body": {"type": "number"}},
    "required": ["title"],
    "additionalProperties": False,
}
weights = otel_opto.parameter("json.weights", default={"title": 2.0, "body": 1.0}, schema=SCHEMA)
stops = otel_opto.parameter("json.stops", default=["a", "the"], candidates=[["a"], []])


class Rules(BaseModel):
    """What pydantic says of a value."""

    limit: int
    words: list[str] = []

    @field_validator("limit")
    @classmethod
    def even(cls, limit: int) -> int:
        if limit % 2:
            raise ValueError("an even number is wanted")
        return limit


rules = otel_opto.parameter("json.rules", default={"limit": 2}, schema=Rules)


def test_a_value_is_plain_and_its_type_is_known_to_mypy(opto: Rehearsal) -> None:
    title: float = weights.value["title"]
    word: str = stops.value[0]
    assert (title, word) == (2.0, "a")
    assert type(weights.value) is dict
    assert json.dumps(stops.value) == '["a", "the"]'


def test_what_is_done_to_a_value_is_done_to_nobody_else(opto: Rehearsal) -> None:
    rules.value["words"] = ["mine"]
    stops.value.append("mine")
    opto.set("json.rules", {"limit": 4, "words": ["x"]})
    with otel_opto.start_node("request"):
        rules.value["words"].append("mine")
        assert rules.value == rules.use().value == rules.resolve().value == {"limit": 4, "words": ["x"]}
    assert stops.value == ["a", "the"]


def test_a_released_value_is_applied_and_recorded(opto: Rehearsal) -> None:
    opto.set("json.weights", {"title": 5})
    with otel_opto.start_node("request"):
        assert weights.value == {"title": 5}
        assert stops.value == ["a", "the"]
    said = opto.span("request").attributes or {}
    assert said["opto.param.json.weights.version"] == 1
    assert said["opto.param.json.stops.value"] == '["a", "the"]'


def test_a_value_that_does_not_fit_is_refused_in_words(opto: Rehearsal) -> None:
    with pytest.raises(otel_opto.InvalidValue, match=r"\$\.title: -1 is less than the minimum of 0"):
        opto.set("json.weights", {"title": -1})
    with pytest.raises(otel_opto.InvalidValue, match="an even number is wanted"):
        opto.set("json.rules", {"limit": 3})
    with pytest.raises(otel_opto.InvalidValue, match="JSON list or object"):
        with weights.override(5):  # type: ignore[arg-type]
            pass


def test_an_override_is_a_value_too(opto: Rehearsal) -> None:
    with stops.override(["b"]):
        stops.value.append("c")
        assert stops.value == ["b"]
    assert stops.value == ["a", "the"]


@pytest.mark.parametrize(
    ("default", "limits", "said"),
    [
        ({"title": -1}, {"schema": SCHEMA}, r"json_mistake.*\$\.title: -1 is less than"),
        ({"title": 1}, {"schema": {"type": "array"}}, "is not of type 'array'"),
        ({"title": {1, 2}}, {}, "JSON list or object"),
        ([float("nan")], {}, "JSON list or object"),
        ([1], {"schema": "x"}, "schema: found str, allowed: a JSON Schema as a dictionary, a pydantic model"),
        ([1], {"schema": {"type": "no such"}}, "json_schema: "),
        ([1], {"minimum": 1}, "minimum is not a constraint of type json"),
        (1, {"schema": {"type": "integer"}}, "json_schema is not a constraint of type integer"),
        ([1], {"candidates": [3]}, "JSON list or object"),
        ({"limit": 3}, {"schema": Rules}, "default: .*an even number is wanted"),
        (("a",), {}, "found tuple, allowed: bool, int, float, str, list, dict"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_a_clear_error(default: Any, limits: Any, said: str) -> None:
    with pytest.raises(otel_opto.InvalidValue, match=said):
        otel_opto.parameter("json_mistake", default, **limits)
    assert "json_mistake" not in otel_opto._sdk.registry.specs()


def test_a_type_adapter_of_pydantic_is_a_schema() -> None:
    with pytest.raises(otel_opto.InvalidValue, match="is not of type 'integer'"):
        otel_opto.parameter("json_numbers", default=["x"], schema=TypeAdapter(list[int]))


def test_a_key_has_one_schema_in_a_process() -> None:
    with pytest.raises(otel_opto.InvalidValue, match=r"'json\.weights' is declared twice"):
        otel_opto.parameter("json.weights", default={"title": 2.0}, schema={"type": "object"})
    with pytest.raises(otel_opto.InvalidValue, match=r"'json\.weights' is declared twice"):
        otel_opto.parameter("json.weights", default=3)


def test_copies_are_the_parameter_and_a_pickled_one_keeps_its_check(opto: Rehearsal) -> None:
    assert copy.deepcopy(weights) is weights
    again = pickle.loads(pickle.dumps(rules))
    assert again.value == {"limit": 2}
    with pytest.raises(otel_opto.InvalidValue, match="an even number is wanted"):
        opto.set("json.rules", {"limit": 3})
