"""A training as events of a ledger, and what they come to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from collector.core.ledger import Event, Json, Recorded
from collector.core.study import Cost, Proposal
from otel_opto.spec import ParameterValue

PREFIX = "training/"
_BEGAN, _PROPOSED, _EVALUATED, _ENDED = "training_began", "candidates_proposed", "example_evaluated", "training_ended"
_REPORTED = "training_reported"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of one example with one candidate.

    Attributes:
        candidate: The content hash of its values.
        example: The example's key.
        version: Of workflow and guide: other code is another measurement.
        score: The mean of the samples; None where it failed, or was judged in words only.
        text: What was said of it, or how it failed.
        label: In one word.
        failed: Whether workflow or guide failed.
        trace_id: Of the run; its spans are in the same directory.
        root: The span around it.
        judged: The span whose output was judged.
        seconds: That the workflow took.
        scores: Of all samples.
    """

    candidate: str
    example: str
    version: str
    score: float | None
    text: str = ""
    label: str = ""
    failed: bool = False
    trace_id: str = ""
    root: str = ""
    judged: str = ""
    seconds: float = 0.0
    scores: tuple[float, ...] = ()

    @property
    def place(self) -> tuple[str, str, str]:
        """What it is a measurement of."""
        return self.candidate, self.example, self.version


@dataclass(frozen=True, slots=True)
class Record:
    """All that is known of one training.

    Attributes:
        began: Its plan, parameters and data, as they were said; empty before it began.
        proposed: By round, what the optimizer suggested.
        evaluations: By candidate, example and version.
        ended: How it ended; empty while it has not.
        reported: Whether its report is there.
    """

    began: Mapping[str, Any] = field(default_factory=dict)
    proposed: Mapping[int, tuple[Proposal, ...]] = field(default_factory=dict)
    evaluations: Mapping[tuple[str, str, str], Evaluation] = field(default_factory=dict)
    ended: Mapping[str, Any] = field(default_factory=dict)
    reported: bool = False


def began(said: Mapping[str, object]) -> Event:
    """It begins."""
    return Event(_BEGAN, cast("Mapping[str, Json]", said))


def proposed(number: int, proposals: Sequence[Proposal]) -> Event:
    """The optimizer was asked in that round."""
    trees = [
        {"values": dict(one.values), "reasoning": one.reasoning, "cost": asdict(one.cost), "faults": list(one.faults)}
        for one in proposals
    ]
    return Event(_PROPOSED, cast("Mapping[str, Json]", {"round": number, "proposals": trees}))


def evaluated(one: Evaluation) -> Event:
    """An example was run and judged."""
    return Event(_EVALUATED, cast("Mapping[str, Json]", asdict(one)))


def ended(words: str, best: Mapping[str, ParameterValue], better: bool, budget: Mapping[str, object]) -> Event:
    """It ended, and the test part has been looked at."""
    said = {"words": words, "best": dict(best), "better": better, "budget": dict(budget)}
    return Event(_ENDED, cast("Mapping[str, Json]", said))


def reported(document: Mapping[str, object]) -> Event:
    """Its report, for whoever goes on with its candidates: a study does (``--from-training``)."""
    return Event(_REPORTED, cast("Mapping[str, Json]", document))


def record(before: Record, events: Sequence[Recorded]) -> Record:
    """The record behind some more events."""
    beginning, ending, there = before.began, before.ended, before.reported
    rounds, evaluations = dict(before.proposed), dict(before.evaluations)
    for event in events:
        data: Any = event.data
        if event.kind == _BEGAN:
            beginning = data
        elif event.kind == _PROPOSED:
            rounds[data["round"]] = tuple(
                Proposal(one["values"], one["reasoning"], Cost(**one["cost"]), faults=tuple(one.get("faults", ())))
                for one in data["proposals"]
            )
        elif event.kind == _EVALUATED:
            one = Evaluation(**{**data, "scores": tuple(data["scores"])})
            evaluations[one.place] = one
        elif event.kind == _ENDED:
            ending = data
        elif event.kind == _REPORTED:
            there = True
    return Record(beginning, rounds, evaluations, ending, there)
