"""Studies: standing optimizations of a service's parameters, trial by trial."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from collector.core.candidate import Fate, Found, Repeat, Selection, Suggestion, Window, limit_faults, suggestion_faults
from collector.core.cost import Cost
from collector.core.exploration import Exploration
from collector.core.feedback import folded
from collector.core.objective import Direction, Objective, objective_faults
from collector.core.parameter import MOST_PARAMETERS
from collector.core.record import About
from collector.core.span import AnyValue
from otel_opto.spec import ParameterValue

__all__ = [
    "Cost",
    "Direction",
    "Exploration",
    "Objective",
    "Policy",
    "Proposal",
    "Reach",
    "RejectedProposal",
    "Remarks",
    "Study",
    "StudyRecord",
    "StudyState",
    "Trial",
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_LABELS = 100
_NOTHING = Cost()


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
class Study:
    """What is optimized, by what, and for how long.

    A field stands here and in proto/otel_opto/v1/study.proto; all else that knows it is made of this class.

    Attributes:
        name: Unique.
        service: Whose parameters.
        metric: The name of the feedback that is the objective.
        optimizer: A name from the entry-point group ``otel_opto.optimizers``.
        optimizer_options: For the optimizer; it checks them itself.
        parameters: Keys; empty for every trainable parameter of the service.
        batch_size: Scored units that a trial has before it is judged.
        max_trials: How many candidates are tried after the baseline.
        seed: The same seed and the same feedback give the same search.
        feedback_filter: Attributes that feedback must have to count.
        instruction: The objective in words (omega of the Trace paper), for optimizers that read.
        reach: Which traces the graph of a judged output is made of.
        labels: What feedback without a score of its own counts as, by its label: ``{"good": 1.0, "bad": 0.0}``.
        lowest: Of the metric; lower scores count as this where arms are compared.
        highest: The same above.
        exploration: How releases are tried.
        promotion: Who says that the best one may become everybody's, where trials are arms.
        selection: How one is chosen, and how often that may be wrong.
        limits: What may not get worse, by signal: no more units may be beyond it than of what is in force. Read off the
            spans: seconds of the entry span (``latency``), ``tokens`` and ``cost`` of a trace's model calls.
        weights: Signals whose limit is no bound but a part of the objective: within it counts so much beside the
            metric's 1.
        min_confidence: Edges of which less is certain are in no graph that the optimizer is shown; None: as configured.
        not_worse: How much worse than with what is in force something may be, see `Bound`.
        objectives: What else is improved; the release is picked by the mean with their weights.
        suggestions: What is tried before the optimizer is asked.
    """

    name: Annotated[str, About("of the study", option="name")]
    service: Annotated[str, About("the application's service.name", metavar="NAME")]
    metric: Annotated[str, About("name of the feedback that is the objective", metavar="NAME")]
    direction: Annotated[Direction, About("which way it is better")] = Direction.MAXIMIZE
    optimizer: Annotated[
        str,
        About(
            "search, bandit, optoprime, opro, textgrad, gepa, trace_opt, hybrid, or an installed one", metavar="NAME"
        ),
    ] = "search"
    optimizer_options: Annotated[
        Mapping[str, AnyValue],
        About("for the optimizer; the value is JSON where it is JSON, else a text", "--option", "KEY=VALUE"),
    ] = field(default_factory=dict)
    parameters: Annotated[tuple[str, ...], About("default: all trainable ones", "--parameter", "KEY")] = ()
    batch_size: Annotated[int, About("scored units before a trial is judged", metavar="N")] = 20
    max_trials: Annotated[int, About("proposals after the baseline", metavar="N")] = 30
    seed: Annotated[int, About("the same seed and feedback give the same search", metavar="N")] = 0
    feedback_filter: Annotated[
        Mapping[str, str], About("count only feedback with this attribute", "--filter", "KEY=VALUE")
    ] = field(default_factory=dict)
    instruction: Annotated[str, About("the objective in words, for optimizers that read", metavar="TEXT")] = ""
    reach: Annotated[
        Reach,
        About(
            "of the graph of a judged output: its trace, also the traces it links to, also its session's earlier ones"
        ),
    ] = Reach.TRACE
    labels: Annotated[
        Mapping[str, float],
        About(
            "what feedback with this label and without a score counts as: --label good=1 --label bad=0",
            "--label",
            "LABEL=SCORE",
        ),
    ] = field(default_factory=dict)
    lowest: Annotated[
        float, About("lowest score; what is below counts as it where arms are compared", metavar="SCORE")
    ] = 0.0
    highest: Annotated[float, About("highest score, the same above", metavar="SCORE")] = 1.0
    exploration: Exploration = field(default_factory=Exploration)
    promotion: Annotated[
        Policy, About("who says that the best release may be rolled out to everybody: a person, or the evidence")
    ] = Policy.APPROVAL
    selection: Selection = field(default_factory=Selection)
    limits: Annotated[
        Mapping[str, float],
        About(
            "what no more units may be beyond than of the release in force: latency=SECONDS, tokens=N, cost=X",
            "--limit",
            "SIGNAL=NUMBER",
        ),
    ] = field(default_factory=dict)
    weights: Annotated[
        Mapping[str, float],
        About("of keeping within a limit, beside the metric's 1; it is no bound then", "--weight", "SIGNAL=NUMBER"),
    ] = field(default_factory=dict)
    min_confidence: Annotated[
        float | None,
        About(
            "edges of a graph that are less certain are not shown to the optimizer; default: the collector's",
            metavar="SHARE",
        ),
    ] = None
    not_worse: Annotated[
        Mapping[str, float],
        About(
            "how much worse than with the release in force, at most: latency.p95=0.1 (10 % more), tokens, cost, or of "
            "the metric or a feedback that is an objective a part of its range: quality=0.02",
            "--not-worse",
            "WHAT=PART",
        ),
    ] = field(default_factory=dict)
    objectives: Annotated[
        tuple[Objective, ...],
        About(
            "what else is improved: a feedback, or latency, tokens, cost; one that has weight=0 is only shown",
            "--objective",
            "NAME[,highest=NUMBER][,lowest=NUMBER][,weight=NUMBER][,direction=maximize|minimize]",
        ),
    ] = ()
    suggestions: tuple[Suggestion, ...] = ()

    def faults(self) -> list[str]:
        """Every fault of its own fields: what was found, what is allowed."""
        amounts = {
            "labels": (len(self.labels), _MOST_LABELS),
            "feedback_filter": (len(self.feedback_filter), _MOST_LABELS),
            "optimizer_options": (len(self.optimizer_options), _MOST_LABELS),
            "parameters": (len(self.parameters), MOST_PARAMETERS),
            "not_worse": (len(self.not_worse), _MOST_LABELS),
        }
        faults = [
            f"{name}: found {found:,}, allowed are {most:,} at most"
            for name, (found, most) in amounts.items()
            if found > most
        ]
        nested = [*self.exploration.faults(), *self.selection.faults(), *limit_faults(self.limits, self.weights)]
        nested += objective_faults(self.metric, self.objectives, self.not_worse)
        nested += suggestion_faults(self.suggestions, self.parameters)
        return faults or [*self._wrong_fields(), *nested, *self._wrong_labels()]

    def _wrong_fields(self) -> list[str]:
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
        if not 0 <= self.seed < 2**32:
            faults.append(f"seed: found {self.seed}, allowed is 0 to {2**32 - 1}")
        if not (math.isfinite(self.highest - self.lowest) and self.lowest < self.highest):
            faults.append(
                f"range: found {self.lowest:g} to {self.highest:g}, allowed are finite ends, the lowest first"
            )
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            faults.append(f"min_confidence: found {self.min_confidence:g}, allowed is 0 to 1")
        return faults

    def _wrong_labels(self) -> list[str]:
        known = [folded(label) for label in self.labels]
        twice = sorted({one for one in known if known.count(one) > 1})
        return [
            *(
                f"labels: {label!r}: found {score}, allowed are finite numbers"
                for label, score in self.labels.items()
                if not math.isfinite(score)
            ),
            *(f"labels: {label!r} stands there twice" for label in twice),
            *(["labels: found one without a name"] if "" in known else []),
        ]


class StudyState(Enum):
    """Where a study stands."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an optimizer suggests: new values of some parameters, together one candidate.

    Attributes:
        values: By key; a key that is missing keeps the value of the best release. Not validated yet.
        reasoning: Why, in the optimizer's words.
        origin: Who made it, of what: ``optoprime, model-a, draft 2``.
        faults: Why its own generator refuses it, though its values may be allowed: it never becomes a trial.
    """

    values: Mapping[str, AnyValue]
    reasoning: str = ""
    cost: Cost = _NOTHING
    origin: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedProposal:
    """A proposal that failed validation, with every fault; shown to the next call."""

    proposal: Proposal
    errors: tuple[str, ...]
    trial: int


@dataclass(frozen=True, slots=True)
class Trial:
    """One candidate under evaluation. Number 0 is the baseline: the values that are in force.

    Attributes:
        release: Its number; the newest, where the values beside those of the study have changed meanwhile.
        values: All values of the study's parameters that the release holds.
        score: What it scores in the time of all, as of the last window that closed; None before that.
        feedback_count: Scored units, as of then.
        control_score: Of what is in force.
        opened_unix_nano: When it began.
        given_up: Why it ended without having been compared; empty if it did not.
        fate: What became of it; `why` in words.
        found: All figures, as of the last window that closed.
    """

    number: int
    release: int
    values: Mapping[str, ParameterValue]
    reasoning: str = ""
    cost: Cost = _NOTHING
    score: float | None = None
    feedback_count: int = 0
    control_score: float | None = None
    opened_unix_nano: int = 0
    given_up: str = ""
    fate: Fate = Fate.OPEN
    why: str = ""
    found: Found | None = None

    @property
    def complete(self) -> bool:
        """Whether it has a score."""
        return self.score is not None

    @property
    def running(self) -> bool:
        """Whether it waits for its first score."""
        return self.score is None and not self.given_up

    @property
    def state(self) -> str:
        """``running``, ``complete`` or ``aborted``."""
        return "aborted" if self.given_up else "complete" if self.complete else "running"

    def lead(self) -> float | None:
        """How far it is above the control of its time, else its score; None without one."""
        if self.score is None or self.control_score is None:
            return self.score
        return self.score - self.control_score


@dataclass(frozen=True, slots=True)
class Remarks:
    """What was said of a trial's outputs, in words; empty where nothing was.

    Attributes:
        worst: Of the output with the worst score.
        best: Of the one with the best.
    """

    worst: str = ""
    best: str = ""


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A study and its history: everything that is needed to go on with it, in any process.

    Attributes:
        trials: By number.
        rejected: Candidates that do not fit their parameters.
        repeats: Generated candidates that were there already.
        windows: By number; the last one may be open.
        looking: How many units there are for looking around; 0 before that was ever said.
        exhausted: Why no more candidates are asked for; empty while they are.
        standing: How it stands, in words, as of the last window that closed.
        began_unix_nano: When; 0 where that is not known.
    """

    study: Study
    state: StudyState
    message: str
    trials: tuple[Trial, ...] = ()
    rejected: tuple[RejectedProposal, ...] = ()
    repeats: tuple[Repeat, ...] = ()
    windows: tuple[Window, ...] = ()
    looking: int = 0
    exhausted: str = ""
    standing: str = ""
    began_unix_nano: int = 0

    def running_trials(self) -> tuple[Trial, ...]:
        """The trials that wait for their first score."""
        return tuple(trial for trial in self.trials if trial.running)

    def window(self) -> Window | None:
        """The one in which units are dealt now."""
        return self.windows[-1] if self.windows and not self.windows[-1].closed else None

    def winner(self) -> Trial | None:
        """The trial that fresh data have shown to be better than what was in force."""
        return next((trial for trial in self.trials if trial.fate is Fate.WON), None)

    def best_trial(self) -> Trial | None:
        """The winner, else the complete trial that looks best, whatever the traffic of its time was; by noise, maybe.

        Of equal ones the earliest. What is released is the winner alone.
        """
        best, most = self.winner(), None
        if best is not None:
            return best
        for trial in self.trials:
            lead = trial.lead()
            if lead is None or trial.given_up:
                continue
            if most is None or self.study.direction.better(lead, most):
                best, most = trial, lead
        return best
