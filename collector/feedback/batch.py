"""The feedback that decides a trial."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from collector.core.feedback import Feedback, StoredFeedback, folded
from collector.core.study import Direction, Remarks, Study


def select(study: Study, feedback: Sequence[StoredFeedback]) -> tuple[Feedback, ...]:
    """The first scored feedbacks that pass the study's filter, at most a batch of them.

    Args:
        study: Names the attributes that feedback must have to count, the labels that stand for scores, and the size of
            the batch.
        feedback: Of the study's metric, on traces that ran with the trial's release, in order of reception. Of one
            source the last word on an output counts; of several sources that judge one output the first.
    """
    score_of = scoring(study.labels)
    chosen: dict[tuple[str, str], Feedback] = {}
    for stored in feedback:
        if len(chosen) == study.batch_size:
            break
        item = stored.feedback
        score = score_of(item)
        if score is not None and passes(study.feedback_filter, item) and not stored.superseded:
            chosen.setdefault((item.target.trace_id, item.target.span_id), replace(item, score=score))
    return tuple(chosen.values())


def passes(feedback_filter: Mapping[str, str], feedback: Feedback) -> bool:
    """Whether it has the attributes that are wanted."""
    return all(feedback.attributes.get(key) == value for key, value in feedback_filter.items())


def scoring(labels: Mapping[str, float]) -> Callable[[Feedback], float | None]:
    """Gives the score of feedback: its own, else that of its label; None if it has neither.

    Case and surrounding blanks of labels do not count.
    """
    scores = {folded(label): score for label, score in labels.items()}

    def score_of(feedback: Feedback) -> float | None:
        if feedback.score is not None or not scores:
            return feedback.score
        return scores.get(folded(feedback.label))

    return score_of


def mean_score(batch: Sequence[Feedback]) -> float:
    """The mean of the scores, of which there must be one at least; exact, so that large scores cannot overflow."""
    return statistics.mean(item.score for item in batch if item.score is not None)


def remarks_of(study: Study, batch: Sequence[Feedback]) -> Remarks:
    """What was said of the worst and of the best output; of outputs judged alike the first with words."""
    said = [item for item in batch if item.text]
    if not said:
        return Remarks()
    sign = 1 if study.direction is Direction.MAXIMIZE else -1
    ordered = sorted(said, key=lambda item: sign * (item.score or 0.0))
    return Remarks(ordered[0].text, max(said, key=lambda item: sign * (item.score or 0.0)).text)
