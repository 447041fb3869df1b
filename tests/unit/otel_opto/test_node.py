"""Nodes: inputs, outputs, dataflow, exceptions."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import propagate
from opentelemetry.trace import StatusCode

from otel_opto.capture import MAX_CHARS, Capture, Failures
from tests.unit.otel_opto.conftest import App


@dataclass
class Found:
    """A result of its own type."""

    title: str
    score: float


@pytest.fixture
def node(app: App) -> Any:
    app.connect()
    return app.sdk.nodes.decorate


def attributes(app: App, name: str) -> dict[str, Any]:
    return dict(app.capture.span(name).attributes or {})


def links(app: App, name: str) -> list[tuple[str, str]]:
    names = {span.context.span_id: span.name for span in app.capture.spans() if span.context}
    return [
        (names[link.context.span_id], str((link.attributes or {})["opto.arg"])) for link in app.capture.span(name).links
    ]


def test_a_function_becomes_a_span_with_inputs_and_output(app: App, node: Any) -> None:
    @node
    def join(first: str, *rest: str, sep: str = "-") -> Found:
        return Found(sep.join([first, *rest]), 0.5)

    assert join("a", "b", sep="+") == Found("a+b", 0.5)
    found = attributes(app, "join")
    assert json.loads(found["opto.input.first"]) == "a"
    assert json.loads(found["opto.input.rest"]) == ["b"]
    assert json.loads(found["opto.input.sep"]) == "+"
    assert json.loads(found["opto.output"]) == {"title": "a+b", "score": 0.5}
    assert found["code.function.name"].endswith("join")
    assert found["code.file.path"] == __file__
    assert found["code.line.number"] > 0


def test_the_docstring_says_what_a_node_does(app: App, node: Any) -> None:
    @node
    def told() -> None:
        """Says what
        it does.

        And how.
        """

    @node
    def silent() -> None:
        pass

    def words() -> None:
        pass

    words.__doc__ = "word " * 100
    told()
    silent()
    node(words)()
    assert attributes(app, "told")["opto.node.description"] == "Says what it does."
    assert "opto.node.description" not in attributes(app, "silent")
    assert len(attributes(app, "words")["opto.node.description"]) == 300
    assert attributes(app, "words")["opto.node.description"].endswith("word…")


def test_methods_leave_self_out_and_names_can_be_given(app: App, node: Any) -> None:
    class Shop:
        @node(name="shop.sell")
        def sell(self, what: str) -> str:
            return what

        @node(capture=False)
        def secret(self, what: str) -> str:
            return what

    assert Shop().sell("tea") + Shop().secret("x") == "teax"
    assert [key for key in attributes(app, "shop.sell") if key.startswith("opto.input")] == ["opto.input.what"]
    assert not any(key.startswith("opto.") for key in attributes(app, "secret"))


def test_an_output_that_becomes_an_input_is_linked(app: App, node: Any) -> None:
    @node
    def find(query: str) -> list[str]:
        return ["a"]

    @node
    def count(query: str) -> dict[str, int]:
        return {"n": 1}

    @node
    def tell(found: list[str], facts: list[Any]) -> str:
        return "done"

    with app.span():
        found, counted = find("q"), count("q")
        tell(found, [counted, found])
    assert links(app, "tell") == [("find", "found"), ("count", "facts"), ("find", "facts")]
    mirrored = attributes(app, "tell")
    spans = {name: app.capture.span(name).context for name in ("find", "count")}
    ids = {name: f"{context.span_id:016x}" for name, context in spans.items() if context}
    assert mirrored["opto.arg.found.from"] == ids["find"]
    assert mirrored["opto.arg.facts.from"] == f"{ids['count']},{ids['find']}"
    assert links(app, "find") == []


def test_values_that_python_shares_are_not_linked(app: App, node: Any) -> None:
    @node
    def give() -> tuple[int, str, tuple[()]]:
        return (7, "short", ())

    @node
    def take(number: int, text: str, nothing: tuple[()]) -> None:
        return None

    with app.span():
        number, text, nothing = give()
        take(number, text, nothing)
    assert links(app, "take") == []


def test_dataflow_ends_with_the_trace(app: App, node: Any) -> None:
    @node
    def give() -> list[int]:
        return [1]

    @node
    def take(value: list[int]) -> None:
        return None

    with app.span("one"):
        kept = give()
    with app.span("two"):
        take(kept)
    assert links(app, "take") == []
    assert app.sdk._flows._flows == {}


async def test_concurrent_nodes_keep_their_own_dataflow(app: App, node: Any) -> None:
    @node
    async def work(number: int) -> list[int]:
        await asyncio.sleep(0)
        return [number]

    @node
    async def gather(parts: list[list[int]]) -> int:
        return sum(part[0] for part in parts)

    with app.span():
        assert await gather(await asyncio.gather(*(work(n) for n in range(5)))) == 10
    assert [name for name, _ in links(app, "gather")] == ["work"] * 5


def test_exceptions_are_recorded_and_go_on(app: App, node: Any) -> None:
    @node
    def fail() -> None:
        raise KeyError("boats")

    with pytest.raises(KeyError):
        fail()
    span = app.capture.span("fail")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.events[0].attributes or {})["exception.type"] == "KeyError"


def test_a_node_for_a_block_of_code(app: App, node: Any) -> None:
    with app.span(), app.sdk.start_node("rank", {"found": [1, 2]}) as block:
        block.output({"best": 2})
    assert json.loads(attributes(app, "rank")["opto.output"]) == {"best": 2}


def test_the_release_travels_in_baggage(app: App, node: Any) -> None:
    app.publish(6, k=1)
    seen: dict[str, str] = {}

    @node
    def call() -> None:
        propagate.inject(seen)

    call()
    assert "opto.release.shop=6" in seen["baggage"]


class Hostile:
    """Its representation fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.builds(Hostile)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.one_of(st.text(), st.integers()), inner)),
)


@given(ANYTHING)
def test_any_value_becomes_json_within_the_limit(value: object) -> None:
    text = Capture(Failures()).text("value", value).text
    json.loads(text)
    assert len(text) <= 2 * MAX_CHARS + 2


def test_what_is_cut_is_marked(app: App, node: Any) -> None:
    circle: list[Any] = []
    circle.append(circle)
    values = ("x" * MAX_CHARS, "x" * (MAX_CHARS + 1), list(range(300)), circle)
    assert [Capture(Failures()).text("x", value).cut for value in values] == [False, True, True, True]

    @node
    def big() -> str:
        return "x" * 100_000

    big()
    assert attributes(app, "big")["opto.truncated"] is True
