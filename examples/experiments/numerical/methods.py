"""What looks for the numbers."""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import otel_opto
from collector.core.span import AnyValue
from examples.experiments.frame.experiment import Method, Setting, Tried
from examples.experiments.frame.stepping import Judged, stepped
from examples.experiments.numerical import trace_opt
from examples.experiments.numerical.graphs import HIGHEST, KEYS, LOWEST, Graph, Quantity, sampled, traced

WANTED = "Change the variables so that the output gets as close as possible to a number that nobody tells."
_RATES = (0.1, 0.3, 1.0, 3.0)
_TUNED_ON = range(1_001, 1_021)
"""Seeds of graphs on which Adam's step size is chosen, and that no table shows."""


def declared(graph: Graph) -> Sequence[otel_opto.Parameter[float]]:
    """The inputs as parameters; a graph's start is their default."""
    return [
        otel_opto.parameter(f"numerical.{key}", default=value, minimum=LOWEST, maximum=HIGHEST)
        for key, value in zip(KEYS, graph.start, strict=True)
    ]


def _with_graph(graph: Graph, parameters: Sequence[otel_opto.Parameter[float]]) -> Quantity:
    """Every operation is a node."""

    def reading(key: str, parameter: otel_opto.Parameter[float]) -> Callable[[], Quantity]:
        return otel_opto.node(name=key)(lambda: Quantity(parameter.value))

    inputs = [reading(key, parameter) for key, parameter in zip(KEYS, parameters, strict=True)]
    return traced(graph, inputs)


def _without_graph(graph: Graph, parameters: Sequence[otel_opto.Parameter[float]]) -> Quantity:
    """The same numbers; a run is one operation on both of them."""
    return Quantity(graph.output([parameter.value for parameter in parameters]))


def by_optimizer(
    name: str, options: Mapping[str, AnyValue], setting: Setting, *, masked: bool = False
) -> Iterator[Tried]:
    """An optimizer of the registry, step by step."""
    graph = sampled(setting.seed)
    parameters = declared(graph)
    optimizer = otel_opto.Optimizer(
        parameters, name=name, options=options, direction="minimize", metric="error", instruction=WANTED,
        seed=setting.seed,
    )  # fmt: skip
    program = _without_graph if masked else _with_graph

    def judged() -> Judged:
        inputs = [float(str(optimizer.values[parameter.spec.key])) for parameter in parameters]
        with optimizer.trace() as run:
            run.output(program(graph, parameters).value)
        score, said = graph.error(inputs), graph.words(inputs)
        run.backward((score, said))
        return score, said

    yield from stepped(optimizer, judged, setting.calls)


def by_model(name: str, setting: Setting, *, masked: bool = False) -> Iterator[Tried]:
    """An optimizer that asks the model."""
    options: dict[str, AnyValue] = {
        "model": setting.endpoint.name, "base_url": setting.endpoint.address, "temperature": 0.7, "max_tokens": 200,
        "max_prompt_chars": 8_000, "timeout_seconds": 600, "concurrency": 1,
    }  # fmt: skip
    yield from by_optimizer(name, options, setting, masked=masked)


def by_search(sampler: str, setting: Setting) -> Iterator[Tried]:
    """Search, which sees the scores only."""
    startup = max(2, setting.calls // 2)
    yield from by_optimizer("search", {"sampler": sampler, "startup_trials": startup}, setting, masked=True)


def by_gradient(setting: Setting) -> Iterator[Tried]:
    """Adam (Kingma, Ba, 2015) on the true gradient, which no other method has."""
    graph = sampled(setting.seed)
    rate = min(_RATES, key=lambda one: sum(_best(sampled(seed), one, setting.calls) for seed in _TUNED_ON))
    for inputs in _adam(graph, rate, setting.calls):
        yield Tried(dict(zip(KEYS, inputs, strict=True)), graph.error(inputs), f"step size {rate:g}")


def _best(graph: Graph, rate: float, calls: int) -> float:
    return min(graph.error(inputs) for inputs in _adam(graph, rate, calls))


def _adam(graph: Graph, rate: float, calls: int) -> Iterator[Sequence[float]]:
    inputs, first, second = list(graph.start), [0.0] * len(KEYS), [0.0] * len(KEYS)
    yield tuple(inputs)
    for step in range(1, calls + 1):
        for place, slope in enumerate(graph.gradient(tuple(inputs))):
            first[place] = 0.9 * first[place] + 0.1 * slope
            second[place] = 0.999 * second[place] + 0.001 * slope * slope
        for place in range(len(KEYS)):
            moved = first[place] / (1 - 0.9**step) / (math.sqrt(second[place] / (1 - 0.999**step)) + 1e-8)
            inputs[place] = min(HIGHEST, max(LOWEST, inputs[place] - rate * moved))
        yield tuple(inputs)


def by_chance(setting: Setting) -> Iterator[Tried]:
    """Each input anywhere in its range."""
    graph, chance = sampled(setting.seed), random.Random(f"random/{setting.seed}")
    inputs: Sequence[float] = graph.start
    for _ in range(setting.calls + 1):
        yield Tried(dict(zip(KEYS, inputs, strict=True)), graph.error(inputs), graph.words(inputs))
        inputs = [chance.uniform(LOWEST, HIGHEST) for _ in KEYS]


METHODS = (
    Method(
        "optoprime",
        "the graph of operations, feedback in words, what was tried",
        partial(by_model, "optoprime"),
        "model",
    ),
    Method(
        "trace-opt",
        "OptoPrime of the package trace-opt, with its memory; own process, own prompt",
        partial(trace_opt.by_trace_opt, WANTED),
        "model",
        trace_opt.PYTHON,
        trace_opt.HOW,
    ),
    Method("masked", "OptoPrime with the graph withheld", partial(by_model, "optoprime", masked=True), "model"),
    Method("opro", "what was tried, with scores and words; no graph", partial(by_model, "opro"), "model"),
    Method("adam", "the true gradient, which the others have not", by_gradient),
    Method("tpe", "scores only, our `search`", partial(by_search, "tpe")),
    Method("random", "nothing", by_chance),
)
