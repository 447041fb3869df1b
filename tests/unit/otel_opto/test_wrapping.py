"""Whatever Python calls can be a node, and stays what it was."""

import asyncio
import copy
import functools
import inspect
import json
import logging
import pickle
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

import otel_opto
from otel_opto.testing import SpanCapture
from tests.unit.otel_opto.conftest import App


@pytest.fixture
def node(app: App) -> Any:
    app.sdk.configure(tracer_provider=app.capture.tracer_provider, endpoint="http://127.0.0.1:9", cache_dir=app.cache)
    return app.sdk.nodes.decorate


def inputs(app: App) -> list[tuple[str, dict[str, Any]]]:
    """Of each ended span its name, and what went in, ``return`` being what came out."""
    return [(span.name, said(dict(span.attributes or {}))) for span in app.capture.spans()]


def said(attributes: dict[str, Any]) -> dict[str, Any]:
    found = {key[11:]: json.loads(value) for key, value in attributes.items() if key.startswith("opto.input.")}
    return {**found, "return": json.loads(attributes["opto.output"])} if "opto.output" in attributes else found


def test_defaults_are_inputs(app: App, node: Any) -> None:
    @node
    def work(a: int, /, b: int = 2, *rest: int, c: int, d: int = 4, **more: int) -> int:
        return a

    work(1, c=3)
    work(1, 5, 6, 7, c=3, e=8)
    assert inputs(app) == [
        ("work", {"a": 1, "b": 2, "c": 3, "d": 4, "return": 1}),
        ("work", {"a": 1, "b": 5, "rest": [6, 7], "c": 3, "d": 4, "e": 8, "return": 1}),
    ]


def test_a_call_that_does_not_fit_fails_as_it_would(node: Any) -> None:
    @node
    def work(a: int) -> int:
        return a

    with pytest.raises(TypeError, match=r"work\(\) missing 1 required positional argument: 'a'"):
        work()
    with pytest.raises(TypeError, match="unexpected keyword argument 'b'"):
        work(1, b=2)


def decorated(node: Any) -> type:  # noqa: C901 - one class
    """A class with a node over and under every descriptor."""

    class Shop:
        def __init__(self, rate: int) -> None:
            self.rate = rate

        @node
        def method(self, x: int) -> int:
            return x * self.rate

        @node
        @staticmethod
        def over_static(x: int) -> int:
            return x

        @staticmethod
        @node
        def under_static(x: int) -> int:
            return x

        @node
        @classmethod
        def over_class(cls, x: int) -> str:
            return f"{cls.__name__} {x}"

        @classmethod
        @node
        def under_class(cls, x: int) -> str:
            return f"{cls.__name__} {x}"

        @node
        @property
        def over_property(self) -> int:
            return self.rate

        @over_property.setter
        def over_property(self, value: int) -> None:
            self.rate = value

        @property
        @node
        def under_property(self) -> int:
            return self.rate

        @node
        @functools.cached_property
        def over_cached(self) -> int:
            return self.rate

        @functools.cached_property
        @node
        def under_cached(self) -> int:
            return self.rate

        @node
        @functools.lru_cache  # noqa: B019 - what an application may do
        def over_lru(self, x: int) -> int:
            return x

        @functools.lru_cache  # noqa: B019
        @node
        def under_lru(self, x: int) -> int:
            return x

        plus = node(functools.partialmethod(lambda self, x, y: x + y, 5))
        partial = staticmethod(node(functools.partial(lambda x, y: x + y, 5)))

        @node
        @functools.singledispatchmethod
        def dispatched(self, x: Any) -> str:
            return "any"

        @dispatched.register
        def _(self, x: int) -> str:
            return "int"

    return Shop


