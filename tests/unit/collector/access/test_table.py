"""Every route and every RPC needs the scope that its table says, and what stands in no table is refused."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from collector.access.table import rpcs
from collector.access.tokens import Access, Scope
from collector.api import grpc_services, http, rollout_grpc, rollout_http, rpc, service_http, study_http
from collector.api.operations import Operations
from collector.api.rollouts import RolloutOperations
from collector.api.scopes import SCOPES
from collector.jaeger import http as jaeger_http
from collector.jaeger import remote_storage
from collector.process.config import load
from collector.process.servers import HEALTH_RPCS, REFLECTION_RPCS, Addresses
from collector.process.service import Collector
from collector.receiver import otlp_grpc
from otel_opto.v1 import study_pb2

TOKENS = {scope: scope.value * 5 for scope in Scope}
OPEN = Access([])
API = [
    *http.endpoints(None, bool, None, OPEN),  # type: ignore[arg-type]
    *service_http.endpoints(None, None, None, None),  # type: ignore[arg-type]
    *study_http.endpoints(None, None, OPEN, None),  # type: ignore[arg-type]
    *rollout_http.endpoints(RolloutOperations, OPEN, None),  # type: ignore[arg-type]
    *jaeger_http.endpoints(None, int),  # type: ignore[arg-type]
]
SHARED_PORT = {
    **otlp_grpc.RPCS,
    **rpc.scopes([*grpc_services.table(None, None, None, OPEN), *rollout_grpc.table(RolloutOperations, OPEN)]),
    **HEALTH_RPCS,
}  # type: ignore[arg-type]
JAEGER_PORT = {**remote_storage.RPCS, **REFLECTION_RPCS, **HEALTH_RPCS}


@dataclass(frozen=True)
class Answered:
    """What a call was answered with: refused for want of a token, of a scope, or served (be it with an error)."""

    anonymous: str
    by_scope: dict[Scope, str]


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Addresses]:
    tokens = "".join(f"\n    - {{name: {s}, token: {secret}, scopes: [{s}]}}" for s, secret in TOKENS.items())
    file = tmp_path / "collector.yaml"
    free = '{endpoint: "127.0.0.1:0"}'
    file.write_text(
        f"receivers: {{otlp: {{protocols: {{grpc: {free}, http: {free}}}}}}}\n"
        f"api: {free}\njaeger: {{storage: {free}}}\nstorage: {{directory: {tmp_path / 'data'}}}\n"
        f"auth:\n  tokens:{tokens}\n",
        encoding="utf-8",
    )
    collector = Collector(load(file, {}, {}))
    yield await collector.start()
    await collector.stop()


def expected(scope: Scope | None) -> Answered:
    if scope is None:
        return Answered("served", dict.fromkeys(Scope, "served"))
    return Answered("unknown", {one: "served" if one is scope else "denied" for one in Scope})


async def test_every_route_asks_for_its_scope(at: Addresses) -> None:
    async with httpx.AsyncClient(base_url=f"http://{at.api}") as client:

        async def ask(method: str, path: str, token: str) -> str:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            answer = await client.request(method, path, headers=headers, content=b"{}" if method != "GET" else None)
            return {401: "unknown", 403: "denied"}.get(answer.status_code, "served")

        found, wanted = {}, {}
        for one in API:
            path = re.sub(r"\{\w+:int\}", "7", re.sub(r"\{\w+\}", "team%2Fqa", one.path))
            for method in ("GET", "HEAD") if one.method == "GET" else (one.method,):
                by_scope = {scope: await ask(method, path, secret) for scope, secret in TOKENS.items()}
                found[method, one.path] = Answered(await ask(method, path, ""), by_scope)
                wanted[method, one.path] = expected(one.scope)
    assert found == wanted


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/feedback"),
        ("PUT", "/v1/releases/7/rollback"),
        ("GET", "/v1/traces/"),
        ("GET", "//v1/traces"),
        ("GET", "/anything/feedback"),
        ("POST", "/anything/release"),
        ("GET", "/v1/services/%FF/parameters"),
        ("OPTIONS", "/readyz"),
    ],
)
async def test_what_stands_in_no_table_is_served_to_nobody(at: Addresses, method: str, path: str) -> None:
    async with httpx.AsyncClient() as client:
        url = f"http://{at.api}{path}"  # whole: of `//v1/traces` httpx would take a part for a host
        assert (await client.request(method, url)).status_code == 401
        for secret in TOKENS.values():
            answer = await client.request(method, url, headers={"authorization": f"Bearer {secret}"})
            assert answer.status_code in (400, 404, 405)


async def test_every_path_of_otlp_is_for_senders(at: Addresses) -> None:
    async with httpx.AsyncClient(base_url=f"http://{at.otlp_http}") as client:
        for path, listed in (("/v1/traces", 1), ("/v1/logs", 1), ("/v1/metrics", 1), ("/v1/profiles", 0), ("/", 0)):
            codes = {"": (await client.post(path)).status_code}
            for scope, secret in TOKENS.items():
                headers = {"authorization": f"Bearer {secret}", "content-type": "application/x-protobuf"}
                codes[scope] = (await client.post(path, headers=headers)).status_code
            served = {"": 401, **dict.fromkeys(Scope, 403), Scope.INGEST: 200}
            assert codes == (served if listed else {"": 401, **dict.fromkeys(Scope, 404)})


_CLIENTS_OWN = "Internal error from Core"
"""So grpcio's client says, once in some thousand calls, that it wrote to a call that the server had just ended."""

