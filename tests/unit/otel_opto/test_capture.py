"""Capture: whatever a value does, its text is JSON within the budget, and none of its code has run."""

import collections
import collections.abc
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import json
import logging
import math
import pathlib
import threading
import types
import typing
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_opto.capture import MAX_CHARS, Capture, Captured, Failures


class Ran(BaseException):
    """Code of a value has run: no handler of ours may hide it."""


def runs(*_: Any, **__: Any) -> Any:
    raise Ran


EVERY_METHOD = (
    "__repr__", "__str__", "__len__", "__iter__", "__getitem__", "__eq__", "__hash__", "__bool__", "__getattr__",
    "__contains__", "__getattribute__", "__format__",
    "__int__", "__index__", "__float__", "__next__", "items", "keys", "values",
    "__reduce__", "__reduce_ex__", "__copy__", "__deepcopy__", "__await__", "__call__", "__dir__", "__sizeof__",
)  # fmt: skip


def hostile(base: type, *without: str) -> type:
    """A class all of whose methods say that they ran."""
    methods: dict[str, Any] = {name: runs for name in EVERY_METHOD if name not in without}
    methods["__class__"] = property(runs)
    return type("Hostile", (base,), methods)


def written(value: object, capture: Capture | None = None) -> Any:
    made = capture or Capture(Failures())
    found = made.text("value", value)
    assert len(found.text) <= 2 * MAX_CHARS + 2
    found.text.encode()
    return json.loads(found.text)


@dataclasses.dataclass
class Found:
    title: str
    score: float
    secret: str = dataclasses.field(default="hidden", repr=False)


class Row(collections.abc.Mapping[str, Any]):
    __getitem__ = __iter__ = __len__ = runs


class Colour(enum.Enum):
    RED = 1


class Point(typing.NamedTuple):
    x: int
    y: int


class Slotted:
    __slots__ = ("x",)


@dataclasses.dataclass(slots=True)
class Half:
    there: int
    gone: int


class Lazy:
    """A field of a dataclass in whose place somebody put a descriptor that loads it."""

    def __get__(self, instance: object, owner: type) -> Any:
        runs()

    def __set__(self, instance: object, value: object) -> None:
        return None


def half() -> Half:
    made = Half(1, 2)
    del made.gone
    return made


def lazy() -> Any:
    made = dataclasses.make_dataclass("Loaded", [("name", str)])
    value = made("x")
    made.name = Lazy()
    del value.__dict__["name"]
    return value


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (hostile(object), "<tests.unit.otel_opto.test_capture.Hostile>"),
        (lambda: hostile(list)([1, "a"]), [1, "a"]),
        (lambda: hostile(tuple)((1, "a")), [1, "a"]),
        (lambda: hostile(dict)(a=1), {"a": 1}),
        (lambda: hostile(collections.deque)([1, 2]), [1, 2]),
        (lambda: hostile(str)("text"), "text"),
        (lambda: hostile(int)(7), 7),
        (lambda: hostile(float)(0.5), 0.5),
        (lambda: hostile(bytes)(b"x"), "<tests.unit.otel_opto.test_capture.Hostile>"),
        (lambda: hostile(Exception)("broken"), "Hostile('broken')"),
        (Row, "<tests.unit.otel_opto.test_capture.Row>"),
        (lambda: {"row": Row(), 1: None}, {"row": "<tests.unit.otel_opto.test_capture.Row>", "1": None}),
        (lambda: Found("a", 0.5), {"title": "a", "score": 0.5}),
        (half, {"there": 1}),
        (lazy, {}),
        (lambda: Point(1, 2), {"x": 1, "y": 2}),
        (lambda: types.SimpleNamespace(a=1, _b=2), {"a": 1}),
        (lambda: Colour.RED, "Colour.RED"),
        (lambda: (number for number in [1]), "<generator>"),
        (lambda: iter([1]), "<list_iterator>"),
        (Slotted, "<tests.unit.otel_opto.test_capture.Slotted>"),
        (lambda: Found, "<class tests.unit.otel_opto.test_capture.Found>"),
        (lambda: [runs][0], "<function tests.unit.otel_opto.test_capture.runs>"),
        (lambda: json, "<module json>"),
        (lambda: b"abc", "b'abc'"),
        (lambda: memoryview(b"abc"), "<memoryview of 3 bytes>"),
        (lambda: decimal.Decimal("1.50"), "1.50"),
        (lambda: fractions.Fraction(1, 3), "1/3"),
        (lambda: uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (lambda: pathlib.Path("a/b"), "a/b"),
        (lambda: dt.date(2026, 1, 2), "2026-01-02"),
        (lambda: dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00+00:00"),
        (lambda: dt.datetime(2026, 1, 2, tzinfo=hostile(dt.tzinfo)()), "2026-01-02T00:00:00"),
        (lambda: range(3), "range(0, 3)"),
        (lambda: 1j, "1j"),
        (lambda: ..., "..."),
        (lambda: math.nan, "nan"),
        (lambda: -math.inf, "-inf"),
        (lambda: 10**2_000, 10**2_000),
        (lambda: 10**100_000, "<int of 332,193 bits>"),
        (lambda: [10**5_000], ["<int of 16,610 bits>"]),
        (lambda: 2**900, 2**900),
        (lambda: "\ud800 half", "\ud800 half"),
        (lambda: ["\udc00"], ["\udc00"]),
        (lambda: "nul \0", "nul \0"),
        (lambda: {(1, 2): 3}, {"[1, 2]": 3}),
        (lambda: {None: 1}, {"null": 1}),
        ({"a": [1]}.values, [[1]]),
        (lambda: [True], [True]),
    ],
)  # fmt: skip
def test_values_are_written_without_running_their_code(make: Callable[[], object], text: object) -> None:
    assert written(make()) == text


