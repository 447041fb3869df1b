"""What can be kept of a request that cannot be parsed as a whole: one bad item costs only itself.

- A span or log record is repaired (`collector.otlp.repair`); one whose bytes are no fields is rejected.
- So are resources and scopes; one whose bytes are no fields is left out, and its items belong to none.
- Where the bytes of a scope, a group or the request end in something that is no field, what stands before is kept, and
  the rest counts as one rejected item.
"""

from typing import NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from collector.core.telemetry import Signal
from collector.otlp.faults import Faults
from collector.otlp.fields import Malformed
from collector.otlp.parts import Part, parts_of, request_of
from collector.otlp.repair import repaired


class _Level(NamedTuple):
    """A message, in how many others it lies, and what people call it."""

    kind: type[Message]
    descriptor: Descriptor
    depth: int
    name: str


_LEVELS = {
    Signal.TRACES: (
        _Level(ResourceSpans, ResourceSpans.DESCRIPTOR, 1, "resource"),
        _Level(ScopeSpans, ScopeSpans.DESCRIPTOR, 2, "scope"),
        _Level(Span, Span.DESCRIPTOR, 3, "span"),
    ),
    Signal.LOGS: (
        _Level(ResourceLogs, ResourceLogs.DESCRIPTOR, 1, "resource"),
        _Level(ScopeLogs, ScopeLogs.DESCRIPTOR, 2, "scope"),
        _Level(LogRecord, LogRecord.DESCRIPTOR, 3, "log record"),
    ),
}


def salvaged(signal: Signal, body: bytes, faults: Faults) -> bytes:
    """A serialized request that can be parsed, of everything in the body that can be read.

    Args:
        signal: What the body should be a request of.
        body: It, or anything.
        faults: Takes what was found.
    """
    group_level, scope_level, item_level = _LEVELS[signal]
    heads: dict[int, tuple[bytes, bytes]] = {}
    kept = []
    for part in parts_of(body, faults):
        if id(part.group) not in heads:  # held there, so that its id stays its own
            heads[id(part.group)] = part.group, _head(part.group, group_level, faults)
        items = []
        for item in part.items:
            mended, fault = _readable(item, item_level, faults)
            if fault:
                faults.reject(fault)
            else:
                items.append(mended)
        kept.append(Part(heads[id(part.group)][1], _head(part.scope, scope_level, faults), items))
    return request_of(kept)


def _head(data: bytes, level: _Level, faults: Faults) -> bytes:
    mended, fault = _readable(data, level, faults)
    if fault:
        faults.repair(f"left out is a {fault}")
    return mended


def _readable(data: bytes, level: _Level, faults: Faults) -> tuple[bytes, str]:
    """The message as it can be parsed; nothing, and why, if it cannot be made so."""
    found: list[str] = []
    try:
        mended = repaired(data, level.descriptor, found, level.depth)
        level.kind.FromString(mended)
    except (Malformed, DecodeError) as error:
        return b"", f"{level.name}: {error}"
    if found:
        faults.repair(f"{level.name}: {found[0]}")
    return mended, ""