_KINDS = {"UNAUTHENTICATED": "unknown", "PERMISSION_DENIED": "denied", "UNIMPLEMENTED": "unserved"}


async def called(channel: grpc.aio.Channel, method: str, token: str) -> str:
    """Sends one empty message, and hears one or the end: every kind of method can be asked so."""
    metadata = [("authorization", f"Bearer {token}")] if token else None
    call = channel.stream_stream(method)(metadata=metadata, timeout=30)
    try:
        await call.write(b"")
        await call.done_writing()
        await call.read()
    except grpc.aio.AioRpcError as error:
        if error.details() == _CLIENTS_OWN:
            return await called(channel, method, token)
        return _KINDS.get(error.code().name, "served")
    except asyncio.InvalidStateError:  # it has ended already
        return _KINDS.get((await call.code()).name, "served")
    finally:
        call.cancel()
    return "served"


@pytest.mark.parametrize("port", ["shared", "jaeger"])
async def test_every_rpc_asks_for_its_scope(at: Addresses, port: str) -> None:
    address, table = (at.otlp_grpc, SHARED_PORT) if port == "shared" else (at.jaeger_storage, JAEGER_PORT)
    # Jaeger makes summaries of traces where it hears that these are not implemented.
    asked = {method: scope for method, scope in table.items() if not method.endswith("/FindTraceSummaries")}
    async with grpc.aio.insecure_channel(address) as channel:
        found = {}
        for method in asked:
            by_scope = {one: await called(channel, method, secret) for one, secret in TOKENS.items()}
            found[method] = Answered(await called(channel, method, ""), by_scope)
        assert found == {method: expected(scope) for method, scope in asked.items()}
        for method in ("/otel_opto.v1.StudyService/Forget", "/grpc.channelz.v1.Channelz/GetServers", "/x", "/"):
            assert await called(channel, method, "") == "unknown"
            assert await called(channel, method, TOKENS[Scope.PUBLISH]) == "unserved"


async def test_what_reflection_names_stands_in_the_table(at: Addresses) -> None:
    request = ServerReflectionRequest(list_services="")
    async with grpc.aio.insecure_channel(at.jaeger_storage) as channel:
        call = channel.stream_stream(
            next(iter(REFLECTION_RPCS)),
            request_serializer=ServerReflectionRequest.SerializeToString,
            response_deserializer=ServerReflectionResponse.FromString,
        )(iter([request]))
        answer = await call.read()
        call.cancel()
    named = {service.name for service in answer.list_services_response.service}
    assert named == {method.split("/")[1] for method in JAEGER_PORT}


def test_every_operation_has_its_scope() -> None:
    operations = {name for name in vars(Operations) if not name.startswith("_")} - {"parameters", "counters", "rate"}
    rollouts = {"rollouts", "rollout", "watch_rollout", "propose_release", "audit"} | {
        f"{step}_rollout" for step in ("start", "approve", "pause", "resume", "promote", "abort")
    }
    assert SCOPES.keys() == operations | rollouts | {
        "watch_releases", "services", "doctor", "discoveries", "import_study",
    }  # fmt: skip


def test_a_method_without_a_row_and_a_row_without_a_method_are_said() -> None:
    service = study_pb2.DESCRIPTOR.services_by_name["StudyService"]
    for scopes in ({"CreateStudy": Scope.PUBLISH}, {method.name: None for method in service.methods} | {"New": None}):
        with pytest.raises(ValueError, match=r"otel_opto\.v1\.StudyService"):
            rpcs(service, scopes)
