"""What was found, and how bad it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is."""

    GREEN = "green"
    YELLOW = "yellow"
    """Somebody should look at it."""

    RED = "red"
    """Something is lost, or never comes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: Of the check.
        says: What was found.
        cure: What to do; empty where nothing is to be done.
    """

    name: str
    level: Level
    says: str
    cure: str = ""


_SIGNS = {Level.GREEN: "✓ green ", Level.YELLOW: "! yellow", Level.RED: "✗ red   "}


def worst_of(findings: Sequence[Finding]) -> Level:
    """The level of all together."""
    order = list(Level)
    return max((finding.level for finding in findings), key=order.index, default=Level.GREEN)


def document_of(findings: Sequence[Finding]) -> dict[str, object]:
    """As JSON, in the form of the collector's ``/v1/doctor``."""
    return {
        "level": worst_of(findings).value,
        "findings": [
            {"name": one.name, "level": one.level.value, "says": one.says, "cure": one.cure} for one in findings
        ],
    }


def lines_of(findings: Sequence[Finding]) -> Iterator[str]:
    """For a person."""
    for one in findings:
        yield f"{_SIGNS[one.level]} {one.name}: {one.says}"
        if one.cure:
            yield f"    → {one.cure}"
    yield f"all together: {worst_of(findings).value}"
