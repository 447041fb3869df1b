"""The command line as a person and as a script use it."""

import json
import re
import subprocess
import sys
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from collector.render.published import GraphDocument
from tests import samples
from tests.integration.running import RunningCollector, eventually


def opto(*arguments: str, collector: RunningCollector | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "collector", *arguments]
    if collector is not None:
        command += ["--collector", collector.api]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def export(collector: RunningCollector, signal: str, body: bytes) -> None:
    request = urllib.request.Request(f"{collector.http}/v1/{signal}", body, {"Content-Type": "application/x-protobuf"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


@pytest.fixture
def judged(collector: RunningCollector) -> str:
    """A stored trace with dataflow and feedback; its id."""
    spans = [
        samples.span(7, 1, name="ask", values={"opto.output": '"42"', "opto.param.k.value": 3}),
        samples.span(7, 2, 1, "find", values={"opto.input.q": '"why"', "opto.output": '["a"]'}, start=1),
        samples.span(7, 3, 1, "tell", values={"opto.output": '"42"'}, links=[(2, "found")], start=2),
    ]
    export(collector, "traces", samples.traces_request(spans))
    export(collector, "logs", samples.logs_request([samples.evaluation(7, 1, 0.25, "too short")]))
    eventually(lambda: collector.client.get("/v1/feedback")["feedback"][0]["state"] == "attached")
    return samples.trace_id(7)


def test_the_collector_says_where_it_is_is_ready_and_ends_cleanly(tmp_path: Path) -> None:
    with RunningCollector(tmp_path / "data") as running:
        assert set(running.ready) >= {"otlp_grpc", "otlp_http", "api"}
        assert not any(address.endswith(":0") for address in running.addresses.values())
        with urllib.request.urlopen(f"{running.api}/readyz") as answer:
            assert answer.status == 200
        assert running.stop() == 0


def test_traces_and_graph_in_every_form(collector: RunningCollector, judged: str, tmp_path: Path) -> None:
    listed = json.loads(opto("traces", "--json", collector=collector).stdout)
    assert [(t["trace_id"], t["root_name"], t["span_count"]) for t in listed] == [(judged, "ask", 3)]
    graph = json.loads(opto("graph", judged, "--json", collector=collector).stdout)
    assert TypeAdapter(GraphDocument).validate_python(graph, strict=True) == graph
    assert graph["trace_id"] == judged
    assert graph["feedback"][0]["text"] == "too short"
    assert graph["outputs"][0]["value"] == "42"
    tree = opto("graph", judged, collector=collector).stdout
    assert all(word in tree for word in ("ask", "find", "tell", "too short"))
    traced = json.loads(opto("graph", judged, "--tgj", collector=collector).stdout)
    assert (traced["tgj"], [record["name"] for record in traced["nodes"]][-1]) == ("1.0", "ask")
    assert opto("graph", judged, "--dot", collector=collector).stdout.startswith("digraph")
    why = opto("graph", judged, "--explain", "3", collector=collector).stdout
    assert all(word in why for word in ("by opto from opto.output", "rule 'argument', 100%", "rule 'result', 50%"))
    said = json.loads(opto("graph", judged, "--explain", "3", "--json", collector=collector).stdout)
    assert [one["fact"] for one in said["statements"]] == ["argument found", "output"]
    assert opto("graph", judged, "--explain", "9", collector=collector).returncode == 1
    picture = tmp_path / "graph.svg"
    assert opto("graph", judged, "--svg", str(picture), collector=collector).returncode == 0
    assert ET.parse(picture).getroot().tag.endswith("svg")


def test_what_looks_like_a_prompt_is_shown_with_the_code_that_makes_it_a_parameter(
    collector: RunningCollector, judged: str
) -> None:
    nothing = opto("discoveries", "--service", "shop", collector=collector)
    assert (nothing.returncode, "nothing that looks like an undeclared prompt" in nothing.stdout) == (0, True)
    said = samples.span(8, 1, name="ask", values={"app.prompt": "Answer {question}.", "app.answer": "42"})
    export(collector, "traces", samples.traces_request([said]))
    eventually(lambda: len(collector.client.get("/v1/traces")["traces"]) == 2)
    shown = json.loads(opto("discoveries", "--service", "shop", "--json", collector=collector).stdout)
    (found,) = shown["discoveries"]
    assert (found["key"], found["text"], found["trace_id"]) == ("app.prompt", "Answer {question}.", samples.trace_id(8))
    assert found["code"] in opto("discoveries", "--service", "shop", collector=collector).stdout.replace("\n    ", "\n")
    refused = opto("discoveries", "--service", "shop", "--traces", "101", collector=collector)
    assert (refused.returncode, "allowed are 0 to 100" in refused.stderr) == (1, True)


def test_a_graph_can_be_read_from_a_data_directory_without_a_collector(
    collector: RunningCollector, judged: str
) -> None:
    directory = collector.ready["data_dir"]
    busy = opto("graph", judged, "--data-dir", directory)
    assert busy.returncode == 2
    assert directory in busy.stderr
    collector.stop()
    assert "tell" in opto("graph", judged, "--data-dir", directory).stdout
    assert "opto.output" in opto("graph", judged, "--data-dir", directory, "--explain", "3").stdout


def test_feedback_studies_and_releases(collector: RunningCollector, judged: str) -> None:
    sent = opto("feedback", "send", judged, "--name", "stars", "--score", "4", collector=collector)
    assert sent.returncode == 0
    listed = json.loads(opto("feedback", "--json", collector=collector).stdout)
    assert {(f["name"], f["score"]) for f in listed} == {("stars", 4.0), ("quality", 0.25)}
    spec = {"parameters": [{"key": "k", "type": "integer", "default": 3, "minimum": 1, "maximum": 9}]}
    request = urllib.request.Request(
        f"{collector.api}/v1/services/shop/parameters", json.dumps(spec).encode(), method="PUT"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    created = opto("studies", "create", "tune", "--service", "shop", "--metric", "quality", collector=collector)
    assert created.returncode == 0
    again = opto("studies", "create", "again", "--service", "shop", "--metric", "quality", collector=collector)
    assert (again.returncode, "'tune'" in again.stderr) == (1, True)
    eventually(lambda: collector.client.get("/v1/releases")["releases"])
    assert "baseline" in opto("releases", collector=collector).stdout
    shown = json.loads(opto("releases", "show", "1", "--json", collector=collector).stdout)
    assert (shown["values"], shown["acknowledgements"]) == ({"k": 3}, [])
    assert "nothing → 3" in opto("releases", "diff", "0", "1", collector=collector).stdout
    study = opto("studies", "show", "tune", collector=collector).stdout
    assert "study tune of shop is running: at work" in study
    rolled = json.loads(opto("releases", "rollback", "1", "--json", collector=collector).stdout)
    assert (rolled["number"], rolled["values"]) == (2, {"k": 3})
    study = json.loads(opto("studies", "show", "tune", "--json", collector=collector).stdout)
    assert study["state"] == "stopped"
    assert "rollback to release 1" in study["message"]


def test_a_study_tells_of_feedback_without_scores_and_maps_labels(collector: RunningCollector) -> None:
    spec = {"parameters": [{"key": "k", "type": "integer", "default": 3, "minimum": 1, "maximum": 9}]}
    url = f"{collector.api}/v1/services/shop/parameters"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(spec).encode(), method="PUT")):
        pass
    creating = ("studies", "create", "tune", "--service", "shop", "--metric", "verdict", "--batch-size", "2")
    wrong = opto(*creating, "--label", "good", collector=collector)
    assert (wrong.returncode != 0, "allowed is LABEL=SCORE" in wrong.stderr) == (True, True)
    created = opto(*creating, "--label", "ok=1", "--label", "no=0", "--json", collector=collector)
    assert json.loads(created.stdout)["labels"] == {"ok": 1.0, "no": 0.0}
    eventually(lambda: collector.client.get("/v1/releases")["releases"])
    export(collector, "traces", samples.traces_request([samples.span(1, 1, values={"opto.release": 1})]))
    trace = samples.trace_id(1)
    for name, label in (("verdict", "good"), ("speed", "fast")):
        assert opto("feedback", "send", trace, "--name", name, "--label", label, collector=collector).returncode == 0
    told = "1 feedback, none has a score: map the labels in a new study (--label good=1 --label bad=0)"
    eventually(lambda: told in opto("studies", "show", "tune", collector=collector).stdout)
    message = collector.client.get("/v1/studies/tune")["message"]
    assert "labels seen: 'good' (1); mapped: ok, no; other metrics on this release: 'speed' (1)" in message


def test_feedback_by_response_id_and_the_last_word(collector: RunningCollector) -> None:
    nothing = opto("feedback", "send", "--name", "stars", "--score", "1", collector=collector)
    assert (nothing.returncode, "or none where response_id or by_key names what is judged" in nothing.stderr) == (
        1,
        True,
    )
    for score in ("1", "5"):
        sending = ("feedback", "send", "--response-id", "chatcmpl-1", "--name", "stars", "--score", score)
        assert opto(*sending, collector=collector).returncode == 0
    assert "chatcmpl-1" in opto("feedback", collector=collector).stdout
    chat = samples.span(1, 2, 1, "chat", values={"gen_ai.response.id": "chatcmpl-1"})
    export(collector, "traces", samples.traces_request([samples.span(1, 1), chat]))
    eventually(lambda: all(f["state"] == "attached" for f in collector.client.get("/v1/feedback")["feedback"]))
    listed = collector.client.get("/v1/feedback", trace_id=samples.trace_id(1))["feedback"]
    assert [(f["score"], f["superseded"]) for f in listed] == [(5.0, False), (1.0, True)]
    assert {(f["span_id"], f["response_id"]) for f in listed} == {(samples.span_id(2), "chatcmpl-1")}
    assert "attached, superseded" in opto("feedback", collector=collector).stdout
    graph = json.loads(opto("graph", samples.trace_id(1), "--json", collector=collector).stdout)
    assert [f["score"] for f in graph["feedback"]] == [5.0]


def test_studies_of_the_configuration_begin_once_and_go_on(tmp_path: Path) -> None:
    config = tmp_path / "collector.yaml"
    study = "{name: standing, service: shop, metric: quality, feedback_filter: {split: train}}"
    config.write_text(f"studies: [{study}]\n", encoding="utf-8")
    for _ in range(2):
        with RunningCollector(tmp_path / "data", None, "--config", str(config)) as running:
            (listed,) = running.client.get("/v1/studies")["studies"]
            assert (listed["name"], listed["state"], listed["trials"]) == ("standing", "running", [])
    config.write_text(f"studies: [{study[:-1]}, name2: x}}]\n", encoding="utf-8")
    wrong = opto("collector", "--config", str(config), "--validate")
    assert (wrong.returncode, "studies.0.name2" in wrong.stderr) == (2, True)


def test_exit_codes_tell_scripts_what_happened(collector: RunningCollector, tmp_path: Path) -> None:
    assert opto("releases", "show", "99", collector=collector).returncode == 1
    assert opto("nonsense").returncode == 2
    config = tmp_path / "wrong.yaml"
    config.write_text("api: {endpont: x}\n", encoding="utf-8")
    wrong = opto("collector", "--config", str(config))
    assert (wrong.returncode, "api.endpont" in wrong.stderr) == (2, True)
    gone = opto("traces", "--collector", "http://127.0.0.1:9")
    assert (gone.returncode, "no collector answers" in gone.stderr) == (3, True)
    taken = opto("collector", "--data-dir", str(tmp_path / "other"), "--api", collector.ready["api"])
    assert (taken.returncode, "api.endpoint" in taken.stderr) == (2, True)


def test_what_senders_write_moves_nobodys_cursor(collector: RunningCollector) -> None:
    evil = "q\x1b]0;t\x07\x1b[2J\x9b2J\r\nFAKE\u202eexe\u2028\x7f"
    span = samples.span(8, 1, name=evil, values={"opto.output": json.dumps(evil), "opto.param.k.value": evil})
    sending = (
        ("v1/traces", samples.traces_request([span]), "application/x-protobuf", collector.http),
        (
            "v1/feedback",
            json.dumps(
                {"feedback": [{"trace_id": samples.trace_id(8), "name": evil, "label": evil, "text": evil, "score": 1}]}
            ).encode(),
            "application/json",
            collector.api,
        ),
    )
    for path, body, kind, address in sending:
        request = urllib.request.Request(f"{address}/{path}", body, {"Content-Type": kind})
        with urllib.request.urlopen(request) as answer:
            assert answer.status in (200, 201)
    for arguments in (
        ("traces",),
        ("traces", "--json"),
        ("feedback",),
        ("feedback", "--json"),
        ("graph", samples.trace_id(8)),
        ("graph", samples.trace_id(8), "--dot"),
        ("graph", samples.trace_id(8), "--tgj"),
        ("graph", evil),
        ("studies", "show", evil),
        ("stats",),
    ):
        command = [sys.executable, "-m", "collector", *arguments, "--collector", collector.api]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        shown = (done.stdout + done.stderr).decode()
        assert shown
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e]", shown), arguments
        assert not any(line.startswith("FAKE") for line in shown.splitlines())


@pytest.mark.parametrize(
    "command", ["collector", "demo", "studies", "releases", "feedback", "graph", "traces", "stats"]
)
def test_every_command_explains_itself(command: str) -> None:
    explained = opto(command, "--help")
    assert explained.returncode == 0
    assert len(explained.stdout.splitlines()) > 5
