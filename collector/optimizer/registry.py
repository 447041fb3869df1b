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
            OptimizerError: permanent, if there is none of that name or it cannot be loaded.
        """
        if name not in self._loaded:
            self._loaded[name] = self._build(name)
        return self._loaded[name]

    def _build(self, name: str) -> Optimizer:
        found: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=GROUP)}
        if name not in found:
            available = ", ".join(sorted(found))
            raise OptimizerError(f"optimizer: unknown {name!r}; available: {available}", permanent=True)
        try:
            optimizer: Optimizer = found[name].load()()
        except (ImportError, AttributeError) as error:
            raise OptimizerError(f"optimizer {name!r} cannot be loaded: {error}", permanent=True) from error
        return optimizer
