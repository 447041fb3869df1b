"""Parameters and assignments on the wire: between `otel_opto.spec`, `otel_opto.assignment` and proto/otel_opto/v1."""

from otel_opto.assignment import Arm, Assignment
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType, ParameterValue
from otel_opto.v1 import parameter_pb2, release_pb2

_TYPES = {
    ParameterType.INTEGER: parameter_pb2.PARAMETER_TYPE_INTEGER,
    ParameterType.FLOAT: parameter_pb2.PARAMETER_TYPE_FLOAT,
    ParameterType.CHOICE: parameter_pb2.PARAMETER_TYPE_CHOICE,
    ParameterType.TEXT: parameter_pb2.PARAMETER_TYPE_TEXT,
    ParameterType.BOOLEAN: parameter_pb2.PARAMETER_TYPE_BOOLEAN,
}
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
        constraint=parameter_pb2.Constraint(
            minimum=limits.minimum,
            maximum=limits.maximum,
            choices=limits.choices,
            max_length=limits.max_length,
            placeholders=limits.placeholders,
            pattern=limits.pattern,
            candidates=limits.candidates,
        ),
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
        constraint=Constraint(
            minimum=limits.minimum if limits.HasField("minimum") else None,
            maximum=limits.maximum if limits.HasField("maximum") else None,
            choices=tuple(limits.choices),
            max_length=limits.max_length if limits.HasField("max_length") else None,
            placeholders=tuple(limits.placeholders),
            pattern=limits.pattern if limits.HasField("pattern") else None,
            candidates=tuple(limits.candidates),
        ),
        description=message.description,
        trainable=message.trainable,
    )


def assignment_to_proto(assignment: Assignment) -> release_pb2.Assignment:
    """The message for an assignment."""
    return release_pb2.Assignment(
        service=assignment.service,
        revision=assignment.revision,
        control=assignment.control,
        arms=[release_pb2.Arm(release=arm.release, start=arm.start, share=arm.share) for arm in assignment.arms],
        salt=assignment.salt,
    )


def assignment_of(message: release_pb2.WatchReleasesResponse) -> Assignment:
    """What a message puts in force; from who knows no assignments it is the release for everybody.

    Raises:
        ValueError: its arms contradict each other.
    """
    if not message.HasField("assignment"):
        return Assignment(message.release.service, 0, message.release.number)
    said = message.assignment
    arms = tuple(Arm(arm.release, arm.start, arm.share) for arm in said.arms)
    return Assignment(said.service, said.revision, said.control, arms, said.salt)
