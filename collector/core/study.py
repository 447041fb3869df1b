"""Studies: standing optimizations of a service's parameters, trial by trial."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from collector.core.span import AnyValue
from otel_opto.spec import ParameterValue

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_PARALLEL = 20


class Direction(Enum):
    """Which way the objective is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    def better(self, new: float, old: float) -> bool:
        """Whether a score is strictly better than another."""
        return new > old if self is Direction.MAXIMIZE else new < old


class Reach(Enum):
    """How far a graph goes beyond the trace that is judged; each includes the one before."""

    TRACE = "trace"
    LINKS = "links"
    """Also traces that its spans link to, and so on."""
    SESSION = "session"
    """Also earlier traces of the same session."""


class Policy(Enum):
    """Who says that a release may get from an arm of traffic to everybody."""

    APPROVAL = "approval"
    """A person with the scope ``approve``, for this very content."""

    AUTOMATIC = "automatic"
    """The evidence, under a policy that such a person signed off beforehand."""


@dataclass(frozen=True, slots=True)
class Exploration:
    """How a study tries releases.

    Attributes:
        share: The part of live traffic that its trials have together, above 0. 1 is the whole: one trial at a time for
            everybody, for traffic that is there to evaluate.
        parallel: Trials at once, as arms of equal shares.
        deadline_seconds: A trial that has not come to its end by then is given up, and its traffic is free.
        feedback_delay_seconds: How long a unit's feedback is waited for, on an arm.
    """

    share: float = 0.1
    parallel: int = 1
    deadline_seconds: float = 7 * 86_400.0
    feedback_delay_seconds: float = 60.0

    @property
    def whole(self) -> bool:
        """Whether a trial is for everybody."""
        return self.share >= 1

    def faults(self) -> list[str]:
        """Every fault of its fields: what was found, what is allowed."""
        faults = []
        if not 0 < self.share <= 1:
            faults.append(f"exploration.share: found {self.share:g}, allowed is above 0, and 1 at most, for the whole")
        if not 1 <= self.parallel <= _MOST_PARALLEL:
            faults.append(f"exploration.parallel: found {self.parallel}, allowed is 1 to {_MOST_PARALLEL}")
        if self.whole and self.parallel > 1:
            faults.append("exploration.parallel: trials for everybody come one at a time; allowed is 1")
        if not self.deadline_seconds > 0:
            faults.append(f"exploration.deadline_seconds: found {self.deadline_seconds:g}, allowed is above 0")
        if not self.feedback_delay_seconds >= 0:
            faults.append(
                f"exploration.feedback_delay_seconds: found {self.feedback_delay_seconds:g}, allowed is 0 or more"
            )
        return faults


