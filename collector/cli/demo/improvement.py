"""The demo's traffic: questions, dealt among the candidates, until the study has ended."""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.cli.client import ApiClient, Unreachable
from collector.cli.demo.examples import Question
from collector.cli.demo.processes import Application, CollectorProcess, DemoFailed
from collector.cli.terminal import output

_PATIENCE_SECONDS = 1_800.0
_LOOK_SECONDS = 0.02
_ASK_AGAIN_SECONDS = 1.0
_AT_ONCE = 10
"""Questions between two looks."""


@dataclass(frozen=True, slots=True)
class Improvement:
    """What the study came to."""

    study: Mapping[str, Any]
    baseline_release: int
    final_release: int
    seconds: float


def improve(
    collector: CollectorProcess, application: Application, questions: Sequence[Question], study: Mapping[str, object]
) -> Improvement:
    """Creates the study and gives the application traffic until it has ended; shows each trial as it completes.

    A collector that dies in the meantime is started again on what it kept, and the study goes on.

    Raises:
        DemoFailed: the study did not end in time.
    """
    begun = time.monotonic()
    client = ApiClient(collector.api)
    client.post("/v1/studies", study)
    path = f"/v1/studies/{study['name']}"
    progress = _Progress()
    asked = itertools.cycle(questions)
    window: Mapping[str, Any] = {}
    since, looked_at = 0, 0.0
    while True:
        record = _record(client, collector, path)
        progress.show(record)
        if record["state"] != "running":
            break
        if record["window"] and record["window"] != window:
            window, since = record["window"], 0
        enough = since >= window.get("units", 0) and time.monotonic() - looked_at < _ASK_AGAIN_SECONDS
        if application.release() is None or enough:
            time.sleep(_LOOK_SECONDS)
        else:
            for _ in range(_AT_ONCE):
                application.ask(next(asked), "train")
            since, looked_at = since + _AT_ONCE, time.monotonic()
        if time.monotonic() - begun > _PATIENCE_SECONDS:
            raise DemoFailed(f"the study did not end in {_PATIENCE_SECONDS:g} s")
    final = client.get(f"/v1/services/{study['service']}/assignment")["control"]
    return Improvement(record, record["trials"][0]["release"], final, time.monotonic() - begun)


def _record(client: ApiClient, collector: CollectorProcess, path: str) -> Mapping[str, Any]:
    try:
        record: Mapping[str, Any] = client.get(path)
    except Unreachable:
        if not collector.start_again():
            raise
        output.show(f"the collector died and was started again on what it kept (pid {collector.pid})")
        record = client.get(path)
    return record


class _Progress:
    """One line for each trial that has completed since the last look."""

    def __init__(self) -> None:
        self._shown = 0
        self._best: float | None = None

    def show(self, record: Mapping[str, Any]) -> None:
        trials = record["trials"]
        for trial in trials[self._shown :]:
            if trial["state"] != "complete":
                return
            self._shown += 1
            better = self._best is None or trial["score"] > self._best
            self._best = trial["score"] if better else self._best
            mark = "★" if better else " "
            output.show(f"release {trial['release']:3}  score {trial['score']:.3f} {mark} {_what(trials, trial)}")


def _what(trials: Sequence[Mapping[str, Any]], trial: Mapping[str, Any]) -> str:
    """What the trial tried, against the baseline."""
    if trial["number"] == 0:
        return "the application's own values"
    baseline = trials[0]["values"]
    changed = [
        f"{key.split('.')[-1]}={_short(value)}" for key, value in trial["values"].items() if value != baseline[key]
    ]
    return ", ".join(changed) or "the baseline again"


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    text = str(value)
    return repr(text if len(text) <= 24 else text[:23] + "…") if isinstance(value, str) else text
