"""Jaeger's remote storage API over a real gRPC server on a real store."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from collector.jaeger import remote_storage
from collector.jaeger.reader import Reader
from collector.jaeger.v2 import (
    capabilities_pb2,
    capabilities_pb2_grpc,
    dependency_storage_pb2,
    dependency_storage_pb2_grpc,
    trace_storage_pb2,
    trace_storage_pb2_grpc,
)
from collector.otlp.request import read_traces
from collector.storage.file_store import FileStore
from tests import samples
from tests.clocks import TickingClock
from tests.control import control_of


@dataclass
class Remote:
    store: FileStore
    traces: "trace_storage_pb2_grpc.TraceReaderAsyncStub"
    channel: grpc.aio.Channel

    async def keep(self, *spans: Span, service: str = "shop") -> None:
        await self.store.log.append(read_traces(samples.traces_request(spans, service), 1).request)

    async def found(self, **query: object) -> list[int]:
        request = trace_storage_pb2.FindTracesRequest(query=trace_storage_pb2.TraceQueryParameters(**query))  # type: ignore[arg-type]
        answer = await self.traces.FindTraceIDs(request)
        return [int.from_bytes(one.trace_id, "big") for one in answer.trace_ids]

    async def get(self, *numbers: int) -> list[bytes]:
        request = trace_storage_pb2.GetTracesRequest()
        for number in numbers:
            request.query.add(trace_id=bytes.fromhex(samples.trace_id(number)))
        return [chunk.SerializeToString() async for chunk in self.traces.GetTraces(request)]


@pytest.fixture
async def remote(tmp_path: Path) -> AsyncIterator[Remote]:
    store = FileStore(tmp_path, TickingClock())
    await store.start()
    server = grpc.aio.server()
    remote_storage.add_to(server, Reader(store, control_of(store).desk.release))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Remote(store, trace_storage_pb2_grpc.TraceReaderStub(channel), channel)
    await server.stop(None)
    await store.stop()


def spans_in(chunks: list[bytes]) -> list[Span]:
    return [
        span
        for chunk in chunks
        for group in TracesData.FromString(chunk).resource_spans
        for scoped in group.scope_spans
        for span in scoped.spans
    ]


async def test_a_trace_comes_back_byte_for_byte_and_equal_spans_once(remote: Remote) -> None:
    odd = samples.span(1, 1, values={"empty": "", "raw": b"\x00"}, links=[(2, "a")], error="e")
    odd.kind = 99  # type: ignore[assignment]
    odd.flags, odd.dropped_attributes_count, odd.trace_state = 0x301, 4, "a=b"
    other = samples.span(1, 1, name="another of this id")
    await remote.keep(odd, samples.span(2, 1), other)
    await remote.keep(odd)
    assert spans_in(await remote.get(1)) == [odd, other]
    (chunk,) = await remote.get(1)
    (group,) = TracesData.FromString(chunk).resource_spans
    assert group.resource.attributes[0].value.string_value == "shop"


async def test_unknown_traces_are_passed_over(remote: Remote) -> None:
    await remote.keep(samples.span(2, 1))
    assert await remote.get(9) == []
    assert len(await remote.get(9, 2, 8)) == 1


async def test_a_large_trace_comes_in_chunks_below_four_mebibytes(remote: Remote) -> None:
    text = "x" * 4_000
    for first in range(0, 2_000, 500):
        await remote.keep(*(samples.span(1, 1 + first + n, values={"text": text}) for n in range(500)))
    await remote.keep(samples.span(2, 1))
    chunks = await remote.get(1, 2)
    assert max(map(len, chunks)) < 4 * 2**20
    assert len(chunks) > 2
    assert [span.span_id for span in spans_in(chunks[:-1])] == [
        bytes.fromhex(samples.span_id(1 + n)) for n in range(2_000)
    ]
    assert len({span.trace_id for span in spans_in(chunks[:-1])}) == 1


async def test_the_search_takes_every_condition_and_types_of_values(remote: Remote) -> None:
    await remote.keep(samples.span(1, 1, name="a", values={"code": 200, "ok": True}, start=0))
    await remote.keep(samples.span(2, 1, name="b", values={"code": "200"}, start=5), service="stock")
    assert await remote.found() == [2, 1]
    assert await remote.found(service_name="stock") == [2]
    assert await remote.found(operation_name="a") == [1]
    as_text = trace_storage_pb2.KeyValue(key="code", value=trace_storage_pb2.AnyValue(string_value="200"))
    as_number = trace_storage_pb2.KeyValue(key="code", value=trace_storage_pb2.AnyValue(int_value=200))
    true = trace_storage_pb2.KeyValue(key="ok", value=trace_storage_pb2.AnyValue(bool_value=True))
    assert await remote.found(attributes=[as_text]) == await remote.found(attributes=[as_number]) == [2, 1]
    assert await remote.found(attributes=[as_text, true]) == [1]
    assert await remote.found(search_depth=1) == [2]
    request = trace_storage_pb2.FindTracesRequest()
    request.query.start_time_min.FromNanoseconds(samples.START + 1)
    request.query.start_time_max.FromNanoseconds(samples.START + 9)
    request.query.duration_min.FromNanoseconds(samples.SECOND)
    request.query.duration_max.FromNanoseconds(samples.SECOND)
    found = [chunk.SerializeToString() async for chunk in remote.traces.FindTraces(request)]
    assert [span.name for span in spans_in(found)] == ["b"]


async def test_structured_filters_are_refused(remote: Remote) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await remote.found(filter=b"\x0a\x02eq")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_summaries_say_what_the_traces_hold(remote: Remote) -> None:
    await remote.keep(samples.span(1, 1, name="root", duration=5), samples.span(1, 2, 1, name="child", error="broken"))
    await remote.keep(samples.span(2, 1, name="other", start=9), service="stock")
    await remote.keep(samples.span(1, 3, 99, name="lost", start=3, duration=5), service="stock")
    request = trace_storage_pb2.FindTracesRequest()
    request.query.operation_name = "root"
    (answer,) = [answer async for answer in remote.traces.FindTraceSummaries(request)]
    (summary,) = answer.summaries
    assert summary.trace_id.hex() == samples.trace_id(1)
    assert (summary.root_service_name, summary.root_operation_name) == ("shop", "root")
    assert summary.min_start_time_unix_nano == samples.START
    assert summary.max_end_time_unix_nano == samples.START + samples.SECOND
    assert (summary.span_count, summary.error_span_count, summary.orphan_span_count) == (3, 1, 1)
    services = [(one.name, one.span_count, one.error_span_count) for one in summary.services]
    assert services == [("shop", 2, 1), ("stock", 1, 0)]
    request.query.operation_name = ""
    found = [answer.summaries[0].trace_id async for answer in remote.traces.FindTraceSummaries(request)]
    assert [trace_id.hex() for trace_id in found] == [samples.trace_id(2), samples.trace_id(1)]


async def test_services_operations_dependencies_and_capabilities(remote: Remote) -> None:
    await remote.keep(samples.span(1, 1, name="a"), samples.span(1, 2, 1, name="b"))
    services = await remote.traces.GetServices(trace_storage_pb2.GetServicesRequest())
    assert list(services.services) == ["shop"]
    for kind, names in (("", ["a", "b"]), ("internal", ["a", "b"]), ("server", [])):
        request = trace_storage_pb2.GetOperationsRequest(service="shop", span_kind=kind)
        assert [one.name for one in (await remote.traces.GetOperations(request)).operations] == names
    reader = dependency_storage_pb2_grpc.DependencyReaderStub(remote.channel)
    (edge,) = (await reader.GetDependencies(dependency_storage_pb2.GetDependenciesRequest())).dependencies  # type: ignore[misc]
    assert (edge.parent, edge.child, edge.call_count) == ("shop", "shop", 1)
    stub = capabilities_pb2_grpc.CapabilitiesStub(remote.channel)
    said = await stub.GetCapabilities(capabilities_pb2.GetCapabilitiesRequest())  # type: ignore[misc]
    assert (said.search.without_service_name, said.search.same_span_conjunction) == (True, True)
