"""The feedback that decides a trial."""

import statistics
from collections.abc import Sequence

from collector.core.feedback import Feedback, StoredFeedback
from collector.core.study import Study


def select(study: Study, feedback: Sequence[StoredFeedback]) -> tuple[Feedback, ...]:
    """The first scored feedbacks that pass the study's filter, at most a batch of them.

    Args:
        study: Names the attributes that feedback must have to count, and the size of the batch.
        feedback: Of the study's metric, on traces that ran with the trial's release, in order of reception. An
            output counts once: of two judgements on one span the first decides.
    """
    chosen: dict[tuple[str, str], Feedback] = {}
    for stored in feedback:
        if len(chosen) == study.batch_size:
            break
        item = stored.feedback
        passes = all(item.attributes.get(key) == value for key, value in study.feedback_filter.items())
        if item.score is not None and passes:
            chosen.setdefault((item.target.trace_id, item.target.span_id), item)
    return tuple(chosen.values())


def mean_score(batch: Sequence[Feedback]) -> float:
    """The mean of the scores, of which there must be one at least; exact, so that large scores cannot overflow."""
    return statistics.mean(item.score for item in batch if item.score is not None)
