"""Traces and feedback leave one collector and come into another, whole and once."""

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.cli import main
from collector.cli.exchange.lines import lines_in
from collector.cli.terminal.progress import Progress, busy
from collector.process.servers import Addresses
from tests.samples import evaluation, logs_request, span, trace_id, traces_request
from tests.unit.collector.ui.conftest import begun

PROTOBUF = {"content-type": "application/x-protobuf"}


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Addresses, Addresses]]:
    """One collector with three judged traces of two services, and an empty one."""
    directories = [tmp_path / name for name in ("one", "other")]
    for directory in directories:
        directory.mkdir()
    running = [await begun(directory) for directory in directories]
    first = running[0][1]
    async with httpx.AsyncClient(base_url=f"http://{first.otlp_http}", headers=PROTOBUF, timeout=60) as client:
        for number, service in ((1, "qa"), (2, "qa"), (3, "shop")):
            values = {"opto.output": "naïve \u202e ∞", "n": number, "raw": b"\x00\xff", "list": ["a", 1, 0.5]}
            spans = [span(number, 1, name="request", values=values), span(number, 2, 1, error="it broke")]
            sent = await client.post("/v1/traces", content=traces_request(spans, service))
            assert sent.status_code == 200
            judged = evaluation(number, 1, 0.25, "too short", values={"opto.feedback.source": "user", "n": number})
            sent = await client.post("/v1/logs", content=logs_request([judged], service))
            assert sent.status_code == 200
    yield running[0][1], running[1][1]
    for collector, _ in running:
        await collector.stop()


async def command(at: Addresses, *arguments: str) -> int:
    return await asyncio.to_thread(main, [*arguments, "--collector", f"http://{at.api}"])


async def imported(at: Addresses, file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any, str]:
    capsys.readouterr()
    code = await command(at, "import", str(file), "--otlp", f"http://{at.otlp_http}", "--json")
    said = capsys.readouterr()
    assert said.out, said.err
    return code, json.loads(said.out), said.err


async def stored(at: Addresses) -> tuple[Any, ...]:
    """All that a collector shows of its traces and of their feedback."""
    async with httpx.AsyncClient(base_url=f"http://{at.api}", timeout=60) as client:
        listed = (await client.get("/v1/traces")).json()["traces"]
        traces = [(await client.get(f"/api/v3/traces/{one['trace_id']}?rawTraces=true")).json() for one in listed]
        feedback = (await client.get("/v1/feedback")).json()["feedback"]
        said = [(one["trace_id"], one["span_id"], one["score"], one["text"], one["source"]) for one in feedback]
        return sorted(map(json.dumps, listed)), sorted(map(json.dumps, traces)), sorted(said)


