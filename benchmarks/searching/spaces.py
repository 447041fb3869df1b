"""Three spaces of mixed parameters with a known optimum, whose value is 1; they begin far from it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from collector.core.span import AnyValue
from otel_opto.spec import Constraint, ParameterSpec, ParameterType, ParameterValue

Values = Mapping[str, ParameterValue]


@dataclass(frozen=True)
class Space:
    """Parameters, and how good their values are.

    Attributes:
        scales: How its numbers are walked, where that is said.
    """

    name: str
    specs: Sequence[ParameterSpec]
    value: Callable[[Values], float]
    scales: Mapping[str, AnyValue] = field(default_factory=dict)

    @property
    def defaults(self) -> Values:
        """Where the search begins."""
        return {spec.key: spec.default for spec in self.specs}


def _float(key: str, low: float, high: float, default: float) -> ParameterSpec:
    return ParameterSpec(key, ParameterType.FLOAT, default, Constraint(minimum=low, maximum=high))


def _choice(key: str, choices: Sequence[str]) -> ParameterSpec:
    return ParameterSpec(key, ParameterType.CHOICE, choices[0], Constraint(choices=tuple(choices)))


def _integer(key: str) -> ParameterSpec:
    return ParameterSpec(key, ParameterType.INTEGER, 1, Constraint(minimum=1, maximum=20))


def _flag(key: str) -> ParameterSpec:
    return ParameterSpec(key, ParameterType.BOOLEAN, default=False)


def _n(values: Values, key: str) -> float:
    return float(values[key])


def _smooth(v: Values) -> float:
    category = {"a": 0.4, "b": 0.15, "c": 0.0, "d": 0.3}[str(v["m"])]
    far = (_n(v, "x") - 0.62) ** 2 + (_n(v, "y") - 0.31) ** 2 + ((_n(v, "k") - 13) / 20) ** 2
    return 1 - far - category - (0 if v["s"] else 0.1)


def _retrieval(v: Values) -> float:
    weight, kept, top = {"bm25": (0.1, 3, 0.7), "dense": (0.9, 5, 0.8), "hybrid": (0.45, 8, 1.0)}[str(v["ranker"])]
    far = 3 * (_n(v, "w") - weight) ** 2 + ((_n(v, "top_k") - kept) / 6) ** 2 + 2 * (_n(v, "cut") - 0.2) ** 2
    style = {"s0": 0.6, "s1": 0.7, "s2": 1.0, "s3": 0.8, "s4": 0.65}[str(v["style"])]
    return top * math.exp(-far) * style * (1 if v["strict"] else 0.85)


_OPTIMUM = (1.5, -2.2, 0.3, 3.1, -0.7)


def _needles(v: Values) -> float:
    far = sum((_n(v, f"z{i}") - at) ** 2 for i, at in enumerate(_OPTIMUM)) / 60
    rate = ((math.log10(_n(v, "lr")) + 3) / 3) ** 2 * 0.5
    return 1 - far - rate - (0 if v["opt"] == "c" else 0.3) - {"p": 0.2, "q": 0.1, "r": 0.0}[str(v["act"])]


_STYLE = ParameterSpec("style", ParameterType.TEXT, "s0", Constraint(candidates=("s1", "s2", "s3", "s4")))
SPACES = (
    Space(
        "smooth, 5 parameters",
        (_float("x", 0.0, 1.0, 0.1), _float("y", 0.0, 1.0, 0.9), _integer("k"), _choice("m", "abcd"), _flag("s")),
        _smooth,
    ),
    Space(
        "retrieval, 6 parameters",
        (
            _integer("top_k"), _float("w", 0.0, 1.0, 0.0), _choice("ranker", ("bm25", "dense", "hybrid")), _STYLE,
            _flag("strict"), _float("cut", 0.0, 1.0, 0.5),
        ),
        _retrieval,
    ),
    Space(
        "needles, 8 parameters, one over six orders of magnitude",
        (
            *(_float(f"z{i}", -5.0, 5.0, 4.0) for i in range(5)), _float("lr", 1e-6, 1.0, 0.5),
            _choice("opt", "abcde"), _choice("act", "pqr"),
        ),
        _needles,
        {"lr": "log"},
    ),
)  # fmt: skip
