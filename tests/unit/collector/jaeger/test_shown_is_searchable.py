"""What Jaeger is shown can be copied into its search: every tag of every document finds its trace."""

import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.datastructures import QueryParams

from collector.core.feedback import Attachment, Feedback
from collector.core.release import ReleaseDraft
from collector.core.span import SpanContext
from collector.jaeger.parameters import query_v1
from collector.jaeger.reader import Reader
from collector.jaeger.untangled import untangled
from collector.jaeger.v1_document import trace_document
from collector.otlp.decode import spans_of, value_of
from collector.otlp.json_traces import resource_spans
from collector.otlp.request import read_traces
from collector.otlp.tags import shown_values
from collector.otlp.text import text_of
from collector.storage.file_store import FileStore
from tests import samples
from tests.clocks import TickingClock
from tests.control import control_of

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
SIMPLE = st.one_of(
    TEXTS,
    st.sampled_from(["", "true", "<0.5", "<b>", "1.0", "[", "NaN", "unknown_service"]),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.sampled_from([1.0, -0.0, 1e22, 1e-7, 3.5]),
    st.binary(max_size=6),
)
VALUES = st.one_of(
    SIMPLE.map(samples.any_value),
    st.just(AnyValue()),
    st.lists(SIMPLE, max_size=3).map(samples.any_value),
    st.dictionaries(TEXTS, SIMPLE, max_size=2).map(
        lambda values: AnyValue(kvlist_value=KeyValueList(values=samples.attributes(values)))
    ),
)
KEYS = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=6),
    st.sampled_from(
        ["error", "span.kind", "otel.status_code", "resource.zone", "event", "service.name", "opto.feedback.source",
         "opto.feedback.quality", "opto.param.k.value", "gen_ai.evaluation.score.label", "scope.name"]
    ),
)  # fmt: skip
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=4)


def listed(values: Mapping[str, AnyValue]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value) for key, value in values.items()]


@st.composite
def requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    span = samples.span(1, 1)
    span.kind = draw(st.integers(0, 6))  # type: ignore[assignment]
    span.status.code = draw(st.integers(0, 3))  # type: ignore[assignment]
    span.status.message = draw(TEXTS)
    span.trace_state = draw(TEXTS)
    span.dropped_attributes_count, span.dropped_events_count = (
        draw(st.integers(0, 300)),
        draw(st.integers(0, 2**32 - 1)),
    )
    span.attributes.extend(listed(draw(ATTRIBUTES)))
    if draw(st.booleans()):
        span.attributes.extend(samples.attributes({"opto.param.k.version": 1}))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.one_of(TEXTS, st.just("gen_ai.evaluation.result")))
        span.events.add(name=name, attributes=listed(draw(ATTRIBUTES)), time_unix_nano=samples.START)
    for _ in range(draw(st.integers(0, 1))):
        span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8, attributes=listed(draw(ATTRIBUTES)))
    request = ExportTraceServiceRequest.FromString(samples.traces_request([span]))
    group = request.resource_spans[0]
    if draw(st.booleans()):
        del group.resource.attributes[:]
    group.resource.attributes.extend(
        one for one in listed(draw(ATTRIBUTES)) if one.key not in {old.key for old in group.resource.attributes}
    )
    scope = group.scope_spans[0].scope
    scope.name, scope.version = draw(TEXTS), draw(TEXTS)
    scope.attributes.extend(listed(draw(ATTRIBUTES)))
    return request


JUDGEMENTS = st.builds(
    Feedback,
    st.sampled_from(["", samples.span_id(1)]).map(lambda span_id: SpanContext(samples.trace_id(1), span_id)),
    st.sampled_from(["quality", "quality.label", "source"]),
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    st.one_of(TEXTS, st.sampled_from(["<b>", "wrong"])),
    TEXTS,
    TEXTS,
)


