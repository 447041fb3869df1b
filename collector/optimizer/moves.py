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


def moved(spec: ParameterSpec, current: float, tried: Sequence[float], *, upwards: bool) -> float | int:
    """Halfway to the nearest tried value on that side, else to the bound; the current value where there is no room."""
    sign = 1.0 if upwards else -1.0
    bound = spec.constraint.maximum if upwards else spec.constraint.minimum
    beyond = [value for value in tried if sign * value > sign * current]
    nearest = min(beyond, key=lambda value: sign * value) if beyond else None
    end = nearest if nearest is not None else bound
    target = current + sign * max(abs(current), 1.0) if end is None else (current + end) / 2
    if spec.type is ParameterType.FLOAT:
        return float(f"{target:.6g}") if math.isfinite(target) else current
    whole = round(target)
    if whole == round(current):
        whole += int(sign)
    if nearest is None and bound is not None and sign * whole > sign * bound:
        return round(current)
    return max(-MAX_INTEGER, min(MAX_INTEGER, whole))
