"""Optimizers by name, ours and installed ones through the same door."""

from importlib.metadata import EntryPoint, entry_points

from collector.core.errors import OptimizerError
from collector.core.protocols import Optimizer

GROUP = "otel_opto.optimizers"
"""The entry-point group; an entry point names a function without arguments that gives an `Optimizer`."""


class OptimizerRegistry:
    """Loads optimizers when they are first asked for, once each."""

    def __init__(self) -> None:
        self._loaded: dict[str, Optimizer] = {}

    def load(self, name: str) -> Optimizer:
        """The optimizer of that name.

        Raises:
            OptimizerError: permanent, if there is none of that name, or two, or it cannot be loaded.
        """
        if name not in self._loaded:
            self._loaded[name] = self._build(name)
        return self._loaded[name]

    def _build(self, name: str) -> Optimizer:
        installed = entry_points(group=GROUP)
        found = {point.value: point for point in installed if point.name == name}
        if not found:
            available = ", ".join(sorted({point.name for point in installed})) or "none"
            raise OptimizerError(f"optimizer: unknown {name!r}; available: {available}", permanent=True)
        if len(found) > 1:
            values = " and ".join(sorted(found))
            raise OptimizerError(
                f"optimizer {name!r} is installed twice: {values}; uninstall or rename one", permanent=True
            )
        return _loaded(next(iter(found.values())))


def _loaded(point: EntryPoint) -> Optimizer:
    try:
        optimizer: Optimizer = point.load()()
    except (ImportError, AttributeError) as error:
        raise OptimizerError(f"optimizer {point.name!r} cannot be loaded: {error}", permanent=True) from error
    return optimizer
