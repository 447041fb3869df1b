"""The conformance battery of `FeedbackStore`, on every implementation."""

from dataclasses import replace

from collector.core.feedback import Attachment, Feedback, FeedbackState
from collector.core.page import PageRequest
from collector.core.protocols import Store
from collector.core.span import SpanContext
from collector.otlp.request import read_logs
from tests import samples
from tests.contract.conftest import Opened
from tests.contract.stores import feedback, traces


async def test_feedback_waits_for_spans_of_its_trace_and_not_for_logs(store: Store) -> None:
    await store.feedback.submit([feedback(1), feedback(2)], 10)
    never_looked_for = await store.feedback.attachable(10)
    assert [one.id for one in never_looked_for] == [feedback(1).id, feedback(2).id]
    await store.feedback.attach([], never_looked_for)
    await store.log.append(read_logs(samples.logs_request([samples.evaluation(2, 1)]), 1).request)
    assert list(await store.feedback.attachable(10)) == []
    await store.log.append(traces(samples.span(1, 1)))
    (waiting,) = await store.feedback.attachable(10)
    assert (waiting.id, waiting.feedback) == (feedback(1).id, feedback(1))


async def test_feedback_that_was_missed_is_offered_again_after_another_span(store: Store) -> None:
    await store.feedback.submit([feedback(1)], 1)
    await store.log.append(traces(samples.span(1, 9)))
    (waiting,) = await store.feedback.attachable(10)
    await store.log.append(traces(samples.span(1, 8)))  # comes between the look and the word on it
    await store.feedback.attach([], [waiting])
    (again,) = await store.feedback.attachable(10)
    await store.feedback.attach([], [again])
    assert list(await store.feedback.attachable(10)) == []
    await store.log.append(read_logs(samples.logs_request([samples.evaluation(1, 1)]), 1).request)
    assert list(await store.feedback.attachable(10)) == []
    await store.log.append(traces(samples.span(1, 1)))
    assert [one.id for one in await store.feedback.attachable(10)] == [feedback(1).id]


async def test_the_same_feedback_is_kept_once(store: Store) -> None:
    await store.feedback.submit([feedback(1), feedback(1)], 10)
    await store.feedback.submit([feedback(1)], 1)
    await store.log.append(traces(samples.span(1, 1)))
    assert [kept.id for kept in (await store.feedback.listed(PageRequest())).items] == [feedback(1).id]


async def test_attached_feedback_knows_its_span_and_release_and_keeps_its_id(store: Store) -> None:
    early = feedback(1, span=None)
    await store.feedback.submit([early, feedback(2), replace(feedback(3), name="other")], 10)
    target = SpanContext(samples.trace_id(1), samples.span_id(7))
    await store.feedback.attach([Attachment(early.id, target, 4), Attachment("unknown", target, 4)])
    await store.feedback.attach([Attachment(early.id, target, 4)])
    (kept,) = (await store.feedback.listed(PageRequest(), states=[FeedbackState.ATTACHED])).items
    assert (kept.id, kept.feedback.target, kept.release) == (early.id, target, 4)
    assert [item.id for item in await store.feedback.of_release(4, "q")] == [early.id]
    assert list(await store.feedback.of_release(4, "other")) == []
    assert list(await store.feedback.of_release(5, "q")) == []


