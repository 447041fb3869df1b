"""Who gets which release: the vectors that every implementation must meet, and what holds for all keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_opto.assignment import BUCKETS, Arm, Assignment, bucket

VECTORS = [
    ("", "", 67),
    ("a1b2", "user-1", 8644),
    ("a1b2", "user-2", 4850),
    ("7f3c", "Zoë", 7541),
    ("7f3c", "4bf92f3577b34da6a3ce929d0e0e4736", 8262),
    ("s", "x" * 1000, 5829),
]


@pytest.mark.parametrize(("salt", "key", "expected"), VECTORS)
def test_the_published_vectors(salt: str, key: str, expected: int) -> None:
    assert bucket(salt, key) == expected


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_every_text_has_a_bucket(salt: str, key: str) -> None:
    assert 0 <= bucket(salt, key) < BUCKETS


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(0, 2_000))
def test_an_arm_that_grows_only_wins_keys_and_takes_none_from_another(small: int, more: int, other: int) -> None:
    arms = (
        (Arm(2, 0, small), Arm(3, BUCKETS - other, other)) if small + more + other <= BUCKETS else (Arm(2, 0, small),)
    )
    before = Assignment("shop", 1, 1, arms, "salt")
    after = Assignment("shop", 2, 1, (Arm(2, 0, min(small + more, BUCKETS)), *arms[1:]), "salt")
    for number in range(200):
        key = f"user-{number}"
        was, now = before.release_for(key), after.release_for(key)
        assert now == was or (was, now) == (1, 2)


def test_shares_are_met() -> None:
    assignment = Assignment("shop", 1, 1, (Arm(2, 0, 500), Arm(3, 5_000, 2_000)), "salt")
    given_to = [assignment.release_for(f"user-{number}") for number in range(20_000)]
    assert given_to.count(2) / 20_000 == pytest.approx(0.05, abs=0.005)
    assert given_to.count(3) / 20_000 == pytest.approx(0.2, abs=0.01)
    assert [assignment.share(number) for number in (1, 2, 3, 4)] == [7_500, 500, 2_000, 0]
    assert assignment.releases == (1, 2, 3)


@pytest.mark.parametrize(
    "arms", [(Arm(2, 0, 600), Arm(3, 500, 100)), (Arm(2, 500, 9_501),), (Arm(2, -1, 5),), (Arm(2, 0, -1),)]
)
def test_arms_that_overlap_or_lie_outside_are_refused(arms: tuple[Arm, ...]) -> None:
    with pytest.raises(ValueError, match="allowed are stretches in order within 0 to 10000"):
        Assignment("shop", 1, 1, arms)
