"""What is given of a study on the command line."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from collector.cli import parser
from collector.cli.train import report_in, suggestions_of
from collector.core.errors import ConfigError
from collector.core.ledger import Change, Event
from collector.process.service import SystemClock
from collector.storage.file_store import FileStore

_CREATE = ("studies", "create", "tune", "--service", "qa", "--metric", "quality", "--estimate", "--json")


def created(*given: str) -> int:
    arguments = parser("studies").parse_args([*_CREATE, *given])
    code: int = arguments.run(arguments)
    return code


def test_objectives_and_what_may_not_get_worse_are_options(capsys: pytest.CaptureFixture[str]) -> None:
    bounds = ("--not-worse", "latency.p95=0.1", "--not-worse", "quality=0.02")
    assert created(*bounds, "--objective", "cost,highest=0.05,weight=0.5,direction=minimize") == 0
    assert json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("wrong", ["cost,highest=high", "cost,top=1", "cost,weight"])
def test_what_is_no_objective_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="allowed behind the name are highest=NUMBER, lowest=NUMBER, weight=NUMBER"):
        created("--objective", wrong)


def part(mean: float | None, n: int = 8) -> dict[str, object]:
    return {"n": n, "mean": mean}


def candidate(number: int, validation: float | None, fate: str = "open", train: float = 0.5) -> dict[str, object]:
    return {
        "number": number, "values": {"x": number}, "reasoning": "a variant", "fate": fate, "why": "",
        "train": part(train), "validation": part(validation),
    }  # fmt: skip


REPORT: dict[str, Any] = {
    "name": "t", "direction": "maximize",
    "candidates": [
        candidate(0, 0.4), candidate(1, 0.6), candidate(2, 0.3), candidate(3, 0.9), candidate(4, 0.8, "invalid"),
        candidate(5, None, train=0.9),
    ],
}  # fmt: skip


def test_what_looked_better_in_a_training_is_suggested_the_best_first() -> None:
    found = suggestions_of(REPORT)
    assert [one["values"] for one in found] == [{"x": 3}, {"x": 1}, {"x": 5}]
    assert found[0]["reasoning"] == "training t, candidate 3: +0.5 on 8 examples of its validation part; a variant"
    turned = suggestions_of({**REPORT, "direction": "minimize"})
    assert [one["values"] for one in turned] == [{"x": 2}]
    with pytest.raises(ConfigError, match="no candidate of training 't' looked better there"):
        suggestions_of({**REPORT, "candidates": REPORT["candidates"][:1]})
    with pytest.raises(ConfigError, match="it is no training's report: "):
        suggestions_of({"candidates": [{}, {}]})


def test_a_report_is_a_file_or_in_a_trainings_directory(tmp_path: Path) -> None:
    async def kept() -> None:
        store = FileStore(tmp_path / "kept", SystemClock())
        await store.start()
        await store.ledger.append([Change("training/t", 0, (Event("training_reported", REPORT),))], "training:t")
        await store.ledger.append([Change("training/half", 0, (Event("training_began", {}),))], "training:half")
        await store.stop()

    asyncio.run(kept())
    (tmp_path / "report.json").write_text(json.dumps(REPORT), encoding="utf-8")
    assert report_in(str(tmp_path / "report.json"), "") == REPORT
    assert report_in(str(tmp_path / "kept"), "t") == REPORT
    for name, said in (("half", "it has not ended"), ("other", "there is no training 'other'; there are: half, t")):
        with pytest.raises(ConfigError, match=said):
            report_in(str(tmp_path / "kept"), name)
    (tmp_path / "report.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigError, match="no training's report; otel-opto train … --json says one"):
        report_in(str(tmp_path / "report.json"), "")
    with pytest.raises(ConfigError, match="allowed is a training's report or directory"):
        report_in(str(tmp_path / "nothing.json"), "")
