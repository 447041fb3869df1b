"""Parameters that count only beside certain values of others: the limit of a ranker that does not run is nothing."""

from collections.abc import Mapping, Sequence

from collector.optimizer.searching.space import Axis, Candidate
from otel_opto.spec import ParameterSpec, ParameterValue

Table = Mapping[str, Mapping[str, object]]
"""By parameter: the values that others must have."""


class Conditions:
    """Which axes count, for some values.

    Args:
        table: The conditions.
        axes: Of the space, in any order.
        in_force: Values before the study: what a parameter keeps while it does not count.
    """

    def __init__(self, table: Table, axes: Sequence[Axis], in_force: Mapping[str, ParameterValue]) -> None:
        self._table = table
        self.axes = _parents_first(axes, table)
        self.kept = {axis.key: in_force[axis.key] for axis in axes if axis.key in in_force}

    def counting(self, values: Mapping[str, ParameterValue]) -> Sequence[Axis]:
        """The axes that count beside these values; without values those that always do."""
        found: list[Axis] = []
        met: set[str] = set()
        for axis in self.axes:
            if self._is_met(axis.key, values, met):
                met.add(axis.key)
                found.append(axis)
        return found

    def _is_met(self, key: str, values: Mapping[str, ParameterValue], met: set[str]) -> bool:
        searched = {axis.key for axis in self.axes}
        wanted = self._table.get(key, {})
        return all(
            values.get(parent) == value and (parent not in searched or parent in met)
            for parent, value in wanted.items()
        )

    def settled(self, candidate: Candidate) -> Candidate:
        """The candidate with the values in force where an axis does not count, so that equal ones look equal."""
        if not self._table:
            return candidate
        values = dict(zip([axis.key for axis in self.axes], candidate, strict=True))
        counting = {axis.key for axis in self.counting(values)}
        return tuple(value if key in counting else self.kept.get(key, value) for key, value in values.items())


def _parents_first(axes: Sequence[Axis], table: Table) -> Sequence[Axis]:
    ordered: list[Axis] = []
    left = list(axes)
    while left:
        known = {axis.key for axis in ordered} | ({*table} - {axis.key for axis in left})
        waiting = {axis.key for axis in left} - known
        ready = [axis for axis in left if not (table.get(axis.key, {}).keys() & waiting)] or left
        ordered += ready
        left = [axis for axis in left if axis not in ready]
    return ordered


def condition_faults(table: Table, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
    """What is wrong with conditions: names that are none, values that are not allowed, circles."""
    specs = {spec.key: spec for spec in parameters}
    faults = []
    for key, wanted in table.items():
        unknown = [name for name in [key, *wanted] if name not in specs]
        faults += [f"option conditions: {name!r} is no parameter of the study" for name in unknown]
        for parent, value in wanted.items():
            if parent in specs and not _allowed(specs[parent], value):
                allowed = specs[parent].describe_allowed()
                faults.append(f"option conditions: {key}: {parent}: found {value!r}, allowed: {allowed}")
        if key in _ancestors(key, table):
            faults.append(f"option conditions: {key!r} waits for itself")
    return faults


def _allowed(spec: ParameterSpec, value: object) -> bool:
    try:
        spec.validate(value)
    except ValueError:
        return False
    return True


def _ancestors(key: str, table: Table) -> set[str]:
    found: set[str] = set()
    left = [*table.get(key, {})]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += table.get(one, {})
    return found
