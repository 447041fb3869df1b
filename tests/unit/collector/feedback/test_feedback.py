"""Feedback out of telemetry, to its span, into a batch."""

import math

import pytest

from collector.core.feedback import Feedback, FeedbackState, StoredFeedback
from collector.core.span import Event, LogRecord, Span, SpanContext
from collector.core.study import Study
from collector.feedback.attach import attach
from collector.feedback.batch import mean_score, select
from collector.feedback.extract import from_log_records, from_spans
from collector.otlp.decode import log_records_of, spans_of
from tests import samples

TARGET = SpanContext(samples.trace_id(1), samples.span_id(2))


def test_a_log_event_becomes_feedback() -> None:
    values = {"opto.feedback.source": "user", "opto.feedback.split": "train", "opto.feedback.first": True}
    record = samples.evaluation(1, 2, 0.25, "too long", values=values, time=3)
    (feedback,) = from_log_records(log_records_of(samples.logs_request([record]))).feedback
    assert feedback == Feedback(
        TARGET, "quality", 0.25, "", "too long", "user", {"split": "train", "first": "true"}, samples.START + 3
    )


def test_older_events_and_span_events_are_understood() -> None:
    attributes = {"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.label": "bad"}
    record = LogRecord(0, 9, attributes={**attributes, "event.name": "gen_ai.evaluation.result"}, context=TARGET)
    assert from_log_records([record]).feedback == (Feedback(TARGET, "q", label="bad", time_unix_nano=9),)
    event = Event("gen_ai.evaluation.result", 5, attributes)
    span = Span(TARGET, None, "n", 0, 1, events=(event, Event("other", 6)))
    assert from_spans([span]).feedback == (Feedback(TARGET, "q", label="bad", time_unix_nano=5),)


@pytest.mark.parametrize(
    ("attributes", "context", "said"),
    [
        ({"gen_ai.evaluation.score.value": 1}, TARGET, "must name the metric"),
        ({"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.value": 1}, None, "no trace id"),
        ({"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.value": math.nan}, TARGET, "found nan"),
        ({"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.value": "1"}, TARGET, "found '1'"),
        ({"gen_ai.evaluation.name": "q"}, TARGET, "neither score, label nor explanation"),
    ],
)
def test_what_judges_nothing_is_said_and_not_lost_silently(
    attributes: dict[str, object], context: SpanContext | None, said: str
) -> None:
    record = LogRecord(1, event_name="gen_ai.evaluation.result", attributes=attributes, context=context)  # type: ignore[arg-type]
    extraction = from_log_records([record])
    assert extraction.feedback == ()
    assert said in extraction.faults[0]


def spans(*messages: object) -> list[Span]:
    return spans_of(samples.traces_request(messages))  # type: ignore[arg-type]


def test_feedback_waits_for_its_span_and_takes_the_release_of_the_trace() -> None:
    feedback = Feedback(TARGET, "q", 1.0)
    root = samples.span(1, 1, values={"opto.release": 7})
    assert attach(feedback, spans(root)) is None
    found = attach(feedback, spans(root, samples.span(1, 2, 1)))
    assert found is not None
    assert (found.feedback_id, found.target, found.release) == (feedback.id, TARGET, 7)


def test_feedback_without_a_span_judges_the_root() -> None:
    feedback = Feedback(SpanContext(TARGET.trace_id, ""), "q", 1.0)
    assert attach(feedback, spans(samples.span(1, 2, 1))) is None
    found = attach(feedback, spans(samples.span(1, 2, 1), samples.span(1, 1, values={"opto.param.k.version": 5})))
    assert found is not None
    assert (found.target.span_id, found.release) == (samples.span_id(1), 5)


def test_a_trace_without_a_release_says_so() -> None:
    found = attach(Feedback(TARGET, "q", 1.0), spans(samples.span(1, 2, values={"opto.release": 0})))
    assert found is not None
    assert found.release is None


def stored(trace: int, score: float | None, split: str = "train") -> StoredFeedback:
    target = SpanContext(samples.trace_id(trace), samples.span_id(1))
    feedback = Feedback(target, "q", score, text="t", attributes={"split": split}, time_unix_nano=trace)
    return StoredFeedback(feedback.id, feedback, FeedbackState.ATTACHED, 0, 1)


def test_a_batch_holds_the_first_scored_feedback_that_passes_the_filter() -> None:
    study = Study("s", "shop", "q", batch_size=2, feedback_filter={"split": "train"})
    offered = [
        stored(1, None),
        stored(2, 0.5, "held_out"),
        stored(3, 0.25),
        stored(3, 0.9),
        stored(4, 0.75),
        stored(5, 1),
    ]
    batch = select(study, offered)
    assert [feedback.score for feedback in batch] == [0.25, 0.75]
    assert mean_score(batch) == 0.5