def test_metaclasses_are_not_asked_either() -> None:
    meta = type("Meta", (type,), {"__getattribute__": runs, "__instancecheck__": runs, "__subclasscheck__": runs})
    made = types.new_class("Made", (), {"metaclass": meta})
    text = written(object.__new__(made))
    assert text == "<types.Made>"


@pytest.mark.parametrize(
    "library", ["dataclass", "attrs", "msgspec", "pydantic", "django", "sqlalchemy", "numpy", "pandas"]
)
def test_objects_of_libraries(library: str) -> None:
    value, text = globals()[f"of_{library}"]()
    assert written(value) == text


def of_dataclass() -> tuple[object, object]:
    return Found("a", 1.0), {"title": "a", "score": 1.0}


def of_attrs() -> tuple[object, object]:
    attrs = pytest.importorskip("attrs")
    made = attrs.make_class("Made", {"a": attrs.field(), "b": attrs.field(repr=False)})
    return made(1, 2), {"a": 1}


def of_msgspec() -> tuple[object, object]:
    msgspec = pytest.importorskip("msgspec")
    return msgspec.defstruct("Made", [("a", int)])(1), {"a": 1}


def of_pydantic() -> tuple[object, object]:
    pydantic = pytest.importorskip("pydantic")
    made = pydantic.create_model(
        "Made",
        a=(int, 1),
        key=(pydantic.SecretStr, pydantic.SecretStr("x")),
        hidden=(int, pydantic.Field(2, repr=False)),
        __config__=pydantic.ConfigDict(extra="allow"),
    )
    return made(more=3), {"a": 1, "key": "<pydantic.types.SecretStr>", "more": 3}


def of_django() -> tuple[object, object]:
    pytest.importorskip("django")
    from django.conf import settings
    from django.db.models import Model, QuerySet

    if not settings.configured:
        settings.configure()
    query = QuerySet.__new__(QuerySet)
    return [query], ["<django.db.models.query.QuerySet>"] if Model else []


def of_sqlalchemy() -> tuple[object, object]:
    pytest.importorskip("sqlalchemy")
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)

    name = f"{User.__module__}.{User.__qualname__}"
    return User(id=1), f"<{name}>"


def of_numpy() -> tuple[object, object]:
    numpy = pytest.importorskip("numpy")
    zeros = numpy.zeros((1_000, 1_000))
    return [zeros, numpy.float64(0.5), numpy.int64(7)], ["<numpy.ndarray shape=(1000, 1000) dtype=float64>", 0.5, "7"]


def of_pandas() -> tuple[object, object]:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({"a": [1, 2]}), "<pandas.DataFrame shape=(2, 1)>"


# --- the budget -------------------------------------------------------------------------------------------------


class Steps:
    """Processor time that goes on by a step at each look."""

    def __init__(self, milliseconds: float) -> None:
        self.now = 0
        self.looks = 0
        self.milliseconds = milliseconds

    def __call__(self) -> int:
        self.looks += 1
        self.now += int(self.milliseconds * 1e6)
        return self.now


@dataclasses.dataclass
class Person:
    id: int
    friends: list["Person"] = dataclasses.field(default_factory=list)


def people(count: int) -> Person:
    found = [Person(number) for number in range(count)]
    for one in found:
        one.friends = [other for other in found if other is not one]
    return found[0]


def nested(depth: int, width: int) -> list[Any]:
    return [nested(depth - 1, width) if depth else 1.5 for _ in range(width)]


