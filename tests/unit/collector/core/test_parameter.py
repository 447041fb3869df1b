"""Validation of proposals."""

from collector.core.parameter import validated
from otel_opto.spec import Constraint, ParameterSpec, ParameterType

SPECS = [
    ParameterSpec("top_k", ParameterType.INTEGER, 3, Constraint(minimum=1, maximum=10)),
    ParameterSpec("method", ParameterType.CHOICE, "bm25", Constraint(choices=("bm25", "overlap"))),
]


def test_every_fault_is_said_and_good_values_come_through() -> None:
    good, faults = validated({"top_k": 4.0, "method": "bm52", "depth": 1}, SPECS)
    assert good == {"top_k": 4}
    assert len(faults) == 2
    assert "'method': found 'bm52' (str), allowed: one of 'bm25', 'overlap'" in faults[0]
    assert "'depth': unknown; known: method, top_k" in faults[1]
