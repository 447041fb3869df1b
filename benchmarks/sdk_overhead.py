"""What the SDK costs an application, in microseconds, against a bare OpenTelemetry span in the same run.

    python benchmarks/sdk_overhead.py

Medians of 7 rounds; spans are recorded and dropped at their end, so that no exporter is measured.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider

from otel_opto.assignment import Assignment
from otel_opto.parameter import Parameter, spec_of
from otel_opto.release import Release, ReleasedValue
from otel_opto.setup import Sdk
from otel_opto.spec import Constraint, value_hash

CALLS, ROUNDS = 2_000, 7


def microseconds(call: Callable[[], object]) -> float:
    """The median over rounds of the CPU time per call."""
    rounds = []
    for _ in range(ROUNDS):
        begun = time.process_time_ns()
        for _ in range(CALLS):
            call()
        rounds.append((time.process_time_ns() - begun) / CALLS / 1_000)
    return statistics.median(rounds)


def main() -> None:
    """Prints one line per case: microseconds, and the ratio to a bare span."""
    sdk, provider = Sdk(), TracerProvider()
    sdk.configure(
        service_name="benchmark",
        endpoint="http://127.0.0.1:9",
        cache_dir=Path("/dev/null/none"),
        tracer_provider=provider,
    )
    k = Parameter(spec_of("k", 3, Constraint(minimum=1, maximum=9), "", trainable=True), 3, sdk.pins)
    released = Release(1, {"k": ReleasedValue(5, 1, value_hash(5))})
    sdk.registry.apply(Assignment("bench", 1, 1), [released], confirmed=True)
    tracer = provider.get_tracer("benchmark")
    argument = {"question": "how many?", "words": ["many"]}

    def bare() -> None:
        with tracer.start_as_current_span("bare"):
            pass

    @sdk.nodes.decorate(capture=False)
    def uncaptured(value: object) -> object:
        return value

    @sdk.nodes.decorate
    def captured(value: object) -> object:
        return [value]

    cases: list[tuple[str, Callable[[], object]]] = [
        ("a bare span", bare),
        ("@node without capture", lambda: uncaptured(argument)),
        ("@node with input, output, dataflow", lambda: captured(argument)),
        ("parameter.resolve()", k.resolve),
    ]
    with tracer.start_as_current_span("request"):
        cases.append(("parameter.value on a recorded span", lambda: k.value))
        results = [(name, microseconds(call)) for name, call in cases]
    reference = results[0][1]
    for name, cost in results:
        sys.stdout.write(f"{name:40} {cost:8.1f} us  {cost / reference:5.2f}x\n")
    sdk.shutdown()
    provider.shutdown()


if __name__ == "__main__":
    main()
