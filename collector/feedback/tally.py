"""Why a trial still waits though feedback has come: what of it has no score, and what other metrics it names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.core.feedback import StoredFeedback
from collector.core.study import Study
from collector.feedback.batch import passes, scoring

_MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Tally:
    """The feedback on one release, as a study sees it.

    Attributes:
        feedback: How much there is of the study's metric, each source's last word on each output.
        scored: What of it has a score, its own or that of its label.
        passed_over: What of it lacks the attributes that the study wants.
        labels: Of what has no score, how often each label came.
        other_metrics: How often the feedback on the release names another metric.
    """

    feedback: int
    scored: int
    passed_over: int
    labels: Mapping[str, int]
    other_metrics: Mapping[str, int]


def tally(study: Study, stored: Sequence[StoredFeedback], names: Mapping[str, int]) -> Tally:
    """Counts it.

    Args:
        study: Names the metric, the labels that have a score, and the attributes that feedback must have to count.
        stored: Of the study's metric on the release.
        names: How often each metric is named by the feedback on the release.
    """
    last = [one.feedback for one in stored if not one.superseded]
    counted = [one for one in last if passes(study.feedback_filter, one)]
    score_of = scoring(study.labels)
    unscored = [one for one in counted if score_of(one) is None]
    labels = Counter(one.label for one in unscored if one.label)
    others = {name: count for name, count in names.items() if name != study.metric}
    return Tally(len(last), len(counted) - len(unscored), len(last) - len(counted), labels, others)


def words(study: Study, found: Tally) -> str:
    """What a person should know of it, and do; empty where there is nothing to say."""
    said = []
    counted = found.feedback - found.passed_over
    if counted and not found.scored:
        said.append(f"{_feedbacks(counted)}, none has a score: {_advice(study, found)}")
    elif found.scored < counted:
        labels = f"; labels without a score: {_shown(found.labels)}" if found.labels else ""
        said.append(f"{found.scored} of {_feedbacks(counted)} have a score{labels}")
    elif not counted and found.other_metrics:
        said.append(f"no feedback names the metric {study.metric!r}")
    if found.passed_over:
        wanted = ", ".join(f"{key}={value}" for key, value in study.feedback_filter.items())
        said.append(f"{_feedbacks(found.passed_over)} without the wanted attributes {wanted}")
    if found.other_metrics:
        said.append(f"other metrics on this release: {_shown(found.other_metrics)}")
    return "; ".join(said)


def _advice(study: Study, found: Tally) -> str:
    if not found.labels:
        return "send gen_ai.evaluation.score.value, or a label that the study maps (--label good=1 --label bad=0)"
    mapped = f"; mapped: {', '.join(study.labels)}" if study.labels else ""
    return f"map the labels in a new study (--label good=1 --label bad=0); labels seen: {_shown(found.labels)}{mapped}"


def _feedbacks(count: int) -> str:
    return f"{count} feedback{'' if count == 1 else 's'}"


def _shown(counts: Mapping[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{text[:60]!r} ({count})" for text, count in ranked[:_MOST_SHOWN])
    return shown + (f" and {len(ranked) - _MOST_SHOWN} more" if len(ranked) > _MOST_SHOWN else "")
