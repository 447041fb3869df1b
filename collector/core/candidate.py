"""What became of candidates, and the windows in which they are measured beside what is in force."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from collector.core.errors import some
from collector.core.objective import MEASURED, MOST_WEIGHT
from collector.core.record import About
from collector.core.span import AnyValue

_MOST_UNITS = 10_000_000


class Fate(Enum):
    """What became of a candidate."""

    OPEN = "open"
    """It waits, or is measured."""

    WON = "won"
    """Better than the incumbent on fresh data: it may be released."""

    UNCONFIRMED = "unconfirmed"
    """It looked better, and fresh data did not show it."""

    DROPPED = "dropped"
    """It did not look better."""

    BROKEN = "broken"
    """It fails more often than the incumbent, or does harm."""

    INVALID = "invalid"
    """It fits its parameters not, or not any more."""

    EXPIRED = "expired"
    """Its units did not come within its deadline."""


class SelectorName(Enum):
    """Who says what is measured next (docs/selection.md)."""

    THOMPSON = "thompson"
    HALVING = "halving"
    GREEDY = "greedy"


@dataclass(frozen=True, slots=True)
class Selection:
    """How candidates are selected, and how often that may be wrong.

    Attributes:
        selector: Looks around; nothing is released by what it sees.
        units: Scored ones in all, those of the release in force among them.
        alpha: How often a study may release what is no better, however many candidates it has.
    """

    selector: Annotated[SelectorName, About("who says which candidate is measured next")] = SelectorName.THOMPSON
    units: Annotated[
        int, About("scored units in all, those of the release in force among them", option="--units", metavar="N")
    ] = 3_000
    alpha: Annotated[
        float, About("how often a study may release what is no better", option="--alpha", metavar="RATE")
    ] = 0.05

    def faults(self) -> list[str]:
        """Every fault of its fields: what was found, what is allowed."""
        faults = []
        if not 1 <= self.units <= _MOST_UNITS:
            faults.append(f"selection.units: found {self.units}, allowed is 1 to {_MOST_UNITS:,}")
        if not 0 < self.alpha < 1:
            faults.append(f"selection.alpha: found {self.alpha:g}, allowed is above 0 and below 1")
        return faults


def limit_faults(limits: Mapping[str, float], weights: Mapping[str, float]) -> list[str]:
    """Every fault of a study's limits and weights: what was found, what is allowed."""
    faults = [
        f"{name}: found {signal!r}, allowed are {', '.join(MEASURED)}"
        for name, given in (("limits", limits), ("weights", weights))
        for signal in given
        if signal not in MEASURED
    ]
    faults += [
        f"weights: {signal!r} has no limit; say what it counts within" for signal in weights.keys() - limits.keys()
    ]
    faults += [
        f"weights: {signal!r}: found {value:g}, allowed are {MOST_WEIGHT:,} at most"
        for signal, value in weights.items()
        if MOST_WEIGHT < value < math.inf
    ]
    return faults + [
        f"{name}: {signal!r}: found {value:g}, allowed are finite numbers above 0"
        for name, given in (("limits", limits), ("weights", weights))
        for signal, value in given.items()
        if not 0 < value < math.inf
    ]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of assignments in which some candidates and what is in force have their shares of the traffic.

    Attributes:
        number: From 1.
        purpose: ``baseline`` (what is in force alone), ``look`` or ``confirm``.
        shares: Of all traffic, by trial; 0 is what is in force.
        releases: That the trials ran with.
        units: How many it counts for, of all together.
        least: How many units of its candidates with an outcome close it; of what is in force where that is alone.
        planned: Of a confirmation: about how many fresh units it has in all.
        looking: How many units there were for looking around when it was opened.
        revision: Of the assignment with which it began.
        opened_unix_nano: When.
        closed: Why it is over; empty while it is not.
    """

    number: int
    purpose: str
    shares: Mapping[int, float]
    releases: Mapping[int, int]
    units: int
    least: int
    planned: int = 0
    looking: int = 0
    revision: int = 0
    opened_unix_nano: int = 0
    closed: str = ""

    @property
    def trials(self) -> tuple[int, ...]:
        """Its candidates, without what is in force."""
        return tuple(number for number in self.releases if number)


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a trial, as of the last window that closed.

    Attributes:
        trial: Its number.
        units: With an outcome.
        errors: Units that failed.
        lead: How much better than what is in force in the same windows, as a part of the metric's range; more is
            better, whatever the direction.
        deviation: The standard error of the lead; None before both were measured in one window.
        score: What it would have scored in the time of all: the mean of what is in force, and the lead.
        control_score: The mean of what is in force.
        gain: Of a confirmation: its mean, and both ends of its confidence sequence, as parts of the metric's range.
        fresh_units: Of the confirmation, of both together.
        objectives: Of a study with several: what it would have scored in each in the time of all, by name.
        deviations: Their standard errors; missing before both were measured in one window.
        kept: Of a confirmation: what fresh units say of each thing that may not get worse, in words.
    """

    trial: int
    units: int = 0
    errors: int = 0
    lead: float = 0.0
    deviation: float | None = None
    score: float | None = None
    control_score: float | None = None
    gain: tuple[float, ...] = ()
    fresh_units: int = 0
    objectives: Mapping[str, float] = field(default_factory=dict)
    deviations: Mapping[str, float] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)


_MOST_SUGGESTIONS = 100


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Values that a study tries before its optimizer is asked: from a training, or somebody's own.

    Attributes:
        values: By key; a key that is missing keeps the value that was in force at the beginning.
        reasoning: Why, in words.
    """

    values: Mapping[str, AnyValue]
    reasoning: str = ""


def suggestion_faults(suggestions: Sequence[Suggestion], parameters: Collection[str]) -> list[str]:
    """Every fault of what a study is to try first: what was found, what is allowed.

    Args:
        parameters: Of the study; empty for all.
    """
    if len(suggestions) > _MOST_SUGGESTIONS:
        return [f"suggestions: found {len(suggestions)}, allowed are {_MOST_SUGGESTIONS} at most"]
    faults = []
    for place, one in enumerate(suggestions):
        if not one.values:
            faults.append(f"suggestions.{place}: found no values; it needs one of a parameter at least")
        strange = sorted(key for key in one.values if parameters and key not in parameters)
        if strange:
            faults.append(f"suggestions.{place}: found {some(strange)}, which the study does not train")
    return faults


@dataclass(frozen=True, slots=True)
class Repeat:
    """A generated candidate that is the values of a trial that was there: it adds units to that one, never a trial.

    Attributes:
        of: The trial's number.
        reasoning: Why it was proposed again.
    """

    of: int
    reasoning: str = ""
