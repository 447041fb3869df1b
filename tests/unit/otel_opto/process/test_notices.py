"""One line for each kind of trouble, ever more rarely; counts."""

import logging

import pytest

from otel_opto.process.counters import Count, Counters
from otel_opto.process.notices import Notices


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_the_same_is_said_after_ever_longer_times(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    notices = Notices(clock)
    begin, said = clock.now, []
    for _ in range(20_000):
        notices.say("away", "nothing listens")
        if caplog.messages:
            said.append((round(clock.now - begin), caplog.messages[0]))
            caplog.clear()
        clock.now += 1.0
    times = [at for at, _ in said]
    assert times == [0, 60, 180, 420, 900, 1_860, 3_780, 7_380, 10_980, 14_580, 18_180]
    assert said[0][1] == "nothing listens"
    assert said[1][1] == "nothing listens (59 more times since it was last said)"


def test_another_text_and_the_end_are_said_but_no_flood_of_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "otel_opto")
    clock = Clock()
    notices = Notices(clock)
    for number in range(100):
        notices.say("away", f"reason {number}")
        notices.over("away", "it answers")
        clock.now += 0.5
    assert len(caplog.messages) <= 11
    assert caplog.messages[0] == "reason 0"
    assert notices.present() == ()
    clock.now += 10.0
    notices.say("away", "reason 0")
    assert notices.present() == ("reason 0",)
    clock.now += 10.0
    notices.over("away", "it answers")
    assert caplog.messages[-1] == "it answers"


def test_kinds_are_said_apart(caplog: pytest.LogCaptureFixture) -> None:
    notices = Notices(Clock())
    notices.say("one", "first")
    notices.say("two", "second")
    assert caplog.messages == ["first", "second"]
    assert notices.present() == ("first", "second")
    notices.forget()
    assert notices.present() == ()


def test_a_forked_child_counts_its_own() -> None:
    counters = Counters()
    counters.add(Count.FEEDBACK_DROPPED, 3)
    assert counters.of(Count.FEEDBACK_DROPPED) == 3
    counters.renew()
    assert counters.of(Count.FEEDBACK_DROPPED) == 0
