"""What one span says of the dataflow."""

import json
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.span import AnyValue, Event, Link, Span, SpanContext
from collector.graph.reading.conventions import installed
from collector.graph.reading.facts import Facts, ParameterUse
from collector.graph.reading.reader import length_limit, read
from collector.graph.reading.values import MAX_JSON_DEPTH, decoded
from tests import samples

CONTEXT = SpanContext(samples.trace_id(1), samples.span_id(1))
OTHER = SpanContext(samples.trace_id(1), samples.span_id(2))
ABROAD = SpanContext(samples.trace_id(9), samples.span_id(2))


def reading(attributes: dict[str, AnyValue], links: tuple[Link, ...] = ()) -> Facts:
    return read(Span(CONTEXT, None, "step", 0, 1, attributes=attributes, links=links), (), installed())


def test_inputs_and_output_are_decoded_json() -> None:
    found = reading({"opto.input.b": '{"x": [1, null]}', "opto.input.a": "no json", "opto.output": "2.5"})
    assert list(found.inputs.items()) == [("a", "no json"), ("b", {"x": [1, None]})]
    assert (found.has_output, found.output) == (True, 2.5)


@pytest.mark.parametrize(
    "attributes",
    [
        {"opto.node.description": "Looks up."},
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.description": "Looks up."},
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.description": "Looks up."},
        {"openinference.span.kind": "TOOL", "tool.description": "Looks up."},
        {"opto.node.description": "Looks up.", "gen_ai.tool.description": "Not the first to speak."},
    ],
)
def test_what_an_operation_does_is_read(attributes: dict[str, AnyValue]) -> None:
    assert reading(attributes).description == "Looks up."


