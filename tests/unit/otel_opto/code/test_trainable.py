"""Functions whose source is a parameter: what runs, what is recorded, and what happens when new code fails."""

import asyncio
import functools
import inspect
import json
import logging
import math
import pickle
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import otel_opto
from otel_opto.code.text import source_text
from otel_opto.testing import Rehearsal

FACTOR = 2
seen: list[object] = []


@otel_opto.node(trainable=True)
def price(items: list[float], /, rate: float = 1.5, *rest: float, currency: str = "EUR", **more: float) -> str:
    """What it costs."""
    return f"{math.fsum(items) * rate} {currency}"


HEAD = "def price(items, /, rate=1.5, *rest, currency='EUR', **more):\n"


@otel_opto.node(trainable=True)
def factorial(n: int) -> int:
    return 1 if n < 2 else n * factorial(n - 1)


class Base:
    def name(self) -> str:
        return "base"


class Ranker(Base):
    __order = ("b", "a")

    def __init__(self, bonus: int) -> None:
        self.bonus = bonus
        self.__secret = 7

    @otel_opto.node(trainable=True)
    def name(self) -> str:
        return f"ranker of {super().name()}"

    @otel_opto.node(trainable=True)
    def score(self, x: int) -> int:
        return x + self.bonus + self.__secret

    @staticmethod
    @otel_opto.node(trainable=True)
    def double(x: int) -> int:
        return 2 * x

    @otel_opto.node(trainable=True)
    @classmethod
    def order(cls) -> str:
        return cls.__name__


def counter() -> Callable[[int], int]:
    count = 10

    @otel_opto.node(trainable=True)
    def counted(x: int) -> int:
        nonlocal count
        count += x
        return count

    return counted


@otel_opto.node(trainable=True)
async def later(x: int) -> int:
    await asyncio.sleep(0)
    return x


@otel_opto.node(trainable=True)
def items(n: int) -> Iterator[int]:
    yield from range(n)


@otel_opto.node(trainable=True)
async def stream(n: int) -> AsyncIterator[int]:
    for one in range(n):
        yield one


@functools.lru_cache
@otel_opto.node(name="Stop words!", trainable=otel_opto.Trainable(imports=["json"], description="words to leave out"))
def stops() -> str:
    return "the"


def said(opto: Rehearsal, name: str) -> dict[str, Any]:
    return dict(opto.spans(name)[-1].attributes or {})


def test_the_source_is_a_parameter_of_the_functions_name() -> None:
    spec = otel_opto.code_of(price).spec
    assert (spec.key, spec.type.value, spec.constraint.imports) == ("price", "code", ("math",))
    assert str(spec.default).startswith(
        "def price(items: list[float], /, rate: float = 1.5, *rest: float, currency: st"
    )
    assert otel_opto.code_of(Ranker.score).spec.key == "Ranker.score"
    assert otel_opto.code_of(Ranker(1).score).spec.key == "Ranker.score"
    assert otel_opto.code_of(counter()).spec.key == "counter.counted"
    assert otel_opto.code_of(stops).spec.key == "Stop-words-"
    assert otel_opto.code_of(stops).spec.description == "words to leave out"


def test_a_trainable_function_stays_what_it_was(opto: Rehearsal) -> None:
    assert price([1.0, 2.0]) == "4.5 EUR"
    assert list(inspect.signature(price).parameters) == ["items", "rate", "rest", "currency", "more"]
    assert (price.__name__, price.__doc__) == ("price", "What it costs.")
    assert inspect.iscoroutinefunction(later)
    assert inspect.isgeneratorfunction(items)
    assert inspect.isasyncgenfunction(stream)
    assert pickle.loads(pickle.dumps(price)) is price
    assert said(opto, "price")["opto.param.price.value"] == otel_opto.code_of(price).spec.default


def test_released_code_runs_with_defaults_globals_and_the_name_of_the_declared(opto: Rehearsal) -> None:
    opto.set("price", HEAD + "    seen.append((rate, rest, more))\n    return f'{sum(items) * FACTOR} {currency}'\n")
    assert price([1.0, 2.0]) == "6.0 EUR"
    assert price([1.0], 3.0, 4.0, currency="PEN", tip=1.0) == "2.0 PEN"
    assert seen == [(1.5, (), {}), (3.0, (4.0,), {"tip": 1.0})]
    found = said(opto, "price")
    assert (found["opto.param.price.version"], found["opto.output"]) == (1, '"2.0 PEN"')
    assert len(found["opto.param.price.hash"]) == 16
    opto.set("price", otel_opto.code_of(price).spec.default)
    assert price([1.0, 2.0]) == "4.5 EUR"