async def test_a_round_trip_loses_nothing_and_is_idempotent(
    both: tuple[Addresses, Addresses], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = both
    file = tmp_path / "all.jsonl"
    assert await command(one, "export", "--out", str(file)) == 0
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [next(iter(line)) for line in lines] == ["resourceSpans", "resourceLogs"] * 3
    assert not (tmp_path / "all.jsonl.part").exists()
    taken = {"lines": 6, "spans": 6, "spans_there_already": 0, "feedback": 3, "feedback_there_already": 0}
    taken |= {"studies": 0, "studies_there_already": 0, "damaged_lines": 0}
    assert (await imported(other, file, capsys))[:2] == (0, {**taken, "lines_with_faults": 0})
    whole = await stored(one)
    assert len(whole[0]) == 3
    assert await stored(other) == whole
    again = {"lines": 6, "spans": 0, "spans_there_already": 6, "feedback": 0, "feedback_there_already": 3}
    again |= {"studies": 0, "studies_there_already": 0, "damaged_lines": 0}
    for at in (other, one):  # where it came from has it, too
        assert (await imported(at, file, capsys))[:2] == (0, {**again, "lines_with_faults": 0})
    back = tmp_path / "back.jsonl"
    assert await command(other, "export", "--out", str(back)) == 0
    assert sorted(back.read_bytes().splitlines()) == sorted(file.read_bytes().splitlines())


async def test_what_is_wanted_is_chosen(
    both: tuple[Addresses, Addresses], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = both
    file = tmp_path / "some.jsonl"
    assert await command(one, "export", "--service", "qa", "--out", str(file)) == 0
    assert "2 traces, 4 spans, 2 feedback" in capsys.readouterr().err
    assert await command(one, "export", "--service", "qa", "--limit", "1", "--out", str(file)) == 0
    assert "1 traces, 2 spans" in capsys.readouterr().err
    assert await command(one, "export", "3", "--out", str(file)) == 0
    assert {trace_id(3)} == {
        found["traceId"]
        for group in json.loads(file.read_text(encoding="utf-8").splitlines()[0])["resourceSpans"]
        for scope in group["scopeSpans"]
        for found in scope["spans"]
    }
    capsys.readouterr()
    assert await command(one, "export", "77", "--out", str(file)) == 1
    assert "it is not stored" in capsys.readouterr().err
    assert await command(other, "export", "--out", str(file)) == 0
    assert "there are no traces" in capsys.readouterr().err
    assert file.read_bytes() == b""


async def test_damaged_lines_are_said_and_cost_themselves_alone(
    both: tuple[Addresses, Addresses], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = both
    file = tmp_path / "all.jsonl"
    assert await command(one, "export", "--out", str(file)) == 0
    lines = file.read_text(encoding="utf-8").splitlines()
    bad_span = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "none", "name": "x"}]}]}]}
    bad_word = {
        "resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "gen_ai.evaluation.result", "traceId": "1"}]}]}]
    }
    damaged = [
        lines[0],
        lines[2][:200],
        "[]",
        '{"resourceMetrics": []}',
        "",
        json.dumps(bad_span),
        json.dumps(bad_word),
    ]
    file.write_text("\n".join([*damaged, lines[4]]), encoding="utf-8")
    code, counts, said = await imported(other, file, capsys)
    assert code == 1
    assert (counts["spans"], counts["lines"], counts["lines_with_faults"]) == (4, 7, 5)
    assert counts["damaged_lines"] == 2  # no JSON objects; the others are, of something else
    for number, words in (
        (2, "it was cut; the line is passed over"),
        (3, "found list, allowed is a JSON object"),
        (4, "found 'resourceMetrics', allowed are 'resourceSpans', 'resourceLogs', 'otelOptoStudy'; the line"),
        (6, "rejected"),
        (7, "gen_ai.evaluation.result"),
    ):
        (told,) = (line for line in said.splitlines() if f"all.jsonl:{number}:" in line)
        assert words in told


async def test_who_does_not_answer_is_said(
    both: tuple[Addresses, Addresses], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = both
    file = tmp_path / "all.jsonl"
    assert await command(one, "export", "--out", str(file)) == 0
    assert await command(other, "import", str(file), "--otlp", "http://127.0.0.1:1") == 3
    assert "say where it is with --otlp URL" in capsys.readouterr().err
    assert await command(one, "import", str(tmp_path / "none")) == 2
    assert "name a file, or - for standard input" in capsys.readouterr().err


def test_a_line_without_an_end_is_not_held() -> None:
    file = io.BytesIO(b'{"a":1}\n' + b"x" * 5_000_000 + b'\n{"b":2}\n')
    found = [(line.number, line.document, line.fault[:15]) for line in lines_in(file, 1_000)]
    assert found == [(1, {"a": 1}, ""), (2, {}, "found more than"), (3, {"b": 2}, "")]


def test_progress_is_shown_at_a_terminal_and_nowhere_else() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    seconds = iter(range(100))
    for stream, shown in ((io.StringIO(), False), (Terminal(), True)):
        with Progress("traces", stream, lambda: float(next(seconds))) as progress:
            progress.step(1_234)
            progress.step()
        assert progress.count == 1_235
        assert ("1,235 traces" in stream.getvalue()) is shown
        assert stream.getvalue().endswith("\x1b[K") is shown


def test_what_cannot_be_counted_says_how_long_it_has_been_at_a_terminal_only() -> None:
    said = threading.Event()

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def flush(self) -> None:
            said.set()

    pipe, terminal = io.StringIO(), Terminal()
    with busy("copying", pipe, 0.0):
        pass
    assert pipe.getvalue() == ""
    with busy("copying", terminal, 3_600.0):
        pass
    assert terminal.getvalue() == ""  # it was done soon
    with busy("copying", terminal, 0.01):
        assert said.wait(60)
    assert terminal.getvalue().startswith("\rcopying, 0 s …")
    assert terminal.getvalue().endswith("\r\x1b[K")
