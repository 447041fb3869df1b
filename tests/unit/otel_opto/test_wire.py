"""Parameters survive the wire."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.api.documents import ParameterDocument, parameter_document
from otel_opto.spec import CONSTRAINTS, KINDS, Constraint, InvalidValue, ParameterSpec, ParameterType
from otel_opto.v1 import parameter_pb2
from otel_opto.wire import spec_from_proto, spec_to_proto, value_from_proto, value_to_proto

SPECS = [
    ParameterSpec("i", ParameterType.INTEGER, 0, Constraint(minimum=0, maximum=3), "words", trainable=False),
    ParameterSpec("f", ParameterType.FLOAT, 0.0, Constraint(minimum=0.0)),
    ParameterSpec("c", ParameterType.CHOICE, "a", Constraint(choices=("a", "b"))),
    ParameterSpec(
        "t",
        ParameterType.TEXT,
        "{q}",
        Constraint(max_length=9, placeholders=("q",), pattern=".*", candidates=("{q}", "{q}!")),
    ),
    ParameterSpec("b", ParameterType.BOOLEAN, default=True),
    ParameterSpec("j", ParameterType.JSON, "[1]", Constraint(json_schema='{"type": "array"}', candidates=("[]",))),
    ParameterSpec("s", ParameterType.CODE, "def f(x): return x", Constraint(imports=("math",), max_length=99)),
]


def test_every_type_and_every_constraint_has_its_place_on_the_wire_and_in_documents() -> None:
    assert {spec.type for spec in SPECS} == set(ParameterType) == set(KINDS)
    assert [field.name for field in parameter_pb2.Constraint.DESCRIPTOR.fields] == list(CONSTRAINTS)
    assert set(CONSTRAINTS) <= set(ParameterDocument.model_fields)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.type.value)
def test_a_specification_survives_as_a_document(spec: ParameterSpec) -> None:
    sent = json.dumps(parameter_document(spec))
    assert ParameterDocument.model_validate_json(sent).spec() == spec


def test_a_document_may_hold_lists_and_schemas_as_they_are() -> None:
    sent = '{"key": "j", "type": "json", "default": [1], "json_schema": {"type": "array"}}'
    spec = ParameterDocument.model_validate_json(sent).spec()
    assert (spec.default, spec.constraint.json_schema) == ("[1]", '{"type": "array"}')


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.type.value)
def test_a_specification_survives(spec: ParameterSpec) -> None:
    sent = spec_to_proto(spec).SerializeToString()
    assert spec_from_proto(parameter_pb2.ParameterSpec.FromString(sent)) == spec


@given(
    st.one_of(
        st.booleans(),
        st.integers(min_value=-(2**53), max_value=2**53),
        st.floats(allow_nan=False),
        st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    )
)
def test_a_value_survives_with_its_type(value: bool | float | str) -> None:
    back = value_from_proto(parameter_pb2.Value.FromString(value_to_proto(value).SerializeToString()))
    assert back == value
    assert type(back) is type(value)


def test_an_unset_value_and_an_unknown_type_are_refused_in_words() -> None:
    with pytest.raises(InvalidValue, match="none of the fields"):
        value_from_proto(parameter_pb2.Value())
    with pytest.raises(InvalidValue, match="type 99 is unknown; known: boolean, choice"):
        spec_from_proto(parameter_pb2.ParameterSpec(key="k", type=99))  # type: ignore[arg-type]
