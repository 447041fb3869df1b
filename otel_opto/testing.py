"""Doubles for tests of applications that use otel_opto: real servers and real providers, all in memory."""

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import grpc
from opentelemetry import _logs, trace
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.types import AnyValue

from otel_opto import semconv
from otel_opto.assignment import Assignment
from otel_opto.release import Release
from otel_opto.setup import Sdk
from otel_opto.spec import InvalidValue, ParameterValue, content_hash, value_hash
from otel_opto.v1 import parameter_pb2, parameter_pb2_grpc, release_pb2, release_pb2_grpc
from otel_opto.wire import assignment_to_proto, value_to_proto

_SERVER_OPTIONS = (
    ("grpc.so_reuseport", 0),
    # An idle client asks every 30 seconds whether the line still holds; gRPC's own servers hang up on that.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
)


class SpanCapture:
    """Providers whose spans and log events stay in memory, in order of their end.

    Args:
        tracer_provider: One that is there already, whose spans are captured too; None makes one.
        logger_provider: Likewise.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, logger_provider: LoggerProvider | None = None
    ) -> None:
        self._spans = InMemorySpanExporter()
        self._logs = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self.tracer_provider = tracer_provider or TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.logger_provider = logger_provider or LoggerProvider()
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))

    @classmethod
    def of_process(cls) -> "SpanCapture":
        """On the global providers of the process; where it has none, they become the global ones."""
        traces, logs = trace.get_tracer_provider(), _logs.get_logger_provider()
        captured = cls(
            traces if isinstance(traces, TracerProvider) else None, logs if isinstance(logs, LoggerProvider) else None
        )
        if isinstance(traces, trace.ProxyTracerProvider):
            trace.set_tracer_provider(captured.tracer_provider)
        if not isinstance(logs, LoggerProvider):
            _logs.set_logger_provider(captured.logger_provider)
        return captured

    def spans(self) -> Sequence[ReadableSpan]:
        """The spans that have ended."""
        return self._spans.get_finished_spans()

    def span(self, name: str) -> ReadableSpan:
        """The only ended span of that name."""
        (found,) = [span for span in self.spans() if span.name == name]
        return found

    def log_records(self) -> Sequence[ReadableLogRecord]:
        """The emitted log records."""
        return self._logs.get_finished_logs()

    def clear(self) -> None:
        """Forgets what was captured."""
        self._spans.clear()
        self._logs.clear()

    def shutdown(self) -> None:
        """Closes both providers."""
        self.tracer_provider.shutdown()
        self.logger_provider.shutdown()


@dataclass(frozen=True, slots=True)
class GivenFeedback:
    """Feedback that the application gave.

    Attributes:
        name: The metric.
        trace_id: Of the judged span; 0 where the feedback names none.
        span_id: Likewise.
        attributes: What the event carries besides, with its own keys; without ``opto.feedback.`` before those of ours.
    """

    name: str
    score: float | None
    label: str
    text: str
    trace_id: int
    span_id: int
    attributes: Mapping[str, AnyValue]


class Rehearsal:
    """An application under test, without a collector: values that a test sets, spans and feedback that it asserts.

    The pytest fixture ``opto`` is one for each test.
    """

    def __init__(self, sdk: Sdk, capture: SpanCapture) -> None:
        self._sdk = sdk
        self._capture = capture
        self._values: dict[str, ParameterValue] = {}
        self._number = 0

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Spans and feedback are captured and nothing leaves the process; afterwards the code's own values hold."""
        self._capture.clear()
        with self._sdk.rehearse(self._capture.tracer_provider, self._capture.logger_provider):
            yield self
        self._capture.clear()

    def set(self, key: str, value: ParameterValue | list[Any] | dict[str, Any]) -> None:
        """Puts a value in force, as a release would: for traces that begin now, recorded on their spans.

        Raises:
            InvalidValue: no such parameter is declared, the value does not fit it, or its `constraint` refuses it.
        """
        spec = self._sdk.registry.specs().get(key)
        if spec is None:
            declared = ", ".join(sorted(self._sdk.registry.specs())) or "none"
            raise InvalidValue(f"parameter {key!r} is not declared; declared are: {declared}")
        self._values[key] = self._sdk.registry.agreed(spec, value)
        self._number += 1
        release = Release.from_proto(_release(self._number, self._values))
        self._sdk.registry.apply(Assignment("", self._number, self._number), [release], confirmed=True)

    def spans(self, name: str = "") -> Sequence[ReadableSpan]:
        """The spans that have ended, in order of their end; with a name, only those called so."""
        return [span for span in self._capture.spans() if name in ("", span.name)]

    def span(self, name: str) -> ReadableSpan:
        """The only ended span of that name. Raises `LookupError` where there is none or another."""
        found = self.spans(name)
        if len(found) != 1:
            ended = ", ".join(span.name for span in self.spans()) or "none"
            raise LookupError(f"{len(found)} spans called {name!r} have ended, not one; ended: {ended}")
        return found[0]

    def used(self, key: str) -> Sequence[str]:
        """The names of the spans on which the parameter's value was read."""
        ends = (semconv.PARAM_VERSION_SUFFIX, semconv.PARAM_VALUE_SUFFIX)
        keys = {f"{semconv.PARAM_PREFIX}{key}{end}" for end in ends}
        return [span.name for span in self.spans() if keys & set(span.attributes or {})]

    def feedback(self, name: str = "") -> Sequence[GivenFeedback]:
        """The feedback that was given, as log events and as span events; with a name, only of that metric."""
        found = [
            _given(record.log_record.attributes, record.log_record.trace_id, record.log_record.span_id)
            for record in self._capture.log_records()
            if record.log_record.event_name == semconv.EVALUATION_EVENT
        ]
        found += [
            _given(event.attributes, span.context.trace_id, span.context.span_id)
            for span in self.spans()
            for event in span.events
            if event.name == semconv.EVALUATION_EVENT and span.context is not None
        ]
        return [one for one in found if name in ("", one.name)]