def test_an_output_of_null_is_an_output() -> None:
    assert (reading({"opto.output": "null"}).has_output, reading({"opto.output": "null"}).output) == (True, None)
    assert not reading({}).has_output


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{", "9" * 5_000, "[" * 100_000, "[" * 500 + "]" * 500])
def test_what_is_not_json_that_others_can_read_stays_text(text: str) -> None:
    assert decoded(text) == text


def test_json_is_decoded_down_to_the_deepest_level_that_is_allowed() -> None:
    allowed = "[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH
    assert json.dumps(decoded(allowed)) == allowed
    wide = json.dumps([[n] for n in range(3 * MAX_JSON_DEPTH)])
    assert json.dumps(decoded(wide)) == wide
    assert decoded(f"[{allowed}]") == f"[{allowed}]"


@pytest.mark.parametrize("value", [1, True, b"bytes", ["a"], None])
def test_an_attribute_that_is_no_text_is_its_own_value(value: AnyValue) -> None:
    assert reading({"opto.input.a": value}).inputs == {"a": value}


@pytest.mark.parametrize(
    ("attributes", "use"),
    [
        ({"opto.param.k.version": 3, "opto.param.k.hash": "ab"}, ParameterUse("k", 3, "ab")),
        ({"opto.param.k.version": "3"}, ParameterUse("k", 3)),
        ({"opto.param.k.version": 0, "opto.param.k.value": "x"}, ParameterUse("k", value="x")),
        ({"opto.param.k.version": True, "opto.param.k.value": 2.5}, ParameterUse("k", value=2.5)),
        ({"opto.param.qa.prompt.value.value": "x"}, ParameterUse("qa.prompt.value", value="x")),
        ({"param.k": "x"}, ParameterUse("k", value="x")),
        ({"param.k": 1, "param.k.trainable": True}, ParameterUse("k", value=1, trainable=True)),
        ({"param.k": 1, "param.k.trainable": "False"}, ParameterUse("k", value=1, trainable=False)),
        (
            {"opto.param.k.version": 3, "param.k": "x", "param.k.trainable": "True"},
            ParameterUse("k", 3, trainable=True),
        ),
    ],
)
def test_the_use_of_a_parameter(attributes: dict[str, AnyValue], use: ParameterUse) -> None:
    assert reading(attributes).uses == (use,)


@pytest.mark.parametrize(
    "name", ["opto.param..version", "opto.param.version", "param.", "param.k.trainable", "params.k"]
)
def test_what_names_no_parameter_is_none(name: str) -> None:
    assert reading({name: 1}).uses == ()


def test_links_name_the_arguments_and_win_over_their_mirrors() -> None:
    link = Link(ABROAD, {"opto.arg": "docs"})
    mirror = f"{OTHER.span_id}, {samples.span_id(255).upper()},"
    found = reading({"opto.arg.docs.from": mirror, "opto.arg.a.from": [OTHER.span_id]}, (link, Link(OTHER)))
    lost = SpanContext(CONTEXT.trace_id, samples.span_id(255))
    assert found.arguments == (("a", OTHER), ("docs", ABROAD), ("docs", lost))


@pytest.mark.parametrize(
    ("attributes", "inputs", "output"),
    [
        ({"input.value": '{"q": 1}', "output.value": "42"}, {"input": {"q": 1}}, "42"),
        ({"traceloop.entity.input": "x", "traceloop.entity.output": "[1]"}, {"input": "x"}, [1]),
        ({"gen_ai.tool.call.arguments": "{}", "gen_ai.tool.call.result": "r"}, {"arguments": {}}, "r"),
        ({"opto.input.a": "1", "input.value": "x", "output.value": "y"}, {"a": 1}, "y"),
        ({"opto.output": "1", "input.value": "x", "output.value": "y"}, {"input": "x"}, 1),
    ],
)
def test_other_instrumentations_are_asked_where_ours_says_nothing(
    attributes: dict[str, AnyValue], inputs: dict[str, AnyValue], output: AnyValue
) -> None:
    found = reading(attributes)
    assert (found.inputs, found.output) == (inputs, output)


@pytest.mark.parametrize(
    "span",
    [
        Span(CONTEXT, None, "s", 0, 1, dropped_attributes_count=1),
        Span(CONTEXT, None, "s", 0, 1, dropped_events_count=1),
        Span(CONTEXT, None, "s", 0, 1, dropped_links_count=1),
        Span(CONTEXT, None, "s", 0, 1, links=(Link(OTHER, {}, 1),)),
        Span(CONTEXT, None, "s", 0, 1, events=(Event("e", 0, {}, 1),)),
        Span(CONTEXT, None, "s", 0, 1, attributes={"opto.truncated": True}),
    ],
)
def test_whatever_was_dropped_or_cut_makes_it_incomplete(span: Span) -> None:
    assert read(span, (), installed()).incomplete
    assert not read(Span(CONTEXT, None, "s", 0, 1), (), installed()).incomplete


def test_the_name_of_the_node_and_the_release() -> None:
    found = reading({"opto.node.name": "retrieve", "opto.release": 4})
    assert (found.name, found.release) == ("retrieve", 4)
    assert (reading({}).name, reading({}).release) == ("step", None)


NAMES = st.sampled_from(["opto.input.", "opto.output", "opto.param.", "opto.arg.", "param.", "opto.release", "x"])
ENDS = st.sampled_from(["", "a", ".version", ".value", ".hash", ".from", ".trainable", "a.version", "a.value"])
TEXTS = st.text(max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.binary(max_size=20)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(TEXTS, SCALARS, max_size=3)


@given(st.dictionaries(st.builds(operator.add, NAMES, ENDS), VALUES, max_size=8))
def test_no_attribute_makes_reading_fail(attributes: dict[str, AnyValue]) -> None:
    found = reading(attributes)
    assert all(use.key for use in found.uses)
    assert all(found.inputs)
    assert all(name for name, _ in found.arguments)


def test_values_of_events_are_cut_by_the_same_limit() -> None:
    long = [Event("said", 0, {"text": letter * 100}) for letter in "ab"]
    spans = [Span(SpanContext(samples.trace_id(1), samples.span_id(n)), None, "s", 0, 1, events=(one,))
             for n, one in enumerate(long, 1)]  # fmt: skip
    limit = length_limit(spans)
    assert limit == 100
    assert read(spans[0], (), installed(), limit).incomplete
    assert not read(spans[0], (), installed()).incomplete


def test_of_messages_that_were_cut_the_longest_are_believed() -> None:
    whole = [{"role": "user", "content": "Whose dog barked, and why was the feeder empty?"}]
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(whole)[:-30] + "…[truncated]"}
    details = Event(
        "gen_ai.client.inference.operation.details", 0, {"gen_ai.input.messages": json.dumps(whole), "x": "y"}
    )
    context = SpanContext(samples.trace_id(1), samples.span_id(1))
    reading = read(Span(context, None, "chat", 0, 1, attributes=attributes, events=(details,)), (), installed())
    assert [message.content for message in reading.taken] == [whole[0]["content"]]