async def test_the_last_word_of_a_source_supersedes_its_earlier_ones(store: Store) -> None:
    def word(time: int, score: float | None, **said: str) -> Feedback:
        one = replace(feedback(1), time_unix_nano=time, score=score, label="", source="user")
        return replace(one, **said)  # type: ignore[arg-type]

    late, early, label, words = word(9, 0.9), word(3, 0.1), word(5, None, label="bad"), word(11, None)
    same_time = replace(late, text="changed my mind")
    others = [
        word(1, 0.5, source="model"),
        word(1, 0.5, name="speed"),
        replace(word(1, 0.5), target=feedback(2).target),
    ]
    root = replace(word(2, 0.2), target=SpanContext(feedback(1).target.trace_id, ""))
    await store.feedback.submit([words, late, early, label, *others, root], 10)
    await store.feedback.submit([same_time], 11)
    await store.feedback.attach(
        [Attachment(root.id, feedback(1).target, 4), *(Attachment(one.id, one.target, 4) for one in others)]
    )
    found = {kept.id: kept.superseded for kept in (await store.feedback.listed(PageRequest(1_000))).items}
    superseded = {one.id for one in (late, early, label, root)}
    assert {one for one, gone in found.items() if gone} == superseded
    assert {kept.id for kept in await store.feedback.of_release(4, "q") if kept.superseded} <= superseded
    await store.feedback.submit([word(12, None), word(13, 0.3)], 12)
    assert (
        sum(not kept.superseded for kept in (await store.feedback.listed(PageRequest(1_000))).items) == len(others) + 1
    )


async def test_feedback_by_response_id_waits_for_the_answer_and_moves_to_its_trace(store: Store) -> None:
    one = Feedback(SpanContext("", ""), "quality", 0.5, response_id="a", time_unix_nano=1)
    both = replace(feedback(9), response_id="a")
    await store.log.append(traces(samples.span(9, 1)))
    await store.feedback.submit([one, both], 10)
    looked_for = await store.feedback.attachable(10)
    assert [found.feedback for found in looked_for] == [one, both]
    stated = Attachment(both.id, both.target, None)
    await store.feedback.attach([stated], looked_for)
    assert list(await store.feedback.attachable(10)) == []
    await store.log.append(traces(samples.span(5, 1)))
    assert list(await store.feedback.attachable(10)) == []
    await store.log.append(traces(samples.span(1, 2, values={"gen_ai.response.id": "a"})))
    again = await store.feedback.attachable(10)
    assert [(found.feedback, found.attachment) for found in again] == [(one, None), (both, stated)]
    target = SpanContext(samples.trace_id(1), samples.span_id(2))
    await store.feedback.attach([Attachment(found.id, target, 7, answered=True) for found in again], again)
    kept = (await store.feedback.listed(PageRequest(), trace_id=samples.trace_id(1))).items
    assert {found.id for found in kept} == {one.id, both.id}
    assert {(found.feedback.target, found.release) for found in kept} == {(target, 7)}
    assert list((await store.feedback.listed(PageRequest(), trace_id=samples.trace_id(9))).items) == []
    moved = await store.feedback.attachable(10)  # of the trace to which it moved something may have come meanwhile
    await store.feedback.attach([], moved)
    assert list(await store.feedback.attachable(10)) == []
    await store.log.append(traces(samples.span(7, 1, values={"gen_ai.response.id": "a"})))
    assert list(await store.feedback.attachable(10)) == []  # they have their answer
    await store.log.append(traces(samples.span(1, 1)))
    assert [found.attachment and found.attachment.answered for found in await store.feedback.attachable(10)] == [
        True,
        True,
    ]


async def test_the_metrics_of_a_release_are_counted(store: Store) -> None:
    named = [replace(feedback(number), name=name) for number, name in enumerate(("a", "b", "b", "c"), 1)]
    await store.feedback.submit(named, 10)
    targets = [Attachment(one.id, one.target, 4 if one.name != "c" else 5) for one in named]
    await store.feedback.attach(targets)
    assert await store.feedback.metrics_of_release(4) == {"b": 2, "a": 1}
    assert await store.feedback.metrics_of_release(9) == {}


