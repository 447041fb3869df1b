"""The feedback that decides a trial."""

from collections.abc import Sequence

from collector.core.feedback import Feedback, StoredFeedback
from collector.core.study import Study


def select(study: Study, feedback: Sequence[StoredFeedback]) -> tuple[Feedback, ...]:
    """The first scored feedbacks that pass the study's filter, at most a batch of them.

    Args:
        feedback: On traces that ran with the trial's release, in order of reception. One trace counts once for a
            metric: of two judgements on one output the first decides.
    """
    chosen: dict[tuple[str, str], Feedback] = {}
    for stored in feedback:
        item = stored.feedback
        passes = all(item.attributes.get(key) == value for key, value in study.feedback_filter.items())
        if item.score is not None and passes and len(chosen) < study.batch_size:
            chosen.setdefault((item.target.trace_id, item.target.span_id), item)
    return tuple(chosen.values())


def mean_score(batch: Sequence[Feedback]) -> float:
    """The mean of the scores; the batch must not be empty."""
    scores = [item.score for item in batch if item.score is not None]
    return sum(scores) / len(scores)