def test_recursion_goes_through_the_node(opto: Rehearsal) -> None:
    opto.set("factorial", "def factorial(n):\n    return 1.0 if n < 2 else n * factorial(n - 1)\n")
    assert factorial(4) == 24.0
    assert type(factorial(4)) is float
    assert len(opto.spans("factorial")) == 8


def test_methods_keep_super_private_names_and_their_class(opto: Rehearsal) -> None:
    opto.set("Ranker.name", "def name(self):\n    return super().name() + type(super()).__name__\n")
    opto.set("Ranker.score", "def score(self, x):\n    return x + self.bonus * self.__secret\n")
    opto.set("Ranker.double", "def double(x):\n    return 3 * x\n")
    opto.set("Ranker.order", "def order(cls):\n    return cls.__order\n")
    assert Ranker(2).name() == "basesuper"
    assert (Ranker.double(1), Ranker.order()) == (3, ("b", "a"))
    with pytest.raises(otel_opto.InvalidValue, match="line 2: super is not allowed"):
        opto.set("Ranker.score", "def score(self, x):\n    return super().score(x)\n")


def test_private_names_are_those_of_the_class(opto: Rehearsal) -> None:
    opto.set("Ranker.score", "def score(self, x):\n    return x * self.__secret + len(self.__order)\n")
    assert Ranker(2).score(1) == 9


def test_closures_are_shared_with_what_is_around(opto: Rehearsal) -> None:
    counted, other = counter(), counter()
    assert counted(1) == 11
    opto.set(
        "counter.counted", "def counted(x):\n    nonlocal count\n    count -= x\n    return [count for _ in [0]][0]\n"
    )
    assert (counted(1), counted(1), other(1)) == (10, 9, 9)


def test_imports_are_the_functions_own(opto: Rehearsal) -> None:
    opto.set("Stop-words-", "from json import dumps as written\nimport json.decoder\n\n\ndef stops():\n"
             "    return written([json.decoder.__name__])\n")  # fmt: skip
    stops.cache_clear()
    assert stops() == '["json.decoder"]'
    assert "written" not in globals()
    with pytest.raises(otel_opto.InvalidValue, match=r"line 2: import of 'os'; allowed: json"):
        opto.set("Stop-words-", "def stops():\n    import os\n    return os.name\n")
    with pytest.raises(otel_opto.InvalidValue, match="ImportError"):
        opto.set("Stop-words-", "from json import nothing\ndef stops():\n    return nothing\n")


def test_a_module_that_the_file_happens_to_hold_is_not_allowed(opto: Rehearsal) -> None:
    with pytest.raises(otel_opto.InvalidValue, match="line 2: the module pytest is not allowed"):
        opto.set("factorial", "def factorial(n):\n    return pytest.main()\n")


FAILING = HEAD + "    total = 0\n    for one in items:\n        total += 1 / one\n    return str(total)\n"


def test_code_that_fails_falls_back_within_the_call_and_says_where(
    opto: Rehearsal, caplog: pytest.LogCaptureFixture
) -> None:
    opto.set("price", FAILING)
    with caplog.at_level(logging.WARNING, logger="otel_opto"):
        with otel_opto.start_node("request"):
            assert price([1.0, 0.0]) == "1.5 EUR"
            assert price([1.0, 0.0]) == "1.5 EUR"
    span = opto.spans("price")[-1]
    found = dict(span.attributes or {})
    assert found["opto.output"] == '"1.5 EUR"'
    assert found["opto.param.price.version"] == 1
    assert found["opto.code.failure"] == (
        "   1 | def price(items, /, rate=1.5, *rest, currency='EUR', **more):\n"
        "   2 |     total = 0\n"
        "   3 |     for one in items:\n"
        "   4 |         total += 1 / one    <--- ZeroDivisionError: float division by zero\n"
        "   5 |     return str(total)"
    )
    (event,) = span.events
    raised = dict(event.attributes or {})
    assert (event.name, raised["exception.type"]) == ("exception", "ZeroDivisionError")
    assert ", line 4, in price\n    total += 1 / one" in str(raised["exception.stacktrace"])
    assert span.status.status_code.name == "ERROR"
    assert opto.span("request").status.status_code.name == "UNSET"
    assert [record.message.splitlines()[0] for record in caplog.records] == [
        "released code of price failed, the declared one runs:"
    ]


def test_without_a_fallback_the_exception_goes_on_and_is_recorded_once(opto: Rehearsal) -> None:
    @otel_opto.node(trainable=otel_opto.Trainable(key="strict", fallback=False))
    def half(x: int) -> float:
        return x / 2

    opto.set("strict", "def half(x):\n    return x / 0\n")
    with pytest.raises(ZeroDivisionError):
        half(1)
    found = opto.span("half")
    assert [event.name for event in found.events] == ["exception"]
    assert "   2 |     return x / 0    <--- Zero" in str((found.attributes or {})["opto.code.failure"])


