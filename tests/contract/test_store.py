"""The conformance battery of `Store`, on every implementation."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from collector.core.errors import InvalidRequest, TooLarge
from collector.core.feedback import Attachment, Feedback, FeedbackState
from collector.core.ledger import Change, Event
from collector.core.page import PageRequest
from collector.core.parameter import MOST_PARAMETERS
from collector.core.protocols import Store
from collector.core.release import Acknowledgement, ReleaseStatus
from collector.core.span import SpanContext
from collector.core.telemetry import OtlpRequest, TelemetryCounts, TraceBounds, TraceQuery
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.request import read_logs, read_traces
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests import samples
from tests.clocks import TickingClock
from tests.contract.stores import STORES

SPECS = [
    ParameterSpec("a", ParameterType.INTEGER, 1, Constraint(minimum=0, maximum=9), "words", trainable=False),
    ParameterSpec("b", ParameterType.TEXT, "{q}", Constraint(placeholders=("q",), candidates=("{q}!",))),
    ParameterSpec("c", ParameterType.FLOAT, 0.0),
]


@dataclass
class Opened:
    """A store that can be closed and opened again on what it kept."""

    kind: str
    directory: Path
    store: Store

    async def again(self) -> Store:
        await self.store.stop()
        self.store = STORES[self.kind](self.directory, TickingClock())
        await self.store.start()
        return self.store


@pytest.fixture(params=sorted(STORES))
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    held = Opened(request.param, tmp_path, STORES[request.param](tmp_path, TickingClock()))
    await held.store.start()
    yield held
    await held.store.stop()


@pytest.fixture
def store(opened: Opened) -> Store:
    return opened.store


def traces(*spans: object, time: int = 1) -> OtlpRequest:
    return read_traces(samples.traces_request(spans), time).request  # type: ignore[arg-type]


def feedback(trace: int, score: float = 0.5, *, span: int | None = 1, name: str = "q") -> Feedback:
    target = SpanContext(samples.trace_id(trace), samples.span_id(span) if span else "")
    return Feedback(target, name, score, "label", "text", "source", {"split": "train"}, 5)


# --- telemetry ------------------------------------------------------------------------------------------------------


async def test_a_trace_comes_back_in_order_from_any_number_of_requests(store: Store) -> None:
    await store.log.append(traces(samples.span(1, 3, 1, start=2), samples.span(2, 9)))
    await store.log.append(traces(samples.span(1, 2, 1, start=1)))
    await store.log.append(traces(samples.span(1, 1, start=0)))
    found = await store.log.trace(samples.trace_id(1))
    assert [span.context.span_id for span in found] == [samples.span_id(n) for n in (1, 2, 3)]
    assert found[0].resource.service == "shop"


async def test_equal_spans_are_read_once_and_different_ones_of_one_id_both(store: Store) -> None:
    request = traces(samples.span(1, 1, name="same"))
    await store.log.append(request)
    await store.log.append(request)
    await store.log.append(traces(samples.span(1, 1, name="other")))
    assert sorted(span.name for span in await store.log.trace(samples.trace_id(1))) == ["other", "same"]


@pytest.mark.parametrize("unknown", [samples.trace_id(9), "", "nonsense", "G" * 32])
async def test_an_unknown_trace_is_empty(store: Store, unknown: str) -> None:
    assert list(await store.log.trace(unknown)) == []
    assert list(await store.log.log_records(unknown)) == []


async def test_log_records_come_back_by_trace_and_time(store: Store) -> None:
    records = [samples.evaluation(1, 1, time=2, text="late"), samples.evaluation(1, 1, time=1, text="early")]
    await store.log.append(read_logs(samples.logs_request([*records, samples.evaluation(2, 1)]), 1).request)
    found = await store.log.log_records(samples.trace_id(1))
    assert [record.attributes["gen_ai.evaluation.explanation"] for record in found] == ["early", "late"]


async def test_traces_are_listed_by_the_last_touch(store: Store) -> None:
    await store.log.append(traces(samples.span(1, 1, name="first"), samples.span(1, 2, 1, error="e", start=5)))
    await store.log.append(traces(samples.span(2, 2, 1, name="orphan")))
    assert [trace.root_name for trace in (await store.search.traces(PageRequest(1_000))).items] == ["orphan", "first"]
    await store.log.append(traces(samples.span(1, 3, 1)))
    (newest,) = (await store.search.traces(PageRequest(1))).items
    assert (newest.trace_id, newest.root_name, newest.services) == (samples.trace_id(1), "first", ("shop",))
    assert (newest.span_count, newest.error_count) == (3, 1)
    assert newest.end_time_unix_nano - newest.start_time_unix_nano == samples.SECOND + 5


async def test_the_parts_of_a_request_are_kept_in_their_order(store: Store) -> None:
    await store.log.append(*(traces(samples.span(number, 1)) for number in (3, 1, 2)))
    kept = await store.log.requests_after(0, 2**20)
    assert [spans_of(one.body)[0].context.trace_id for one in kept] == [samples.trace_id(n) for n in (3, 1, 2)]


async def test_a_request_that_cannot_be_kept_costs_no_other_that_came_with_it(store: Store) -> None:
    impossible = replace(traces(samples.span(9, 1)), items=2**40)
    outcomes = await asyncio.gather(
        *(store.log.append(one) for one in (traces(samples.span(1, 1)), impossible, traces(samples.span(2, 1)))),
        return_exceptions=True,
    )
    assert [outcome is None for outcome in outcomes] == [True, False, True]
    await store.log.append(traces(samples.span(3, 1)))
    assert {one.trace_id for one in (await store.search.traces(PageRequest(1_000))).items} == {
        samples.trace_id(n) for n in (1, 2, 3)
    }


async def test_times_that_no_clock_shows_are_bounded(store: Store) -> None:
    backwards, beyond, unended = samples.span(1, 1, duration=-5), samples.span(1, 2, 1), samples.span(1, 3, 1)
    beyond.start_time_unix_nano, beyond.end_time_unix_nano = 2**63 + 9, 2**64 - 1
    unended.end_time_unix_nano = 0
    beyond.events.add(name="late", time_unix_nano=2**63)
    await store.log.append(traces(backwards, beyond, unended))
    spans = await store.log.trace(samples.trace_id(1))
    assert all(0 <= span.start_time_unix_nano <= span.end_time_unix_nano < 2**63 for span in spans)
    assert [event.time_unix_nano for span in spans for event in span.events] == [2**63 - 1]
    (summary,) = (await store.search.traces(PageRequest(1_000))).items
    assert summary.start_time_unix_nano <= summary.end_time_unix_nano < 2**63
    for query in (TraceQuery(duration_max_nano=0), TraceQuery(start_min_unix_nano=2**63 - 1)):
        assert [found.trace_id for found in await store.search.find(query)] == [samples.trace_id(1)]


async def test_traces_are_found_by_the_answers_of_models_in_them(store: Store) -> None:
    def answered(number: int, response_id: str) -> OtlpRequest:
        return traces(samples.span(number, 1, values={"gen_ai.response.id": response_id}))

    assert await store.search.answering(["a"]) == {}
    for number, response_id in ((1, "a"), (2, "b"), (3, "a")):
        await store.log.append(answered(number, response_id))
    found = await store.search.answering(["a", "b", "c"])
    assert {key: list(value) for key, value in found.items()} == {
        "a": [samples.trace_id(3), samples.trace_id(1)],
        "b": [samples.trace_id(2)],
    }
    await store.log.append(answered(4, "c"))
    assert list((await store.search.answering(["c"]))["c"]) == [samples.trace_id(4)]


async def test_of_traces_that_began_together_those_stored_last_are_found(store: Store) -> None:
    for number in range(1, 21):
        await store.log.append(traces(samples.span(2 * number, 1), samples.span(2 * number + 1, 1)))
    found = await store.search.find(TraceQuery(limit=5))
    assert [int(one.trace_id, 16) for one in found] == [41, 40, 39, 38, 37]
    assert not found.partial
    await store.log.append(traces(samples.span(2, 2)))
    assert [int(one.trace_id, 16) for one in await store.search.find(TraceQuery(limit=2))] == [2, 41]


async def test_a_search_that_nobody_waits_for_leaves_the_store_as_it_was(store: Store) -> None:
    await store.log.append(traces(samples.span(1, 1)))
    asking = asyncio.create_task(store.search.find(TraceQuery()))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert len(await store.search.find(TraceQuery())) == 1


async def test_what_is_read_of_a_trace_is_bounded(store: Store) -> None:
    await store.log.append(traces(*(samples.span(1, number) for number in range(1, 11))))
    await store.log.append(read_logs(samples.logs_request([samples.evaluation(1, 1)] * 3), 1).request)
    wanted = samples.trace_id(1)
    assert await store.log.trace_data(wanted, TraceBounds(10, 2**20, "x")) == await store.log.trace_data(wanted)
    assert len(log_records_of(await store.log.log_data(wanted, TraceBounds(3, 2**20, "x")))) == 3
    for bounds, said in (
        (TraceBounds(9, 2**20, "x"), "9 spans, .* x.max_spans"),
        (TraceBounds(99, 50, "x"), "x.max_bytes"),
    ):
        with pytest.raises(TooLarge, match=said):
            await store.log.trace_data(wanted, bounds)
    with pytest.raises(TooLarge, match="2 log records"):
        await store.log.log_data(wanted, TraceBounds(2, 2**20, "x"))


async def test_a_revision_is_another_one_when_the_trace_is(store: Store) -> None:
    wanted = samples.trace_id(1)
    seen = [await store.log.revision(wanted)]
    assert seen == [""]
    await store.log.append(traces(samples.span(1, 1)))
    seen.append(await store.log.revision(wanted))
    await store.log.append(traces(samples.span(2, 1)))
    assert await store.log.revision(wanted) == seen[-1]
    await store.log.append(read_logs(samples.logs_request([samples.evaluation(1, 1)]), 1).request)
    seen.append(await store.log.revision(wanted))
    await store.log.append(traces(samples.span(1, 2)))
    seen.append(await store.log.revision(wanted))
    assert len(set(seen)) == len(seen)


async def test_counts(store: Store) -> None:
    await store.feedback.submit([feedback(1)], 1)
    await store.log.append(traces(samples.span(1, 1), samples.span(2, 1)))
    await store.log.append(read_logs(samples.logs_request([samples.evaluation(1, 1)]), 1).request)
    assert await store.search.counts() == TelemetryCounts(spans=2, traces=2, log_records=1)
    assert await store.feedback.counts() == {
        FeedbackState.WAITING: 1,
        FeedbackState.ATTACHED: 0,
        FeedbackState.EXPIRED: 0,
    }
    assert await store.size_bytes() > 0


async def test_everything_survives_a_restart(opened: Opened) -> None:
    store = opened.store
    await store.feedback.submit([feedback(1)], 1)
    await store.log.append(traces(samples.span(1, 1)))
    await store.parameters.declare("shop", SPECS)
    await store.ledger.append([Change("study/s", 0, (Event("created"),))], "test")
    store = await opened.again()
    assert len(await store.log.trace(samples.trace_id(1))) == 1
    assert [kept.feedback for kept in (await store.feedback.listed(PageRequest())).items] == [feedback(1)]
    assert list(await store.parameters.of("shop")) == SPECS
    assert await store.ledger.streams("") == {"study/s": 1}


async def test_many_at_once(store: Store) -> None:
    await asyncio.gather(*(store.log.append(traces(samples.span(n, 1))) for n in range(1, 101)))
    assert (await store.search.counts()).spans == 100
    assert len({trace.trace_id for trace in (await store.search.traces(PageRequest(1_000))).items}) == 100


# --- feedback -------------------------------------------------------------------------------------------------------


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


async def test_attached_feedback_is_offered_again_when_more_of_its_trace_comes(opened: Opened) -> None:
    store, whole = opened.store, feedback(1, span=None)
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
    store = await opened.again()  # a span may have come just before
    assert [one.attachment for one in await store.feedback.attachable(10)] == [moved]


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


# --- releases -------------------------------------------------------------------------------------------------------


async def test_parameters_are_upserted_by_key(store: Store) -> None:
    await store.parameters.declare("shop", SPECS)
    await store.parameters.declare("shop", [replace(SPECS[2], description="new")])
    assert [spec.description for spec in await store.parameters.of("shop")] == ["words", "", "new"]
    assert list(await store.parameters.of("other")) == []


async def test_a_service_has_so_many_parameters_and_no_more(store: Store) -> None:
    many = [ParameterSpec(f"k{number}", ParameterType.INTEGER, 1) for number in range(MOST_PARAMETERS)]
    await store.parameters.declare("shop", many)
    with pytest.raises(InvalidRequest, match=f"found {MOST_PARAMETERS + 1}, allowed are {MOST_PARAMETERS}"):
        await store.parameters.declare(
            "shop", [replace(many[0], description="new"), ParameterSpec("z", many[0].type, 1)]
        )
    assert list(await store.parameters.of("shop")) == sorted(many, key=lambda spec: spec.key)
    await store.parameters.declare("other", many[:1])
    large = [ParameterSpec(f"t{number}", ParameterType.TEXT, "x" * 100_000) for number in range(168)]
    with pytest.raises(InvalidRequest, match="bytes of declarations, allowed are"):
        await store.parameters.declare("other", large)
    assert list(await store.parameters.of("other")) == many[:1]


async def test_the_last_word_of_each_instance_counts(store: Store) -> None:
    failed = Acknowledgement("shop", "i1", 1, ReleaseStatus.FAILED, "no", 1)
    applied = Acknowledgement("shop", "i1", 1, ReleaseStatus.APPLIED, "", 2)
    for word in (failed, applied, replace(failed, instance_id="i2")):
        await store.acknowledgements.acknowledge(word)
    assert [word.status for word in (await store.acknowledgements.of(1, PageRequest())).items] == [
        ReleaseStatus.APPLIED,
        ReleaseStatus.FAILED,
    ]
    assert list((await store.acknowledgements.of(2, PageRequest())).items) == []


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
