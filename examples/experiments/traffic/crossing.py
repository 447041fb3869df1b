"""A crossing of two roads whose traffic UXsim simulates vehicle by vehicle.

After the traffic task of Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 5.2: two whole
numbers, the seconds of green of either road, half an hour of traffic. UXsim: Seo, "UXsim: An open source macroscopic
and mesoscopic traffic simulator in Python" (2023).
"""

import importlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LEAST_GREEN, MOST_GREEN = 15, 90
"""Seconds."""

_ROADS = {"east-west": ("west", "east"), "north-south": ("north", "south")}
_PLACES = {"west": (-600, 0), "east": (600, 0), "north": (0, 600), "south": (0, -600)}
_SECONDS, _DEMAND_SECONDS = 1_800, 1_500
_SPEED, _JAM_DENSITY, _PLATOON = 12.0, 0.2, 5
"""Metres a second, vehicles a metre, vehicles that are simulated as one."""

GROUPS = (0, 2)
"""Of the four phases of a cycle those of the roads; between them nobody has green."""

CLEARANCE = 5
"""Seconds without green, so that the crossing is empty; who changes often loses them often."""

Control = Callable[[Any, Any], None]
"""Gets the world and the crossing once in every simulated step, and may change the crossing's `signal`."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What became of half an hour.

    Attributes:
        delay: Mean seconds a vehicle lost; one that did not arrive has lost what it had lost by the end.
        by_road: The same of each road's vehicles.
        arrived: Share of the vehicles.
    """

    delay: float
    by_road: Mapping[str, float]
    arrived: float

    def __str__(self) -> str:
        slower = max(self.by_road, key=lambda road: self.by_road[road])
        roads = ", ".join(f"{seconds:.0f} s on the {road} road" for road, seconds in self.by_road.items())
        told = f"vehicles lost {self.delay:.1f} s each on average: {roads}; {self.arrived:.0%} have arrived."
        return f"{told} The {slower} road waits longer."


def cycle(east_west: int, north_south: int) -> list[int]:
    """The seconds of the four phases."""
    return [east_west, CLEARANCE, north_south, CLEARANCE]


class Crossing:
    """A crossing with a demand of its own.

    Args:
        seed: Of the demand: how many vehicles a second want to cross in each direction.
    """

    def __init__(self, seed: int) -> None:
        drawn = random.Random(f"crossing/{seed}")
        busy, quiet = drawn.uniform(0.26, 0.36), drawn.uniform(0.12, 0.18)
        east_west = busy if drawn.random() < 0.5 else quiet
        north_south = busy + quiet - east_west
        self.demand: Mapping[tuple[str, str], float] = {
            ("west", "east"): east_west,
            ("east", "west"): east_west * drawn.uniform(0.6, 1.0),
            ("north", "south"): north_south,
            ("south", "north"): north_south * drawn.uniform(0.6, 1.0),
        }

    def simulated(self, east_west: int, north_south: int, day: int = 0, control: Control | None = None) -> Traffic:
        """Half an hour with so many seconds of green for either road; the same day gives the same traffic.

        Args:
            east_west: Seconds of green in a cycle.
            north_south: The same of the other road.
            day: Another one has the same demand and other vehicles.
            control: Changes the greens on the way.

        Raises:
            ImportError: UXsim is not installed; says how it is.
        """
        world, node = self._world(east_west, north_south, day)
        if control is None:
            world.exec_simulation()
        else:
            world.finalize_scenario()
            while world.check_simulation_ongoing():
                control(world, node)
                world.exec_simulation(duration_t2=world.DELTAT)
        return self._traffic(world)

    def _world(self, east_west: int, north_south: int, day: int) -> tuple[Any, Any]:
        world = _uxsim().World(
            name="", deltan=_PLATOON, tmax=_SECONDS, print_mode=0, save_mode=0, show_mode=0, random_seed=day
        )
        node = world.addNode("crossing", 0, 0, signal=cycle(east_west, north_south))
        for group, (road, ends) in zip(GROUPS, _ROADS.items(), strict=True):
            for end in ends:
                world.addNode(end, *_PLACES[end])
                lane = {"length": 600, "free_flow_speed": _SPEED, "jam_density": _JAM_DENSITY}
                world.addLink(f"{road} from {end}", end, "crossing", signal_group=group, **lane)
                world.addLink(f"{road} to {end}", "crossing", end, **lane)
        drawn = random.Random(f"day/{day}")
        for (origin, destination), rate in self.demand.items():
            for begin in range(0, _DEMAND_SECONDS, 300):  # what comes changes all the while, around the rate
                world.adddemand(origin, destination, begin, begin + 300, rate * drawn.uniform(0.8, 1.2))
        return world, node

    def _traffic(self, world: Any) -> Traffic:
        lost: dict[str, list[float]] = {road: [] for road in _ROADS}
        free_seconds, arrived = 1_200 / _SPEED, 0
        for vehicle in world.VEHICLES.values():
            road = next(road for road, ends in _ROADS.items() if vehicle.orig.name in ends)
            there = vehicle.state == "end"
            arrived += there
            end = vehicle.arrival_time * world.DELTAT if there else _SECONDS
            lost[road].append(max(0.0, end - vehicle.departure_time * world.DELTAT - free_seconds))
        count = len(world.VEHICLES)
        total = sum(sum(some) for some in lost.values())
        by_road = {road: sum(some) / max(1, len(some)) for road, some in lost.items()}
        return Traffic(float(total / count), {road: float(mean) for road, mean in by_road.items()}, arrived / count)


def _uxsim() -> Any:
    try:
        return importlib.import_module("uxsim")
    except ModuleNotFoundError as error:
        raise ImportError("the traffic experiment needs the package uxsim: pip install '.[experiments]'") from error
