"""A trace as it is shown: each span once and under an id of its own, below the parent that it is known to have."""

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from collector.core.identity.roots import Family, family_of
from collector.core.identity.sides import told_apart
from collector.otlp.decode import spans_of


def untangled(data: bytes) -> bytes:
    """A serialized ``TracesData``: see `told_apart` for its spans, `family_of` for their parents."""
    apart = told_apart(spans_of(data))
    family = family_of(apart.spans)
    shown = {place: span_id for span_id, place in apart.came.items()}
    traces = TracesData.FromString(data)
    place = 0
    for group in traces.resource_spans:
        for scoped in group.scope_spans:
            left_out = []
            for index, span in enumerate(scoped.spans):
                span_id = shown.get(place)
                place += 1
                if span_id is None:
                    left_out.append(index)
                    continue
                span.span_id = bytes.fromhex(span_id)
                span.parent_span_id = bytes.fromhex(parent_shown(family, span_id))
            for index in reversed(left_out):
                del scoped.spans[index]
    return traces.SerializeToString()


def parent_shown(family: Family, span_id: str) -> str:
    """Also one that has not come; empty where there is none, or where it leads back to the span."""
    stated = family.spans[span_id].parent_span_id if family.lost_parent(span_id) else None
    return family.parents.get(span_id) or stated or ""
