"""What must come for feedback to find a span, or another one: spans of a trace, answers of models.

And which of them were touched, known without asking a table for every request.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence

from collector.core.telemetry import OtlpRequest, Signal
from collector.otlp.responses import DIGEST_BYTES, digest_of, response_ids_in


class Awaited:
    """In memory, about 150 bytes for each; made anew from the open feedback when the store starts. Used from several
    threads.

    A key is a trace id, 16 bytes, or the digest of a response id, 8 bytes. While there are none of the latter no
    request is read for them.
    """

    def __init__(self) -> None:
        self._waiting: set[bytes] = set()
        self._answers: set[bytes] = set()
        self._touched: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def begin(self, keys: Iterable[bytes]) -> None:
        """Exactly these are waited for."""
        with self._lock:
            self._waiting = set(keys)
            self._answers = set(filter(_is_answer, self._waiting))
            self._touched = {key: position for key, position in self._touched.items() if key in self._waiting}

    def wait_for(self, keys: Iterable[bytes]) -> None:
        """These, too. To be said before their feedback can be read, so that no touch is missed."""
        keys = set(keys)
        with self._lock:
            self._waiting.update(keys)
            self._answers.update(filter(_is_answer, keys))

    def touched(self, requests: Sequence[OtlpRequest], position: int) -> None:
        """Requests came, and the store now ends at that position."""
        if not self._waiting:
            return
        of_spans = [request for request in requests if request.signal is Signal.TRACES]
        answers = {digest_of(one) for request in of_spans if self._answers for one in response_ids_in(request.body)}
        with self._lock:
            for keys in (answers, *(request.trace_ids for request in of_spans)):
                self._touched.update(dict.fromkeys(self._waiting.intersection(keys), position))

    def positions(self) -> Mapping[bytes, int]:
        """Where the store ended when each of the touched keys was touched last."""
        with self._lock:
            return dict(self._touched)

    def looked_for(self, keys: Iterable[bytes], position: int) -> None:
        """Their spans were looked for when the store ended there."""
        with self._lock:
            for key in keys:
                if self._touched.get(key, 0) <= position:
                    self._touched.pop(key, None)

    def let_go(self, keys: Iterable[bytes]) -> None:
        """They have no open feedback any more. To be said before further feedback can be kept."""
        with self._lock:
            for key in keys:
                self._waiting.discard(key)
                self._answers.discard(key)
                self._touched.pop(key, None)

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._waiting)


def _is_answer(key: bytes) -> bool:
    return len(key) == DIGEST_BYTES
