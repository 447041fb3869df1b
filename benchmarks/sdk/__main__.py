"""What the SDK costs an application, beside a plain OpenTelemetry span and other libraries' decorators.

    pip install -e '.[bench]'   # the peers; without them ours alone are measured
    python -m benchmarks.sdk [--rounds 15] [--calls 200]

Microseconds of processor time of the calling thread; spans are recorded and dropped at their end, so that no exporter
is measured. Every round runs every case; a ratio is the median of the rounds' own ratios, so that a machine that is
busy in between changes both.
"""

import argparse
import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Sampler

from benchmarks.sdk.peers import peers
from otel_opto.assignment import Assignment
from otel_opto.parameter import Parameter, spec_of
from otel_opto.release import Release, ReleasedValue
from otel_opto.setup import Sdk
from otel_opto.spec import Constraint, value_hash

PLAIN = "a span with 5 attributes"
FIVE = {"gen_ai.system": "x", "gen_ai.request.model": "m", "n": 1, "score": 2.5, "text": "how many?"}
SMALL = "how many?"
DICT = {f"key{n}": {"title": f"some title {n}", "score": n / 7, "tags": ["a", "b"]} for n in range(18)}
TEXT = "x" * 100_000

Case = Callable[[], object]


def same(value: Any) -> Any:
    """What is measured: gives a short text for a short one, a copy of a dict, a text itself."""
    return dict(value) if isinstance(value, dict) else value


def sdk_of(sampler: Sampler | None = None) -> tuple[Sdk, TracerProvider]:
    """An SDK on a provider of its own, with a release in force and no collector."""
    sdk, provider = Sdk(), TracerProvider(sampler=sampler)
    sdk.configure(
        service_name="benchmark", endpoint="http://127.0.0.1:9", cache_dir=Path("/dev/null"), tracer_provider=provider
    )
    release = Release(1, {"k": ReleasedValue(5, 1, value_hash(5))})
    sdk.registry.apply(Assignment("bench", 1, 1), [release], confirmed=True)
    return sdk, provider


def span_on(provider: TracerProvider) -> Case:
    """A plain span, as an application writes it."""
    tracer = provider.get_tracer("benchmark")

    def call() -> None:
        with tracer.start_as_current_span("work", attributes=FIVE):
            pass

    return call


def least_on(provider: TracerProvider) -> Case:
    """What OpenTelemetry itself takes of a node: a span with the attributes of the code, made current, ended."""
    tracer = provider.get_tracer("benchmark")
    code = {"code.function.name": "benchmarks.sdk.same", "code.file.path": __file__, "code.line.number": 1}

    def call() -> None:
        span = tracer.start_span("work", attributes=code)
        token = context.attach(trace.set_span_in_context(span))
        context.detach(token)
        span.set_attribute("opto.output", SMALL)
        span.end()

    return call


def cases_of(sdk: Sdk, provider: TracerProvider) -> Iterator[tuple[str, Case]]:
    """Every case by its name; the first is what the others are compared with."""
    bare, (off, unsampled) = TracerProvider(), sdk_of(ALWAYS_OFF)
    k = Parameter(spec_of("k", 3, Constraint(minimum=1, maximum=9), "", trainable=True), 3, sdk.pins)
    node, text = sdk.nodes.decorate(same), "an answer that the next node takes"
    giving, taking = sdk.nodes.decorate(lambda _: [text]), sdk.nodes.decorate(lambda _: None)
    yield PLAIN, span_on(bare)
    yield "the same, our processors on the provider", span_on(provider)
    yield "of a node what OpenTelemetry takes", least_on(bare)
    yield "@node, small value", lambda: node(SMALL)
    yield "two nodes, one feeds the other", lambda: taking(giving(SMALL))
    yield "@node, 1.4 kB dict in and out", lambda: node(DICT)
    yield "@node, 100 kB text in and out", lambda: node(TEXT)
    quiet = off.nodes.decorate(same)
    yield "a span, not sampled", span_on(unsampled)
    yield "@node, not sampled", lambda: quiet(SMALL)
    yield "parameter.value in a span", lambda: k.value
    for name, call in peers(bare, same):
        for what, value in (("small value", SMALL), ("1.4 kB dict", DICT), ("100 kB text", TEXT)):
            yield f"{name}, {what}", lambda call=call, value=value: call(value)  # type: ignore[misc]


def measured(cases: Mapping[str, Case], rounds: int, calls: int) -> dict[str, list[float]]:
    """Microseconds of each round, the cases taking turns."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, call in cases.items():
            begun = time.thread_time_ns()
            for _ in range(calls):
                call()
            if number:  # the first one warms up
                found[name].append((time.thread_time_ns() - begun) / calls / 1_000)
    return found


def import_milliseconds(times: int = 5) -> float:
    """Processor time of a process that imports the SDK and ends, less that of one that imports nothing."""

    def spent(code: str) -> float:
        script = f"{code}\nimport time; print(time.process_time())"
        return float(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)

    return 1_000 * statistics.median(spent("import otel_opto") - spent("") for _ in range(times))


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one line per case: microseconds, and how many plain spans that is."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args(arguments)
    sdk, provider = sdk_of()
    cases = dict(cases_of(sdk, provider))
    outside = cases["parameter.value in a span"]
    tracer = provider.get_tracer("benchmark")
    with tracer.start_as_current_span("request"), tracer.start_as_current_span("step"):
        found = measured(cases, options.rounds, options.calls)
    found["parameter.value outside"] = measured({"": outside}, options.rounds, options.calls)[""]
    for name, rounds in found.items():
        ratio = statistics.median(one / plain for one, plain in zip(rounds, found[PLAIN], strict=True))
        sys.stdout.write(f"{name:44} {statistics.median(rounds):8.2f} us  {ratio:5.2f}x\n")
    sys.stdout.write(f"{'import otel_opto':44} {import_milliseconds():8.0f} ms\n")
    sdk.shutdown()


if __name__ == "__main__":
    main()
