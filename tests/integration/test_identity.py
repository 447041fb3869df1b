"""Which trace, which span, which service: the same answer at every door of a real collector."""

import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import grpc
import pytest

from collector.cli.client import quoted
from collector.jaeger.v2 import trace_storage_pb2, trace_storage_pb2_grpc
from collector.process.config import load
from collector.process.servers import Addresses
from collector.process.service import Collector
from otel_opto.v1 import feedback_pb2, feedback_pb2_grpc, parameter_pb2, parameter_pb2_grpc
from tests import samples

TRACE = 0xA0000000000000B1
WAYS = ["a0000000000000b1", "A0000000000000B1", " a0000000000000b1 ", "0000000000000000a0000000000000b1"]
NO_IDS = ["xyz", "0", "1" * 33, "0x1", "a b"]


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Addresses]:
    otlp = "receivers.otlp.protocols"
    keys = (f"{otlp}.grpc.endpoint", f"{otlp}.http.endpoint", "api.endpoint", "jaeger.storage.endpoint")
    free = dict.fromkeys(keys, "127.0.0.1:0")
    collector = Collector(load(None, {}, {"storage.directory": tmp_path / "data", **free}))
    addresses = await collector.start()
    body = samples.traces_request([samples.span(TRACE, 1, values={"opto.output": '"x"'})], "team/qa")
    await post(f"http://{addresses.otlp_http}/v1/traces", body, "application/x-protobuf")
    yield addresses
    await collector.stop()


def answered(
    url: str, body: bytes | None = None, kind: str = "application/json", method: str | None = None
) -> tuple[int, str]:
    request = urllib.request.Request(url, body, {"Content-Type": kind}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def post(url: str, body: bytes, kind: str = "application/json") -> tuple[int, str]:
    return await asyncio.to_thread(answered, url, body, kind)


async def get(url: str) -> tuple[int, str]:
    return await asyncio.to_thread(answered, url)


async def command(at: Addresses, *arguments: str) -> tuple[int, str]:
    call = [sys.executable, "-m", "collector", *arguments, "--collector", at.api]
    done = await asyncio.to_thread(subprocess.run, call, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("way", WAYS)
async def test_every_door_takes_an_id_as_it_is_written(at: Addresses, way: str) -> None:
    api, part = f"http://{at.api}", quote(way)
    for path in (
        f"/v1/traces/{part}/graph",
        f"/api/traces/{part}",
        f"/api/v3/traces/{part}",
        f"/api/traces?traceID={part}",
    ):
        assert (await get(api + path))[0] == 200, path
    document = {"feedback": [{"trace_id": way, "span_id": "1", "name": "q", "score": 1.0}]}
    assert (await post(f"{api}/v1/feedback", json.dumps(document).encode()))[0] == 201
    async with grpc.aio.insecure_channel(at.otlp_grpc) as channel:
        stub = feedback_pb2_grpc.FeedbackServiceStub(channel)
        one = feedback_pb2.Feedback(trace_id=way, span_id="1", name="q", score=0.5)
        await stub.SubmitFeedback(feedback_pb2.SubmitFeedbackRequest(feedback=[one]))
        listed = await stub.ListFeedback(feedback_pb2.ListFeedbackRequest(trace_id=way))
        assert {item.feedback.trace_id for item in listed.feedback} == {samples.trace_id(TRACE)}
        assert {item.feedback.span_id for item in listed.feedback} == {samples.span_id(1)}
    assert len(json.loads((await get(f"{api}/v1/feedback?trace_id={part}"))[1])["feedback"]) == 2
    if way == WAYS[0]:
        for arguments in (
            ("graph", way),
            ("feedback", "send", way, "--name", "q", "--score", "1"),
            ("feedback", "list", "--trace", way),
        ):
            code, said = await command(at, *arguments)
            assert code == 0, said


@pytest.mark.parametrize("text", NO_IDS)
async def test_every_door_says_what_is_wrong_with_an_id(at: Addresses, text: str) -> None:
    api, part, wanted = f"http://{at.api}", quote(text), "allowed are 1 to 32 hex digits"
    for path in (
        f"/v1/traces/{part}/graph",
        f"/api/traces/{part}",
        f"/api/v3/traces/{part}",
        f"/v1/feedback?trace_id={part}",
    ):
        code, said = await get(api + path)
        assert (code, wanted in said) == (400, True), (path, said)
    document = {"feedback": [{"trace_id": text, "name": "q", "score": 1.0}]}
    code, said = await post(f"{api}/v1/feedback", json.dumps(document).encode())
    assert (code, wanted in said) == (400, True)
    if text == NO_IDS[0]:
        for arguments in (
            ("graph", text),
            ("feedback", "send", text, "--name", "q", "--score", "1"),
            ("feedback", "list", "--trace", text),
        ):
            code, said = await command(at, *arguments)
            assert (code, wanted in said) == (1, True), said


async def test_the_remote_storage_takes_the_eight_bytes_of_b3(at: Addresses) -> None:
    async with grpc.aio.insecure_channel(at.jaeger_storage) as channel:
        stub = trace_storage_pb2_grpc.TraceReaderStub(channel)
        for trace_id in (TRACE.to_bytes(8, "big"), TRACE.to_bytes(16, "big")):
            request = trace_storage_pb2.GetTracesRequest(query=[trace_storage_pb2.GetTraceParams(trace_id=trace_id)])
            assert len([chunk async for chunk in stub.GetTraces(request)]) == 1
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            _ = [chunk async for chunk in stub.GetTraces(trace_storage_pb2.GetTracesRequest(query=[{"trace_id": b""}]))]
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "service", ["team/qa", ".", "..", "50%", "%2F", "a?b#c", "ü b", "a:b", "a/../b", "x/parameters"]
)
async def test_a_service_of_any_name_has_its_paths(at: Addresses, service: str) -> None:
    paths = f"http://{at.api}/v1/services/{quoted(service)}"
    declared = json.dumps({"parameters": [{"key": "k", "type": "integer", "default": 1}]}).encode()
    code, said = await asyncio.to_thread(answered, f"{paths}/parameters", declared, "application/json", "PUT")
    assert (code, len(json.loads(said)["parameters"])) == (200, 1)
    code, said = await get(f"{paths}/release")
    assert (code, json.loads(said)["service"]) == (200, service)
    async with grpc.aio.insecure_channel(at.otlp_grpc) as channel:
        stub = parameter_pb2_grpc.ParameterServiceStub(channel)
        listed = await stub.ListParameters(parameter_pb2.ListParametersRequest(service=service))
        assert [spec.key for spec in listed.parameters] == ["k"]
