"""Which of the two services learn."""

import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from examples.experiments.frame.experiment import Form, Method, Setting, Tried
from examples.experiments.two_services.experiment import Plan, run
from examples.experiments.two_services.processes import collector

_PLANS: Mapping[Form, Plan] = {
    Form.MINUTE: Plan(late_seconds=2.0, per_second=20.0, trials=2, batch=15, units=200, patience_seconds=40.0),
    Form.SHORT: Plan(late_seconds=20.0, per_second=6.0, trials=4, batch=20, units=600, patience_seconds=900.0),
    Form.FULL: Plan(late_seconds=180.0, per_second=2.0, trials=4, batch=20, units=1_500, patience_seconds=3_600.0),
}


def _learning(roles: tuple[str, ...], setting: Setting) -> Iterator[Tried]:
    with (
        tempfile.TemporaryDirectory(prefix="otel-opto-two-services-") as place,
        collector(Path(place)) as running,
    ):
        found = run(running, roles, setting.seed, _PLANS[setting.form], Path(place))
    yield Tried({}, found.before[0], f"before; {found.before[1]:.3f} on the questions that were kept apart")
    said = f"{found.requests} requests in {found.seconds:.0f} s, {found.judged} judged {found.late_seconds:g} s later; "
    yield Tried(found.values, found.after[0], said + found.said)
    yield Tried(found.values, found.after[1], "the questions that were kept apart", "test")


METHODS = (
    Method("both", "two studies at a time, one for each service", partial(_learning, ("finder", "answerer"))),
    Method(
        "edge only", "a study for the service that users call: all that lies in its process",
        partial(_learning, ("answerer",)),
    ),
)  # fmt: skip
