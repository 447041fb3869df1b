"""Numbers by direction: a model that says "larger" is right far more often than one that says how much.

The value is found by halving: between the current value and the nearest one that was tried on that side, else the
bound, else twice as far as zero. So no answer repeats a value that was measured, and a direction that is right closes
in on the optimum in a few trials.
"""

import math
from collections.abc import Mapping, Sequence

from collector.core.protocols import OptimizationRequest
from collector.core.span import AnyValue
from otel_opto.spec import MAX_INTEGER, ParameterSpec, ParameterType

LARGER, SMALLER, KEEP = "larger", "smaller", "keep"
DIRECTIONS = (LARGER, SMALLER, KEEP)
_NARROW = 1 / 16
"""Of the range between the bounds: two values that are nearer than that are taken as one place."""

NUMBERS = (ParameterType.INTEGER, ParameterType.FLOAT)


def resolved(values: Mapping[str, AnyValue], request: OptimizationRequest) -> dict[str, AnyValue]:
    """The values with a number in place of each direction; what is no direction stays as it is."""
    specs = {spec.key: spec for spec in request.parameters}
    return {key: _resolved(specs.get(key), value, request) for key, value in values.items()}


def _resolved(spec: ParameterSpec | None, said: AnyValue, request: OptimizationRequest) -> AnyValue:
    if spec is None or spec.type not in NUMBERS or not isinstance(said, str):
        return said
    direction = said.strip().lower()
    current = request.current[spec.key]
    if direction == KEEP or direction not in DIRECTIONS:
        return current if direction == KEEP else said
    tried = [trial.values[spec.key] for trial in request.trials if spec.key in trial.values]
    return moved(spec, float(current), [float(value) for value in tried], upwards=direction == LARGER)


def _narrow(spec: ParameterSpec) -> float:
    low, high = spec.constraint.minimum, spec.constraint.maximum
    return 0.0 if low is None or high is None else (high - low) * _NARROW


def moved(spec: ParameterSpec, current: float, tried: Sequence[float], *, upwards: bool) -> float | int:
    """Halfway to the nearest value on that side that was tried and is not close by, else to the bound.

    The current value where there is no room.
    """
    sign = 1.0 if upwards else -1.0
    bound = spec.constraint.maximum if upwards else spec.constraint.minimum
    beyond = sorted((value for value in tried if sign * value > sign * current), key=lambda value: sign * value)
    nearest = beyond[0] if beyond else None
    narrow = _narrow(spec)
    # A gap that is closed is no place to look in; a direction that was wrong once would else trap all that follow it.
    end = next((value for value in beyond if abs(value - current) >= narrow), bound if narrow else nearest)
    if end is None:
        end = nearest
    target = current + sign * max(abs(current), 1.0) if end is None else (current + end) / 2
    if spec.type is ParameterType.FLOAT:
        return float(f"{target:.6g}") if math.isfinite(target) else current
    whole = round(target)
    if whole == round(current):
        whole += int(sign)
    if nearest is None and bound is not None and sign * whole > sign * bound:
        return round(current)
    return max(-MAX_INTEGER, min(MAX_INTEGER, whole))
