"""Feedback finds its span and the release of its trace."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from collector.core.feedback import Attachment, Feedback, OpenFeedback
from collector.core.span import Span, SpanContext
from collector.feedback.attach import Places, placed
from collector.otlp.decode import spans_of
from tests import samples

TARGET = SpanContext(samples.trace_id(1), samples.span_id(2))
FEEDBACK = Feedback(TARGET, "q", 1.0)
OF_THE_TRACE = Feedback(SpanContext(TARGET.trace_id, ""), "q", 1.0)


def attach(feedback: Feedback, spans: list[Span], before: Attachment | None = None) -> Attachment | None:
    return Places(TARGET.trace_id, spans).find(OpenFeedback(feedback.id, feedback, 1, before))


def looked(one: OpenFeedback, came: list[Span], now: int) -> tuple[OpenFeedback, Attachment | None]:
    (placement,) = placed(TARGET.trace_id, [one], came, now, 50)
    return placement.one, placement.attachment


def spans(*messages: SpanMessage) -> list[Span]:
    return spans_of(samples.traces_request(messages))


def on(number: int, release: int | None = None) -> Attachment:
    """Where `OF_THE_TRACE` is attached."""
    return Attachment(OF_THE_TRACE.id, SpanContext(TARGET.trace_id, samples.span_id(number)), release)


def release(*messages: SpanMessage) -> int | None:
    found = attach(FEEDBACK, spans(*messages))
    assert found is not None
    return found.release


def test_it_waits_for_its_span() -> None:
    root = samples.span(1, 1)
    assert attach(FEEDBACK, spans(root)) is None
    assert attach(FEEDBACK, spans(root, samples.span(1, 2, 1))) == Attachment(FEEDBACK.id, TARGET, None)


def test_without_a_span_it_judges_the_root_whatever_came_first() -> None:
    child = samples.span(1, 2, 1)
    assert attach(OF_THE_TRACE, spans(child)) == on(2)
    assert attach(OF_THE_TRACE, spans(child, samples.span(1, 1))) == on(1)
    assert attach(OF_THE_TRACE, spans(child, samples.span(1, 1)), before=on(2)) == on(1)
    assert attach(OF_THE_TRACE, spans(child, samples.span(1, 1)), before=on(1)) is None


def test_it_waits_a_while_for_a_parent_of_the_root_and_says_until_when() -> None:
    came = spans(samples.span(1, 2, 1))
    one = OpenFeedback(OF_THE_TRACE.id, OF_THE_TRACE, 1)
    waiting, found = looked(one, came, 100)
    assert (waiting.patient_until_unix_nano, found) == (150, None)
    waiting, found = looked(waiting, came, 149)
    assert (waiting.patient_until_unix_nano, found) == (150, None)
    over, found = looked(waiting, came, 150)
    assert (over.patient_until_unix_nano, found) == (0, on(2))
    over, found = looked(waiting, spans(samples.span(1, 1), samples.span(1, 2, 1)), 101)
    assert (over.patient_until_unix_nano, found) == (0, on(1))


def test_only_what_needs_the_root_waits_for_it() -> None:
    came = spans(samples.span(1, 2, 1))
    assert looked(OpenFeedback(FEEDBACK.id, FEEDBACK, 1), came, 100)[1] == Attachment(FEEDBACK.id, TARGET, None)
    assert looked(OpenFeedback(OF_THE_TRACE.id, OF_THE_TRACE, 1, on(9, release=3)), came, 100)[1] is None
    assert looked(OpenFeedback(OF_THE_TRACE.id, OF_THE_TRACE, 1), [], 100)[0].patient_until_unix_nano == 0


def test_what_is_attached_moves_with_its_release_and_stays_where_its_span_was_forgotten() -> None:
    later = samples.span(1, 1, values={"opto.release": 7})
    assert attach(OF_THE_TRACE, spans(samples.span(1, 2, 1), later), before=on(2)) == on(1, release=7)
    assert attach(FEEDBACK, spans(samples.span(1, 2, 1), later), before=Attachment(FEEDBACK.id, TARGET, None)) == (
        Attachment(FEEDBACK.id, TARGET, 7)
    )
    assert attach(OF_THE_TRACE, spans(later), before=on(2, release=3)) is None


def test_an_id_that_client_and_server_share_means_the_server() -> None:
    client, server = samples.span(1, 2, 1, values={"opto.release": 1}), samples.span(1, 2, 1)
    client.kind, server.kind = SpanMessage.SPAN_KIND_CLIENT, SpanMessage.SPAN_KIND_SERVER
    server.attributes.extend(samples.attributes({"opto.release": 2}))
    assert release(client, server) == release(server, client) == 2


def test_the_release_is_that_of_the_judged_span_then_of_the_root_then_of_any() -> None:
    judged = samples.span(1, 2, 1, values={"opto.release": 5})
    silent = samples.span(1, 2, 1)
    root = samples.span(1, 1, values={"opto.release": 6})
    other = samples.span(1, 3, 1, values={"opto.release": 7, "opto.param.k.version": 99})
    assert release(other, root, judged) == 5
    assert release(other, root, silent) == 6
    assert release(other, samples.span(1, 1), silent) == 7


def test_else_it_is_the_newest_version_of_a_parameter_in_the_trace() -> None:
    used = samples.span(1, 1, values={"opto.param.a.version": 2, "opto.param.b.version": "11"})
    assert release(used, samples.span(1, 2, 1, values={"opto.param.c.version": 3})) == 11


@pytest.mark.parametrize("said", [0, -1, True, "x", 1.0])
def test_what_is_no_release_number_is_none(said: object) -> None:
    assert release(samples.span(1, 2, values={"opto.release": said, "opto.param.k.version": said})) is None


ANSWERED = {"gen_ai.response.id": "r1"}
BY_ANSWER = Feedback(SpanContext("", ""), "q", 1.0, response_id="r1")


def judged(*messages: SpanMessage) -> str | None:
    found = attach(BY_ANSWER, spans(*messages))
    return found and found.target.span_id


def test_a_response_id_means_the_innermost_span_that_has_it_whatever_came_first() -> None:
    agent, chat = samples.span(1, 1, values=ANSWERED), samples.span(1, 3, 2, values=ANSWERED)
    step, other = samples.span(1, 2, 1), samples.span(1, 4, 1, values={"gen_ai.response.id": "r2"}, start=9)
    assert judged(agent, step, other) == samples.span_id(1)
    assert judged(chat, step, other, agent) == judged(agent, other, step, chat) == samples.span_id(3)
    later = samples.span(1, 5, 1, values=ANSWERED, start=5)
    assert judged(agent, later, step, chat) == samples.span_id(5)
    assert judged(other) is None


def test_it_goes_before_the_span_that_is_named_beside_it_and_that_one_counts_until_it_comes() -> None:
    both = Feedback(SpanContext(TARGET.trace_id, samples.span_id(1)), "q", 1.0, response_id="r1")
    named, answer = samples.span(1, 1), samples.span(1, 2, values=ANSWERED)
    fallback = Attachment(both.id, both.target, None)
    assert attach(both, spans(named)) == fallback
    answered = Attachment(both.id, TARGET, None, answered=True)
    assert attach(both, spans(named, answer), before=fallback) == answered
    (placement,) = placed(TARGET.trace_id, [OpenFeedback(both.id, both, 1, answered)], spans(named), 1, 0)
    assert (placement.attachment, placement.astray) == (None, False)  # forgotten meanwhile
    (placement,) = placed(TARGET.trace_id, [OpenFeedback(both.id, both, 1)], spans(named), 1, 0)
    assert (placement.attachment, placement.astray) == (fallback, True)


def test_many_spans_with_one_response_id_are_looked_at_once_each() -> None:
    chain = [samples.span(1, number, number - 1 or None, values=ANSWERED) for number in range(1, 3_000)]
    assert judged(*chain) == samples.span_id(2_999)


def test_the_releases_of_the_other_services_stand_beside_the_judged_ones() -> None:
    gateway = samples.span(1, 1, values={"opto.release": 3})
    ranker = samples.span(1, 2, 1, values={"opto.release": 4})
    mixed = [samples.span(1, number, 1, values={"opto.release": number}) for number in (8, 9)]
    came = [
        *spans_of(samples.traces_request([gateway], service="gateway")),
        *spans_of(samples.traces_request([ranker], service="ranker")),
        *spans_of(samples.traces_request(mixed, service="mixed")),
    ]
    found = attach(FEEDBACK, came)
    assert found is not None
    assert (found.release, found.beside) == (4, (3,))