class Endless(collections.abc.Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        return Endless()

    def __iter__(self) -> Iterator[str]:
        while True:
            yield "a"

    def __len__(self) -> int:
        return 1


def doubled(times: int) -> list[Any]:
    value: list[Any] = ["x"]
    for _ in range(times):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    "make",
    [
        lambda: list(range(1_000_000)), lambda: nested(3, 30), lambda: people(64), lambda: doubled(60),
        lambda: [dict.fromkeys(range(300))] * 300,
        lambda: {str(n): {str(m): m for m in range(250)} for n in range(250)},
        lambda: [Found("x" * 100, n) for n in range(100_000)], Endless, lambda: ["\0" * 100_000],
        lambda: "\0" * 100_000,
        lambda: ["é" * 50_000], lambda: [b"x" * 10_000_000],
    ],
)  # fmt: skip
def test_what_is_large_is_cut_after_a_bounded_number_of_steps(make: Callable[[], object]) -> None:
    value, steps = make(), Steps(0)
    capture = Capture(Failures(), steps)
    found = capture.text("value", value)
    json.loads(found.text)
    assert found.cut or isinstance(value, Endless)
    assert len(found.text) <= 2 * MAX_CHARS + 2
    assert steps.looks <= MAX_CHARS / 128  # a look for 128 values


def test_time_ends_a_capture() -> None:
    value = [Found("t", number) for number in range(250)]
    patient = Capture(Failures())
    patient.milliseconds = 60_000.0
    whole = written(value, patient)
    slow = Capture(Failures(), Steps(0.6))
    found = slow.text("value", value)
    assert len(whole) == 250
    assert found.cut
    assert 0 < len(json.loads(found.text)) < 250


def test_what_is_small_asks_for_no_time() -> None:
    steps = Steps(1)
    Capture(Failures(), steps).text("value", {"a": [Found("t", 1.0)] * 10})
    assert steps.looks == 0


def test_a_circle_is_cut_once_and_what_is_shared_is_whole() -> None:
    circle: dict[str, Any] = {"name": "a"}
    circle["self"] = circle
    assert written(circle) == {"name": "a", "self": "…"}
    shared = Found("same", 1.0)
    found = Capture(Failures()).text("value", [shared, shared])
    assert json.loads(found.text) == [{"title": "same", "score": 1.0}] * 2
    assert not found.cut


def test_a_dict_that_another_thread_changes() -> None:
    shared: dict[Any, Any] = {number: object() for number in range(200)}
    stop = threading.Event()

    def change() -> None:
        number = 1_000
        while not stop.is_set():
            shared[number] = number
            shared.pop(number)
            number += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(50):
            written(shared)
            written([shared, {"inner": shared}])
    finally:
        stop.set()
        thread.join()


def test_what_cannot_be_read_is_named_counted_and_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    failures = Failures(lambda: now[0])
    capture = Capture(failures)
    released = memoryview(b"abc")
    released.release()
    with caplog.at_level(logging.DEBUG, "otel_opto"):
        for _ in range(3):
            assert written([released], capture) == ["<memoryview>"]
        now[0] = 61.0
        assert written(released, capture) == "<memoryview>"
    assert failures.count == 4
    assert [record.levelname for record in caplog.records] == ["DEBUG", "DEBUG"]
    assert "ValueError; 4 so far" in caplog.records[1].getMessage()


# --- redaction --------------------------------------------------------------------------------------------------


def test_the_hook_gets_names_and_texts() -> None:
    capture = Capture(Failures())
    capture.redact = lambda name, text: text.replace("secret", f"<{name}>")
    assert capture.text("token", {"a": "secret"}) == Captured('{"a": "<token>"}', cut=True)
    assert capture.text("token", "plain") == Captured('"plain"', cut=False)


@pytest.mark.parametrize("hook", [lambda name, text: 1 / 0, lambda name, text: None, lambda name, text: runs()])
def test_a_hook_that_fails_lets_nothing_through(hook: Any) -> None:
    capture = Capture(Failures())
    capture.redact = hook
    found = capture.text("token", "secret")
    assert "secret" not in found.text
    assert found.cut
    assert capture.failures.count == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_interpreter_is_not_held_up(error: type[BaseException]) -> None:
    def hook(name: str, text: str) -> str:
        raise error

    capture = Capture(Failures())
    capture.redact = hook
    with pytest.raises(error):
        capture.text("token", "x")


def test_a_summary_has_type_and_size() -> None:
    capture = Capture(Failures())
    assert [json.loads(capture.summary(value).text) for value in ("abc", [1, 2], hostile(dict)(a=1), 5, Row())] == [
        {"type": "str", "size": 3},
        {"type": "list", "size": 2},
        {"type": "tests.unit.otel_opto.test_capture.Hostile", "size": 1},
        {"type": "int"},
        {"type": "tests.unit.otel_opto.test_capture.Row"},
    ]
