"""What a study's units say: its race, taken up from the record, and what follows. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from collector.core.candidate import Fate, Found, Window
from collector.core.study import Study, StudyRecord, Trial
from collector.selection.archive import Archive, Candidate, Measured
from collector.selection.race import Batch, Purpose, Race, Rules
from collector.selection.selectors import selector_of
from collector.study.window.bounds import Kept, kept_by
from collector.study.window.front import Front, front_of
from collector.study.window.measuring import Counted
from collector.study.window.objective import beyond, outcome_of
from collector.study.window.plans import metric_of
from otel_opto.spec import content_hash

_MOST_WINDOWS = 100
_LEAST_WINDOW = 50


def key_of(trial: Trial) -> str:
    """The archive's key of a trial."""
    return content_hash(trial.values.items())


def rules_of(study: Study) -> Rules:
    """How much a study measures, and how often it may be wrong."""
    units = study.selection.units
    return Rules(
        alpha=study.selection.alpha,
        units=units,
        batch_units=max(_LEAST_WINDOW, units // _MOST_WINDOWS),
        least_units=study.batch_size,
    )


@dataclass(frozen=True)
class Standings:
    """A study's race with all units that are known.

    Attributes:
        trials: By their keys.
        clipped: Scores outside of the metric's bounds.
        front: Every objective by itself.
        kept: What fresh units say of what may not get worse, by trial.
    """

    record: StudyRecord
    race: Race
    trials: Mapping[str, Trial]
    clipped: int
    front: Front
    kept: Mapping[int, Sequence[Kept]]

    def found(self, numbers: Sequence[int] | None = None) -> Sequence[Found]:
        """What is known of trials; of all of them, if none is named."""
        chosen = self.record.trials if numbers is None else [self.record.trials[number] for number in numbers]
        return [self._found(trial) for trial in chosen]

    def _found(self, trial: Trial) -> Found:
        metric, archive = metric_of(self.record.study), self.race.archive
        control = archive.standing(archive.incumbent.key)
        usual = metric.score(control.mean) if control.units else None
        scores, deviations = self.front.of(key_of(trial))
        if trial.number == 0:
            return Found(0, control.units, control.errors, 0.0, None, usual, usual, objectives=scores)
        one = archive.standing(key_of(trial))
        compared = one.deviation < float("inf")
        score = metric.score(control.mean + one.lead) if compared else None
        test = self.race.test(one.key)
        gain = (test.gain.mean, test.gain.lowest, test.gain.highest) if test is not None and test.units else ()
        return Found(
            trial.number, one.units, one.errors, one.lead, one.deviation if compared else None, score, usual, gain,
            test.units if test is not None else 0, scores, deviations,
            {kept.bound.name: kept.words() for kept in self.kept.get(trial.number, ())},
        )  # fmt: skip

    def scored(self) -> tuple[Trial, ...]:
        """All trials with what is known of them now, all beside the same control."""
        return tuple(
            replace(trial, score=found.score, control_score=found.control_score, feedback_count=found.units)
            for trial, found in zip(self.record.trials, self.found(), strict=True)
        )

    def fates(self) -> dict[int, tuple[Fate, str]]:
        """What has become of candidates since the record was written."""
        changed = {}
        for key, trial in self.trials.items():
            kept = self.race.archive.kept(key)
            if kept.fate is not trial.fate:
                changed[trial.number] = kept.fate, kept.why
        return changed

    def last_fates(self, winner: str) -> dict[int, tuple[Fate, str]]:
        """The same at the end: who is still open stays behind the winner, or without evidence."""
        why = f"trial {self.trials[winner].number} won" if winner else "no evidence when the study ended"
        for one in self.race.archive.open():
            said = f"{one.lead:+.3g} beside what is in force after {one.units} units; {self.race.held(one.key) or why}"
            self.race.refuse(one.key, Fate.DROPPED, said)
        return self.fates()

    def fresh(self) -> Sequence[str]:
        """Keys of candidates that have not been looked at yet, or not enough."""
        least = self.record.study.batch_size
        return [
            one.key
            for one in self.race.archive.open()
            if one.units + one.errors < least or (one.units and one.deviation == float("inf"))
        ]

    def words(self) -> str:
        """How it stands, for people."""
        said = self.race.verdict().words
        if self.clipped:
            study = self.record.study
            said += (
                f"; {self.clipped} scores lie outside of {study.lowest:g} to {study.highest:g} and count as these: "
                "set lowest and highest in a new study"
            )
        return said


def standings(record: StudyRecord, counted: Sequence[Counted]) -> Standings:
    """Takes a study's race up where it stands, with all units so far."""
    study, rules = record.study, rules_of(record.study)
    incumbent = record.trials[0]
    archive = Archive(Candidate(key_of(incumbent), incumbent.values))
    trials = {key_of(trial): trial for trial in record.trials[1:]}
    for key, trial in trials.items():
        archive.add(Candidate(key, trial.values, trial.reasoning, trial.cost), trial.why, trial.fate)
    keys = {0: archive.incumbent.key} | {trial.number: key for key, trial in trials.items()}
    begun = [_batch(window, keys) for window in record.windows]
    selector = selector_of(study.selection.selector.value)
    race = Race(archive, selector, rules, seed=study.seed, begun=begun, looking=record.looking)
    measured: dict[int, list[Measured]] = {}
    for one in counted:
        if one.counts:
            outcome = outcome_of(study, one.unit)
            unit = Measured(keys[one.trial], outcome, clipped=one.unit.clipped, share=one.unit.share)
            measured.setdefault(one.window, []).append(unit)
    for number, units in sorted(measured.items()):
        race.take(number, units)
    kept = _bounded(record, race, trials, counted)
    clipped = sum(one.unit.clipped for one in counted)
    return Standings(record, race, trials, clipped, front_of(study, keys, counted), kept)


def _bounded(
    record: StudyRecord, race: Race, trials: Mapping[str, Trial], counted: Sequence[Counted]
) -> Mapping[int, Sequence[Kept]]:
    """Takes who does not keep a limit out of the race, and holds who has not been shown to keep a bound."""
    tests = {key: test for key in trials if (test := race.test(key)) is not None}
    fresh = {trials[key].number: _fresh(record, trials[key]) for key in tests}
    kept = kept_by(record, {trials[key].number: test for key, test in tests.items()}, fresh, counted)
    for key, test in tests.items():
        number = trials[key].number
        units = [one for one in counted if one.window in fresh[number]]
        missing = [one for one in kept[number] if not one.shown]
        if test.passed and (why := beyond(record.study, number, units)):
            race.refuse(key, Fate.BROKEN, why)
        elif missing:
            race.hold(key, max(one.more for one in missing), "; ".join(one.words() for one in missing))
    return kept


def _fresh(record: StudyRecord, trial: Trial) -> frozenset[int]:
    """The windows of a trial's confirmation."""
    return frozenset(
        window.number
        for window in record.windows
        if window.purpose == Purpose.CONFIRM.value and trial.number in window.releases
    )


def _batch(window: Window, keys: Mapping[int, str]) -> Batch:
    purpose = Purpose.CONFIRM if window.purpose == Purpose.CONFIRM.value else Purpose.LOOK
    shares = {keys[number]: share for number, share in window.shares.items()}
    return Batch(window.number, purpose, shares, window.units, window.planned, window.looking)


def window_of(batch: Batch, trials: Mapping[str, Trial], shares: Mapping[int, float]) -> Window:
    """The window that measures a batch; its releases are still to be named.

    Args:
        shares: Of all traffic, by trial.
    """
    wanted = sum(share for key, share in batch.shares.items() if key in trials) / sum(batch.shares.values())
    purpose = batch.purpose.value if wanted else "baseline"
    least = max(round(batch.units * wanted), 1) if wanted else batch.units
    return Window(batch.number, purpose, shares, {}, batch.units, least, batch.planned, batch.looking)


def is_full(window: Window, counted: Sequence[Counted]) -> bool:
    """Whether enough units of a window have been judged."""
    came = Counter(one.trial for one in counted if one.window == window.number and one.counts)
    if not window.trials:
        return came[0] >= window.least
    return sum(came[number] for number in window.trials) >= window.least and (
        window.purpose != Purpose.CONFIRM.value or came[0] > 0
    )
