"""A study as events of the ledger, and the fold that makes its record of them.

Stream ``study/NAME`` holds one study. Stream ``studies/SERVICE`` says which studies of a service are running, so that
beginning one is a single conditional change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, cast

from collector.core.candidate import Fate, Found, Repeat, Window
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
CREATED, _OPENED = "study_created", "trial_opened"
_REJECTED, _CONCLUDED = "proposal_rejected", "study_concluded"
_WINDOW, _CLOSED, _SETTLED = "window_opened", "window_closed", "candidates_settled"
_REPEATED, _EXHAUSTED = "proposal_repeated", "candidates_exhausted"
_BEGAN, _ENDED = "study_began", "study_ended"
_NOT_COMPARED = frozenset({Fate.BROKEN, Fate.INVALID, Fate.EXPIRED})
KINDS = frozenset({
    CREATED, _OPENED, _REJECTED, _CONCLUDED, _WINDOW, _CLOSED, _SETTLED, _REPEATED, _EXHAUSTED, "trial_completed",
    "trial_aborted",
})  # fmt: skip
"""Of a study's stream; the last two are not written any more."""

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
    return Event(CREATED, tree_of(study), study.service)


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


def window_opened(study: Study, window: Window) -> Event:
    """Units are dealt among some candidates and what is in force from now on."""
    data = {
        **tree_of(window),
        "shares": {str(number): share for number, share in window.shares.items()},
        "releases": {str(number): release for number, release in window.releases.items()},
    }
    return Event(_WINDOW, data, study.service)


def window_closed(study: Study, number: int, why: str, found: Sequence[Found], standing: str) -> Event:
    """Enough units were dealt, or there is another reason; with what is known of every trial by now."""
    data = {"number": number, "why": why, "found": tree_of(tuple(found)), "standing": standing}
    return Event(_CLOSED, data, study.service)


def settled(study: Study, fates: Mapping[int, tuple[Fate, str]], looking: int) -> Event:
    """What became of candidates, by trial; and how many units there are for looking around by now."""
    data: dict[str, Json] = {
        "fates": [{"trial": number, "fate": fate.value, "why": why} for number, (fate, why) in fates.items()],
        "looking": looking,
    }
    return Event(_SETTLED, data, study.service)


def repeated(study: Study, said: Repeat) -> Event:
    """A candidate was generated that was there already."""
    return Event(_REPEATED, tree_of(said), study.service)


def exhausted(study: Study, why: str) -> Event:
    """No more candidates are asked for."""
    return Event(_EXHAUSTED, {"why": why}, study.service)


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
        first, *events = events
        before = StudyRecord(_study(first.data), StudyState.RUNNING, "", began_unix_nano=_time_of(first))
    made = _Made(before)
    for one in events:
        made.take(one)
    return made.record()


class _Made:
    """A record that grows by events; its lists are copied once for all of them."""

    def __init__(self, before: StudyRecord) -> None:
        self._before = before
        self._state, self._message = before.state, before.message
        self._looking, self._exhausted, self._standing = before.looking, before.exhausted, before.standing
        self._trials, self._rejected = list(before.trials), list(before.rejected)
        self._repeats, self._windows = list(before.repeats), list(before.windows)

    def take(self, one: Recorded) -> None:
        data: Any = one.data
        match one.kind:
            case "trial_opened":
                self._trials.append(_trial(one))
            case "window_opened":
                self._opened(_window(one))
            case "window_closed":
                self._closed(data)
            case "candidates_settled":
                self._looking = data["looking"]
                for said in data["fates"]:
                    self._trials[said["trial"]] = _fated(self._trials[said["trial"]], Fate(said["fate"]), said["why"])
            case "proposal_rejected":
                self._rejected.append(RejectedProposal(_proposal(data), tuple(data["errors"]), data["trial"]))
            case "proposal_repeated":
                self._repeats.append(record_of(Repeat, data))
            case "candidates_exhausted":
                self._exhausted = data["why"]
            case "study_concluded":
                self._state, self._message = StudyState(data["state"]), data["message"]
            case "trial_completed" | "trial_aborted":
                self._trials[data["number"]] = _ended_earlier(self._trials[data["number"]], data)

    def _opened(self, window: Window) -> None:
        self._windows.append(window)
        self._looking = window.looking or self._looking
        for number, release in window.releases.items():
            if number:
                self._trials[number] = replace(self._trials[number], release=release)

    def _closed(self, data: Mapping[str, Any]) -> None:
        self._windows[data["number"] - 1] = replace(self._windows[data["number"] - 1], closed=data["why"])
        self._standing = data["standing"]
        for one in data["found"]:
            found = replace(record_of(Found, one), gain=tuple(one["gain"]))
            self._trials[found.trial] = replace(
                self._trials[found.trial],
                found=found,
                score=found.score,
                control_score=found.control_score,
                feedback_count=found.units,
            )

    def record(self) -> StudyRecord:
        return StudyRecord(
            self._before.study, self._state, self._message, tuple(self._trials), tuple(self._rejected),
            tuple(self._repeats), tuple(self._windows), self._looking, self._exhausted, self._standing,
            self._before.began_unix_nano,
        )  # fmt: skip


def _fated(trial: Trial, fate: Fate, why: str) -> Trial:
    return replace(trial, fate=fate, why=why, given_up=why if fate in _NOT_COMPARED else trial.given_up)


def _ended_earlier(trial: Trial, data: Mapping[str, Any]) -> Trial:
    """A trial's end as it was written when each had a score of its own, once."""
    if "reason" in data:
        return _fated(trial, Fate.EXPIRED, data["reason"])
    return replace(
        trial, score=data["score"], feedback_count=data["feedback_count"], control_score=data.get("control_score")
    )


def _study(definition: Mapping[str, Any]) -> Study:
    # A study that began before there were arms goes on for everybody.
    return record_of(Study, {"exploration": {"share": 1.0}, **definition})


def _time_of(one: Recorded) -> int:
    """When it happened: of what was imported, where it happened."""
    at = one.data.get("at_unix_nano", one.time_unix_nano)
    return at if isinstance(at, int) else one.time_unix_nano


def _trial(opened: Recorded) -> Trial:
    data: Any = opened.data
    return Trial(
        data["number"], data["release"], data["values"], data["reasoning"], Cost(**data["cost"]),
        opened_unix_nano=_time_of(opened),
    )  # fmt: skip


def _window(opened: Recorded) -> Window:
    data: Any = opened.data
    shares = {int(number): share for number, share in data["shares"].items()}
    releases = {int(number): release for number, release in data["releases"].items()}
    known = {**data, "shares": shares, "releases": releases, "opened_unix_nano": _time_of(opened)}
    return record_of(Window, known)


def _proposal(data: Mapping[str, Any]) -> Proposal:
    return Proposal(data["values"], data["reasoning"], Cost(**data["cost"]))
