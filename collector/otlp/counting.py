"""What of a span counts, and is shown.

Of several attributes with one key it is the last, as in a protobuf map. OTLP wants keys to be unique and leaves open
what happens where they are not. Decoding (`collector.otlp.decode`) takes the last; what is shown is thinned out here,
so that nothing is shown that a search does not find.

A link whose ids are of a wrong length leads nowhere, and readers in Go refuse all that such a link comes with: it is
left out and counted in its span.
"""

from typing import TYPE_CHECKING, TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

if TYPE_CHECKING:  # only the stubs know the container by this name
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

_MOST = 2**32 - 1
"""What a count of OTLP can hold."""

_Attributes: TypeAlias = "RepeatedCompositeFieldContainer[KeyValue]"


def counting_in_span(data: bytes) -> bytes:
    """A serialized span with the links and attributes that count, those of events and links, too; as it came if all
    do.
    """
    span = Span.FromString(data)
    astray = [index for index, link in enumerate(span.links) if not _leads_somewhere(link)]
    for index in reversed(astray):
        del span.links[index]
    if astray:
        span.dropped_links_count = min(span.dropped_links_count + len(astray), _MOST)
    lists = [span.attributes, *(event.attributes for event in span.events), *(link.attributes for link in span.links)]
    thinned = [_thinned(attributes) for attributes in lists]
    return span.SerializeToString() if astray or any(thinned) else data


def _leads_somewhere(link: Span.Link) -> bool:
    """Whether its ids have the length of ids; one that is not set is none, and no fault."""
    return len(link.trace_id) in (0, 16) and len(link.span_id) in (0, 8)


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