def test_over_and_under_descriptors(app: App, node: Any) -> None:
    kind = decorated(node)
    shop = kind(2)
    assert shop.method(3) == 6
    assert [shop.over_static(1), shop.under_static(1), kind.over_static(1)] == [1, 1, 1]
    assert [shop.over_class(1), kind.under_class(1)] == ["Shop 1", "Shop 1"]
    shop.over_property = 7
    assert [shop.over_property, shop.under_property] == [7, 7]
    assert [shop.over_cached, shop.over_cached, shop.under_cached, shop.under_cached] == [7, 7, 7, 7]
    assert [shop.over_lru(1), shop.over_lru(1), shop.under_lru(1), shop.under_lru(1)] == [1, 1, 1, 1]
    assert [shop.plus(1), shop.partial(1)] == [6, 6]
    assert [shop.dispatched("x"), shop.dispatched(1)] == ["any", "int"]
    assert (kind.over_lru.cache_info().hits, kind.under_lru.cache_info().hits) == (1, 1)
    kind.over_lru.cache_clear()
    names = [name for name, _ in inputs(app)]
    assert names == [
        "method", "over_static", "under_static", "over_static", "over_class", "under_class", "over_property",
        "under_property", "over_cached", "under_cached", "over_lru", "over_lru", "under_lru", "<lambda>", "<lambda>",
        "dispatched", "dispatched",
    ]  # fmt: skip
    assert inputs(app)[0] == ("method", {"x": 3, "return": 6})
    assert inputs(app)[4] == ("over_class", {"x": 1, "return": "Shop 1"})
    assert inputs(app)[13] == ("<lambda>", {"x": 5, "y": 1, "return": 6})


def plain(x: int, *, y: "list[int] | None" = None) -> str:
    """Says what it is."""
    return str(x)


def drawn(x: int) -> Iterator[int]:
    yield x


async def awaited(x: int) -> int:
    return x


async def drawn_later(x: int) -> AsyncIterator[int]:
    yield x


@pytest.mark.parametrize("function", [plain, drawn, awaited, drawn_later, functools.lru_cache(plain), len])
def test_a_function_stays_what_it_was(node: Any, function: Any) -> None:
    made = node(function)
    for asks in (
        inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction, inspect.signature,
        inspect.getdoc, inspect.unwrap, asyncio.iscoroutinefunction,
        lambda one: (one.__name__, one.__qualname__, one.__module__, one.__doc__),
    ):  # fmt: skip
        assert asks(made) == asks(function)
    if function is plain:
        assert typing.get_type_hints(made) == typing.get_type_hints(plain)
    assert made.__wrapped__ is function


class Agent:
    """Has a state, and can be called."""

    def __init__(self, history: list[str]) -> None:
        self.history = history

    def __call__(self, question: str, *, loud: bool = False) -> str:
        """Answers."""
        self.history.append(question)
        return question.upper()

    def __len__(self) -> int:
        return len(self.history)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Agent) and self.history == other.history

    def __hash__(self) -> int:
        return 7


def test_an_object_that_can_be_called(app: App, node: Any) -> None:
    made = node(Agent([]))
    assert made("why?") == "WHY?"
    assert inputs(app) == [("Agent", {"question": "why?", "loud": False, "return": "WHY?"})]
    assert isinstance(made, Agent)
    assert (made.history, len(made), hash(made), made == Agent(["why?"])) == (["why?"], 1, 7, True)
    made.history = ["other"]
    assert made.__wrapped__.history == ["other"]
    assert inspect.signature(made) == inspect.signature(Agent([]))
    assert copy.deepcopy(made).history == ["other"]
    assert copy.copy(made)("a") == "A"
    loaded = pickle.loads(pickle.dumps(made))
    assert (loaded("b"), loaded.history) == ("B", ["other", "a", "b"])


async def test_an_object_whose_call_is_a_coroutine(app: App, node: Any) -> None:
    class Worker:
        async def __call__(self, x: int) -> int:
            return x

    made = node(Worker())
    assert inspect.iscoroutinefunction(made.__call__)
    assert await made(3) == 3
    assert inputs(app) == [("Worker", {"x": 3, "return": 3})]


def test_partials(app: App, node: Any) -> None:
    made = node(functools.partial(plain, y=[1]))
    assert made(5) == "5"
    assert inputs(app) == [("plain", {"x": 5, "y": [1], "return": "5"})]
    assert inspect.iscoroutinefunction(node(functools.partial(awaited, 1)))


