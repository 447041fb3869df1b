"""Every implementation of `Store`, and what is put into one; another implementation is another row."""

from collections.abc import Callable
from pathlib import Path

from collector.core.feedback import Feedback
from collector.core.protocols import Clock, Store
from collector.core.span import SpanContext
from collector.core.telemetry import OtlpRequest
from collector.otlp.request import read_traces
from collector.storage.file_store import FileStore
from collector.storage.memory.store import MemoryStore
from tests import samples

DURABLE: dict[str, Callable[[Path, Clock], Store]] = {"files": FileStore}
STORES: dict[str, Callable[[Path, Clock], Store]] = {**DURABLE, "memory": lambda _, clock: MemoryStore(clock)}


def traces(*spans: object, time: int = 1) -> OtlpRequest:
    return read_traces(samples.traces_request(spans), time).request  # type: ignore[arg-type]


def feedback(trace: int, score: float = 0.5, *, span: int | None = 1, name: str = "q") -> Feedback:
    target = SpanContext(samples.trace_id(trace), samples.span_id(span) if span else "")
    return Feedback(target, name, score, "label", "text", "source", {"split": "train"}, 5)
