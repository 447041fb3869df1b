"""Which traces have feedback that may find a span, or another one, and which of them were touched: known without asking
a table for every request.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence

from collector.core.telemetry import OtlpRequest, Signal


class AwaitedTraces:
    """In memory, about 150 bytes for each; made anew from the open feedback when the store starts. Used from several
    threads.
    """

    def __init__(self) -> None:
        self._waiting: set[bytes] = set()
        self._touched: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def begin(self, traces: Iterable[bytes]) -> None:
        """Exactly these are waited for."""
        with self._lock:
            self._waiting = set(traces)
            self._touched = {trace: position for trace, position in self._touched.items() if trace in self._waiting}

    def wait_for(self, traces: Iterable[bytes]) -> None:
        """These, too. To be said before their feedback can be read, so that no touch is missed."""
        with self._lock:
            self._waiting.update(traces)

    def touched(self, requests: Sequence[OtlpRequest], position: int) -> None:
        """Requests came, and the store now ends at that position."""
        with self._lock:
            if not self._waiting:
                return
            for request in requests:
                if request.signal is Signal.TRACES:
                    for trace in self._waiting.intersection(request.trace_ids):
                        self._touched[trace] = position

    def positions(self) -> Mapping[bytes, int]:
        """Where the store ended when each of the touched traces was touched last."""
        with self._lock:
            return dict(self._touched)

    def looked_for(self, traces: Iterable[bytes], position: int) -> None:
        """Their spans were looked for when the store ended there."""
        with self._lock:
            for trace in traces:
                if self._touched.get(trace, 0) <= position:
                    self._touched.pop(trace, None)

    def let_go(self, traces: Iterable[bytes]) -> None:
        """They have no open feedback any more. To be said before further feedback can be kept."""
        with self._lock:
            for trace in traces:
                self._waiting.discard(trace)
                self._touched.pop(trace, None)

    def __len__(self) -> int:
        """How many traces there are."""
        return len(self._waiting)
