"""Feedback on its way to the collector, where the application has set up nothing for log events."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from opentelemetry._logs import LoggerProvider  # noqa: TC002 - of an attribute
from opentelemetry.sdk._logs import LoggerProvider as SdkLoggerProvider
from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk._logs._internal.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource

from otel_opto.process.counters import Count, Counters
from otel_opto.process.notices import Notices

MOST_WAITING: Final = 2_048
_BATCH: Final = 128
_GATHER_SECONDS: Final = 0.1
_BEFORE_FORK_SECONDS: Final = 2.0
_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 0.5, 10.0


class Outbox(LogRecordProcessor):
    """A bounded queue with a thread of its own. What does not fit is counted; what could not be sent is tried again.

    Args:
        exporter: Sends a batch; blocks as long as it takes, in the thread of the queue.
        resource: Of the application.
    """

    def __init__(
        self,
        exporter: Callable[[], Any],
        resource: Resource,
        counters: Counters,
        notices: Notices,
        most: int = MOST_WAITING,
    ) -> None:
        self.provider: LoggerProvider = SdkLoggerProvider(resource, shutdown_on_exit=False)
        self.provider.add_log_record_processor(self)
        self._make = exporter
        self._counters = counters
        self._notices = notices
        self._most = most
        self._begin()

    def _begin(self) -> None:
        self._waiting: deque[Any] = deque()
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._held = False
        self._some = threading.Event()
        self._ending = threading.Event()
        self._empty = threading.Event()
        self._thread: threading.Thread | None = None
        self._exporter: Any = None

    @property
    def queued(self) -> int:
        """How many wait to be sent."""
        return len(self._waiting)

    def on_emit(self, log_record: Any) -> None:
        """See `LogRecordProcessor`. Never blocks."""
        if len(self._waiting) >= self._most or self._ending.is_set():
            self._counters.add(Count.FEEDBACK_DROPPED)
            self._notices.say("feedback", f"feedback is dropped: {self._most:,} wait already for the collector")
            return
        self._waiting.append(log_record)
        self._empty.clear()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._send, name="otel-opto-feedback", daemon=True)
                    self._thread.start()
        self._some.set()

    def _send(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        with self._making:
            self._exporter = self._make()
        while True:
            self._some.wait()
            self._ending.wait(_GATHER_SECONDS)
            self._some.clear()
            while self._waiting:
                batch = [self._waiting[number] for number in range(min(_BATCH, len(self._waiting)))]
                if self._exporter.export(batch) is LogRecordExportResult.SUCCESS:
                    pause = _FIRST_PAUSE_SECONDS
                    for _ in batch:
                        self._waiting.popleft()
                    self._counters.add(Count.FEEDBACK_SENT, len(batch))
                    self._notices.over("feedback", "feedback reaches the collector again")
                elif self._ending.wait(pause):
                    return
                else:
                    pause = min(2 * pause, _LAST_PAUSE_SECONDS)
            self._empty.set()
            if self._ending.is_set():
                return

    def shutdown(self, seconds: float = 0.5) -> None:
        """Waits so long for what is queued; what is left then is counted and said."""
        self._ending.set()
        self._some.set()
        if self._thread is not None:
            self._thread.join(seconds)
        left = len(self._waiting)
        if left:
            self._counters.add(Count.FEEDBACK_DROPPED, left)
            self._notices.say("feedback", f"{left} feedback could not be sent before the end")
        if self._exporter is not None:
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See `LogRecordProcessor`."""
        if not self._waiting:
            return True
        self._some.set()
        return self._empty.wait(timeout_millis / 1_000)

    def before_fork(self) -> None:
        """See `Exporter.before_fork`."""
        self._held = self._making.acquire(timeout=_BEFORE_FORK_SECONDS)
        if self._exporter is not None:
            self._exporter.before_fork()

    def after_fork(self, *, child: bool) -> None:
        """What waits is the parent's to send."""
        if child:
            self._begin()
            return
        if self._exporter is not None:
            self._exporter.after_fork(child=False)
        if self._held:
            self._held = False
            self._making.release()
