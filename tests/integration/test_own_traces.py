"""The collector's own spans reach another collector over OTLP, as steps within steps; none of them makes more."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.core.errors import ConfigError
from collector.process.config import load
from collector.process.servers import Addresses
from collector.process.service import Collector
from tests.samples import evaluation, logs_request, span, trace_id, traces_request

PROTOBUF = {"content-type": "application/x-protobuf"}
_PATIENCE_SECONDS = 120.0


@asynccontextmanager
async def running(directory: Path, more: str = "") -> AsyncIterator[Addresses]:
    await asyncio.to_thread(directory.mkdir)
    free = '{endpoint: "127.0.0.1:0"}'
    file = directory / "collector.yaml"
    file.write_text(
        f"receivers: {{otlp: {{protocols: {{grpc: {free}, http: {free}}}}}}}\napi: {free}\n"
        f"jaeger: {{storage: {free}}}\nstorage: {{directory: {directory / 'data'}}}\n{more}",
        encoding="utf-8",
    )
    collector = Collector(load(file, {}, {}))
    try:
        yield await collector.start()
    finally:
        await collector.stop()


async def of_service(at: Addresses, service: str) -> list[Mapping[str, Any]]:
    """The spans of a service that a collector has, as OTLP JSON."""
    async with httpx.AsyncClient(base_url=f"http://{at.api}", timeout=60) as client:
        found = []
        for one in (await client.get("/v1/traces")).json()["traces"]:
            if service in one["services"]:
                whole = (await client.get(f"/api/v3/traces/{one['trace_id']}?rawTraces=true")).json()["result"]
                found += [
                    s for group in whole["resourceSpans"] for under in group["scopeSpans"] for s in under["spans"]
                ]
        return found


def said(one: Mapping[str, Any]) -> dict[str, Any]:
    return {item["key"]: next(iter(item["value"].values())) for item in one.get("attributes", [])}


async def counted(at: Addresses, name: str) -> int:
    async with httpx.AsyncClient(base_url=f"http://{at.api}", timeout=60) as client:
        return int((await client.get("/v1/stats")).json()["counters"][name])


async def until(look: Any) -> Any:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not (found := await look()):
            await asyncio.sleep(0.1)
        return found


@pytest.mark.parametrize("protocol", ["grpc", "http"])
async def test_every_step_is_a_span_at_another_collector(tmp_path: Path, protocol: str) -> None:
    async with running(tmp_path / "there") as there:
        address = there.otlp_grpc if protocol == "grpc" else there.otlp_http
        own = f"telemetry: {{traces: {{endpoint: 'http://{address}', protocol: {protocol}, service_name: me}}}}"
        async with running(tmp_path / "here", own) as here:
            async with httpx.AsyncClient(base_url=f"http://{here.otlp_http}", headers=PROTOBUF, timeout=60) as client:
                sent = await client.post("/v1/traces", content=traces_request([span(1, 1), span(1, 2, 1)]))
                assert sent.status_code == 200
                sent = await client.post("/v1/logs", content=logs_request([evaluation(1, 1, 0.5)]))
                assert sent.status_code == 200
            calling = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
            async with httpx.AsyncClient(base_url=f"http://{here.api}", headers=calling, timeout=60) as client:
                assert (await client.get(f"/v1/traces/{trace_id(1)}/graph")).status_code == 200
                parameter = {"key": "k", "type": "integer", "default": 1}
                await client.put("/v1/services/test/parameters", json={"parameters": [parameter]})
                made = await client.post("/v1/services/test/releases", json={"values": {"k": 2}})
                assert made.status_code == 201, made.text

            async def all_there() -> list[Mapping[str, Any]]:
                found = await of_service(there, "me")
                return found if {"assemble", "publish"} <= {one["name"] for one in found} else []

            found = await until(all_there)
            assert await counted(here, "otel_opto_own_spans_dropped") == 0
    by_name = {one["name"]: one for one in found}
    received = [one for one in found if one["name"] == "receive"]
    assert sorted(said(one)["otel_opto.signal"] for one in received) == ["logs", "traces"]
    (traces,) = (one for one in received if said(one)["otel_opto.signal"] == "traces")
    assert said(traces)["otel_opto.items"] == "2"
    (stored,) = (one for one in found if one.get("parentSpanId") == traces["spanId"])
    assert (stored["name"], stored["traceId"]) == ("store", traces["traceId"])
    assert int(traces["startTimeUnixNano"]) <= int(stored["startTimeUnixNano"]) <= int(stored["endTimeUnixNano"])
    assert said(by_name["assemble"])["otel_opto.trace_id"] == trace_id(1)
    assert (by_name["assemble"]["traceId"], by_name["assemble"]["parentSpanId"]) == ("ab" * 16, "cd" * 8)
    assert "otel_opto.release" in said(by_name["publish"])


async def test_own_spans_that_come_back_make_no_more_of_them(tmp_path: Path) -> None:
    """Two collectors that tell each other everything, and one forwards all that it gets."""
    async with running(tmp_path / "there") as there:
        own = f"telemetry: {{traces: {{endpoint: 'http://{there.otlp_grpc}', service_name: me}}}}"
        async with running(tmp_path / "here", own) as here:
            async with httpx.AsyncClient(headers=PROTOBUF, timeout=60) as client:
                sent = await client.post(f"http://{here.otlp_http}/v1/traces", content=traces_request([span(1, 1)]))
                assert sent.status_code == 200
                await until(lambda: told(here, 2))  # received, stored
                await until(lambda: of_service(there, "me"))
                async with httpx.AsyncClient(base_url=f"http://{there.api}", timeout=60) as api:
                    listed = (await api.get("/v1/traces")).json()["traces"]
                    (one,) = (one for one in listed if "me" in one["services"])
                    back = await api.get(f"/api/v3/traces/{one['trace_id']}?rawTraces=true")
                before = await counted(here, "otel_opto_own_spans_sent")
                json = {"content-type": "application/json"}
                sent = await client.post(
                    f"http://{here.otlp_http}/v1/traces", json=back.json()["result"], headers=json
                )  # by way of a stranger, who drops the header that names hops
                assert sent.status_code == 200
                assert await until(lambda: of_service(here, "me"))
                sent = await client.post(f"http://{here.otlp_http}/v1/traces", content=traces_request([span(2, 1)]))
            await until(lambda: told(here, before + 2))
            assert await counted(here, "otel_opto_own_spans_sent") == before + 2  # of the application's request alone


async def told(at: Addresses, spans: int) -> bool:
    return await counted(at, "otel_opto_own_spans_sent") >= spans


async def test_an_endpoint_that_is_away_holds_nothing_up(tmp_path: Path) -> None:
    own = "telemetry: {traces: {endpoint: 'http://127.0.0.1:1', timeout_seconds: 1}}"
    async with running(tmp_path / "here", own) as here:
        async with httpx.AsyncClient(base_url=f"http://{here.otlp_http}", headers=PROTOBUF, timeout=60) as client:
            for number in range(1, 20):
                sent = await client.post("/v1/traces", content=traces_request([span(number, 1)]))
                assert sent.status_code == 200
        assert await counted(here, "otel_opto_own_spans_sent") == 0


async def test_its_own_receiver_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path / "other") as other:
        port = other.otlp_grpc.rpartition(":")[2]
    file = tmp_path / "collector.yaml"
    free = '{endpoint: "127.0.0.1:0"}'
    file.write_text(
        f"receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}'}}, http: {free}}}}}}}\napi: {free}\n"
        f"jaeger: {{storage: {free}}}\nstorage: {{directory: {tmp_path / 'data'}}}\n"
        f"telemetry: {{traces: {{endpoint: 'http://localhost:{port}'}}}}\n",
        encoding="utf-8",
    )
    collector = Collector(load(file, {}, {}))
    with pytest.raises(ConfigError, match=r"telemetry.traces.endpoint: .* is this collector's own receiver"):
        await collector.start()
    await collector.stop()
