"""An application's doctor: each way to lose what an application sends is said, with its cure."""

import asyncio
import json
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import ProxyTracerProvider

from collector.cli import main
from collector.process.servers import Addresses
from otel_opto.doctor import CHECKS, Finding, Level, application, document_of, examine, lines_of
from otel_opto.doctor.examination import _parameters, _sampler, _status
from otel_opto.setup import Sdk
from otel_opto.spec import ParameterSpec, ParameterType
from otel_opto.testing import FakeReleaseServer
from tests.unit.collector.ui.conftest import TOKENS, begun

ENDED = {"OTEL_OPTO_ENDPOINT": "http://127.0.0.1:1", "OTEL_SERVICE_NAME": "qa"}


def found(environment: dict[str, str], sdk: Sdk | None = None, *, imported: bool = False) -> dict[str, Finding]:
    findings = examine({**ENDED, **environment}, sdk or Sdk(), ProxyTracerProvider(), imported=imported)
    return {one.name: one for one in findings}


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Addresses]:
    listed = "".join(
        f"\n    - {{name: {name}, token: {secret}, scopes: [{', '.join(scopes)}]}}"
        for name, (secret, scopes) in TOKENS.items()
    )
    collector, at = await begun(tmp_path, f"auth:\n  tokens:{listed}\n")
    yield at
    await collector.stop()


def test_each_check_has_its_finding_and_each_fault_its_cure() -> None:
    findings = found({})
    assert list(findings) == [check.name for check in CHECKS]
    assert all(one.cure for one in findings.values() if one.level is not Level.GREEN)
    assert {one.name for one in findings.values() if one.level is Level.RED} == {"collector", "spans"}
    assert "nothing listens at 127.0.0.1:1" in findings["collector"].says
    assert document_of(list(findings.values()))["level"] == "red"
    assert list(lines_of([findings["spans"]]))[-1] == "all together: red"


