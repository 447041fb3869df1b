"""What looks for the greens."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import otel_opto
from collector.core.span import AnyValue
from examples.experiments.frame.experiment import Method, Setting, Tried
from examples.experiments.frame.stepping import Judged, stepped
from examples.experiments.traffic.control import Adaptive
from examples.experiments.traffic.crossing import LEAST_GREEN, MOST_GREEN, Crossing, Traffic
from examples.experiments.traffic.program import EAST_WEST, NORTH_SOUTH, START, half_an_hour
from examples.experiments.traffic.search import Point, gaussian, particles

_WANTED = (
    "Choose whole seconds of green, 15 to 90, for the two roads of a crossing so that vehicles lose as little time as "
    "possible. Between the greens nobody goes for 5 seconds."
)
_BOUNDS = (LEAST_GREEN, MOST_GREEN)
_OTHER_DAYS = (101, 102, 103)
_KEYS = (EAST_WEST.spec.key, NORTH_SOUTH.spec.key)

Searcher = Callable[[Callable[[Point], float], Point, Point, int, int], Iterator[tuple[Point, float]]]


def _by_optimizer(name: str, options: Mapping[str, AnyValue], setting: Setting) -> Iterator[Tried]:
    crossing = Crossing(setting.seed)
    optimizer = otel_opto.Optimizer(
        [EAST_WEST, NORTH_SOUTH], name=name, options=options, direction="minimize", metric="delay",
        instruction=_WANTED, seed=setting.seed,
    )  # fmt: skip

    def judged() -> Judged:
        with optimizer.trace() as run:
            traffic = half_an_hour(crossing)
        run.backward((traffic.delay, str(traffic)), node="simulate_traffic")
        return traffic.delay, str(traffic)

    yield from stepped(optimizer, judged, setting.calls)
    best = optimizer.best.values
    greens = int(str(best[_KEYS[0]])), int(str(best[_KEYS[1]]))
    yield _on_other_days(greens, lambda day: crossing.simulated(*greens, day))


def _by_search(sampler: str, setting: Setting) -> Iterator[Tried]:
    startup = max(2, min(5, setting.calls // 2))
    yield from _by_optimizer("search", {"sampler": sampler, "startup_trials": startup}, setting)


def _by_model(name: str, setting: Setting) -> Iterator[Tried]:
    options: dict[str, AnyValue] = {
        "model": setting.endpoint.name, "base_url": setting.endpoint.address, "temperature": 0.7, "max_tokens": 200,
        "max_prompt_chars": 8_000, "timeout_seconds": 600, "concurrency": 1,
    }  # fmt: skip
    yield from _by_optimizer(name, options, setting)


def _by_hand(search: Searcher, setting: Setting) -> Iterator[Tried]:
    crossing = Crossing(setting.seed)
    best, least, said = START, float("inf"), ""

    def measured(greens: Point) -> float:
        nonlocal said
        traffic = crossing.simulated(*greens)
        said = str(traffic)
        return traffic.delay

    for greens, delay in search(measured, START, _BOUNDS, setting.calls, setting.seed):
        if delay < least:
            best, least = greens, delay
        yield Tried(dict(zip(_KEYS, greens, strict=True)), delay, said)
    yield _on_other_days(best, lambda day: crossing.simulated(*best, day))


def _adaptive(setting: Setting) -> Iterator[Tried]:
    """Every call is another half an hour of the same traffic; it goes on with the greens that it had in the end."""
    crossing, control = Crossing(setting.seed), Adaptive(START)
    for _ in range(setting.calls + 1):
        traffic = crossing.simulated(*control.signal, control=control)
        yield Tried(dict(zip(_KEYS, control.signal, strict=True)), traffic.delay, str(traffic))
    yield _on_other_days(control.signal, lambda day: crossing.simulated(*control.signal, day, control))


def _on_other_days(greens: Point, simulated: Callable[[int], Traffic]) -> Tried:
    delay = sum(simulated(day).delay for day in _OTHER_DAYS) / len(_OTHER_DAYS)
    return Tried(dict(zip(_KEYS, greens, strict=True)), delay, "mean of three other days", "test")


METHODS = (
    Method(
        "optoprime", "plan, simulation, feedback in words, what was tried", partial(_by_model, "optoprime"), "model"
    ),
    Method("opro", "what was tried, with delays and words", partial(_by_model, "opro"), "model"),
    Method("tpe", "delays only, our `search`", partial(_by_search, "tpe"), "uxsim"),
    Method("cmaes", "the same with CMA-ES", partial(_by_search, "cmaes"), "cmaes"),
    Method("gp", "Gaussian process with expected improvement", partial(_by_hand, gaussian), "uxsim"),
    Method("pso", "particle swarm of five", partial(_by_hand, particles), "uxsim"),
    Method("random", "nothing", partial(_by_search, "random"), "uxsim"),
    Method("scats-like", "counts vehicles on the spot, changes the greens in every cycle", _adaptive, "uxsim"),
)
