"""Spans of our own alone are read on a shorter way, and as all others are."""

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.span import Attributes, Event, Link, Span, SpanContext
from collector.graph.reading.conventions import BUILT_IN, Conventions
from collector.graph.reading.conventions.opto import alone
from collector.graph.reading.reader import read

OURS = (
    "opto.output", "opto.input.a", "opto.input.b", "opto.param.p.value", "opto.param.p.version", "opto.arg.x.from",
    "opto.node.name", "opto.node.description", "opto.release", "opto.truncated", "opto.unheard.of",
)  # fmt: skip
VALUES = st.sampled_from(('"yes"', "yes", "[1, 2", "", 7, True, None, ["0000000000000002"], "long " * 20, '"…' * 20))
KEYS = st.one_of(st.sampled_from(OURS), st.sampled_from(("optometry", "app.question", "gen_ai.tool.name")))
CONTEXTS = st.sampled_from([SpanContext("t" * 32, f"{number:016x}") for number in range(4)])
ARGUMENTS: st.SearchStrategy[Attributes] = st.sampled_from(
    ({"opto.arg": "x"}, {"opto.arg": "b"}, {"opto.arg": ""}, {"opto.arg": 3}, {}, {"why": "x"})
)
LINKS = st.tuples(CONTEXTS, ARGUMENTS, st.sampled_from((0, 0, 0, 1))).map(lambda fields: Link(*fields))
EVENTS = st.sampled_from(((), (), (Event("gen_ai.choice", 1, {"content": "yes"}),)))
BARE = Span(SpanContext("t" * 32, "1" * 16), None, "step", 1, 2)
SPANS = st.tuples(
    st.dictionaries(KEYS, VALUES, max_size=5), st.lists(LINKS, max_size=4), EVENTS, st.sampled_from((0, 0, 1))
).map(lambda one: BARE._replace(attributes=one[0], links=(*one[1],), events=one[2], dropped_events_count=one[3]))


@settings(max_examples=200, deadline=None)
@given(SPANS)
def test_the_shorter_way_leads_to_the_same(span: Span) -> None:
    said = alone(span)
    assert said is None or said == read(span, (), Conventions.of(BUILT_IN))


def test_which_spans_take_it() -> None:
    span = BARE._replace(attributes={"opto.output": '"yes"'})
    assert alone(span) is not None
    assert alone(span._replace(links=(Link(span.context, {"opto.arg": "x"}),))) is not None
    for other in (
        span._replace(attributes={"opto.output": '"yes"', "app.question": "why"}),
        span._replace(attributes={"opto.output": '"y' * 40}),
        span._replace(events=(Event("exception", 1),)),
        span._replace(links=(Link(span.context, {"opto.arg": "x", "messaging.system": "kafka"}),)),
        span._replace(links=(Link(span.context, {"opto.arg": "x"}, 1),)),
        span._replace(dropped_attributes_count=1),
    ):
        assert alone(other) is None
