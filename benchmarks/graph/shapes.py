"""The four shapes, as plain joins that both sides of the comparison build their graphs from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """N operations in causal order.

    Attributes:
        parameters: How many there are.
        uses: For each operation the parameters that it uses, by number.
        sources: For each operation those that it takes the results of, by number.
        joined: The operations whose results the last step takes together; () where the last operation is judged.
    """

    parameters: int
    uses: tuple[tuple[int, ...], ...]
    sources: tuple[tuple[int, ...], ...]
    joined: tuple[int, ...]

    @property
    def nodes(self) -> int:
        """Of the minimal subgraph, which is the whole graph in each of these shapes."""
        return self.parameters + len(self.uses) + bool(self.joined)


def chain(size: int) -> Shape:
    """One parameter, then one operation after the other."""
    return Shape(1, ((0,), *((),) * (size - 1)), ((), *((n,) for n in range(size - 1))), ())


def layered(size: int) -> Shape:
    """Ten parameters, then rows of ten operations, each fed by two of the row before; the last row is joined."""
    wide = 10
    uses = tuple((n,) if n < wide else () for n in range(size))
    sources = tuple(
        () if n < wide else ((n // wide - 1) * wide + n % wide, (n // wide - 1) * wide + (n + 1) % wide)
        for n in range(size)
    )
    return Shape(wide, uses, sources, tuple(range(size - wide, size)))


def fan(size: int) -> Shape:
    """One parameter that all operations use beside each other; all are joined."""
    return Shape(1, ((0,),) * size, ((),) * size, tuple(range(size)))


def paramchain(size: int) -> Shape:
    """One operation after the other, each with a parameter of its own."""
    return Shape(size, tuple((n,) for n in range(size)), ((), *((n,) for n in range(size - 1))), ())


SHAPES: Mapping[str, Callable[[int], Shape]] = {
    "chain": chain,
    "layered": layered,
    "fan": fan,
    "paramchain": paramchain,
}
