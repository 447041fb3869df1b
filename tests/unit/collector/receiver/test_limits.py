"""The budget of bytes in flight."""

from dataclasses import dataclass, field

import pytest

from collector.core.errors import Unavailable
from collector.receiver.limits import Budget, Reservation


@dataclass(slots=True)
class Sender:
    """One that is being received, and lets go where it is told to."""

    budget: Budget
    revoked: bool = False
    held: Reservation = field(init=False)

    def __post_init__(self) -> None:
        self.held = self.budget.reserve(self.revoke)

    def revoke(self) -> None:
        self.revoked = True
        self.held.release()


def test_all_together_are_bounded_and_one_alone_always_fits() -> None:
    budget = Budget(100, lambda: 0.0)
    alone = budget.reserve()
    alone.grow(150)
    with pytest.raises(Unavailable, match="150 bytes"):
        budget.reserve().grow(1)
    alone.release()
    alone.release()
    assert budget.taken == 0


def test_the_slow_make_room_the_oldest_first_and_no_more_of_them_than_needed() -> None:
    now = [0.0]
    budget = Budget(100, lambda: now[0])
    senders = []
    for _ in range(4):
        now[0] += 0.5
        senders.append(Sender(budget))
        senders[-1].held.grow(25)
    new = Sender(budget)
    with pytest.raises(Unavailable):
        new.held.grow(30)
    senders[0].held.settle()  # whole: it is being stored
    now[0] = 3.9
    new.held.grow(50)
    assert [sender.revoked for sender in senders] == [False, True, True, False]
    assert budget.taken == 100


def test_requests_in_flight_are_counted_and_what_they_took_is_given_back() -> None:
    budget = Budget(100)
    with budget.reservation() as reservation:
        reservation.grow(10)
        assert (budget.requests(), budget.taken) == (1, 10)
    assert (budget.requests(), budget.taken) == (0, 0)
    held = budget.reserve()
    held.grow(20)
    with budget.reservation(held) as reservation:
        reservation.grow(5)
    assert (budget.requests(), budget.taken) == (0, 25)
    held.release()
    assert budget.taken == 0