def test_what_the_declared_function_raises_is_raised(opto: Rehearsal) -> None:
    opto.set("price", HEAD + "    raise KeyError('mine')\n")
    with pytest.raises(TypeError, match="must be real number"):
        price(["x"])  # type: ignore[list-item]
    events = [dict(event.attributes or {})["exception.type"] for event in opto.span("price").events]
    assert events == ["KeyError", "TypeError"]


def test_a_wrong_call_is_wrong_for_both(opto: Rehearsal) -> None:
    opto.set("price", FAILING)
    with pytest.raises(TypeError, match=r"price\(\) missing 1 required positional argument: 'items'"):
        price()  # type: ignore[call-arg]
    assert "opto.code.failure" not in said(opto, "price")


def test_failing_recursion_ends_and_costs_no_powers_of_two(opto: Rehearsal) -> None:
    opto.set("factorial", "def factorial(n):\n    found = 1 if n < 2 else n * factorial(n - 1)\n    return found / 0\n")
    assert factorial(12) == math.factorial(12)
    assert len(opto.spans("factorial")) == 12 + 11  # each released call, and what the declared one calls itself
    opto.set("factorial", "def factorial(n):\n    return sum(factorial(n) for _ in range(2))\n")
    assert factorial(3) == 6  # it would have no end, if each call fell back by itself


async def test_recursion_that_waits_falls_back_as_a_whole(opto: Rehearsal) -> None:
    opto.set("later", "async def later(x):\n    return 1 / x if x < 1 else await later(x - 1)\n")
    assert await later(4) == 4
    assert len(opto.spans("later")) == 5


def test_what_a_consumer_throws_is_no_failure_of_the_code(opto: Rehearsal) -> None:
    opto.set("items", "def items(n):\n    yield n\n")
    taken: Any = items(1)
    next(taken)
    with pytest.raises(KeyError):
        taken.throw(KeyError("mine"))
    assert "opto.code.failure" not in said(opto, "items")


