"""The demo's second act: a good release is promoted and a bad one taken back, on traffic of simulated users."""

import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from collector.cli.client import ApiClient, quoted
from collector.cli.demo.examples import Question, examples_directory, questions
from collector.cli.demo.processes import Application, CollectorProcess, DemoFailed
from collector.cli.demo.report import show_page
from collector.cli.terminal import output

_GOOD: Mapping[str, object] = {
    "answer.template": "{answer}", "extractor.window": 10, "ranker.title_weight": 3.0, "retriever.length_penalty": 0.25,
}  # fmt: skip
_BAD: Mapping[str, object] = {"answer.template": "{title}: {sentence}", "extractor.window": 2}
_PATIENCE_SECONDS = 110.0
_HEADINGS = (
    f"{'time':>5}  {'state':<10} {'share':>6}  {'control':>14}  {'arm':>14}  {'e(harm)':>8}  {'e(sound)':>8}  next"
)


def run_live(directory: Path, service: str, metric: str, seed: int, *, browser: bool = False) -> bool:
    """Shows both rollouts; whether the good one was promoted and the bad one taken back."""
    home = examples_directory()
    asked = questions(home)
    with CollectorProcess(directory) as collector, Application(home, directory, collector.otlp_grpc) as application:
        show_page(collector, browser=browser)
        output.show(f"collector   {collector.api} (pid {collector.pid}), data in {directory}")
        output.show(f"application {application.address} (pid {application.pid}), service {service}")
        users = _Users(application, asked, random.Random(seed))  # noqa: S311 - simulated users
        client = ApiClient(collector.api)
        declared = _declared(client, service)
        _propose(client, service, {key: declared[key] for key in _GOOD}, "what the code has")
        good = _propose(client, service, _GOOD, "a better template, window and weights")
        promoted = _rolled_out(client, users, "better", _plan(service, metric, good))
        bad = _propose(client, service, _BAD, "a planted mistake")
        aborted = _rolled_out(client, users, "worse", _plan(service, metric, bad))
        output.show("")
        output.show(f"The good release is {promoted}, the bad one {aborted}. Who decided what: otel-opto audit")
        application.stop()
    return (promoted, aborted) == ("promoted", "aborted")


class _Users:
    """Each comes once and asks one question."""

    def __init__(self, application: Application, asked: Sequence[Question], rng: random.Random) -> None:
        self._application = application
        self._asked = asked
        self._rng = rng
        self._came = 0

    def come(self, seconds: float) -> None:
        """One after the other for that time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._came += 1
            self._application.ask(self._rng.choice(self._asked), "live", user=f"user-{self._came}")


def _declared(client: ApiClient, service: str) -> Mapping[str, object]:
    """The application's own values, once it has declared them."""
    until = time.monotonic() + 10.0
    while time.monotonic() < until:
        found = client.get(f"/v1/services/{quoted(service)}/parameters")["parameters"]
        declared = {parameter["key"]: parameter["default"] for parameter in found}
        if declared.keys() >= _GOOD.keys():
            return declared
        time.sleep(0.1)
    raise DemoFailed(f"the application did not declare {', '.join(_GOOD)} in 10 s; its log is in the data directory")


def _propose(client: ApiClient, service: str, values: Mapping[str, object], reason: str) -> int:
    document = {"values": dict(values), "reason": reason}
    number: int = client.post(f"/v1/services/{quoted(service)}/releases", document)["number"]
    return number


def _plan(service: str, metric: str, release: int) -> dict[str, object]:
    return {
        "service": service,
        "release": release,
        "metric": {"name": metric},
        "stages": [{"share": share, "least_seconds": 4.0} for share in (0.1, 0.25, 0.5)],
        "policy": "automatic",
        "feedback_delay_seconds": 2.0,
        "least_units": 100,
    }


def _rolled_out(client: ApiClient, users: _Users, name: str, plan: Mapping[str, object]) -> str:
    """Starts it and shows a line a second until it has ended; its last state."""
    client.put(f"/v1/rollouts/{name}", plan)
    for line in ("", f"rollout {name}: release {plan['release']}", _HEADINGS):
        output.show(line)
    begun = time.monotonic()
    while True:
        users.come(1.0)
        report = client.get(f"/v1/rollouts/{name}")
        passed = time.monotonic() - begun
        output.show(_line(passed, report))
        if report["state"] in ("promoted", "aborted") or passed > _PATIENCE_SECONDS / 2:
            state: str = report["state"]
            return state


def _line(passed: float, report: Mapping[str, Any]) -> str:
    said = report["evidence"]
    cells = (
        f"{passed:4.0f}s",
        f"{report['state']:<10} {report['share'] * 100:>4g} %",
        f"{_mean(said['control']):>14}",
        f"{_mean(said['arm']):>14}",
        f"{said['harm_e_value']:>8.3g}",
        f"{said['sound_e_value']:>8.3g}",
        report["next"]["message"],
    )
    return "  ".join(cells)


def _mean(arm: Mapping[str, Any]) -> str:
    return "-" if arm["mean"] is None else f"{arm['mean']:.2f} of {arm['units']}"
