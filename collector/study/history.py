"""A study as events of the ledger, and the fold that makes its record of them.

Stream ``study/NAME`` holds one study. Stream ``studies/SERVICE`` says which studies of a service are running, so that
beginning one is a single conditional change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple, cast

from collector.core.ledger import Event, Json, Recorded
from collector.core.record import record_of, tree_of
from collector.core.study import (
    Cost,
    Proposal,
    RejectedProposal,
    Study,
    StudyRecord,
    StudyState,
    Trial,
)

PREFIX = "study/"
_CREATED, _OPENED, _COMPLETED = "study_created", "trial_opened", "trial_completed"
_GIVEN_UP, _REJECTED, _CONCLUDED = "trial_aborted", "proposal_rejected", "study_concluded"
_BEGAN, _ENDED = "study_began", "study_ended"
ENDS = frozenset({_CONCLUDED})
"""With these a study has ended."""


def study_stream(name: str) -> str:
    """Where a study is."""
    return PREFIX + name


def running_stream(service: str) -> str:
    """Where it stands which studies of a service are running."""
    return f"studies/{service}"


def created(study: Study) -> Event:
    """A study begins."""
    return Event(_CREATED, tree_of(study), study.service)


def opened(study: Study, trial: Trial) -> Event:
    """A trial begins."""
    data: dict[str, Json] = {
        "number": trial.number,
        "release": trial.release,
        "values": trial.values,
        "reasoning": trial.reasoning,
        "cost": asdict(trial.cost),
    }
    return Event(_OPENED, data, study.service)


def completed(
    study: Study, number: int, score: float, feedback_count: int, control_score: float | None = None
) -> Event:
    """A trial has its score."""
    data = {"number": number, "score": score, "feedback_count": feedback_count, "control_score": control_score}
    return Event(_COMPLETED, data, study.service)


def given_up(study: Study, number: int, reason: str) -> Event:
    """A trial ends without a score."""
    return Event(_GIVEN_UP, {"number": number, "reason": reason}, study.service)


def rejected(study: Study, said: RejectedProposal) -> Event:
    """A proposal failed validation."""
    data = {
        "trial": said.trial,
        "values": cast("Json", said.proposal.values),
        "reasoning": said.proposal.reasoning,
        "cost": asdict(said.proposal.cost),
        "errors": said.errors,
    }
    return Event(_REJECTED, data, study.service)


def concluded(study: Study, state: StudyState, message: str) -> Event:
    """A study ends."""
    return Event(_CONCLUDED, {"state": state.value, "message": message}, study.service)


def began(study: Study) -> Event:
    """A service has one more running study."""
    return Event(_BEGAN, {"study": study.name}, study.service)


def ended(study: Study) -> Event:
    """A service has one running study less."""
    return Event(_ENDED, {"study": study.name}, study.service)


def running(names: tuple[str, ...], events: Sequence[Recorded]) -> tuple[str, ...]:
    """The running studies of a service behind some more events, in the order in which they began."""
    left = dict.fromkeys(names)
    for one in events:
        name = str(one.data["study"])
        if one.kind == _BEGAN:
            left[name] = None
        else:
            left.pop(name, None)
    return tuple(left)


def record(before: StudyRecord | None, events: Sequence[Recorded]) -> StudyRecord | None:
    """A study's record behind some more events, in time linear in them and in what there is."""
    if before is None:
        before, events = StudyRecord(_study(events[0].data), StudyState.RUNNING, ""), events[1:]
    trials, rejections = list(before.trials), list(before.rejected)
    begun: list[Recorded] = []
    ends: dict[int, _End] = {}
    state, message = before.state, before.message
    for one in events:
        data: Any = one.data
        if one.kind == _OPENED:
            begun.append(one)
        elif one.kind == _COMPLETED:
            ends[data["number"]] = _End(data["score"], data["feedback_count"], data.get("control_score"))
        elif one.kind == _GIVEN_UP:
            ends[data["number"]] = _End(given_up=data["reason"])
        elif one.kind == _REJECTED:
            rejections.append(RejectedProposal(_proposal(data), tuple(data["errors"]), data["trial"]))
        elif one.kind == _CONCLUDED:
            state, message = StudyState(data["state"]), data["message"]
    # A trial of which everything is among these events is made once: that is half of the time of a long fold.
    for number in ends.keys() - {one.data["number"] for one in begun}:
        trials[number] = replace(trials[number], **ends[number]._asdict())
    none = _End()
    for one in begun:
        data = one.data
        trials.append(_trial(one, ends.get(data["number"], none)))
    return StudyRecord(before.study, state, message, tuple(trials), tuple(rejections))


def _study(definition: Mapping[str, Any]) -> Study:
    # A study that began before there were arms goes on for everybody.
    return record_of(Study, {"exploration": {"share": 1.0}, **definition})


class _End(NamedTuple):
    """What a trial has from its end."""

    score: float | None = None
    feedback_count: int = 0
    control_score: float | None = None
    given_up: str = ""


def _trial(opened: Recorded, end: _End) -> Trial:
    data: Any = opened.data
    return Trial(
        data["number"], data["release"], data["values"], data["reasoning"], Cost(**data["cost"]), end.score,
        end.feedback_count, end.control_score, opened.time_unix_nano, end.given_up,
    )  # fmt: skip


def _proposal(data: Mapping[str, Any]) -> Proposal:
    return Proposal(data["values"], data["reasoning"], Cost(**data["cost"]))
