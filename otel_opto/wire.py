"""Parameters and assignments on the wire: between `otel_opto.spec`, `otel_opto.assignment` and proto/otel_opto/v1."""

from collections.abc import Iterable
from typing import Any

from otel_opto.assignment import Arm, Assignment, Crossing, Layer
from otel_opto.spec import CONSTRAINTS, Constraint, InvalidValue, ParameterSpec, ParameterType, ParameterValue
from otel_opto.v1 import parameter_pb2, release_pb2

_TYPES = {kind: parameter_pb2.ParameterType.Value(f"PARAMETER_TYPE_{kind.name}") for kind in ParameterType}
_TYPES_BACK = {number: parameter_type for parameter_type, number in _TYPES.items()}


def value_to_proto(value: ParameterValue) -> parameter_pb2.Value:
    """The message for a value; its field follows from the Python type."""
    if isinstance(value, bool):
        return parameter_pb2.Value(boolean=value)
    if isinstance(value, int):
        return parameter_pb2.Value(integer=value)
    if isinstance(value, float):
        return parameter_pb2.Value(float=value)
    return parameter_pb2.Value(text=value)


def value_from_proto(message: parameter_pb2.Value) -> ParameterValue:
    """The value in a message.

    Raises:
        InvalidValue: no field is set.
    """
    kind = message.WhichOneof("kind")
    if kind is None:
        raise InvalidValue("a value has none of the fields integer, float, text, boolean")
    value: ParameterValue = getattr(message, kind)
    return value


def spec_to_proto(spec: ParameterSpec) -> parameter_pb2.ParameterSpec:
    """The message for a specification."""
    limits = spec.constraint
    return parameter_pb2.ParameterSpec(
        key=spec.key,
        type=_TYPES[spec.type],
        default=value_to_proto(spec.default),
        constraint=parameter_pb2.Constraint(**{name: getattr(limits, name) for name in CONSTRAINTS}),
        description=spec.description,
        trainable=spec.trainable,
    )


def spec_from_proto(message: parameter_pb2.ParameterSpec) -> ParameterSpec:
    """The specification in a message.

    Raises:
        InvalidValue: it contradicts itself; the text names the key and the fault.
    """
    limits = message.constraint
    if message.type not in _TYPES_BACK:
        names = ", ".join(sorted(parameter_type.value for parameter_type in _TYPES))
        raise InvalidValue(f"parameter {message.key!r}: type {message.type} is unknown; known: {names}")
    return ParameterSpec(
        key=message.key,
        type=_TYPES_BACK[message.type],
        default=value_from_proto(message.default),
        constraint=Constraint(**{name: _limit(limits, name) for name in CONSTRAINTS}),
        description=message.description,
        trainable=message.trainable,
    )


def _limit(message: parameter_pb2.Constraint, name: str) -> Any:
    """None where it is not set, a tuple where it is a list."""
    if message.DESCRIPTOR.fields_by_name[name].is_repeated:
        return tuple(getattr(message, name))
    return getattr(message, name) if message.HasField(name) else None  # type: ignore[arg-type]  # a name of the message


def assignment_to_proto(assignment: Assignment) -> release_pb2.Assignment:
    """The message for an assignment."""
    return release_pb2.Assignment(
        service=assignment.service,
        revision=assignment.revision,
        control=assignment.control,
        arms=_arms_to_proto(assignment.arms),
        salt=assignment.salt,
        layers=[
            release_pb2.Layer(name=layer.name, salt=layer.salt, arms=_arms_to_proto(layer.arms))
            for layer in assignment.layers
        ],
        crossings=[release_pb2.Crossing(release=one.release, of=one.of) for one in assignment.crossings],
    )


def assignment_of(message: release_pb2.WatchReleasesResponse) -> Assignment:
    """What a message puts in force; from who knows no assignments it is the release for everybody.

    Raises:
        ValueError: its arms contradict each other.
    """
    if not message.HasField("assignment"):
        return Assignment(message.release.service, 0, message.release.number)
    said = message.assignment
    layers = tuple(Layer(layer.name, layer.salt, _arms_of(layer.arms)) for layer in said.layers)
    crossings = tuple(Crossing(one.release, tuple(one.of)) for one in said.crossings)
    return Assignment(said.service, said.revision, said.control, _arms_of(said.arms), said.salt, layers, crossings)


def _arms_to_proto(arms: Iterable[Arm]) -> list[release_pb2.Arm]:
    return [release_pb2.Arm(release=arm.release, start=arm.start, share=arm.share) for arm in arms]


def _arms_of(arms: Iterable[release_pb2.Arm]) -> tuple[Arm, ...]:
    return tuple(Arm(arm.release, arm.start, arm.share) for arm in arms)
