"""Which of several attributes with one key counts: the last, as in a protobuf map.

OTLP wants keys to be unique and leaves open what happens where they are not. Decoding (`collector.otlp.decode`) takes
the last; what is shown is thinned out here, so that nothing is shown that a search does not find.
"""

from typing import TYPE_CHECKING, TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

if TYPE_CHECKING:  # only the stubs know the container by this name
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

_Attributes: TypeAlias = "RepeatedCompositeFieldContainer[KeyValue]"


def counting_in_span(data: bytes) -> bytes:
    """A serialized span with the attributes that count, of its events and links, too; as it came if all do."""
    span = Span.FromString(data)
    lists = [span.attributes, *(event.attributes for event in span.events), *(link.attributes for link in span.links)]
    thinned = [_thinned(attributes) for attributes in lists]
    return span.SerializeToString() if any(thinned) else data


def counting_around(kind: type[Resource] | type[InstrumentationScope], data: bytes) -> bytes:
    """The same of a serialized resource or scope."""
    message = kind.FromString(data)
    return message.SerializeToString() if _thinned(message.attributes) else data


def _thinned(attributes: _Attributes) -> bool:
    """Whether there were several with one key."""
    last = {attribute.key: index for index, attribute in enumerate(attributes)}
    if len(last) == len(attributes):
        return False
    for index in reversed(range(len(attributes))):
        if last[attributes[index].key] != index:
            del attributes[index]
    return True
