"""Texts of a megabyte that were made to be slow: a graph takes no longer than the text deserves."""

import time

import pytest

from collector.core.span import AnyValue, Event
from collector.graph.prompts import MAX_LENGTH
from collector.graph.texts import plain
from tests.unit.collector.graph.workflows import graph_of, span

MEGABYTE = 1_000_000
SECONDS = 20
"""Generous: one rule of quadratic cost takes hours for a megabyte."""

PIECES = [
    "{%", "{{", "{", "%(", "{a}", "\n", "=\n", " \n", "a ", "a: ", " at x in y:line", "at a (", "at a in ", 'File "',
    "/a.go:", "\t/", ".", "1 /", "score: .", "='", '="', "\\", '\\"', "&#1", "[", "[ ", '{"', "…", "\\u00", "é", "木",
    "<|", "- ", "ab12-", "_a", "# ", ";", "| ",
]  # fmt: skip


def long(piece: str, size: int) -> str:
    return piece * (size // len(piece))


def judged(attributes: dict[str, AnyValue], text: str) -> float:
    """Seconds of this thread for the graph of a call with these attributes, which fails with the text."""
    exception = Event("exception", 1, {"exception.stacktrace": f"x\n{text}", "exception.message": text})
    spans = [
        span(1, None, "agent", 0, 9, {"app.question": text[:1000], "app.answer": text[-1000:]}),
        span(2, 1, "call", 1, 2, attributes, events=[exception], error=f"x\n{text}"),
    ]
    begun = time.thread_time()
    graph_of(spans)
    return time.thread_time() - begun


@pytest.mark.parametrize("piece", PIECES)
def test_no_text_of_a_span_is_slow(piece: str) -> None:
    text = long(piece, MEGABYTE)
    attributes: dict[str, AnyValue] = {
        "app.output": text,
        "app.prompt": text,
        "llm.prompt_template.template": text,
        "gen_ai.output.messages": text,
        "input.value": text,
    }
    assert judged(attributes, text) < SECONDS


def test_a_template_of_many_fields_is_compared_with_a_text_that_nearly_fits() -> None:
    template = "{x}".join(["a"] * 5_000) + "!"
    messages = [{"role": "system", "content": "a" * 100_000}, {"role": "user", "content": "a" * 50_000 + "?"}]
    attributes: dict[str, AnyValue] = {
        "llm.prompt_template.template": template,
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": messages,
        "app.prompt": template,
    }
    assert judged(attributes, template) < SECONDS


def test_values_that_stand_in_names_of_fields_do_not_multiply() -> None:
    said = "a" * (MAX_LENGTH - 40) + " and these are words of its own"
    given = {"a" * size: "a" * size for size in range(8, 64)}
    asked = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": [{"role": "user", "content": said}]}
    begun = time.thread_time()
    agent = span(1, None, "agent", 0, 9, {f"inputs.{key}": value for key, value in given.items()})
    graph_of([agent, span(2, 1, "chat", 1, 2, asked)])
    assert time.thread_time() - begun < SECONDS


def test_a_reference_to_no_character_is_a_replacement() -> None:
    assert plain("a &#" + "1" * 5000 + "; b &amp; &#x41;") == "a � b & A"