def tags_of_version_1(data: bytes) -> Iterator[tuple[str, str]]:
    document = trace_document(data)
    lists = [process["tags"] for process in document["processes"].values()]  # type: ignore[attr-defined]
    for span in document["spans"]:  # type: ignore[attr-defined]
        lists += [span["tags"], *(log["fields"] for log in span["logs"])]
    for tag in (tag for tags in lists for tag in tags):
        yield tag["key"], tag["value"] if isinstance(tag["value"], str) else json.dumps(tag["value"])


def tags_of_version_3(data: bytes) -> Iterator[tuple[str, str]]:
    for group in resource_spans(untangled(data)):
        scopes = group["scopeSpans"]
        spans = [span for scope in scopes for span in scope["spans"]]  # type: ignore[attr-defined]
        further = [one for span in spans for one in (*span.get("events", ()), *span.get("links", ()))]
        for one in (group.get("resource", {}), *(scope.get("scope", {}) for scope in scopes), *spans, *further):  # type: ignore[attr-defined]
            for attribute in one.get("attributes", ()):
                ((_, value),) = attribute["value"].items() or [("", "")]
                if not isinstance(value, dict):
                    yield attribute["key"], value if isinstance(value, str) else json.dumps(value)


def tags_of_the_remote_storage(data: bytes) -> Iterator[tuple[str, str]]:
    request = ExportTraceServiceRequest.FromString(data)
    for group in request.resource_spans:
        lists = [group.resource.attributes]
        for scoped in group.scope_spans:
            lists.append(scoped.scope.attributes)
            for span in scoped.spans:
                lists += [
                    span.attributes,
                    *(e.attributes for e in span.events),
                    *(link.attributes for link in span.links),
                ]
        yield from ((one.key, text_of(value_of(one.value))) for attributes in lists for one in attributes)


async def missed(request: ExportTraceServiceRequest, feedback: list[Feedback], directory: Path) -> list[str]:
    store = FileStore(directory, TickingClock())
    await store.start()
    try:
        await control_of(store).desk.publish(ReleaseDraft("shop", {"k": 7}, "test"), "test")
        await store.feedback.submit(feedback, 1)
        await store.log.append(read_traces(request.SerializeToString(), 1).request)
        await store.feedback.attach([Attachment(one.id, on_span(one), None) for one in feedback[1:]])
        reader = Reader(store, control_of(store).desk.release)
        data = await reader.trace_data(samples.trace_id(1))
        (service,) = await reader.services()
        found = []
        for shown in (tags_of_version_1, tags_of_version_3, tags_of_the_remote_storage):
            for key, text in sorted(set(shown(data))):
                query = query_v1(QueryParams({"service": service, "tags": json.dumps({key: text})}))
                if [one.trace_id for one in await reader.find(query)] != [samples.trace_id(1)]:
                    found.append(f"{shown.__name__}: {key!r} = {text!r}")
        return found
    finally:
        await store.stop()


def on_span(feedback: Feedback) -> SpanContext:
    return SpanContext(feedback.target.trace_id, samples.span_id(1))


@settings(max_examples=60, deadline=None, phases=[Phase.generate])
@given(requests(), st.lists(JUDGEMENTS, max_size=3, unique_by=lambda one: one.id))
def test_every_tag_that_is_shown_finds_its_trace(request: ExportTraceServiceRequest, feedback: list[Feedback]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        assert asyncio.run(missed(request, feedback, Path(directory))) == []


def test_the_list_that_is_shown_is_the_list_that_is_searched() -> None:
    span = samples.span(1, 1, error="broken")
    span.kind = Span.SPAN_KIND_CLIENT
    (read,) = spans_of(samples.traces_request([span]))
    assert [*shown_values(read, "otel.status_code")] == ["ERROR"]
    assert [*shown_values(read, "event")] == ["exception"]
    assert [*shown_values(read, "service.name")] == ["shop", "shop"]
    assert not [*shown_values(read, "w3c.tracestate")]
