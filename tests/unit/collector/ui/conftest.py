"""A collector in this process whose page is looked at, with and without tokens."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from collector.access.tokens import Scope
from collector.process.config import load
from collector.process.servers import Addresses
from collector.process.service import Collector
from tests import samples

TOKENS = {
    "viewer": ("viewer-viewer-viewer", [Scope.READ]),
    "machine": ("machine-machine-machine", [Scope.READ, Scope.PROPOSE]),
    "boss": ("boss-boss-boss-boss", list(Scope)),
}
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}\u202eabc"
"""What somebody may call a thing."""

SERVICE = "team/qa " + HOSTILE
PARAMETERS = [
    {"key": "k", "type": "integer", "default": 1, "minimum": 0, "maximum": 9, "description": HOSTILE},
    {"key": "prompt", "type": "text", "default": "Answer the question. " + HOSTILE},
]
TRACE_ID = "0123456789abcdef0123456789abcdef"
PROMPTED_ID = "0123456789abcdef0123456789abcde0"


async def begun(directory: Path, tokens: str = "") -> tuple[Collector, Addresses]:
    file = directory / "collector.yaml"
    free = '{endpoint: "127.0.0.1:0"}'
    file.write_text(
        f"receivers: {{otlp: {{protocols: {{grpc: {free}, http: {free}}}}}}}\n"
        f"api: {free}\njaeger: {{storage: {free}, trace_url: 'http://viewer.example/trace/{{trace_id}}'}}\n"
        f"storage: {{directory: {directory / 'data'}}}\n{tokens}",
        encoding="utf-8",
    )
    collector = Collector(load(file, {}, {}))
    return collector, await collector.start()


def spans() -> bytes:
    """A request, and a hundred calls in it, all with hostile names."""

    def said(key: str, value: str) -> KeyValue:
        return KeyValue(key=key, value=AnyValue(string_value=value))

    def span(number: int, parent: int, name: str) -> Span:
        return Span(
            trace_id=bytes.fromhex(TRACE_ID),
            span_id=number.to_bytes(8, "big"),
            parent_span_id=parent.to_bytes(8, "big") if parent else b"",
            name=name,
            start_time_unix_nano=10**18 + number,
            end_time_unix_nano=10**18 + 10**9 - number,
            attributes=[said("opto.output", f'"{number} <b>{name}</b>"'), said("opto.input.q", f'"<i>{number}</i>"')],
        )

    calls = [span(number, 1, "search " + HOSTILE) for number in range(2, 102)]
    found = ResourceSpans(scope_spans=[ScopeSpans(spans=[span(1, 0, "request " + HOSTILE), *calls])])
    found.resource.attributes.append(said("service.name", SERVICE))
    return ExportTraceServiceRequest(resource_spans=[found]).SerializeToString()


def prompted(prompts: int = 1) -> bytes:
    """A trace with calls whose prompts nobody declared; the names and the words of them are hostile."""
    calls = [
        samples.span(
            0,
            number,
            1,
            f"draft {number}",
            values={
                f"app.{HOSTILE}.{number}.prompt": f"Write {{count}} lines, {number} on {{topic}}. {HOSTILE}",
                "app.answer": f"one, {number}",
            },
            start=number,
        )
        for number in range(2, prompts + 2)
    ]
    found = [samples.span(0, 1, name="write", duration=3 * samples.SECOND), *calls]
    for one in found:
        one.trace_id = bytes.fromhex(PROMPTED_ID)
    return samples.traces_request(found, SERVICE)


async def filled(client: httpx.AsyncClient, at: Addresses, headers: dict[str, str] | None = None) -> None:
    """Something of everything, hostile wherever somebody else chooses the words."""
    service = httpx.URL("http://x").copy_with(path="/" + SERVICE.replace("/", "%2F"))
    name = str(service.raw_path, "ascii").removeprefix("/").replace("%252F", "%2F")

    async def ask(method: str, path: str, document: object) -> None:
        answer = await client.request(method, path, json=document, headers=headers)
        assert answer.status_code < 300, answer.text

    await ask("PUT", f"/v1/services/{name}/parameters", {"parameters": PARAMETERS})
    await ask("POST", f"/v1/services/{name}/releases", {"values": {"k": 1}, "reason": HOSTILE})
    values = {"k": 5, "prompt": "Answer the question briefly. " + HOSTILE}
    await ask("POST", f"/v1/services/{name}/releases", {"values": values, "reason": HOSTILE})
    plan = {"service": SERVICE, "release": 2, "metric": {"name": HOSTILE[:200]}}
    await ask("PUT", "/v1/rollouts/wider", plan)
    failed = {"service": SERVICE, "instance_id": HOSTILE, "status": "FAILED", "error": HOSTILE}
    await ask("POST", "/v1/releases/1/acknowledgements", failed)
    await ask("POST", "/v1/studies", {"name": "tune", "service": SERVICE, "metric": HOSTILE[:200]})
    content = {"content-type": "application/x-protobuf", **(headers or {})}
    sent = await client.post(f"http://{at.otlp_http}/v1/traces", content=spans(), headers=content)
    assert sent.status_code == 200
    feedback = {"trace_id": TRACE_ID, "name": "quality", "score": 0.4, "text": HOSTILE, "source": HOSTILE}
    await ask("POST", "/v1/feedback", {"feedback": [feedback]})


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Addresses]:
    collector, addresses = await begun(tmp_path)
    yield addresses
    await collector.stop()


@pytest.fixture
async def page(at: Addresses) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a collector that wants no token, with something of everything in it."""
    async with httpx.AsyncClient(base_url=f"http://{at.api}", timeout=30) as client:
        await filled(client, at)
        yield client


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a collector that wants tokens."""
    listed = "".join(
        f"\n    - {{name: {name}, token: {secret}, scopes: [{', '.join(scopes)}]}}"
        for name, (secret, scopes) in TOKENS.items()
    )
    collector, at = await begun(tmp_path, f"auth:\n  tokens:{listed}\n")
    async with httpx.AsyncClient(base_url=f"http://{at.api}", timeout=30) as client:
        await filled(client, at, {"authorization": f"Bearer {TOKENS['boss'][0]}"})
        yield client
    await collector.stop()
