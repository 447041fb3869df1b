"""Feedback of an application without a logger provider: a queue that neither blocks nor grows nor loses in silence."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs._internal.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource

from otel_opto.process.counters import Count, Counters
from otel_opto.process.notices import Notices
from otel_opto.process.outbox import Outbox


class Sender:
    """An exporter that sends when it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.result = LogRecordExportResult.SUCCESS
        self.got: list[str] = []
        self.tries = 0
        self.ended = False

    def export(self, batch: Sequence[Any]) -> LogRecordExportResult:
        self.may.wait(60)
        self.tries += 1
        if self.result is LogRecordExportResult.SUCCESS:
            self.got += [str(one.log_record.body) for one in batch]
        return self.result

    def shutdown(self) -> None:
        self.ended = True

    def before_fork(self) -> None:
        """Nothing is open."""

    def after_fork(self, *, child: bool) -> None:
        """Nothing is open."""


@pytest.fixture
def sender() -> Iterator[Sender]:
    found = Sender()
    yield found
    found.may.set()


def outbox(sender: Sender, counters: Counters, most: int = 100) -> Outbox:
    return Outbox(lambda: sender, Resource({}), counters, Notices(), most)


def give(box: Outbox, number: int) -> None:
    logger = box.provider.get_logger("tests")
    for one in range(number):
        logger.emit(LogRecord(timestamp=1, body=str(one)))


def test_a_collector_that_hangs_keeps_nobody_waiting_and_fills_no_memory(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    counters = Counters()
    box = outbox(sender, counters)
    give(box, 1_000)
    assert box.queued == 100
    assert counters.of(Count.FEEDBACK_DROPPED) == 900
    assert [message for message in caplog.messages if "100 wait already" in message] == caplog.messages
    assert len(caplog.messages) == 1
    sender.may.set()
    assert box.force_flush(60_000)
    assert sender.got == [str(one) for one in range(100)]
    assert counters.of(Count.FEEDBACK_SENT) == 100
    box.shutdown(60.0)
    assert sender.ended


def test_what_is_not_taken_is_sent_again_until_it_is(sender: Sender) -> None:
    counters = Counters()
    box = outbox(sender, counters)
    sender.result = LogRecordExportResult.FAILURE
    sender.may.set()
    give(box, 3)
    for _ in range(1_000):
        if sender.tries >= 2:
            break
        time.sleep(0.02)
    assert (sender.got, box.queued) == ([], 3)
    sender.result = LogRecordExportResult.SUCCESS
    assert box.force_flush(60_000)
    assert sender.got == ["0", "1", "2"]
    assert counters.of(Count.FEEDBACK_DROPPED) == 0
    box.shutdown(60.0)


def test_what_is_left_at_the_end_is_counted_and_said(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    counters = Counters()
    box = outbox(sender, counters)
    give(box, 5)
    box.shutdown(0.1)
    assert counters.of(Count.FEEDBACK_DROPPED) == 5
    assert "5 feedback could not be sent before the end" in caplog.text
    give(box, 1)
    assert counters.of(Count.FEEDBACK_DROPPED) == 6


def test_a_child_sends_its_own_and_leaves_the_parents_to_it(sender: Sender) -> None:
    box = outbox(sender, Counters())
    give(box, 5)
    box.after_fork(child=True)  # as in the child, where the thread is not
    assert box.queued == 0
    sender.may.set()
    give(box, 1)
    assert box.force_flush(60_000)
    box.shutdown(60.0)
