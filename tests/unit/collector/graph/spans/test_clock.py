"""Clocks that differ, and clocks that count milliseconds."""

from collector.core.identity.roots import family_of
from collector.core.identity.sides import told_apart
from collector.core.span import Span
from collector.graph.spans.clock import Times, answered, one_clock
from collector.graph.spans.forest import grow
from tests import samples
from tests.unit.collector.graph.workflows import span

MILLISECOND = 0.001


def times(*spans: Span) -> Times:
    return one_clock(grow(family_of(told_apart(spans).spans)))


def test_what_was_rounded_down_comes_after_what_it_waited_for() -> None:
    model = span(2, 1, "model", 0.001, 0.0805)
    tool = span(3, 1, "tool", 0.080, 0.0802)
    moved = times(span(1, None, "run", 0, 1), model, tool)
    first, second = samples.span_id(2), samples.span_id(3)
    assert moved.starts[second] == moved.ends[first]
    assert moved.ends[second] - moved.starts[second] == tool.end_time_unix_nano - tool.start_time_unix_nano


def test_what_really_overlaps_or_was_timed_finely_stays() -> None:
    long = times(span(1, None, "run", 0, 1), span(2, 1, "a", 0.001, 0.5), span(3, 1, "b", 0.080, 0.0802))
    assert long.starts[samples.span_id(3)] == samples.START + 80_000_000
    fine = times(span(1, None, "run", 0, 1), span(2, 1, "a", 0.001, 0.0805), span(3, 1, "b", 0.0800001, 0.0802))
    assert fine.starts[samples.span_id(3)] == samples.START + 80_000_100


def test_a_call_is_not_put_behind_its_caller() -> None:
    nested = times(span(1, None, "run", 0, 0.0005), span(2, 1, "a", 0, 0.0004))
    assert nested.starts == {samples.span_id(1): samples.START, samples.span_id(2): samples.START}


def test_a_stream_hands_out_its_wish_before_it_ends() -> None:
    spans = [
        span(1, None, "run", 0, 9), span(2, 1, "llm_request", 1, 4), span(3, 2, "POST", 1.5, 4),
        span(4, 1, "tool", 2, 3), span(5, 2, "inside", 3.5, 3.9),
    ]  # fmt: skip
    forest = grow(family_of(told_apart(spans).spans))
    model, post, tool, inside = (samples.span_id(number) for number in (2, 3, 4, 5))
    measured = one_clock(forest)
    early = answered(forest, measured, {model: [tool]})
    assert early.ends[model] == early.ends[post] == measured.starts[tool]
    assert early.ends[tool] == measured.ends[tool]
    assert answered(forest, measured, {model: [inside]}) is measured