@dataclass(frozen=True, slots=True)
class Study:
    """What is optimized, by what, and for how long.

    Attributes:
        name: Unique.
        service: Whose parameters.
        metric: The name of the feedback that is the objective.
        optimizer: A name from the entry-point group ``otel_opto.optimizers``.
        optimizer_options: For the optimizer; it checks them itself.
        parameters: Keys; empty for every trainable parameter of the service.
        batch_size: How much scored feedback closes a trial.
        max_trials: How many proposals are tried after the baseline.
        seed: The same seed and the same feedback give the same search.
        feedback_filter: Attributes that feedback must have to count.
        labels: What feedback without a score of its own counts as, by its label: ``{"good": 1.0, "bad": 0.0}``.
        instruction: The objective in words (omega of the Trace paper), for optimizers that read.
        reach: Which traces the graph of a judged output is made of.
        lowest: Of the metric; lower scores count as this where arms are compared.
        highest: The same above.
        exploration: How releases are tried.
        promotion: Who says that the best one may become everybody's, where trials are arms.
    """

    name: str
    service: str
    metric: str
    direction: Direction = Direction.MAXIMIZE
    optimizer: str = "search"
    optimizer_options: Mapping[str, AnyValue] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    batch_size: int = 20
    max_trials: int = 30
    seed: int = 0
    feedback_filter: Mapping[str, str] = field(default_factory=dict)
    instruction: str = ""
    reach: Reach = Reach.TRACE
    labels: Mapping[str, float] = field(default_factory=dict)
    lowest: float = 0.0
    highest: float = 1.0
    exploration: Exploration = field(default_factory=Exploration)
    promotion: Policy = Policy.APPROVAL

    def faults(self) -> list[str]:
        """Every fault of its own fields: what was found, what is allowed."""
        faults = []
        if not _NAME.fullmatch(self.name):
            faults.append(f"name: found {self.name!r}, allowed are 1 to 64 letters, digits, '.', '_', '-'")
        if not self.service:
            faults.append("service: found nothing; it must be the application's service.name")
        if not self.metric:
            faults.append("metric: found nothing; it is the name of the feedback that is the objective")
        if not 1 <= self.batch_size <= 100_000:
            faults.append(f"batch_size: found {self.batch_size}, allowed is 1 to 100000")
        if not 1 <= self.max_trials <= 10_000:
            faults.append(f"max_trials: found {self.max_trials}, allowed is 1 to 10000")
        if not (math.isfinite(self.highest - self.lowest) and self.lowest < self.highest):
            faults.append(
                f"range: found {self.lowest:g} to {self.highest:g}, allowed are finite ends, the lowest first"
            )
        return [*faults, *self.exploration.faults()]


class StudyState(Enum):
    """Where a study stands."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a proposal took. Zero where nothing was spent."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an optimizer suggests: new values of some parameters, together one candidate.

    Attributes:
        values: By key; a key that is missing keeps the value of the best release. Not validated yet.
        reasoning: Why, in the optimizer's words.
    """

    values: Mapping[str, AnyValue]
    reasoning: str = ""
    cost: Cost = Cost()


@dataclass(frozen=True, slots=True)
class RejectedProposal:
    """A proposal that failed validation, with every fault; shown to the next call."""

    proposal: Proposal
    errors: tuple[str, ...]
    trial: int


@dataclass(frozen=True, slots=True)
class Trial:
    """One release under evaluation. Number 0 is the baseline: the values that were in force before.

    Attributes:
        values: All values of the study's parameters that the release holds.
        score: The mean over the batch; None while it runs, and where it was given up.
        control_score: Of the control, in the same time; None where the trial had all traffic.
        opened_unix_nano: When it began.
        given_up: Why it ended without a score; empty if it did not.
    """

    number: int
    release: int
    values: Mapping[str, ParameterValue]
    reasoning: str = ""
    cost: Cost = Cost()
    score: float | None = None
    feedback_count: int = 0
    control_score: float | None = None
    opened_unix_nano: int = 0
    given_up: str = ""

    @property
    def complete(self) -> bool:
        """Whether it has its score."""
        return self.score is not None

    @property
    def running(self) -> bool:
        """Whether it waits for feedback."""
        return self.score is None and not self.given_up

    @property
    def state(self) -> str:
        """``running``, ``complete`` or ``aborted``."""
        return "complete" if self.complete else "running" if self.running else "aborted"

    def lead(self) -> float | None:
        """How far it is above the control of its time, else its score; None without one."""
        if self.score is None or self.control_score is None:
            return self.score
        return self.score - self.control_score


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A study and its history: everything that is needed to go on with it, in any process.

    Attributes:
        trials: By number.
    """

    study: Study
    state: StudyState
    message: str
    trials: tuple[Trial, ...] = ()
    rejected: tuple[RejectedProposal, ...] = ()

    def running_trials(self) -> tuple[Trial, ...]:
        """The trials that wait for feedback."""
        return tuple(trial for trial in self.trials if trial.running)

    def best_trial(self) -> Trial | None:
        """The complete trial that leads by most, whatever the traffic of its time was; of equal ones the earliest."""
        best: Trial | None = None
        for trial in self.trials:
            lead, most = trial.lead(), best.lead() if best is not None else None
            if lead is not None and (most is None or self.study.direction.better(lead, most)):
                best = trial
        return best
