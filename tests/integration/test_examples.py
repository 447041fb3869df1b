"""The applications that people have, with the lines that are ours: the frameworks as published, a scripted model."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes_openai import ScriptedOpenAI
from tests.integration.peers import free_port
from tests.integration.running import RunningCollector, eventually

ROOT = Path(__file__).parents[2]
APPS = ROOT / "examples" / "existing_apps"
QUESTION = "How tall is the lighthouse?"
ANSWER = "The lighthouse is 31 metres tall."

SERVICES = {
    "langgraph_openinference": ("langgraph-qa", "prompt", "Answer in a word from: {passages}"),
    "pydantic_ai_logfire": ("pydantic-ai-qa", "instructions", "Answer in a word."),
    "openai_agents_traceloop": ("agents-qa", "instructions", "Answer with a number."),
}
SENT = {
    "langgraph_openinference": "Answer in a word from: The lighthouse is 31 metres tall.",
    "pydantic_ai_logfire": "Answer in a word.",
    "openai_agents_traceloop": "Answer with a number.",
}


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of the examples; skips where it is not there, or where another Python is being tested."""
    done = subprocess.run([str(ROOT / "scripts" / "examples"), "--check"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(done.stderr.strip())
    home = Path(done.stdout.strip())
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not (home / "lib" / version).exists():
        pytest.skip(f"the environment of the examples is not of {version}; once is enough")
    return home / "bin" / "python"


def environment(collector: RunningCollector, cache: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "TRACELOOP_BASE_URL": collector.http,
        "OTEL_OPTO_ENDPOINT": collector.grpc,
        "OTEL_OPTO_CACHE_DIR": str(cache),
        "OPENAI_API_KEY": "none",
    }


def released(collector: RunningCollector, service: str, key: str, default: object, value: object) -> None:
    """A first release of a service, in force for everybody."""
    kind = "integer" if isinstance(default, int) else "text"
    declared = {"parameters": [{"key": key, "type": kind, "default": default}]}
    collector.client.put(f"/v1/services/{service}/parameters", declared)
    collector.give_everybody(service, {key: value})


@pytest.fixture(scope="module")
def ran(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningCollector, list[str]]]:
    """All of them have answered one question; the collector, and the instructions that the model was sent."""
    directory = tmp_path_factory.mktemp("examples")
    with RunningCollector(directory / "data") as collector, ScriptedOpenAI([ANSWER]) as model:
        for service, key, value in SERVICES.values():
            released(collector, service, key, value, value)

        def run(app: str) -> None:
            settings = {**environment(collector, directory / app), "OPENAI_BASE_URL": model.base_url}
            command = [str(python), str(APPS / app / "after" / "app.py"), QUESTION, "session-1"]
            done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, done.stderr
            assert ANSWER in done.stdout

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(run, SERVICES))
        yield collector, [sent["messages"][0]["content"] for sent in model.requests]


def traces_of(collector: RunningCollector, service: str) -> list[dict[str, Any]]:
    """Those of a service, newest first."""
    listed = collector.client.get("/v1/traces", limit=0)["traces"]
    return [one for one in listed if service in one["services"]]


@pytest.mark.parametrize("app", SERVICES)
def test_an_app_takes_the_released_value_and_says_so(ran: tuple[RunningCollector, list[str]], app: str) -> None:
    collector, instructions = ran
    service, key, value = SERVICES[app]
    assert SENT[app] in instructions
    trace = traces_of(collector, service)[0]["trace_id"]
    graph = collector.client.get(f"/v1/traces/{trace}/graph")
    (used,) = [one for one in graph["parameters"] if one["key"] == key]
    assert (used["text"], used["version"] is not None) == (value, True)
    assert len(graph["nodes"]) > 4


def test_an_app_judges_its_own_answer(ran: tuple[RunningCollector, list[str]]) -> None:
    collector, _ = ran
    for service in ("pydantic-ai-qa",):
        traces = {one["trace_id"] for one in traces_of(collector, service)}
        given = collector.client.get("/v1/feedback", limit=0)["feedback"]
        assert [one["score"] for one in given if one["trace_id"] in traces][:1] == [1.0], service


def test_two_services_answer_one_request_with_one_release_each(python: Path, tmp_path: Path) -> None:
    ports = {"answers": free_port(), "gateway": free_port()}
    with RunningCollector(tmp_path / "data") as collector, ExitStack() as stack:
        released(collector, "gateway", "style", "{answer}", "It is said: {answer}")
        released(collector, "answers", "limit", 1, 2)
        for name, port in ports.items():
            settings = environment(collector, tmp_path / name)
            settings["ANSWERS_URL"] = f"http://127.0.0.1:{ports['answers']}"
            where = str(APPS / "fastapi_two_services" / "after")
            command = [str(python), "-m", "uvicorn", f"{name}:app", "--app-dir", where, "--port", str(port)]
            process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)

        def asked() -> str:
            url = f"http://127.0.0.1:{ports['gateway']}/ask?question=lighthouse"
            try:
                with urllib.request.urlopen(url, timeout=30) as answer:
                    return str(json.load(answer)["reply"])
            except OSError:
                return ""

        expected = f"It is said: {ANSWER} The ferry leaves at nine."
        eventually(lambda: asked() == expected, 60)

        def used() -> list[set[str]]:
            """The parameters of each trace, as far as its spans have come."""
            graphs = (f"/v1/traces/{one['trace_id']}/graph" for one in traces_of(collector, "gateway"))
            return [{used["key"] for used in collector.client.get(path)["parameters"]} for path in graphs]

        eventually(lambda: {"style", "limit"} in used())


def test_the_examples_are_typed(python: Path) -> None:
    mypy = python.parent / "mypy"
    command = [str(mypy), "--config-file", str(APPS / "mypy.ini"), "--cache-dir", str(python.parent.parent / "mypy")]
    done = subprocess.run([*command, str(APPS)], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
