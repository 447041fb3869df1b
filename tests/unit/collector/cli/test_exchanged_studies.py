"""Studies leave one collector and come into another, whole and once, as what has ended."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.cli import main
from collector.process.servers import Addresses
from tests.unit.collector.ui.conftest import begun
from tests.unit.collector.ui.studied import studied

_OF_HERE = {"release", "next_trials_cursor", "next_rejected_cursor"}


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Addresses, Addresses]]:
    """One collector with two studies, and an empty one."""
    directories = [tmp_path / name for name in ("one", "other")]
    for directory in directories:
        directory.mkdir()
    (directories[0] / "data").mkdir()
    await studied(directories[0] / "data")
    running = [await begun(directory) for directory in directories]
    yield running[0][1], running[1][1]
    for collector, _ in running:
        await collector.stop()


async def command(at: Addresses, *arguments: str) -> int:
    return await asyncio.to_thread(main, [*arguments, "--collector", f"http://{at.api}"])


async def imported(at: Addresses, file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any, str]:
    capsys.readouterr()
    code = await command(at, "import", str(file), "--otlp", f"http://{at.otlp_http}", "--json")
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err


def without_here(found: Any) -> Any:
    """What does not depend on the collector."""
    if isinstance(found, dict):
        return {key: without_here(value) for key, value in found.items() if key not in _OF_HERE}
    return [without_here(one) for one in found] if isinstance(found, list) else found


async def told(at: Addresses, path: str) -> Any:
    async with httpx.AsyncClient(base_url=f"http://{at.api}", timeout=60) as client:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.headers["content-type"].startswith("application/json") else answer.text


async def test_a_study_comes_over_whole_and_once(
    both: tuple[Addresses, Addresses], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = both
    file, back = tmp_path / "studies.jsonl", tmp_path / "back.jsonl"
    assert await command(one, "export", "--studies", "--out", str(file)) == 0
    assert "2 studies" in capsys.readouterr().err
    code, counts, said = await imported(other, file, capsys)
    assert said == ""
    assert (code, counts["studies"], counts["studies_there_already"]) == (0, 2, 0)
    for name in ("first", "second"):
        there, here = await told(one, f"/v1/studies/{name}"), await told(other, f"/v1/studies/{name}")
        assert without_here(here) == without_here(there)
        assert {trial["release"] for trial in here["trials"]} == {0}
        assert "another collector" in await told(other, f"/studies/{name}/trials/1")
        await told(other, f"/studies/{name}")
    assert (await told(other, "/v1/releases"))["releases"] == []
    for at in (other, one):  # where it came from has it, too
        code, counts, said = await imported(at, file, capsys)
        assert said == ""
        assert (code, counts["studies"], counts["studies_there_already"]) == (0, 0, 2)
    assert await command(other, "export", "--study", "first", "--out", str(back)) == 0
    code, counts, _ = await imported(one, back, capsys)  # an archive of an archive is that archive
    assert (code, counts["studies_there_already"]) == (0, 1)


async def test_a_study_that_runs_elsewhere_has_ended_here(
    both: tuple[Addresses, Addresses], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = both
    file = tmp_path / "running.jsonl"
    async with httpx.AsyncClient(base_url=f"http://{one.api}", timeout=60) as client:
        made = await client.post("/v1/studies", json={"name": "now", "service": "shop", "metric": "quality"})
        assert made.status_code == 201, made.text
    assert await command(one, "export", "--study", "now", "--out", str(file)) == 0
    for at, new in ((other, 1), (other, 0), (one, 0)):
        code, counts, said = await imported(at, file, capsys)
        assert said == ""
        assert (code, counts["studies"]) == (0, new)
    here = await told(other, "/v1/studies/now")
    assert (here["state"], here["message"]) == ("stopped", "it had not ended where it was exported")
    assert (await told(one, "/v1/studies/now"))["state"] == "running"


async def test_what_is_no_study_is_said_and_leaves_nothing(
    both: tuple[Addresses, Addresses], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = both
    file = tmp_path / "studies.jsonl"
    assert await command(one, "export", "--study", "first", "--out", str(file)) == 0
    whole = file.read_text(encoding="utf-8")

    def changed(change: Any) -> str:
        line = json.loads(whole)
        change(line["otelOptoStudy"])
        return json.dumps(line)

    def score_in_words(archive: Any) -> None:
        next(one for one in archive["events"] if one["kind"] == "window_closed")["data"]["found"][0]["score"] = "high"

    lines = [
        whole.strip()[:300],
        changed(lambda archive: archive.update(format=2)),
        changed(lambda archive: archive["events"].pop(0)),
        changed(lambda archive: archive["events"].pop(1)),  # the first trial
        changed(lambda archive: archive["events"][1].update(kind="<b>")),
        changed(lambda archive: archive["events"][0]["data"].update(name="../..")),
        changed(score_in_words),
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    code, counts, said = await imported(other, file, capsys)
    assert (code, counts["studies"], counts["lines_with_faults"], counts["damaged_lines"]) == (1, 0, 7, 1)
    for number, words in (
        (1, "it was cut"), (2, "found format 2, allowed is 1"), (3, "allowed is 'study_created'"),
        (4, "they are not those of a study: IndexError"),
        (5, "found <b>; allowed are"), (6, "allowed are 1 to 64 letters"), (7, "trials.0.score"),
    ):  # fmt: skip
        assert words in next(line for line in said.splitlines() if f"studies.jsonl:{number}:" in line), number
    assert (await told(other, "/v1/studies"))["studies"] == []
    file.write_text(whole, encoding="utf-8")
    assert (await imported(other, file, capsys))[0] == 0
    file.write_text(changed(lambda archive: archive["events"][2].update(time_unix_nano=1)), encoding="utf-8")
    code, _, said = await imported(other, file, capsys)
    assert code == 1
    assert "is there already, with other events" in said
    assert await command(one, "export", "--study", "none") == 1
