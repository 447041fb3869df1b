"""OpenTelemetry's exporters, where the SDK sets them up: they outlive forks, and say once what they cannot do."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from otel_opto.process import clean
from otel_opto.process.counters import Count, Counters
from otel_opto.process.notices import Notices
from otel_opto.process.settings import Settings, protocol_of

_GATE_SECONDS: Final = 5.0
_BEFORE_FORK_SECONDS: Final = 2.0
"""At most: a process that is forked in the middle of a call of gRPC's may never come back from it."""

_TRIES: Final = 3


class Exporter:
    """An exporter of spans or of log records; in everything that it does not say itself it is OpenTelemetry's.

    Args:
        make: Makes OpenTelemetry's exporter, anew in each process.
        what: ``spans``, ``log records``, …
        lost: Counts those that could not be sent; None where they are tried again.
    """

    def __init__(
        self, make: Callable[[], Any], what: str, lost: Count | None, counters: Counters, notices: Notices
    ) -> None:
        self._make = make
        self._what = what
        self._lost = lost
        self._counters = counters
        self._notices = notices
        self._lock = threading.Lock()
        self._held = False
        self._inner: Any = make()
        self._heard = _Heard(self._inner)
        self._ended = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in dir(self._inner):
            raise AttributeError(name)
        return getattr(self._inner, name)

    def export(self, batch: Sequence[Any]) -> Any:
        """See OpenTelemetry's exporters. What is under way when the process is forked is sent afterwards."""
        sent = clean.spans(batch) if self._what == "spans" else batch
        result: Any = None
        for _ in range(_TRIES):
            lock = self._lock
            if not lock.acquire(timeout=_GATE_SECONDS):
                break
            inner = self._inner = self._inner or self._make()
            try:
                with self._heard:
                    result = inner.export(sent)
            except Exception as error:  # noqa: BLE001 - said below
                self._heard.last = f"{type(error).__name__}: {error}"
            finally:
                lock.release()
            if inner is self._inner or self._ended:
                break
        if getattr(result, "name", "") == "SUCCESS":
            self._notices.over(self._what, f"{self._what} are sent again")
        else:
            if self._lost is not None:
                self._counters.add(self._lost, len(batch))
            self._notices.say(self._what, f"{self._what} could not be sent: {self._heard.last or 'no word why'}")
        return result

    def force_flush(self, timeout_millis: int = 10_000) -> bool:  # noqa: ARG002 - OpenTelemetry's signature
        """See OpenTelemetry's exporters: nothing waits in one."""
        return True

    def shutdown(self) -> None:
        """See OpenTelemetry's exporters."""
        self._ended = True
        if self._inner is not None:
            with self._heard:
                self._inner.shutdown()
        self._heard.end()

    def before_fork(self) -> None:
        """Closes the connection, so that parent and child do not share it, and holds up what comes meanwhile."""
        self._close()  # breaks off what is under way, whose end is waited for
        self._held = self._lock.acquire(timeout=_BEFORE_FORK_SECONDS)
        self._close()  # what was made in the meantime

    def _close(self) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            with self._heard:
                inner.shutdown()

    def after_fork(self, *, child: bool) -> None:
        """The next export makes its own connection. Safe without `before_fork`, which a fork in C does not call."""
        if child:
            self._inner = None
            self._lock = threading.Lock()
        elif self._held:
            self._lock.release()
        self._held = False


class _Heard(logging.Filter):
    """Keeps back what an exporter logs of its tries, in the thread that exports, and remembers the last of it."""

    def __init__(self, exporter: object) -> None:
        super().__init__()
        self.last = ""
        self._threads: list[int] = []
        modules = {kind.__module__ for kind in type(exporter).__mro__ if kind.__module__.startswith("opentelemetry.")}
        self._loggers = [logging.getLogger(name) for name in sorted(modules)]
        for logger in self._loggers:
            logger.addFilter(self)

    def __enter__(self) -> None:
        self._threads.append(threading.get_ident())

    def __exit__(self, *_: object) -> None:
        self._threads.remove(threading.get_ident())

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        if record.thread not in self._threads:
            return True
        self.last = record.getMessage()
        return False

    def end(self) -> None:
        if self._threads:  # one that is under way has yet to say that it was broken off
            return
        for logger in self._loggers:
            logger.removeFilter(self)


def makers(settings: Settings, environment: Mapping[str, str]) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """What makes an exporter of spans and one of log records.

    OpenTelemetry's variables mean what they mean to its own exporters; where they do not say where spans go, it is
    the collector.
    """
    return _maker(settings, environment, "TRACES"), _maker(settings, environment, "LOGS")


def _maker(settings: Settings, environment: Mapping[str, str], signal: str) -> Callable[[], Any]:
    if not settings.otlp:
        there: dict[str, Any] = {"endpoint": settings.endpoint, "insecure": not settings.secure}
        return partial(_made, _over_grpc, signal, **there)
    protocol = protocol_of(environment, signal)
    if protocol == "grpc":
        return partial(_made, _over_grpc, signal)
    if protocol != "http/protobuf":
        logging.getLogger("otel_opto").warning(
            "OTEL_EXPORTER_OTLP_PROTOCOL: found %r, allowed: grpc, http/protobuf; it is http/protobuf", protocol
        )
    return partial(_made, _over_http, signal)


def _made(exporter: Callable[[str], Any], signal: str, **given: Any) -> Any:
    return exporter(signal)(**given)


def _over_grpc(signal: str) -> Callable[..., Any]:
    from opentelemetry.exporter.otlp.proto.grpc import _log_exporter, trace_exporter  # noqa: PLC0415 - one of two

    return trace_exporter.OTLPSpanExporter if signal == "TRACES" else _log_exporter.OTLPLogExporter


def _over_http(signal: str) -> Callable[..., Any]:
    from opentelemetry.exporter.otlp.proto.http import _log_exporter, trace_exporter  # noqa: PLC0415 - one of two

    return trace_exporter.OTLPSpanExporter if signal == "TRACES" else _log_exporter.OTLPLogExporter
