"""From which keys the facts of a span were read."""

from collector.core.span import AnyValue, Span, SpanContext
from collector.graph.reading.convention import table
from collector.graph.reading.conventions import BUILT_IN, Conventions
from collector.graph.reading.origins import statements
from tests import samples

CONTEXT = SpanContext(samples.trace_id(1), samples.span_id(1))


def read(attributes: dict[str, AnyValue], name: str = "s", others: str = "") -> dict[str, tuple[tuple[str, ...], str]]:
    known = {"mine": table("mine", others)} if others else {}
    span = Span(CONTEXT, "1" * 16, name, 0, 1, attributes=attributes)
    return {one.fact: (one.keys, one.convention) for one in statements(span, (), Conventions.of({**known, **BUILT_IN}))}


def test_keys_that_spell_out_a_list_are_one() -> None:
    said = read({
        "openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "How?", "output.value": "So.", "llm.model_name": "m",
    })  # fmt: skip
    assert said["input messages"] == (("llm.input_messages.*",), "openinference")
    assert said["output"] == (("output.value",), "openinference")
    assert said["role"] == (("openinference.span.kind",), "openinference")


def test_of_keys_that_say_the_same_the_believed_one_is_named() -> None:
    said = read({
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.output": "3.6 m", "gen_ai.tool.call.result": "3.6 m",
        "output.value": "3.6 m",
    })  # fmt: skip
    assert said["output"] == (("gen_ai.tool.call.result",), "genai")


def test_a_name_may_be_what_says_it() -> None:
    said = read({"app.question": "how?", "app.answer": "so"}, "tool stock")
    assert said["role"] == (("name", "app.question"), "plain")  # of a span that carries nothing nobody asks the name
    assert said["input app.question"] == (("app.question",), "plain")
    assert read({"app.draft": "a new verse"})["input or output app.draft"] == (("app.draft",), "plain")


def test_a_strangers_table_is_named_before_ours() -> None:
    mine = 'spec = "s"\nversion = "1"\nnamespaces = ["acme"]\n[output]\nvalues = ["acme.out"]\n'
    said = read({"acme.out": "so", "output.value": "so"}, others=mine)
    assert said["output"] == (("acme.out",), "mine")


def test_parameters_are_named_by_all_who_know_one() -> None:
    said = read({"opto.param.k.version": 2, "opto.param.k.hash": "ab", "param.j": "x", "param.j.trainable": "True"})
    assert said["parameter k"] == (("opto.param.k.version",), "opto")
    assert said["parameter j"] == (("param.j",), "opentrace")