async def test_feedback_expires_only_while_it_waits(store: Store) -> None:
    await store.feedback.submit([feedback(1)], 10)
    await store.feedback.submit([feedback(2)], 20)
    await store.feedback.submit([feedback(3)], 5)
    await store.feedback.attach([Attachment(feedback(3).id, feedback(3).target, None)])
    assert await store.feedback.expire(20) == 1
    assert await store.feedback.expire(20) == 0
    states = {kept.feedback.target.trace_id: kept.state for kept in (await store.feedback.listed(PageRequest())).items}
    assert states == {
        samples.trace_id(1): FeedbackState.EXPIRED,
        samples.trace_id(2): FeedbackState.WAITING,
        samples.trace_id(3): FeedbackState.ATTACHED,
    }


async def test_attached_feedback_is_offered_again_when_more_of_its_trace_comes(store: Store) -> None:
    whole = feedback(1, span=None)
    await store.feedback.submit([whole], 1)
    await store.log.append(traces(samples.span(1, 9)))
    (waiting,) = await store.feedback.attachable(10)
    assert (waiting.feedback, waiting.attachment) == (whole, None)
    first = Attachment(whole.id, SpanContext(samples.trace_id(1), samples.span_id(9)), 4)
    await store.feedback.attach([first], [waiting])
    assert list(await store.feedback.attachable(10)) == []
    await store.log.append(traces(samples.span(1, 8)))
    (movable,) = await store.feedback.attachable(10)
    assert (movable.id, movable.feedback, movable.attachment) == (whole.id, whole, first)
    moved = Attachment(whole.id, SpanContext(samples.trace_id(1), samples.span_id(8)), 5)
    await store.feedback.attach([moved], [movable])
    (kept,) = (await store.feedback.listed(PageRequest())).items
    assert (kept.feedback.target, kept.release) == (moved.target, 5)
    assert (await store.feedback.counts())[FeedbackState.ATTACHED] == 1


async def test_patience_ends_by_itself(store: Store) -> None:
    await store.feedback.submit([feedback(1, span=None)], 1)
    await store.log.append(traces(samples.span(1, 9)))
    (waiting,) = await store.feedback.attachable(10, 100)
    await store.feedback.attach([], [replace(waiting, patient_until_unix_nano=150)])
    assert list(await store.feedback.attachable(10, 149)) == []
    (over,) = await store.feedback.attachable(10, 150)
    assert (over.id, over.patient_until_unix_nano) == (waiting.id, 150)
    await store.feedback.attach([], [replace(over, patient_until_unix_nano=0)])
    assert list(await store.feedback.attachable(10, 1_000)) == []


async def test_what_a_trial_counts_stays_where_it_is(store: Store) -> None:
    counted, other = feedback(1, span=None), feedback(2, span=None)
    await store.feedback.submit([counted, other], 1)
    await store.log.append(traces(samples.span(1, 9), samples.span(2, 9)))
    looked_for = await store.feedback.attachable(10)
    on = [SpanContext(samples.trace_id(number), samples.span_id(9)) for number in (1, 2)]
    await store.feedback.attach([Attachment(counted.id, on[0], 4), Attachment(other.id, on[1], 5)], looked_for)
    await store.feedback.settle_counted(4, "another metric")
    await store.feedback.settle_counted(4, "q")
    await store.log.append(traces(samples.span(1, 8), samples.span(2, 8)))
    assert [one.id for one in await store.feedback.attachable(10)] == [other.id]
    await store.feedback.attach([Attachment(counted.id, on[1], 99)])
    (kept,) = (await store.feedback.listed(PageRequest(), trace_id=samples.trace_id(1))).items
    assert (kept.feedback.target, kept.release) == (on[0], 4)


async def test_attachments_settle_by_age_and_beyond_a_number(store: Store) -> None:
    for number in range(1, 7):
        await store.log.append(traces(samples.span(number, 9)))
        await store.feedback.submit([feedback(number)], 10 * number)
    await store.feedback.attach(
        [Attachment(feedback(number).id, feedback(number).target, None) for number in range(1, 7)]
    )
    assert await store.feedback.settle(20, 100) == 0
    assert await store.feedback.settle(0, 3) == 2
    assert await store.feedback.settle(0, 3) == 0
    await store.log.append(traces(*(samples.span(number, 8) for number in range(1, 7))))
    assert [int(one.feedback.target.trace_id, 16) for one in await store.feedback.attachable(10)] == [4, 5, 6]