def _given(carried: Mapping[str, AnyValue] | None, trace_id: int | None, span_id: int | None) -> GivenFeedback:
    rest = {key.removeprefix(semconv.FEEDBACK_PREFIX): value for key, value in (carried or {}).items()}
    name, label = rest.pop(semconv.EVALUATION_NAME, ""), rest.pop(semconv.EVALUATION_LABEL, "")
    score, text = rest.pop(semconv.EVALUATION_SCORE, None), rest.pop(semconv.EVALUATION_EXPLANATION, "")
    number = float(score) if isinstance(score, int | float) else None
    return GivenFeedback(str(name), number, str(label), str(text), trace_id or 0, span_id or 0, rest)


class FakeReleaseServer(parameter_pb2_grpc.ParameterServiceServicer, release_pb2_grpc.ReleaseServiceServicer):
    """The part of a collector that applications talk to, over real gRPC on a free port.

    Attributes:
        endpoint: For `otel_opto.configure`.
        declared: The declared parameters by key.
        acknowledgements: In order of arrival.
    """

    def __init__(self, port: int = 0) -> None:
        self.declared: dict[str, parameter_pb2.ParameterSpec] = {}
        self.acknowledgements: list[release_pb2.AcknowledgeReleaseRequest] = []
        self._changed = threading.Condition()
        self._watchers: set[queue.SimpleQueue[release_pb2.WatchReleasesResponse | None]] = set()
        self._current: release_pb2.WatchReleasesResponse | None = None
        self._releases: dict[int, release_pb2.Release] = {}
        self._revision = 0
        self._server = grpc.server(ThreadPoolExecutor(8), options=_SERVER_OPTIONS)
        parameter_pb2_grpc.add_ParameterServiceServicer_to_server(self, self._server)
        release_pb2_grpc.add_ReleaseServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends every watch and closes the port."""
        with self._changed:
            for watcher in self._watchers:
                watcher.put(None)
        self._server.stop(grace=0.5).wait()

    def publish(self, number: int, values: Mapping[str, ParameterValue]) -> None:
        """Puts a release in force, whether its values fit or not."""
        self.add(number, values)
        self.assign(Assignment("", 0, number))

    def add(self, number: int, values: Mapping[str, ParameterValue], envelope: str = "") -> None:
        """Makes a release known for `assign`, with its signature; it is in force for nobody yet."""
        self._releases[number] = _release(number, values)
        self._releases[number].envelope = envelope.encode()

    def assign(self, assignment: Assignment) -> None:
        """Puts an assignment among the known releases in force; it gets the next revision."""
        with self._changed:
            self._revision += 1
            self._current = release_pb2.WatchReleasesResponse(
                release=self._releases[assignment.control],
                assignment=assignment_to_proto(replace(assignment, revision=self._revision)),
                arms=[self._releases[number] for number in assignment.releases[1:]],
            )
            for watcher in self._watchers:
                watcher.put(self._current)

    def wait_for_acknowledgement(self, number: int, seconds: float = 10.0) -> release_pb2.AcknowledgeReleaseRequest:
        """What the application said of a release.

        Raises:
            TimeoutError: nothing, in that time.
        """

        def said() -> release_pb2.AcknowledgeReleaseRequest | None:
            return next((word for word in reversed(self.acknowledgements) if word.release == number), None)

        with self._changed:
            if not self._changed.wait_for(lambda: said() is not None, seconds):
                raise TimeoutError(f"release {number} was not acknowledged in {seconds:g} s")
            word = said()
        assert word is not None
        return word

    def wait_for_declaration(self, key: str, seconds: float = 10.0) -> parameter_pb2.ParameterSpec:
        """A declared parameter. Raises `TimeoutError` if it is not declared in that time."""
        with self._changed:
            if not self._changed.wait_for(lambda: key in self.declared, seconds):
                raise TimeoutError(f"parameter {key!r} was not declared in {seconds:g} s")
            return self.declared[key]

    def DeclareParameters(self, request: Any, context: Any) -> parameter_pb2.DeclareParametersResponse:  # noqa: ARG002, N802
        """See proto/otel_opto/v1/parameter.proto."""
        with self._changed:
            self.declared.update({spec.key: spec for spec in request.parameters})
            self._changed.notify_all()
        return parameter_pb2.DeclareParametersResponse()

    def AcknowledgeRelease(self, request: Any, context: Any) -> release_pb2.AcknowledgeReleaseResponse:  # noqa: ARG002, N802
        """See proto/otel_opto/v1/release.proto."""
        with self._changed:
            self.acknowledgements.append(request)
            self._changed.notify_all()
        return release_pb2.AcknowledgeReleaseResponse()

    def GetAssignment(self, request: Any, context: Any) -> release_pb2.GetAssignmentResponse:  # noqa: ARG002, N802
        """See proto/otel_opto/v1/release.proto."""
        with self._changed:
            return release_pb2.GetAssignmentResponse(assignment=self._current.assignment if self._current else None)

    def WatchReleases(self, request: Any, context: Any) -> Iterator[release_pb2.WatchReleasesResponse]:  # noqa: N802
        """See proto/otel_opto/v1/release.proto."""
        watcher: queue.SimpleQueue[release_pb2.WatchReleasesResponse | None] = queue.SimpleQueue()
        context.add_callback(lambda: watcher.put(None))
        with self._changed:
            known = request.applied, request.revision
            if self._current is not None and known != (self._current.release.number, self._current.assignment.revision):
                watcher.put(self._current)
            self._watchers.add(watcher)
        context.send_initial_metadata(())
        try:
            while (message := watcher.get()) is not None:
                response = release_pb2.WatchReleasesResponse.FromString(message.SerializeToString())
                response.assignment.service = request.service
                for release in (response.release, *response.arms):
                    release.service = request.service
                yield response
        finally:
            with self._changed:
                self._watchers.discard(watcher)


def _release(number: int, values: Mapping[str, ParameterValue]) -> release_pb2.Release:
    return release_pb2.Release(
        number=number,
        hash=content_hash(values.items()),
        values=[
            release_pb2.ReleasedValue(key=key, value=value_to_proto(value), version=number, hash=value_hash(value))
            for key, value in values.items()
        ],
    )
