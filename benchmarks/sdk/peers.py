"""The same function under the decorators of other libraries, as far as they are installed."""

import os
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.sdk.trace import TracerProvider

Call = Callable[[Any], Any]


def peers(provider: TracerProvider, function: Call) -> Iterator[tuple[str, Call]]:
    """Names and decorated functions; each records inputs and output on a span of the same provider."""
    for name, decorate in (("openinference", _openinference), ("traceloop", _traceloop), ("trace-opt", _trace)):
        try:
            yield name, decorate(provider, function)
        except ImportError:
            continue


def _openinference(provider: TracerProvider, function: Call) -> Call:
    from openinference.instrumentation import OITracer, TraceConfig  # noqa: PLC0415 - optional

    chain: Any = OITracer(provider.get_tracer("openinference"), TraceConfig()).chain
    return chain(function)  # type: ignore[no-any-return]


def _traceloop(provider: TracerProvider, function: Call) -> Call:
    os.environ.update(TRACELOOP_TELEMETRY="false", TRACELOOP_TRACE_CONTENT="true")
    from traceloop.sdk.decorators import task  # noqa: PLC0415 - optional
    from traceloop.sdk.tracing.tracing import TracerWrapper  # noqa: PLC0415

    wrapper: Any = object.__new__(TracerWrapper)  # its own set-up would export; only the provider is wanted
    wrapper._TracerWrapper__tracer_provider = provider  # noqa: SLF001
    TracerWrapper.instance = wrapper
    return task(name="work")(function)  # type: ignore[no-any-return]


def _trace(_: TracerProvider, function: Call) -> Call:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from opto.trace import bundle  # noqa: PLC0415 - optional

    return bundle()(function)  # type: ignore[no-any-return]
