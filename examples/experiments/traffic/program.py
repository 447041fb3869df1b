"""The program whose two numbers are trained."""

import otel_opto
from examples.experiments.traffic.crossing import LEAST_GREEN, MOST_GREEN, Crossing, Traffic

START = (60, 60)
EAST_WEST = otel_opto.parameter(
    "traffic.east_west_green",
    START[0],
    minimum=LEAST_GREEN,
    maximum=MOST_GREEN,
    description="seconds of green for the east-west road in each cycle",
)
NORTH_SOUTH = otel_opto.parameter(
    "traffic.north_south_green",
    START[1],
    minimum=LEAST_GREEN,
    maximum=MOST_GREEN,
    description="seconds of green for the north-south road in each cycle",
)


@otel_opto.node
def signal_plan() -> dict[str, int]:
    """The greens in force."""
    return {"east_west": EAST_WEST.value, "north_south": NORTH_SOUTH.value}


def half_an_hour(crossing: Crossing) -> Traffic:
    """Plan and simulation, traced."""
    plan = signal_plan()
    with otel_opto.start_node("simulate_traffic", {"plan": plan}) as node:
        traffic = crossing.simulated(plan["east_west"], plan["north_south"])
        node.output({road: round(seconds, 1) for road, seconds in traffic.by_road.items()})
    return traffic
