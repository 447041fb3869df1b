"""Lists and objects as values: their one text, and schemas whose cost is bounded."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_opto.schema import InvalidSchema, schema_of, text_of
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType

ROUTES = {
    "type": "object",
    "properties": {"routes": {"type": "array", "items": {"$ref": "#/$defs/Route"}}},
    "required": ["routes"],
    "$defs": {
        "Route": {
            "type": "object",
            "properties": {"to": {"type": "string", "pattern": "^team-"}, "weight": {"type": "number", "minimum": 0}},
            "required": ["to"],
        }
    },
}


def fault(schema: dict[str, Any], value: object) -> str:
    text = text_of(value)
    assert text is not None
    return schema_of(json.dumps(schema)).fault_of(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(st.lists(json_values, max_size=3))
def test_a_list_and_the_text_that_spells_it_are_one_value(value: list[object]) -> None:
    text = text_of(value)
    assert text is not None
    assert json.loads(text) == value
    assert text_of(text) == text


@pytest.mark.parametrize(
    "value",
    [
        "words", "3", '"x"', "[1", 3, None, {"a": {1, 2}}, [float("nan")], "[NaN]", [2**53 + 1], ["\ud83d"], {1: 2},
        [b"x"], "[" * 40 + "]" * 40, "[" * 50_000 + "]" * 50_000,
    ],
)  # fmt: skip
def test_what_is_neither_a_list_nor_an_object_for_every_reader_is_no_value(value: object) -> None:
    assert text_of(value) is None


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"routes": [{"to": "team-a", "weight": 0.5}]}, ""),
        ({"routes": []}, ""),
        ({}, "$: 'routes' is a required property"),
        ({"routes": [{"to": "team-a"}, {"to": "b"}]}, "$.routes[1].to: 'b' does not match '^team-'"),
        ({"routes": [{"to": "team-a", "weight": -1}]}, "$.routes[0].weight: -1 is less than the minimum of 0"),
    ],
)
def test_a_value_that_does_not_fit_is_told_where(value: object, place: str) -> None:
    assert fault(ROUTES, value) == place


def test_properties_may_be_called_like_keywords() -> None:
    schema = {"properties": {"$ref": {"type": "string"}, "enum": {"type": "integer"}, "pattern": {"type": "string"}}}
    assert fault(schema, {"$ref": "x", "enum": 3, "pattern": "("}) == ""
    assert fault(schema, {"enum": "x"}) == "$.enum: 'x' is not of type 'integer'"
    assert fault({"enum": [{"$ref": "nowhere"}]}, {"$ref": "nowhere"}) == ""


def growing(levels: int) -> dict[str, Any]:
    """Four references in each level: what a validator that follows them looks at is four times as much in each."""
    definitions: dict[str, Any] = {"d0": {"type": "integer"}}
    for level in range(1, levels):
        definitions[f"d{level}"] = {"anyOf": [{"$ref": f"#/$defs/d{level - 1}"}] * 4}
    return {"items": {"$ref": f"#/$defs/d{levels - 1}"}, "$defs": definitions}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ([], "found list, wanted is an object"),
        ({"type": "nothing"}, "$.type: 'nothing' is not valid"),
        ({"$ref": "https://example.org/schema"}, "only references within the schema are followed"),
        ({"$ref": "#/$defs/missing"}, "nothing stands there"),
        ({"$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"}, "leads back to itself"),
        ({"items": {"$ref": "#"}}, "leads back to itself"),
        (growing(8), "more than 5,000 items"),
        ({"patternProperties": {"(a+)+$": {}}}, "patternProperties: its cost is not bounded"),
        ({"unevaluatedProperties": False}, "unevaluatedProperties: its cost is not bounded"),
        ({"pattern": "(?!x)"}, "pattern: "),
    ],
)
def test_a_schema_that_cannot_be_run_at_a_bounded_cost_is_refused(schema: object, said: str) -> None:
    with pytest.raises(InvalidSchema) as refused:
        schema_of(json.dumps(schema))
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["{", "x" * 20_000, "[" * 10_000])
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(InvalidSchema):
        schema_of(text)


def test_what_would_take_long_is_not_begun() -> None:
    assert "too many to be checked" in fault({"uniqueItems": True}, [[n] for n in range(1_000)])
    assert "too many to be checked" in fault({"items": {"anyOf": [{"type": "string"}] * 500}}, list(range(100)))
    assert fault({"items": {"type": "string", "pattern": "(a+)+$"}}, ["a" * 50_000 + "b"]).startswith("$[0]: ")


def test_a_parameter_holds_a_list_as_its_text() -> None:
    spec = ParameterSpec("k", ParameterType.JSON, {"routes": []}, Constraint(json_schema=json.dumps(ROUTES)))  # type: ignore[arg-type]
    assert spec.default == '{"routes": []}'
    assert spec.validate({"routes": [{"to": "team-a"}]}) == '{"routes": [{"to": "team-a"}]}'
    with pytest.raises(InvalidValue, match=r"\$\.routes\[0\].to: 'b'"):
        spec.validate('{"routes": [{"to": "b"}]}')
    with pytest.raises(InvalidValue, match="a JSON list or object"):
        spec.validate(3)
    with pytest.raises(InvalidValue, match="json_schema is not a constraint of type text"):
        ParameterSpec("k", ParameterType.TEXT, "x", Constraint(json_schema="{}"))