def test_single_dispatch(app: App, node: Any) -> None:
    @node
    @functools.singledispatch
    def show(x: object) -> str:
        return "object"

    @show.register
    def _(x: int) -> str:
        return "int"

    assert (show("x"), show(1)) == ("object", "int")
    assert show.dispatch(int) is not show.dispatch(str)
    assert [name for name, _ in inputs(app)] == ["show", "show"]


def test_what_cannot_be_a_node_stays_and_is_said(node: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "otel_opto"):
        assert node(Agent) is Agent
        assert node(5) == 5
    assert [record.getMessage().split(":")[0] for record in caplog.records if "@node" in record.getMessage()] == [
        "@node does nothing on the class Agent",
        "@node does nothing on a int",
    ]


# --- how much is recorded ---------------------------------------------------------------------------------------


def test_capture_of_a_node_and_of_the_process(app: App) -> None:
    nodes = app.sdk.nodes

    def run(process: Any, own: Any) -> dict[str, Any]:
        nodes.limit(process, None, None, {})
        capture = SpanCapture()
        app.sdk.telemetry.choose(capture.tracer_provider, None)
        nodes.decorate(name="work", capture=own)(lambda token: [token, token])("a secret token")
        (span,) = capture.spans()
        return said(dict(span.attributes or {}))

    full = {"token": "a secret token", "return": ["a secret token"] * 2}
    metadata = {"token": {"type": "str", "size": 14}, "return": {"type": "list", "size": 2}}
    assert run("full", True) == run("full", "full") == full
    assert run("full", "metadata") == run("metadata", True) == run("metadata", "full") == metadata
    assert run("full", False) == run("full", "off") == run("off", "full") == run("full", "nonsense") == {}  # type: ignore[comparison-overlap]
    assert run("full", lambda name, value: f"{name} hidden") == {"token": "token hidden", "return": "return hidden"}
    assert run("full", lambda name, value: 1 / 0) == dict.fromkeys(full, "<not recorded: the hook failed>")
    assert app.sdk.capture_failures.count == 2


def test_the_environment_says_how_much(app: App, caplog: pytest.LogCaptureFixture) -> None:
    nodes = app.sdk.nodes
    nodes.limit(None, None, None, {"OTEL_OPTO_CAPTURE": "Metadata", "OTEL_OPTO_CAPTURE_MILLISECONDS": "2.5"})
    assert (nodes.mode, nodes.capture.milliseconds) == ("metadata", 2.5)
    nodes.limit("full", None, 3.0, {"OTEL_OPTO_CAPTURE": "off", "OTEL_OPTO_CAPTURE_MILLISECONDS": "-1"})
    assert (nodes.mode, nodes.capture.milliseconds) == ("full", 3.0)
    nodes.limit(None, None, None, {"OTEL_OPTO_CAPTURE": "ful", "OTEL_OPTO_CAPTURE_MILLISECONDS": "fast"})
    assert (nodes.mode, nodes.capture.milliseconds) == ("off", 1.0)
    assert len(caplog.records) == 2


def test_dataflow_without_content(app: App, node: Any) -> None:
    @node(capture="metadata")
    def give() -> list[int]:
        return [1]

    @node(capture="metadata")
    def take(value: list[int]) -> None:
        return None

    with app.span():
        take(give())
    (link,) = app.capture.span("take").links
    assert link.context == app.capture.span("give").context


# --- nothing raises ---------------------------------------------------------------------------------------------


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_an_exception_that_cannot_be_read_goes_on(app: App, node: Any) -> None:
    @node
    def fail() -> None:
        raise Unspeakable

    with pytest.raises(Unspeakable):
        fail()
    (event,) = app.capture.span("fail").events
    assert (event.attributes or {})["exception.type"].endswith("Unspeakable")  # type: ignore[union-attr]


