"""The feedback that decides a trial."""

from dataclasses import replace

import pytest

from collector.core.feedback import Feedback, FeedbackState, StoredFeedback
from collector.core.span import SpanContext
from collector.core.study import Study
from collector.feedback.batch import mean_score, select
from tests import samples


def stored(trace: int, score: float | None, split: str = "train", span: int = 1) -> StoredFeedback:
    target = SpanContext(samples.trace_id(trace), samples.span_id(span))
    feedback = Feedback(target, "q", score, text="t", attributes={"split": split, "set": "a"}, time_unix_nano=trace)
    return StoredFeedback(feedback.id, feedback, FeedbackState.ATTACHED, 0, 1)


def scores(study: Study, *offered: StoredFeedback) -> list[float | None]:
    return [feedback.score for feedback in select(study, offered)]


def test_a_batch_holds_the_first_scored_feedback_in_order_of_reception() -> None:
    study = Study("s", "shop", "q", batch_size=2)
    assert scores(study, stored(3, None), stored(2, 0.5), stored(1, 0.25), stored(4, 1.0)) == [0.5, 0.25]
    assert scores(study, stored(2, 0.5)) == [0.5]


def test_only_feedback_with_the_wanted_attributes_counts() -> None:
    study = Study("s", "shop", "q", feedback_filter={"split": "train", "set": "a"})
    assert scores(study, stored(1, 0.1, "held_out"), stored(2, 0.2)) == [0.2]
    unknown = Study("s", "shop", "q", feedback_filter={"missing": ""})
    assert scores(unknown, stored(1, 0.1)) == []


def test_an_output_counts_once_but_two_outputs_of_a_trace_count_both() -> None:
    study = Study("s", "shop", "q", batch_size=3)
    assert scores(study, stored(1, 0.1), stored(1, 0.9), stored(1, 0.2, span=2), stored(2, 0.3)) == [0.1, 0.2, 0.3]


def test_labels_stand_for_scores_where_a_study_maps_them() -> None:
    study = Study("s", "shop", "q", labels={"good": 1.0, "Bad": 0.0})
    labelled = [replace(stored(n, None), feedback=replace(stored(n, None).feedback, label=label))
                for n, label in enumerate(("good", " GOOD", "bad", "meh", ""), 1)]  # fmt: skip
    assert scores(study, *labelled) == [1.0, 1.0, 0.0]
    own = replace(labelled[0], feedback=replace(labelled[0].feedback, score=0.25))
    assert scores(study, own) == [0.25]


def test_only_the_last_word_of_a_source_counts() -> None:
    study = Study("s", "shop", "q")
    assert scores(study, replace(stored(1, 0.1), superseded=True), stored(1, 0.9)) == [0.9]
    assert scores(study, replace(stored(1, 0.1), superseded=True), stored(1, None)) == []


@pytest.mark.parametrize(("values", "mean"), [([0.25, 0.75], 0.5), ([0.1] * 3, 0.1), ([1.7e308, 1.7e308], 1.7e308)])
def test_the_mean_is_exact_whatever_the_size_of_the_scores(values: list[float], mean: float) -> None:
    assert mean_score([stored(1, value).feedback for value in values]) == mean
