"""A release as the application holds it."""

from collections.abc import Mapping
from dataclasses import dataclass

from otel_opto.spec import ParameterValue
from otel_opto.v1 import release_pb2
from otel_opto.wire import value_from_proto


@dataclass(frozen=True, slots=True)
class ReleasedValue:
    """A value, the number of the release that brought it, and its hash."""

    value: ParameterValue
    version: int
    hash: str


@dataclass(frozen=True, slots=True)
class Release:
    """An immutable, numbered set of values; applied whole or not at all."""

    number: int
    values: Mapping[str, ReleasedValue]
    envelope: bytes = b""
    """Its signature (`otel_opto.signing`); empty if it has none."""

    @classmethod
    def from_proto(cls, message: release_pb2.Release) -> "Release":
        """The release in a message. Raises `InvalidValue` if one of its values is none."""
        values = {
            item.key: ReleasedValue(value_from_proto(item.value), item.version, item.hash) for item in message.values
        }
        return cls(message.number, values, message.envelope)
