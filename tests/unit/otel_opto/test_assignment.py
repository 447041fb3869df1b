"""Who gets which release: the vectors that every implementation must meet, and what holds for all keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_opto.assignment import BUCKETS, Arm, Assignment, Crossing, Layer, bucket
from otel_opto.v1 import release_pb2
from otel_opto.wire import assignment_of, assignment_to_proto

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


CROSSED = Assignment(
    "shop", 3, 1, (Arm(9, 0, 1_000),), "r",
    (Layer("a", "salt a", (Arm(2, 0, 3_000), Arm(3, 5_000, 2_000))), Layer("b", "salt b", (Arm(4, 0, 5_000),))),
    (Crossing(5, (2, 4)), Crossing(6, (3, 4))),
)  # fmt: skip


def test_layers_deal_every_unit_by_themselves_behind_the_arms() -> None:
    given_to = [CROSSED.release_for(f"user-{number}") for number in range(20_000)]
    expected = {9: 0.1, 1: 0.225, 2: 0.135, 3: 0.09, 4: 0.225, 5: 0.135, 6: 0.09}
    for number, part in expected.items():
        assert given_to.count(number) / 20_000 == pytest.approx(part, abs=0.01)
        assert CROSSED.share(number) / BUCKETS == pytest.approx(part)
    assert CROSSED.releases == (1, 9, 2, 3, 4, 5, 6)
    assert CROSSED.share(7) == 0


def test_a_release_says_which_arm_of_each_layer_a_unit_is_in() -> None:
    assert [CROSSED.arm_of("a", number) for number in (1, 2, 3, 4, 5, 6)] == [0, 2, 3, 0, 2, 3]
    assert [CROSSED.arm_of("b", number) for number in (1, 2, 3, 4, 5, 6)] == [0, 0, 0, 4, 4, 4]
    assert [CROSSED.arm_of("a", number) for number in (9, 7)] == [None, None]
    assert CROSSED.arm_of("none", 5) == 0


def test_without_an_arm_its_crossings_are_gone_and_an_empty_layer_too() -> None:
    left = CROSSED.without(2)
    assert (left.layers[0].arms, left.crossings) == ((Arm(3, 5_000, 2_000),), (Crossing(6, (3, 4)),))
    assert [layer.name for layer in CROSSED.without(4).layers] == ["a"]
    assert CROSSED.without(4).crossings == ()
    assert CROSSED.without(9).arms == ()


def test_layers_and_crossings_go_over_the_wire() -> None:
    message = release_pb2.WatchReleasesResponse(assignment=assignment_to_proto(CROSSED))
    assert assignment_of(message) == CROSSED


@pytest.mark.parametrize(
    "crossings",
    [
        (), (Crossing(5, (2, 4)),), (Crossing(5, (2, 4)), Crossing(6, (2, 4))),
        (Crossing(5, (2, 4)), Crossing(6, (3,))),
        (Crossing(5, (4, 2)), Crossing(6, (3, 4))), (Crossing(5, (2, 4)), Crossing(6, (3, 4)), Crossing(7, (2, 3))),
    ],
)  # fmt: skip
def test_a_combination_without_a_release_is_refused(crossings: tuple[Crossing, ...]) -> None:
    with pytest.raises(ValueError, match="needed are 2, one for each combination"):
        Assignment("shop", 3, 1, (), "", CROSSED.layers, crossings)
