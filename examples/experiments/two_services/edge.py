"""The users: they ask at the front, and say much later, elsewhere, what the answers were worth."""

import heapq
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from collector.cli.client import ApiClient
from examples.experiments.two_services.serving import Caller
from examples.retrieval_qa.corpus import Question
from examples.retrieval_qa.evaluation import token_f1

METRIC = "answer_quality"
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer and what it is worth, 0 to 1.

    Attributes:
        releases: Which the finder and the answerer made it with.
    """

    score: float
    text: str
    handle: str
    releases: tuple[int | None, int | None]


def ask(front: Caller, question: Question) -> Asked:
    """One question; nobody is told what the answer is worth."""
    found = front.ask({"question": question.question})
    score = token_f1(found["answer"], question.answer)
    said = f"expected '{question.answer}', answered '{found['answer']}'"
    finder, answerer = found["releases"]
    return Asked(score, said, found["handle"], (finder, answerer))


class Judge:
    """Sends feedback when its time has come, over the collector's API: neither service ever sees it.

    Args:
        client: Of the collector's API.
        late_seconds: How long after the answer.
    """

    def __init__(self, client: ApiClient, late_seconds: float) -> None:
        self._client, self._late = client, late_seconds
        self._waiting: list[tuple[float, int, Asked]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._send, daemon=True)
        self.sent = 0
        self.error: Exception | None = None

    def later(self, asked: Asked) -> None:
        """Says what it is worth once it is late."""
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + self._late, next(self._numbers), asked))
            self._changed.notify()

    def _send(self) -> None:
        try:
            while (due := self._due()) is not None:
                said = [{"handle": one.handle, "name": METRIC, "score": one.score, "text": one.text} for one in due]
                self._client.post("/v1/feedback", {"feedback": said})
                self.sent += len(due)
        except Exception as error:  # noqa: BLE001 - for the thread that asks
            self.error = error

    def _due(self) -> Sequence[Asked] | None:
        """What has to be said now; None once it has ended."""
        with self._changed:
            while not self._ended:
                now = time.monotonic()
                due: list[Asked] = []
                while self._waiting and self._waiting[0][0] <= now and len(due) < _AT_ONCE:
                    due.append(heapq.heappop(self._waiting)[2])
                if due:
                    return due
                self._changed.wait(self._waiting[0][0] - now if self._waiting else None)
        return None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()
