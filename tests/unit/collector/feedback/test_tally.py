"""What is said of feedback that closes no trial."""

from dataclasses import replace

import pytest

from collector.core.feedback import Feedback, FeedbackState, StoredFeedback
from collector.core.span import SpanContext
from collector.core.study import Study
from collector.feedback.tally import tally, words
from tests import samples

STUDY = Study("s", "shop", "quality")


def stored(number: int, score: float | None = None, label: str = "", split: str = "train") -> StoredFeedback:
    target = SpanContext(samples.trace_id(number), samples.span_id(1))
    feedback = Feedback(target, "quality", score, label, "words", attributes={"split": split})
    return StoredFeedback(feedback.id, feedback, FeedbackState.ATTACHED, 0, 1)


def said(study: Study, *offered: StoredFeedback, **names: int) -> str:
    return words(study, tally(study, offered, {"quality": len(offered), **names}))


def test_where_none_has_a_score_it_says_how_many_which_labels_and_what_to_do() -> None:
    text = said(STUDY, stored(1, label="good"), stored(2, label="good"), stored(3, label="bad"))
    assert text.startswith(
        "3 feedbacks, none has a score: map the labels in a new study (--label good=1 --label bad=0)"
    )
    assert "labels seen: 'good' (2), 'bad' (1)" in text
    assert said(STUDY, stored(1)).startswith("1 feedback, none has a score: send gen_ai.evaluation.score.value")


def test_mapped_labels_are_scores_and_the_others_are_counted() -> None:
    study = replace(STUDY, labels={"good": 1.0, "bad": 0.0})
    assert said(study, stored(1, label="good"), stored(2, 0.5)) == ""
    text = said(study, stored(1, label="Good "), stored(2, label="meh"), stored(3, label="meh"))
    assert text == "1 of 3 feedbacks have a score; labels without a score: 'meh' (2)"
    assert "mapped: good, bad" in said(study, stored(1, label="meh"))


def test_other_metrics_and_missing_attributes_are_named() -> None:
    assert said(STUDY, speed=3, cost=9) == (
        "no feedback names the metric 'quality'; other metrics on this release: 'cost' (9), 'speed' (3)"
    )
    assert said(STUDY, stored(1, 1.0), speed=3) == "other metrics on this release: 'speed' (3)"
    filtered = replace(STUDY, feedback_filter={"split": "held_out"})
    assert said(filtered, stored(1, 1.0)) == "1 feedback without the wanted attributes split=held_out"


def test_superseded_words_do_not_count_and_long_lists_are_shortened() -> None:
    old = replace(stored(1, label="bad"), superseded=True)
    assert said(STUDY, old, stored(1, 1.0)) == ""
    text = said(STUDY, *(stored(number, label=f"label {number}") for number in range(20)))
    assert text.endswith(" and 12 more")


@pytest.mark.parametrize("study", [STUDY, replace(STUDY, labels={"good": 1.0})])
def test_where_nothing_came_nothing_is_said(study: Study) -> None:
    assert said(study) == ""
