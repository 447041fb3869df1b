"""How numbers are walked, as a study says it: by orders of magnitude, or in steps."""

from collections.abc import Callable, Mapping, Sequence

from collector.optimizer.searching.space import Scale
from otel_opto.spec import ParameterSpec, ParameterType

_NUMBERS = (ParameterType.INTEGER, ParameterType.FLOAT)
LOG = "log"


def scales_of(table: Mapping[str, object]) -> Callable[[str], Scale]:
    """The scale of each parameter, by key."""

    def of(key: str) -> Scale:
        said = table.get(key)
        return Scale(log=True) if said == LOG else Scale(step=float(str(said))) if _is_step(said) else Scale()

    return of


def scale_faults(table: Mapping[str, object], parameters: Sequence[ParameterSpec]) -> Sequence[str]:
    """What is wrong with scales: names that are no numbers, steps that are none, logarithms of 0."""
    specs = {spec.key: spec for spec in parameters}
    faults = []
    for key, said in table.items():
        spec = specs.get(key)
        if spec is None or spec.type not in _NUMBERS:
            faults.append(f"option scales: {key!r} is no number among the parameters of the study")
        elif said == LOG:
            low = spec.constraint.minimum
            if low is None or low <= 0:
                faults.append(f"option scales: {key}: found a minimum of {low}, allowed for log: above 0")
        elif not _is_step(said) or (spec.type is ParameterType.INTEGER and float(str(said)) % 1):
            faults.append(f"option scales: {key}: found {said!r}, allowed: 'log', or a step above 0 of its own type")
    return faults


def _is_step(said: object) -> bool:
    return isinstance(said, int | float) and not isinstance(said, bool) and 0 < said < float("inf")
