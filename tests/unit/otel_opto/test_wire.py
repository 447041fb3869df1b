"""Parameters survive the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType
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
]


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
