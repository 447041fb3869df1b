"""Searches of our own hand, as baselines: particle swarm, and Gaussian process."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Point = tuple[int, int]
_SWARM, _INERTIA, _OWN, _COMMON = 5, 0.72, 1.49, 1.49
_LENGTH, _NOISE, _STARTUP = 0.25, 1e-3, 5


def particles(
    measured: Callable[[Point], float], start: Point, bounds: Point, calls: int, seed: int
) -> Iterator[tuple[Point, float]]:
    """Particle swarm (Kennedy and Eberhart 1995; weights of Clerc and Kennedy 2002), the start one of five.

    Gives points with what was measured there; less is better.
    """
    drawn = np.random.default_rng(seed)
    low, high = bounds
    places = drawn.uniform(low, high, (_SWARM, 2))
    places[0] = start
    speeds = drawn.uniform(-(high - low) / 4, (high - low) / 4, (_SWARM, 2))
    best, scores = places.copy(), np.full(_SWARM, math.inf)
    for call in range(calls + 1):
        one = call % _SWARM
        if call >= _SWARM:
            leader = best[int(np.argmin(scores))]
            pull = _OWN * drawn.random(2) * (best[one] - places[one]) + _COMMON * drawn.random(2) * (
                leader - places[one]
            )
            speeds[one] = _INERTIA * speeds[one] + pull
            places[one] = np.clip(places[one] + speeds[one], low, high)
        point = (round(places[one][0]), round(places[one][1]))
        score = measured(point)
        if score < scores[one]:
            best[one], scores[one] = places[one], score
        yield point, score


def gaussian(
    measured: Callable[[Point], float], start: Point, bounds: Point, calls: int, seed: int
) -> Iterator[tuple[Point, float]]:
    """A Gaussian process (Matérn 5/2) and the greatest expected improvement (Jones and others 1998), after five.

    Gives points with what was measured there; less is better.
    """
    drawn = np.random.default_rng(seed)
    low, high = bounds
    points: list[Point] = []
    scores: list[float] = []
    for call in range(calls + 1):
        if call == 0:
            point = start
        elif call < _STARTUP:
            point = (int(drawn.integers(low, high + 1)), int(drawn.integers(low, high + 1)))
        else:
            grid = drawn.integers(low, high + 1, (1_000, 2))
            scale = float(high - low)
            point = _promising(grid, np.array(points) / scale, np.array(scores), scale)
        points.append(point)
        scores.append(measured(point))
        yield point, scores[-1]


def _promising(grid: Any, seen: Any, scores: Any, scale: float) -> Point:
    middle, spread = scores.mean(), scores.std() or 1.0
    targets = (scores - middle) / spread
    factor = np.linalg.cholesky(_kernel(seen, seen) + _NOISE * np.eye(len(seen)))
    weights = np.linalg.solve(factor.T, np.linalg.solve(factor, targets))
    across = _kernel(grid / scale, seen)
    mean = across @ weights
    deviation = np.sqrt(np.maximum(1.0 - (np.linalg.solve(factor, across.T) ** 2).sum(0), 1e-12))
    gain = targets.min() - mean
    ratio = gain / deviation
    density = np.exp(-(ratio**2) / 2) / math.sqrt(2 * math.pi)
    below = 0.5 * (1 + np.vectorize(math.erf)(ratio / math.sqrt(2)))
    first, second = grid[int((gain * below + deviation * density).argmax())]
    return int(first), int(second)


def _kernel(ones: Any, others: Any) -> Any:
    distance = np.sqrt(((ones[:, None, :] - others[None, :, :]) ** 2).sum(-1)) * math.sqrt(5) / _LENGTH
    return (1 + distance + distance**2 / 3) * np.exp(-distance)
