"""A study as a document: its settings, its trials, what was refused."""

from collections import Counter
from collections.abc import Sequence

from collector.api.pages import numbered
from collector.core.candidate import Found, Window
from collector.core.front import front_of
from collector.core.page import MOST_ON_A_PAGE, PageRequest
from collector.core.record import tree_of
from collector.core.study import Cost, Objective, RejectedProposal, Study, StudyRecord, Trial

_NOTHING = Cost()


def study_document(record: StudyRecord, trials: int = MOST_ON_A_PAGE) -> dict[str, object]:
    """A study and its history, from its beginning, as far as a page goes; the cursors lead on in lists of their own."""
    study, best, winner = record.study, record.best_trial(), record.winner()
    begun = numbered("trials", record.trials, PageRequest(trials))
    refused = numbered("rejected", record.rejected, PageRequest(trials))
    return {
        **tree_of(study),
        "state": record.state.value,
        "message": record.message or record.standing,
        "best_trial": best.number if best else None,
        "winner": winner.number if winner else None,
        "front": front_document(record),
        "best_score": best.score if best else None,
        "complete_trials": sum(1 for trial in record.trials if trial.complete),
        "trial_count": len(record.trials),
        "window": _window_document(record.window()),
        "scored_units": sum(trial.feedback_count for trial in record.trials),
        "rejected_count": len(record.rejected),
        "cost": tree_of(_cost(record)),
        "trials": trial_documents(record, begun.items),
        "next_trials_cursor": begun.next_cursor,
        "rejected": [rejected_document(rejected) for rejected in refused.items],
        "next_rejected_cursor": refused.next_cursor,
    }


def study_bytes(record: StudyRecord, trials: int | None) -> int:
    """About how large the document is, with so many trials; None: all."""
    return len(repr((record.study, record.trials[:trials], record.rejected[:trials])))


def _window_document(window: Window | None) -> dict[str, object] | None:
    """What is measured now: for which trials, for how many units in all."""
    if window is None:
        return None
    return {
        "number": window.number,
        "purpose": window.purpose,
        "trials": list(window.trials),
        "units": window.units,
        "opened_unix_nano": window.opened_unix_nano,
    }


def _cost(record: StudyRecord) -> Cost:
    """Of all proposals, those that were rejected included."""
    proposals = (*(trial.cost for trial in record.trials), *(one.proposal.cost for one in record.rejected))
    return sum((cost for cost in proposals if cost != _NOTHING), _NOTHING)


def front_document(record: StudyRecord) -> dict[str, object] | None:
    """Of a study with several objectives: the trials that no other is better than in all of them, and what decides."""
    study = record.study
    if not study.objectives:
        return None
    metric = Objective(study.metric, study.direction, study.lowest, study.highest)
    objectives = (metric, *study.objectives)
    weights = [f"{one.name} {one.weight:g}" for one in objectives if one.weight]
    weights += [f"within {name} {study.limits[name]:g}: {weight:g}" for name, weight in study.weights.items()]
    return {
        "objectives": [{**tree_of(one), "direction": one.better.value} for one in objectives],
        "trials": [trial.number for trial in front_of(record.trials, objectives)],
        "rule": (
            f"Released is the first that fresh units show to be better in the mean with these weights: "
            f"{', '.join(weights)}; and to keep every bound and limit."
        ),
    }


def trial_documents(record: StudyRecord, trials: Sequence[Trial]) -> list[dict[str, object]]:
    """Some trials of a study."""
    repeats = Counter(one.of for one in record.repeats)
    return [{**trial_document(record.study, trial), "repeats": repeats[trial.number]} for trial in trials]


def score_interval(study: Study, trial: Trial) -> tuple[float, float] | None:
    """Two standard errors of the lead about a trial's score, as the terminal shows it; None for what is in force."""
    if trial.score is None or trial.number == 0 or trial.found is None or trial.found.deviation is None:
        return None
    half = 2 * trial.found.deviation * (study.highest - study.lowest)
    return trial.score - half, trial.score + half


def trial_document(study: Study, trial: Trial) -> dict[str, object]:
    """One trial."""
    found = trial.found or Found(trial.number)
    gain, lowest, highest = found.gain or (None, None, None)
    score_lowest, score_highest = score_interval(study, trial) or (None, None)
    return {
        "number": trial.number,
        "release": trial.release,
        "state": trial.state,
        "score": trial.score,
        "score_lowest": score_lowest,
        "score_highest": score_highest,
        "control_score": trial.control_score,
        "given_up": trial.given_up,
        "feedback_count": trial.feedback_count,
        "values": dict(trial.values),
        "reasoning": trial.reasoning,
        "fate": trial.fate.value,
        "why": trial.why,
        "errors": found.errors,
        "lead": found.lead if found.deviation is not None else None,
        "deviation": found.deviation,
        "gain": gain,
        "gain_lowest": lowest,
        "gain_highest": highest,
        "fresh_units": found.fresh_units,
        "objectives": dict(found.objectives),
        "deviations": dict(found.deviations),
        "kept": dict(found.kept),
        "opened_unix_nano": trial.opened_unix_nano,
        "cost": tree_of(trial.cost),
    }


def rejected_document(rejected: RejectedProposal) -> dict[str, object]:
    """A proposal that failed validation."""
    return {
        "trial": rejected.trial,
        "values": dict(rejected.proposal.values),
        "errors": list(rejected.errors),
        "reasoning": rejected.proposal.reasoning,
        "cost": tree_of(rejected.proposal.cost),
    }