def test_what_ends_the_application_passes_and_what_the_code_ends_itself_does_not(opto: Rehearsal) -> None:
    def stopped(error: BaseException) -> Callable[[], None]:
        def stop() -> None:
            raise error

        return stop

    calling = "def call(then):\n    then()\n    return 'new'\n"

    @otel_opto.node(trainable=otel_opto.Trainable(key="ending"))
    def call(then: Callable[[], None]) -> str:
        return "declared"

    opto.set("ending", calling)
    for error in (SystemExit(0), KeyboardInterrupt(), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            call(stopped(error))
    assert call(stopped(ValueError())) == "declared"


async def test_coroutines_fall_back_and_cancellation_passes(opto: Rehearsal) -> None:
    opto.set("later", "async def later(x):\n    return x / 0\n")
    assert await later(3) == 3
    assert "<--- ZeroDivisionError" in said(opto, "later")["opto.code.failure"]
    opto.set("later", "async def later(x):\n    await asyncio.sleep(x)\n    return 'new'\n")
    assert await later(0) == "new"
    waiting = asyncio.create_task(later(60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_a_generator_falls_back_before_its_first_item_only(opto: Rehearsal) -> None:
    opto.set("items", "def items(n):\n    if n > 2:\n        raise ValueError(n)\n    yield 'new'\n    yield n / 0\n")
    assert list(items(3)) == [0, 1, 2]
    taken = items(1)
    assert next(taken) == "new"
    with pytest.raises(ZeroDivisionError):
        next(taken)
    assert "   5 |     yield n / 0    <--- ZeroDivisionError" in said(opto, "items")["opto.code.failure"]
    assert [event.name for event in opto.spans("items")[-1].events] == ["exception"]


def test_what_is_sent_and_thrown_reaches_a_released_generator(opto: Rehearsal) -> None:
    opto.set(
        "items",
        "def items(n):\n    got = yield n\n    try:\n        yield got\n    except KeyError:\n        yield 'caught'\n"
        "    return 'end'\n",
    )
    taken: Any = items(1)
    assert (next(taken), taken.send("sent"), taken.throw(KeyError())) == (1, "sent", "caught")
    with pytest.raises(StopIteration) as stopped:
        next(taken)
    assert stopped.value.value == "end"
    closed: Any = items(1)
    next(closed)
    closed.close()
    opto.set("items", "def items(n):\n    return 'none'\n    yield\n")
    assert list(items(5)) == []


async def test_async_generators_do_the_same(opto: Rehearsal) -> None:
    opto.set(
        "stream",
        "async def stream(n):\n    if n > 2:\n        raise ValueError(n)\n    got = yield 'new'\n    yield got\n",
    )
    assert [one async for one in stream(3)] == [0, 1, 2]
    taken: Any = stream(1)
    assert (await anext(taken), await taken.asend("sent")) == ("new", "sent")
    with pytest.raises(StopAsyncIteration):
        await anext(taken)
    closed: Any = stream(1)
    await anext(closed)
    await closed.aclose()
    opto.set("stream", "async def stream(n):\n    yield 1\n    yield n / 0\n")
    broken = stream(1)
    assert await anext(broken) == 1
    with pytest.raises(ZeroDivisionError):
        await anext(broken)
    assert "<--- ZeroDivisionError" in said(opto, "stream")["opto.code.failure"]


def test_one_trace_runs_one_source(opto: Rehearsal) -> None:
    with otel_opto.start_node("before"):
        assert Ranker.double(2) == 4
        opto.set("Ranker.double", "def double(x):\n    return 5 * x\n")
        assert Ranker.double(2) == 4
    with otel_opto.start_node("after"):
        assert Ranker.double(2) == 10


def test_tracebacks_and_inspect_show_the_source_that_ran(opto: Rehearsal) -> None:
    found: list[Any] = []

    def look(function: Any) -> None:
        found.append(function)

    @otel_opto.node(trainable=otel_opto.Trainable(key="shown", constraint=look))
    def divide(x: int) -> float:
        return 1 / x

    text = "def divide(x):\n    y = x\n    return 2 / y\n"
    opto.set("shown", text)
    assert divide(1) == 2.0
    (made,) = found
    assert inspect.getsource(made) == text
    assert (made.__qualname__, made.__module__) == (divide.__qualname__, __name__)
    with pytest.raises(ZeroDivisionError) as raised:
        made(0)
    shown = "".join(traceback.format_exception(raised.value))
    assert ", line 3, in divide\n    return 2 / y" in shown


def test_the_application_has_a_word_on_new_code(opto: Rehearsal) -> None:
    def tested(function: Callable[[int], int]) -> object:
        return function(2) == 4 or f"of 2 it makes {function(2)}, wanted is 4"

    @otel_opto.node(trainable=otel_opto.Trainable(key="tested", constraint=tested))
    def square(x: int) -> int:
        raise NotImplementedError

    with pytest.raises(otel_opto.InvalidValue, match="refuses it: of 2 it makes 6, wanted is 4"):
        opto.set("tested", "def square(x):\n    return 3 * x\n")
    with pytest.raises(otel_opto.InvalidValue, match="check failed: ZeroDivisionError"):
        opto.set("tested", "def square(x):\n    return x / 0\n")
    opto.set("tested", "def square(x):\n    return x * x\n")
    assert square(5) == 25


def test_an_override_is_code_too(opto: Rehearsal) -> None:
    with otel_opto.code_of(factorial).override("def factorial(n):\n    return -1\n"):
        assert factorial(5) == -1
    assert factorial(5) == 120


def wrapped(function: Any) -> Any:
    @functools.wraps(function)
    def inner(*args: Any) -> Any:
        return function(*args)

    return inner


@pytest.mark.parametrize(
    "target",
    [wrapped(counter), len, functools.lru_cache(counter), Base().name],
    ids=["wraps", "builtin", "lru", "bound"],
)
def test_what_is_no_plain_function_is_a_clear_error(target: Any) -> None:
    with pytest.raises(otel_opto.InvalidValue, match="allowed: a function written with def; put the decorator next to"):
        otel_opto.node(trainable=True)(target)


def test_a_function_without_a_source_is_a_node_and_no_parameter(
    opto: Rehearsal, caplog: pytest.LogCaptureFixture
) -> None:
    names: dict[str, Any] = {"__name__": "made"}
    exec("def made(x): return x", names)
    with caplog.at_level(logging.WARNING, logger="otel_opto"):
        made = otel_opto.node(trainable=True)(names["made"])
    assert "it runs as it is, and is no parameter" in caplog.text
    assert made(1) == 1
    assert opto.span("made")
    with pytest.raises(otel_opto.InvalidValue, match="is not trainable"):
        otel_opto.code_of(made)


def test_two_functions_with_one_key_are_a_clear_error() -> None:
    with pytest.raises(otel_opto.InvalidValue, match="'price' is declared twice"):

        @otel_opto.node(trainable=otel_opto.Trainable(key="price"))
        def other(x: int) -> int:
            return x


def test_the_spans_say_what_flowed_as_ever(opto: Rehearsal) -> None:
    opto.set("price", HEAD + "    return 'a long enough text ' + str(items)\n")
    with otel_opto.start_node("request"):
        text = price([1.0])
        otel_opto.node(len, name="length")(text)
    assert json.loads(said(opto, "length")["opto.output"]) == len(text)
    assert len(opto.span("length").links) == 1


def test_the_helper_reads_the_declared_source() -> None:
    assert otel_opto.code_of(factorial).spec.default == source_text(inspect.unwrap(factorial))