@pytest.mark.parametrize(
    ("environment", "name", "level", "words"),
    [
        ({"OTEL_SDK_DISABLED": "true"}, "switched on", Level.RED, "OTEL_SDK_DISABLED is set"),
        ({"OTEL_SERVICE_NAME": ""}, "service", Level.RED, "no service.name"),
        ({"OTEL_OPTO_SERVICE": "other"}, "service", Level.RED, "spans say 'qa', parameters are asked for as 'other'"),
        ({"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "100"}, "limits", Level.YELLOW, "inputs and outputs are cut"),
        ({"OTEL_PROPAGATORS": "b3"}, "propagation", Level.YELLOW, "lacks tracecontext and baggage"),
        ({"OTEL_OPTO_PARAMETERS": "none.yaml"}, "parameters", Level.RED, "none.yaml cannot be read"),
        ({"OTEL_OPTO_CACHE_DIR": f"{__file__}/below"}, "cache", Level.YELLOW, "test_doctor.py/below cannot be written"),
        ({"OTEL_OPTO_ENDPOINT": "https://127.0.0.1:1"}, "tls", Level.RED, "no TLS with 127.0.0.1:1"),
        (
            {"OTEL_OPTO_ENDPOINT": "http://127.0.0.2:1", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer x"},
            "tls",
            Level.YELLOW,
            "in clear text",
        ),
        (
            {"OTEL_OPTO_ENDPOINT": "", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1/otlp"},
            "spans",
            Level.RED,
            "http://127.0.0.1:1/otlp/v1/traces: 127.0.0.1:1 cannot be reached",
        ),
    ],
)
def test_what_an_environment_gets_wrong(environment: dict[str, str], name: str, level: Level, words: str) -> None:
    one = found(environment)[name]
    assert (one.level, words in one.says) == (level, True), one


def test_an_address_that_is_none_is_all_that_is_said() -> None:
    (one,) = examine({"OTEL_OPTO_ENDPOINT": "http://host:none"}, Sdk(), ProxyTracerProvider())
    assert (one.level, "http://host:none" in one.says) == (Level.RED, True)


@pytest.mark.parametrize(
    ("sampler", "argument", "level", "words"),
    [
        ("always_off", "", Level.RED, "keeps 0% of the traces: nothing can be learned"),
        ("parentbased_traceidratio", "0.1", Level.YELLOW, "keeps 10% of the traces: a study takes 10 times as long"),
        ("always_on", "", Level.GREEN, "keeps 100%"),
    ],
)
def test_a_sampler_is_tried(
    monkeypatch: pytest.MonkeyPatch, sampler: str, argument: str, level: Level, words: str
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", argument)
    looked_at = application.Application({}, application.settings_of({}, {}, None), TracerProvider(), Sdk(), False)
    (one,) = _sampler(looked_at)
    assert (one.level, words in one.says) == (level, True), one


def test_what_is_declared_is_said_where_the_code_was_imported() -> None:
    sdk = Sdk()
    settings = application.settings_of({}, {}, None)
    (one,) = _parameters(application.Application({}, settings, None, sdk, True))
    assert (one.level, "otel_opto.parameter()" in one.cure) == (Level.YELLOW, True)
    sdk.registry.declare(ParameterSpec("k", ParameterType.INTEGER, 1))
    (one,) = _parameters(application.Application({}, settings, None, sdk, True))
    assert (one.level, one.says) == (Level.GREEN, "1 declared: k")
    (one,) = _status(application.Application({}, settings, None, sdk, True))
    assert (one.level, "configure() was not called" in one.says) == (Level.YELLOW, True)


async def test_a_collector_that_takes_everything_is_green_over_both_protocols(guarded: Addresses) -> None:
    token = {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer {TOKENS['boss'][0]}"}
    ways = (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{guarded.otlp_grpc}", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{guarded.otlp_http}"},
    )
    for way in ways:
        environment = {**ENDED, "OTEL_OPTO_ENDPOINT": f"http://{guarded.otlp_grpc}", **token, **way}
        said = await told(environment)
        assert {one["name"]: one["says"] for one in said["findings"] if one["level"] == "red"} == {}
        by_name = {one["name"]: one["says"] for one in said["findings"]}
        assert "for 'qa' no release is in force yet" in by_name["collector"]
        assert "takes them" in by_name["spans"]


async def test_a_token_that_is_missing_or_lacks_a_scope_is_said(guarded: Addresses) -> None:
    way = {**ENDED, "OTEL_OPTO_ENDPOINT": f"http://{guarded.otlp_grpc}"}
    for headers, words in (
        ("", "wants another token"),
        (f"authorization=Bearer {TOKENS['viewer'][0]}", "lacks a scope"),
    ):
        said = await told({**way, "OTEL_EXPORTER_OTLP_HEADERS": headers})
        by_name = {one["name"]: one for one in said["findings"]}
        assert words in by_name["collector"]["says"]
        assert by_name["spans"]["level"] == "red"
        assert "a token with the scope ingest" in by_name["spans"]["cure"]


async def told(environment: dict[str, str], *arguments: str) -> dict[str, list[dict[str, str]]]:
    """What a process of its own says, as an application's would."""
    command = [sys.executable, "-m", "otel_opto.doctor", "--json", *arguments]
    running = await asyncio.create_subprocess_exec(
        *command, env={"PATH": "/usr/bin:/bin", **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await running.communicate()
    assert err == b""
    document: dict[str, list[dict[str, str]]] = json.loads(out)
    red = document["level"] == "red"  # type: ignore[comparison-overlap]
    assert running.returncode == int(red)
    return document


async def test_the_code_of_an_application_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import otel_opto\notel_opto.configure(service_name='qa')\nk = otel_opto.parameter('k', default=1)\n",
        encoding="utf-8",
    )
    with FakeReleaseServer() as server:
        environment = {"OTEL_OPTO_ENDPOINT": server.endpoint, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}
        said = await told(environment, "--import", "app")
    by_name = {one["name"]: one for one in said["findings"]}
    assert by_name["parameters"]["says"] == "1 declared: k"
    assert by_name["service"]["says"] == "qa"
    assert by_name["status"]["level"] == "green", by_name
    (only,) = (await told(environment, "--import", "nothing_of_that_name"))["findings"]
    assert "nothing_of_that_name cannot be imported" in only["says"]


def test_the_command_line_has_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("OTEL_OPTO_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "qa")
    before = logging.getLogger("otel_opto").level
    assert main(["doctor", "--app"]) == 1
    assert logging.getLogger("otel_opto").level == before
    shown = capsys.readouterr().out
    assert "✗ red    collector" in shown
    assert "    → " in shown
