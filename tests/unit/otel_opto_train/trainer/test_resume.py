"""A training that is killed goes on where it was; the command line."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from collector.cli import main
from collector.cli.train import report_in

APP = """
import os, pathlib
import otel_opto

size = otel_opto.parameter("size", default=1, minimum=0, maximum=100)
shout = otel_opto.parameter("shout", default=False)


@otel_opto.node
def answer(question):
    log = pathlib.Path("ran.txt")
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{question} {size.value} {shout.value}\\n")
    die_at = int(os.environ.get("DIE_AT", "0"))
    if die_at and len(log.read_text(encoding="utf-8").splitlines()) >= die_at:
        os.kill(os.getpid(), 9)
    return size.value + (100 if shout.value else 0)


def judge(output, expected):
    return (1 - abs(output - expected) / 200, "nearer to 142")
"""
COMMAND = ("train", "app:answer", "--guide", "app:judge", "--data", "data.jsonl", "--ledger", "kept", "--seed", "4")
DATA = "\n".join(json.dumps({"input": f"q{number}", "expected": 142}) for number in range(24))


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "data.jsonl").write_text(DATA, encoding="utf-8")
    return tmp_path


def run(desk: Path, arguments: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", "import sys; from collector.cli import main; sys.exit(main())"]
    return subprocess.run(
        [*command, *arguments], cwd=desk, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_killed_twice_it_comes_to_the_same_end_and_runs_nothing_twice(desk: Path) -> None:
    more = ("--rounds", "3", "--workers", "2", "--json")
    for die_at in ("8", "30"):
        assert run(desk, (*COMMAND, *more), DIE_AT=die_at).returncode == -signal.SIGKILL
    done = run(desk, (*COMMAND, *more))
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report_in(str(desk / "kept"), "training") == report  # a study goes on with it
    ran = (desk / "ran.txt").read_text(encoding="utf-8").splitlines()
    assert report["evaluations"] == len(set(ran))
    assert len(ran) - len(set(ran)) <= 2 * 4  # what was under way, or not written yet, when it was killed
    (desk / "ran.txt").unlink()
    undisturbed = run(desk, ("other" if one == "kept" else one for one in (*COMMAND, *more)))  # type: ignore[arg-type]
    same = ("best", "values", "candidates", "test", "verdict", "why", "evaluations")
    assert {key: json.loads(undisturbed.stdout)[key] for key in same} == {key: report[key] for key in same}
    assert done.returncode == undisturbed.returncode == (0 if report["better"] else 1)


def test_the_command_shows_table_verdict_and_chart(desk: Path) -> None:
    done = run(desk, (*COMMAND, "--rounds", "4", "--test", "0.5", "--chart", "scores.svg"))
    assert done.stderr == ""
    assert "candidate 0  0.2" in done.stdout
    assert "test, the baseline: 0.2" in done.stdout
    assert "better by +" in done.stdout
    assert (desk / "scores.svg").read_text(encoding="utf-8").startswith("<svg")
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"app:answer": "app:nothing"}, "app:nothing: module 'app' has no attribute 'nothing'"),
        ({"app:judge": "app:size"}, "app:size: found Parameter, allowed is a function"),
        ({"4": "-1"}, "seed: found -1, allowed is 0 to 4294967295"),
        ({"data.jsonl": "app.py"}, "app.py, line 2: Expecting value"),
        ({"--seed": "--optimizer", "4": "serach"}, "optimizer: unknown 'serach'; available: "),
        ({"data.jsonl": "none.jsonl"}, "none.jsonl: No such file or directory; allowed is a JSON Lines file"),
        (
            {"data.jsonl": "http://127.0.0.1:1"},
            "--data http://127.0.0.1:1: no collector answers at http://127.0.0.1:1:",
        ),
        ({"--ledger": "--chart", "kept": "no/x.svg"}, "--chart no/x.svg: there is no directory no"),
        ({"--ledger": "--workers", "kept": "0"}, "workers: found 0, allowed is 1 and more"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_run(
    desk: Path,
    change: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(desk)
    monkeypatch.syspath_prepend(desk)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    assert main([change.get(one, one) for one in COMMAND]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
    assert not (desk / "ran.txt").exists()


def test_what_cannot_go_on_is_said_and_is_not_the_code_of_no_gain(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "data.jsonl").write_text(DATA.replace("142", '"much"'), encoding="utf-8")
    monkeypatch.chdir(desk)
    monkeypatch.syspath_prepend(desk)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    assert main([*COMMAND]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("otel-opto: none of the 12 examples of the baseline has a score")
    assert "Traceback" not in told.err


def test_a_release_has_an_owner() -> None:
    assert main([*COMMAND, "--release"]) == 2
