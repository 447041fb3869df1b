"""Rollouts: how a release gets from an arm of live traffic to the control, or does not."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated

from collector.core.exploration import MOST_SECONDS
from collector.core.record import About
from collector.core.study import Direction, Policy


class RolloutState(Enum):
    """Where a rollout stands. The last three are final, but for a person who decides an inconclusive one."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    RAMPING = "ramping"
    PAUSED = "paused"
    INCONCLUSIVE = "inconclusive"
    PROMOTED = "promoted"
    ABORTED = "aborted"

    @property
    def ended(self) -> bool:
        """Whether its arm is gone for good."""
        return self in (RolloutState.PROMOTED, RolloutState.ABORTED)


class Rule(Enum):
    """What the evidence must show before a release is promoted."""

    NON_INFERIOR = "non_inferior"
    """Not worse than the control by the margin."""

    BETTER = "better"
    """Better than the control."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the ramp.

    Attributes:
        share: Buckets of 10,000 that the arm has.
        least_seconds: How long it takes at least.
    """

    share: int
    least_seconds: float


@dataclass(frozen=True, slots=True)
class Metric:
    """What a release is compared by.

    Attributes:
        name: Of the feedback.
        lowest: Scores below it are clipped to it, and counted.
        highest: The same above.
        labels: What feedback without a score of its own counts as, by its label.
        feedback_filter: Attributes that feedback must have to count.
    """

    name: Annotated[str, About("the feedback by which it is compared (default: guardrails alone)", "--metric", "NAME")]
    direction: Annotated[Direction, About("which way it is better")] = Direction.MAXIMIZE
    lowest: Annotated[float, About("lowest score; what is below counts as it", metavar="SCORE")] = 0.0
    highest: Annotated[float, About("highest score, the same above", metavar="SCORE")] = 1.0
    labels: Annotated[
        Mapping[str, float],
        About("what feedback with this label and without a score counts as: --label good=1", "--label", "LABEL=SCORE"),
    ] = field(default_factory=dict)
    feedback_filter: Annotated[
        Mapping[str, str], About("count only feedback with this attribute", "--filter", "KEY=VALUE")
    ] = field(default_factory=dict)

    def outcome(self, score: float) -> float:
        """The score between 0 (as bad as can be) and 1."""
        within = (min(max(score, self.lowest), self.highest) - self.lowest) / (self.highest - self.lowest)
        return within if self.direction is Direction.MAXIMIZE else 1 - within

    def score(self, outcome: float) -> float:
        """The score that an outcome, or a mean of outcomes, stands for."""
        within = outcome if self.direction is Direction.MAXIMIZE else 1 - outcome
        return self.lowest + within * (self.highest - self.lowest)


class Signal(Enum):
    """What a guardrail looks at; each is 0 or 1 for a unit, 1 is bad."""

    ERROR = "error"
    """A span of the service's entry has status ERROR, or code of the release failed and the declared one answered."""

    LATENCY = "latency"
    """The entry span took longer than the bound, in seconds."""

    TOKENS = "tokens"
    """The model calls of the trace used more tokens than the bound."""

    COST = "cost"
    """The model calls of the trace cost more than the bound, in the unit that the spans carry."""

    INVALID_OUTPUT = "invalid_output"
    """Feedback says that the output is none: its label is ``invalid``."""

    MISAPPLIED = "misapplied"
    """The spans show other values than those of the assigned release."""

    SILENT = "silent"
    """No feedback came within the delay; only compared, as the rate of arrival."""


@dataclass(frozen=True, slots=True)
class Guardrail:
    """What must not get worse while a release is on live traffic.

    Attributes:
        bound: For latency, tokens and cost; nothing for the others.
        margin: How much higher than the control's the arm's rate may be.
    """

    signal: Signal
    bound: float | None = None
    margin: float = 0.02