async def test_feedback_is_listed_newest_first_and_filtered(store: Store) -> None:
    await store.feedback.submit([feedback(n) for n in range(1, 6)], 10)
    assert [kept.feedback.target.trace_id for kept in (await store.feedback.listed(PageRequest(2))).items] == [
        samples.trace_id(5),
        samples.trace_id(4),
    ]
    assert len((await store.feedback.listed(PageRequest(1_000))).items) == 5
    assert len((await store.feedback.listed(PageRequest(), trace_id=samples.trace_id(3))).items) == 1


async def test_feedback_counts_for_every_release_that_a_service_of_the_trace_ran_with(store: Store) -> None:
    await store.feedback.submit([feedback(1), feedback(2)], 10)
    target = feedback(1).target
    await store.feedback.attach(
        [Attachment(feedback(1).id, target, 3, beside=(4, 7)), Attachment(feedback(2).id, feedback(2).target, 4)]
    )
    assert [one.id for one in await store.feedback.of_release(3, "q")] == [feedback(1).id]
    assert [one.id for one in await store.feedback.of_release(4, "q")] == [feedback(1).id, feedback(2).id]
    assert await store.feedback.metrics_of_release(7) == {"q": 1}
    await store.feedback.attach([Attachment(feedback(1).id, target, 3, beside=(5,))])
    assert [one.id for one in await store.feedback.of_release(4, "q")] == [feedback(2).id]
    await store.feedback.settle_counted(5, "q")
    await store.feedback.attach([Attachment(feedback(1).id, target, 9)])
    assert [one.id for one in await store.feedback.of_release(5, "q")] == [feedback(1).id]


async def test_which_traces_a_metric_has_judged(store: Store) -> None:
    await store.feedback.submit([feedback(1), feedback(2), replace(feedback(3), name="other")], 10)
    of = [samples.trace_id(number) for number in (1, 2, 3, 4)]
    assert set(await store.feedback.judged("q", of)) == set(of[:2])
    assert set(await store.feedback.judged("q", of[1:])) == {of[1]}
    await store.feedback.submit([replace(feedback(1), label="again", time_unix_nano=2**60)], 11)
    await store.feedback.expire(2**62)
    assert set(await store.feedback.judged("q", of)) == set(of[:2])
    assert set(await store.feedback.judged("other", of)) == {of[2]}
    assert not await store.feedback.judged("q", ())


async def test_a_revision_is_another_one_when_feedback_on_the_trace_is(store: Store) -> None:
    wanted = samples.trace_id(1)
    seen = [await store.feedback.revision(wanted)]
    await store.feedback.submit([feedback(1)], 10)
    seen.append(await store.feedback.revision(wanted))
    await store.feedback.submit([feedback(2)], 10)
    assert await store.feedback.revision(wanted) == seen[-1]
    await store.feedback.attach([Attachment(feedback(1).id, feedback(1).target, 4)])
    seen.append(await store.feedback.revision(wanted))
    assert len(set(seen)) == len(seen)


async def test_what_comes_after_a_restart_may_have_come_before_it(opened: Opened) -> None:
    await opened.store.log.append(traces(samples.span(1, 9)))
    await opened.store.feedback.submit([feedback(1)], 1)
    looked_for = await opened.store.feedback.attachable(10)
    attached = Attachment(feedback(1).id, SpanContext(samples.trace_id(1), samples.span_id(9)), 4)
    await opened.store.feedback.attach([attached], looked_for)
    assert list(await opened.store.feedback.attachable(10)) == []
    store = await opened.again()
    assert [one.attachment for one in await store.feedback.attachable(10)] == [attached]
