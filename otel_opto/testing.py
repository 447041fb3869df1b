"""Doubles for tests of applications that use otel_opto: real servers and real providers, all in memory."""

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import grpc
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_opto.assignment import Assignment
from otel_opto.spec import ParameterValue, content_hash, value_hash
from otel_opto.v1 import parameter_pb2, parameter_pb2_grpc, release_pb2, release_pb2_grpc
from otel_opto.wire import assignment_to_proto, value_to_proto


class SpanCapture:
    """Providers whose spans and log events stay in memory, in order of their end."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._logs = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.logger_provider = LoggerProvider()
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))

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

    def shutdown(self) -> None:
        """Closes both providers."""
        self.tracer_provider.shutdown()
        self.logger_provider.shutdown()


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
        self._server = grpc.server(ThreadPoolExecutor(8), options=(("grpc.so_reuseport", 0),))
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
                arms=[self._releases[arm.release] for arm in assignment.arms],
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
