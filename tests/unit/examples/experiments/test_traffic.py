"""Signal timing: the crossing, control on the spot, the searches by hand."""

import pytest

from examples.experiments.traffic.control import Adaptive
from examples.experiments.traffic.crossing import LEAST_GREEN, MOST_GREEN, Crossing, Traffic
from examples.experiments.traffic.search import gaussian, particles

WHY = "traffic is simulated by uxsim: pip install 'otel-opto[experiments]'"


def test_words_name_the_road_that_waits_longer() -> None:
    said = str(Traffic(20.0, {"east-west": 5.0, "north-south": 35.0}, 0.9))
    assert "vehicles lost 20.0 s each on average: 5 s on the east-west road, 35 s on the north-south road" in said
    assert said.endswith("90% have arrived. The north-south road waits longer.")


def test_the_busier_road_wants_more_green_and_the_same_day_gives_the_same_traffic() -> None:
    pytest.importorskip("uxsim", reason=WHY)
    crossing = Crossing(1)
    assert crossing.demand["north", "south"] > crossing.demand["west", "east"]
    good, bad = crossing.simulated(15, 25), crossing.simulated(40, 20)
    assert good.delay < bad.delay
    assert bad.by_road["north-south"] > bad.by_road["east-west"]
    assert crossing.simulated(15, 25) == good


def test_control_on_the_spot_gives_the_busier_road_no_less_and_loses_less_than_where_it_began() -> None:
    pytest.importorskip("uxsim", reason=WHY)
    crossing, control = Crossing(2), Adaptive((60, 60))
    before = crossing.simulated(60, 60)
    after = crossing.simulated(60, 60, control=control)
    assert after.delay < before.delay
    east_west, north_south = control.signal
    assert LEAST_GREEN <= north_south <= east_west <= MOST_GREEN


@pytest.mark.parametrize("search", [particles, gaussian])
def test_a_search_begins_at_the_start_stays_within_bounds_and_gets_down_a_bowl(search: object) -> None:
    assert callable(search)
    runs = []
    for seed in range(1, 6):
        found = list(search(lambda at: (at[0] - 30) ** 2 + (at[1] - 70) ** 2, (60, 60), (15, 90), 30, seed))
        assert len(found) == 31
        assert found[0] == ((60, 60), 1_000)
        assert all(15 <= number <= 90 for point, _ in found for number in point)
        runs.append(min(score for _, score in found))
    assert found == list(search(lambda at: (at[0] - 30) ** 2 + (at[1] - 70) ** 2, (60, 60), (15, 90), 30, 5))
    assert sum(score < 50 for score in runs) >= 4, runs