def test_a_provider_that_fails_does_not_keep_the_function_from_running(app: App) -> None:
    class Broken(SpanCapture):
        def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
            raise RuntimeError("no tracer")

    app.sdk.telemetry.choose(Broken(), None)  # type: ignore[arg-type]
    made = app.sdk.nodes.decorate(plain)
    assert made(1) == "1"
    assert list(app.sdk.nodes.decorate(drawn)(1)) == [1]
    assert app.sdk.capture_failures.count == 2


def test_deep_recursion_fails_where_it_would(node: Any) -> None:
    @node
    def down(depth: int) -> int:
        return down(depth + 1)  # type: ignore[no-any-return]

    with pytest.raises(RecursionError):
        down(0)


# --- other libraries --------------------------------------------------------------------------------------------


def test_pydantic_validate_call(app: App, node: Any) -> None:
    pydantic = pytest.importorskip("pydantic")

    @node
    @pydantic.validate_call
    def over(x: int) -> int:
        return x

    @pydantic.validate_call
    @node
    def under(x: int) -> int:
        return x

    assert (over("1"), under("2")) == (1, 2)
    with pytest.raises(pydantic.ValidationError):
        over("a")
    assert inputs(app)[:2] == [("over", {"x": "1", "return": 1}), ("under", {"x": 2, "return": 2})]


def test_langchain_tools(app: App, node: Any) -> None:
    tools = pytest.importorskip("langchain_core.tools")

    @node
    @tools.tool
    def over(city: str) -> str:
        """The weather."""
        return f"rain in {city}"

    @tools.tool
    @node
    def under(city: str) -> str:
        """The weather."""
        return f"sun in {city}"

    @node
    @tools.tool
    async def later(city: str) -> str:
        """The weather."""
        return f"snow in {city}"

    assert isinstance(over, tools.BaseTool)
    assert [over.invoke({"city": "Lima"}), under.invoke({"city": "Rome"})] == ["rain in Lima", "sun in Rome"]
    assert asyncio.run(later.ainvoke({"city": "Oslo"})) == "snow in Oslo"
    assert (over.name, over.args) == ("over", {"city": {"title": "City", "type": "string"}})
    assert [name for name, _ in inputs(app)] == ["over", "under", "later"]


def test_fastapi_routes_and_dependencies(app: App, node: Any) -> None:
    fastapi = pytest.importorskip("fastapi")
    from fastapi.testclient import TestClient

    web = fastapi.FastAPI()

    @node
    def user(name: str = "ada") -> str:
        return name

    @node
    async def connection() -> AsyncIterator[str]:
        yield "open"

    @node
    def session() -> Iterator[str]:
        yield "session"

    @web.get("/sync")
    @node
    def sync(q: int, user: str = fastapi.Depends(user), session: str = fastapi.Depends(session)) -> dict[str, Any]:
        return {"q": q, "user": user, "session": session}

    @web.get("/async")
    @node
    async def later(q: int, connection: str = fastapi.Depends(connection)) -> dict[str, Any]:
        return {"q": q, "connection": connection}

    with TestClient(web) as client:
        assert client.get("/sync?q=1&name=bob").json() == {"q": 1, "user": "bob", "session": "session"}
        assert client.get("/async?q=2").json() == {"q": 2, "connection": "open"}
        assert client.get("/sync?q=x").status_code == 422
    assert [name for name, _ in inputs(app)][:5] == ["user", "sync", "session", "later", "connection"]


# --- processes --------------------------------------------------------------------------------------------------

module_node = otel_opto.node(plain)
module_node.__qualname__ = module_node.__name__ = "module_node"


def test_a_node_is_pickled_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(module_node)) is module_node
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert pool.submit(module_node, 5).result(60) == "5"


def test_types_are_kept() -> None:
    @otel_opto.node
    def typed(x: int) -> str:
        return str(x)

    @otel_opto.node(name="later")
    async def later(x: int) -> str:
        return str(x)

    first: Callable[[int], str] = typed
    second: Callable[[int], Awaitable[str]] = later
    assert (first(1), asyncio.run(second(2))) == ("1", "2")  # type: ignore[arg-type]
