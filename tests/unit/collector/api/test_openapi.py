"""The OpenAPI document tells what is served: every route is in it, and real answers are as it says."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from collector.access.described import path_of
from collector.access.tokens import Access
from collector.api.openapi.document import openapi_document
from collector.cli import main
from collector.process.config import load
from collector.process.documented import DESCRIBED, api_document, routes
from collector.process.servers import Addresses, json_endpoints
from collector.process.service import Collector
from tests.samples import span, span_id, trace_id, traces_request

DOCUMENT: Any = api_document()
SERVICE, TRACE = "shop", trace_id(7)


def closed(schema: Any) -> Any:
    """The same, which allows no members but those that it names: what nobody has described is found."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    same = {key: closed(one) for key, one in schema.items()}
    return {**same, "additionalProperties": False} if "properties" in schema and "$defs" not in schema else same


CLOSED = closed(DOCUMENT)


def operation(method: str, path: str) -> Any:
    """That of the most exact path."""
    for template in sorted(DOCUMENT["paths"], key=lambda one: one.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in DOCUMENT["paths"][template]:
            return template, CLOSED["paths"][template][method.lower()]
    raise AssertionError(f"{method} {path} is not described")


def faults(schema: Any, found: object) -> list[str]:
    whole = {**schema, "components": CLOSED["components"]}
    return [f"{fault.json_path}: {fault.message}" for fault in Draft202012Validator(whole).iter_errors(found)]


class Asked:
    """A client that holds each answer to the document."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.held: set[str] = set()
        self.faults: list[str] = []

    async def __call__(self, method: str, path: str, body: object = None, **query: str) -> Any:
        template, described = operation(method, path)
        if body is not None:
            assert faults(described["requestBody"]["content"]["application/json"]["schema"], body) == []
        answer = await self._client.request(method, path, json=body, params=query)
        said = described["responses"].get(str(answer.status_code), described["responses"].get("default"))
        media = answer.headers.get("content-type", "").partition(";")[0]
        assert answer.status_code in (200, 201, 204), answer.text
        if answer.status_code == 204:
            assert "content" not in said
            document = None
        else:
            assert media in said["content"]
            document = answer.json() if media == "application/json" else answer.text
            self.faults += [f"{method} {path}: {one}" for one in faults(said["content"][media]["schema"], document)]
        self.held.add(f"{method} {template}")
        return document

    async def refused(self, method: str, path: str, body: object = None) -> None:
        answer = await self._client.request(method, path, json=body)
        assert answer.status_code >= 400
        said = operation(method, path)[1]["responses"]["default"]["content"]["application/json"]["schema"]
        assert faults(said, answer.json()) == [], f"{method} {path}"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Addresses]:
    file = tmp_path / "collector.yaml"
    free = '{endpoint: "127.0.0.1:0"}'
    file.write_text(
        f"receivers: {{otlp: {{protocols: {{grpc: {free}, http: {free}}}}}}}\n"
        f"api: {free}\njaeger: {{storage: {free}}}\nstorage: {{directory: {tmp_path / 'data'}}}\n",
        encoding="utf-8",
    )
    collector = Collector(load(file, {}, {}))
    yield await collector.start()
    await collector.stop()


async def filled(ask: Asked, client: httpx.AsyncClient, at: Addresses) -> None:
    """Something of everything."""
    said = {"opto.output": '"x"', "llm.prompt_template.template": "Look for {what} and nothing else"}
    both = [span(7, 1, name="request"), span(7, 2, 1, "search", values=said, error="it broke")]
    content = {"content-type": "application/x-protobuf"}
    sent = await client.post(f"http://{at.otlp_http}/v1/traces", content=traces_request(both), headers=content)
    assert sent.status_code == 200
    declared = [
        {"key": "k", "type": "integer", "default": 1, "minimum": 0, "maximum": 9},
        {"key": "form", "type": "json", "default": {"a": 1}, "json_schema": {"type": "object"}},
    ]
    await ask("PUT", f"/v1/services/{SERVICE}/parameters", {"parameters": declared})
    for number in (1, 2):
        await ask("POST", f"/v1/services/{SERVICE}/releases", {"values": {"k": number}, "reason": "why not"})
    word = {"service": SERVICE, "instance_id": "i", "status": "FAILED", "error": "no"}
    await ask("POST", "/v1/releases/1/acknowledgements", word)
    await ask("POST", "/v1/releases/1/rollback")
    plan = {
        "service": SERVICE,
        "release": 2,
        "metric": {"name": "quality"},
        "guardrails": [{"signal": "latency", "bound": 2.0}, {"signal": "error"}],
    }
    await ask("PUT", "/v1/rollouts/wider", plan)
    feedback = {"trace_id": TRACE, "name": "quality", "score": 0.4, "attributes": {"a": "b"}}
    await ask("POST", "/v1/feedback", {"feedback": [feedback]})
    await ask("POST", "/v1/studies", {"name": "tune", "service": SERVICE, "metric": "quality", "labels": {"good": 1.0}})


async def test_real_answers_are_as_the_document_says(at: Addresses) -> None:
    async with httpx.AsyncClient(base_url=f"http://{at.api}", timeout=60) as client:
        ask = Asked(client)
        await filled(ask, client, at)
        await decided(ask)
        for path in ("/readyz", "/healthz", "/metrics", "/v1/stats", "/v1/doctor", "/v1/services", "/v1/rollouts"):
            await ask("GET", path)
        for path in ("", "/parameters", "/discoveries", "/status", "/release", "/assignment"):
            await ask("GET", f"/v1/services/{SERVICE}{path}")
        await ask("GET", "/v1/services/nobody/release")
        assert (await ask("GET", "/v1/releases", limit="1"))["next_cursor"]
        for path in ("/1", "/1/acknowledgements", "/1/diff/2"):
            await ask("GET", f"/v1/releases{path}")
        assert (await ask("GET", f"/v1/traces/{TRACE}/nodes"))["nodes"]
        await ask("GET", f"/v1/traces/{TRACE}/nodes/span:{span_id(2)}")
        for form in ("json", "text"):
            assert await ask("GET", f"/v1/traces/{TRACE}/spans/{span_id(2)}/explanation", format=form)
        for form in ("json", "tgj", "text", "dot", "svg"):
            await ask("GET", f"/v1/traces/{TRACE}/graph", format=form)
        for path in ("/v1/traces", "/v1/feedback", "/v1/studies", "/v1/audit"):
            await ask("GET", path)
        for path in ("", "/trials", "/trials/0", "/rejected", "/pictures/scores"):
            await ask("GET", f"/v1/studies/tune{path}")
        for picture in ("scores", "slices", "parallel", "importance"):
            assert await ask("GET", f"/v1/studies/tune/pictures/{picture}", format="json")
        await ask("POST", "/v1/studies/tune/stop")
        events = (await ask("GET", "/v1/audit", stream="study/tune"))["events"][::-1]
        told = [{key: one[key] for key in ("kind", "data", "time_unix_nano", "actor")} for one in events]
        told[0]["data"]["name"] = "brought"
        assert (await ask("POST", "/v1/archives", {"events": told}))["new"] is True
        await for_jaeger(ask)
        for method, path in (("GET", "/v1/releases/99"), ("GET", "/api/traces"), ("GET", "/api/v3/traces")):
            await ask.refused(method, path)
        await ask.refused("POST", "/v1/releases/1/signature", {"envelope": "none"})
    assert ask.faults == []
    # A signature that fits needs a key; that it is refused otherwise is above.
    assert DESCRIBED.keys() - ask.held == {"POST /v1/releases/{number}/signature"}


async def decided(ask: Asked) -> None:
    """Every step that a rollout takes by a person's word."""
    drawn = await ask("GET", "/v1/rollouts/wider")
    await ask("POST", "/v1/rollouts/wider/approve", {"content_hash": drawn["content_hash"]})
    await ask("POST", "/v1/rollouts/wider/pause", {"message": "lunch"})
    await ask("POST", "/v1/rollouts/wider/resume", {})
    await ask("POST", "/v1/rollouts/wider/promote", {})
    await ask("PUT", "/v1/rollouts/again", {"service": SERVICE, "release": 1})
    await ask("POST", "/v1/rollouts/again/abort", {"message": "no"})


async def for_jaeger(ask: Asked) -> None:
    """What its user interfaces ask for."""
    for path in ("services", f"services/{SERVICE}/operations", f"traces/{TRACE}", "dependencies"):
        await ask("GET", f"/api/{path}")
    await ask("GET", "/api/operations", service=SERVICE)
    await ask("GET", "/api/traces", service=SERVICE)
    for path in ("services", f"traces/{TRACE}"):
        await ask("GET", f"/api/v3/{path}")
    await ask("GET", "/api/v3/operations", service=SERVICE)
    span_of_time = {"query.startTimeMin": "2023-01-01T00:00:00Z", "query.startTimeMax": "2030-01-01T00:00:00Z"}
    for path in ("traces", "trace-summaries"):
        await ask("GET", f"/api/v3/{path}", **{"query.serviceName": SERVICE, **span_of_time})


def test_what_a_collector_serves_is_what_is_described() -> None:
    class Nobody:
        def __getattr__(self, _: str) -> Any:
            return self

    nobody: Any = Nobody()
    served = {(one.method, one.path, one.scope) for one in json_endpoints(nobody, Access([]))}
    assert served == {(one.method, one.path, one.scope) for one in routes()}
    assert {f"{method} {path_of(path)}" for method, path, _ in served} == {
        f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods
    }


def test_a_route_that_nobody_describes_is_a_fault() -> None:
    fewer = {key: one for key, one in DESCRIBED.items() if key != "GET /v1/audit"}
    with pytest.raises(ValueError, match=r"served and not described: \['GET /v1/audit'\]"):
        openapi_document(routes(), fewer, "1")
    with pytest.raises(ValueError, match="described and not served"):
        openapi_document(routes()[1:], DESCRIBED, "1")


def test_it_is_well_formed() -> None:
    operations = [one for methods in DOCUMENT["paths"].values() for one in methods.values()]
    ids = [one["operationId"] for one in operations]
    assert len(set(ids)) == len(ids)
    for path, methods in DOCUMENT["paths"].items():
        for one in methods.values():
            named = [said["name"] for said in one["parameters"] if said["in"] == "path"]
            assert named == re.findall(r"\{(\w+)\}", path)
    schemas = DOCUMENT["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert set(references(DOCUMENT)) == {f"#/components/schemas/{name}" for name in schemas}


def references(tree: Any) -> list[str]:
    if isinstance(tree, Mapping):
        own = [tree["$ref"]] if isinstance(tree.get("$ref"), str) else []
        return own + [found for one in tree.values() for found in references(one)]
    return [found for one in tree for found in references(one)] if isinstance(tree, list) else []


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi"]) == 0
    assert json.loads(capsys.readouterr().out) == DOCUMENT
