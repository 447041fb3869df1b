"""The robot: the table, its words, the controller by hand, and what is refused."""

import math

import pytest

from examples.experiments.robot.fixed import fixed
from examples.experiments.robot.table import Rollout, Start, Table, starts

START = Start(hand=(-0.2, 0.0), puck=(0.0, 0.0), goal=(0.2, 0.0))
WHY = "the table is simulated by mujoco: pip install 'otel-opto[experiments]'"


def rollout(hand: tuple[float, float], puck: tuple[float, float], task: str = "push") -> Rollout:
    return Rollout(task, START, [(hand, puck)])


def test_scores_are_the_part_of_the_way_and_one_only_where_it_is_reached() -> None:
    assert rollout((0, 0), (0.2, 0.01)).score == 1
    assert rollout((0, 0), (0.165, 0.0)).score == pytest.approx(0.825)
    assert rollout((0, 0), (0.1, 0.0)).score == pytest.approx(0.5)
    assert rollout((0, 0), (-0.1, 0.0)).score == 0
    assert rollout((0.0, 0.0), (0, 0), "reach").score == pytest.approx(0.5)


def test_words_say_what_went_wrong_and_where_to_go() -> None:
    assert str(rollout((0, 0), (0.2, 0.0))) == "Done."
    assert str(rollout((0.0, 0.1), (0, 0), "reach")).startswith(
        "The hand ended 0.22 m from the goal: move 0.20 m to the"
    )
    untouched = str(rollout((-0.06, 0.0), (0, 0)))
    assert "The puck was never moved. The goal is 0.20 m to the right (+x)" in untouched
    assert untouched.endswith("it ended 0.00 m away.")
    assert "push it 0.10 m to the right (+x)" in str(rollout((0, 0), (0.1, 0.0)))


def test_starts_leave_room_and_a_seed_is_a_set_of_them() -> None:
    found = starts("a", 20)
    assert found == starts("a", 20)
    assert found != starts("b", 20)
    for one in found:
        assert min(math.dist(one.hand, one.puck), math.dist(one.puck, one.goal)) > 0.12


def test_a_controller_by_hand_reaches_and_pushes_with_good_constants_and_not_with_bad_ones() -> None:
    pytest.importorskip("mujoco", reason=WHY)
    table = Table()
    some = starts("a", 6)
    assert all(table.rollout("reach", one, fixed("reach", 5, 0.03, 0.02)).score == 1 for one in some)
    good = [table.rollout("push", one, fixed("push", 5, 0.03, 0.02)) for one in some]
    bad = [table.rollout("push", one, fixed("push", 2, 0.03, 0.005)) for one in some]
    assert sum(one.score for one in good) > 5
    assert sum(one.score for one in bad) < 4
    assert table.rollout("push", some[0], fixed("push", 5, 0.03, 0.02)) == good[0]


@pytest.mark.parametrize("said", [None, "ab", [1], [0.0, math.nan], [0.1, 0.2, 0.3]])
def test_what_is_no_velocity_is_refused_with_what_it_is(said: object) -> None:
    pytest.importorskip("mujoco", reason=WHY)
    with pytest.raises(ValueError, match="the controller gave"):
        Table().rollout("reach", START, lambda *_: said)  # type: ignore[arg-type,return-value]