_WHOLE = 10_000
_LONGEST_KEY = 256
_MOST_UNITS = 1_000_000_000
_BOUNDED = (Signal.LATENCY, Signal.TOKENS, Signal.COST)
DEFAULT_STAGES = (Stage(500, 3_600.0), Stage(2_500, 3_600.0), Stage(5_000, 3_600.0))
DEFAULT_GUARDRAILS = (Guardrail(Signal.ERROR), Guardrail(Signal.MISAPPLIED), Guardrail(Signal.SILENT, margin=0.1))


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """What is rolled out, how, and what decides.

    Attributes:
        service: Whose release it is.
        release: Its number.
        content_hash: Of the release; what an approval is bound to.
        metric: None compares by the guardrails alone.
        margin: How much worse, as a part of the metric's range, still counts as no worse.
        rule: What promotes.
        stages: The ramp; the last share is where the comparison waits for its evidence.
        alpha_harm: How often a release that is no worse may be aborted in error, over all metrics together.
        alpha_promote: How often a release that does not meet the rule may be promoted in error.
        least_units: Of each arm, before it is promoted.
        least_units_to_abort: Of each arm, before evidence of harm counts.
        feedback_delay_seconds: How long a unit is waited for before it counts as it is.
        cap_seconds: After that it is inconclusive and a person decides.
        targeting: The span attribute that names a unit (``session.id``); empty: what the application named, else
            the trace.
    """

    service: str
    release: Annotated[int, About("which release (otel-opto releases)", metavar="NUMBER")]
    content_hash: str
    metric: Metric | None = None
    margin: Annotated[float, About("part of the metric's range that still counts as no worse", metavar="PART")] = 0.05
    rule: Annotated[Rule, About("what promotes: no worse by the margin, or better")] = Rule.NON_INFERIOR
    stages: Annotated[
        tuple[Stage, ...],
        About("a share and how long it takes at least; 5, 25, 50 %, an hour each", "--stage", "PERCENT=SECONDS"),
    ] = DEFAULT_STAGES
    guardrails: Annotated[
        tuple[Guardrail, ...],
        About(
            "beside error, misapplied and silent: latency=SECONDS, tokens=N, cost=X, invalid_output",
            "--guardrail",
            "SIGNAL[=BOUND]",
        ),
    ] = DEFAULT_GUARDRAILS
    policy: Annotated[Policy, About("who promotes: a person approves first, or the evidence alone")] = Policy.APPROVAL
    alpha_harm: Annotated[
        float, About("how often a release that is no worse may be taken back, over all metrics", metavar="PART")
    ] = 0.05
    alpha_promote: Annotated[
        float, About("how often one that does not meet the rule may be promoted", metavar="PART")
    ] = 0.05
    least_units: Annotated[int, About("of each arm, before it is promoted", metavar="N")] = 100
    least_units_to_abort: Annotated[int, About("of each arm, before evidence of harm counts", metavar="N")] = 20
    feedback_delay_seconds: Annotated[
        float, About("how long a unit's feedback is waited for", "--feedback-delay", "SECONDS")
    ] = 60.0
    cap_seconds: Annotated[float, About("then a person decides", "--cap", "SECONDS")] = 7 * 86_400.0
    targeting: Annotated[str, About("the span attribute that names a unit, e.g. session.id", metavar="ATTRIBUTE")] = ""

    def of(self, content_hash: str) -> "RolloutPlan":
        """The plan for a release of that content."""
        return replace(self, content_hash=content_hash)

    def faults(self) -> list[str]:
        """Every fault of its fields: what was found, what is allowed."""
        shares = [stage.share for stage in self.stages]
        faults = []
        if not shares or shares != sorted(set(shares)) or not 0 < shares[0] <= shares[-1] < _WHOLE:
            faults.append(f"stages: found shares {shares} of 10000, allowed are rising ones above 0 and below 10000")
        signals = [one.signal for one in self.guardrails]
        if len(signals) > len(set(signals)):
            faults.append("guardrails: a signal stands there more than once; each has one bound and one margin")
        if self.metric is not None and not 0 < self.metric.highest - self.metric.lowest < math.inf:
            faults.append(
                f"metric: found range {self.metric.lowest:g} to {self.metric.highest:g}, the lowest comes first"
            )
        names = (("metric", self.metric.name if self.metric else "-"), ("targeting", self.targeting or "-"))
        faults += [
            f"{where}: found a name of {len(name)} characters, allowed are 1 to {_LONGEST_KEY}"
            for where, name in names
            if not 0 < len(name) <= _LONGEST_KEY
        ]
        for name, seconds in (
            *(("stages: least_seconds", stage.least_seconds) for stage in self.stages),
            ("feedback_delay_seconds", self.feedback_delay_seconds),
            ("cap_seconds", self.cap_seconds),
        ):
            if not 0 <= seconds <= MOST_SECONDS:
                faults.append(f"{name}: found {seconds:g}, allowed are 0 to {MOST_SECONDS:g}, which is ten years")
        if not self.metric and not self.guardrails:
            faults.append("metric: found none and no guardrail; one of them has to decide")
        return [*faults, *self._wrong_numbers()]

    def _wrong_numbers(self) -> list[str]:
        faults = []
        for name, value in (
            ("margin", self.margin),
            *((f"guardrail {one.signal.value}", one.margin) for one in self.guardrails),
        ):
            if not 0 <= value < 1:
                faults.append(f"{name}: found {value:g}, allowed is from 0 to below 1")
        faults += [fault for rail in self.guardrails if (fault := _bound_fault(rail))]
        for name, units in (("least_units", self.least_units), ("least_units_to_abort", self.least_units_to_abort)):
            if not 1 <= units <= _MOST_UNITS:
                faults.append(f"{name}: found {units}, allowed are 1 to {_MOST_UNITS:,}")
        for name, value in (("alpha_harm", self.alpha_harm), ("alpha_promote", self.alpha_promote)):
            if not 0 < value < 1:
                faults.append(f"{name}: found {value:g}, allowed is between 0 and 1")
        return faults


def _bound_fault(rail: Guardrail) -> str:
    where = f"guardrail {rail.signal.value}"
    if rail.signal not in _BOUNDED:
        return "" if rail.bound is None else f"{where}: found the bound {rail.bound:g}, it takes none"
    if rail.bound is None:
        return f"{where}: needs a bound"
    return "" if 0 <= rail.bound < math.inf else f"{where}: found the bound {rail.bound:g}, allowed are 0 and more"


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout as its events have made it.

    Attributes:
        name: Unique in the collector.
        stage: Which stage it is in, from 0; what a paused one goes on with.
        start: The first bucket of its arm.
        stage_began_unix_nano: When its stage began (a pause begins it anew).
        began_unix_nano: When it went on live traffic first; 0 before.
        approved_by: Who approved this very content; empty if nobody has.
        message: Why it is in its state, in words.
    """

    name: str
    plan: RolloutPlan
    state: RolloutState
    stage: int = 0
    start: int = 0
    stage_began_unix_nano: int = 0
    began_unix_nano: int = 0
    approved_by: str = ""
    message: str = ""
