"""The application's own word on a new value: said before anything of a release is applied."""

import sys
from typing import Any

import pytest

import otel_opto
from otel_opto.checks import refusal
from otel_opto.parameter import Parameter, spec_of
from otel_opto.spec import Constraint, InvalidValue
from otel_opto.v1 import release_pb2
from tests.unit.otel_opto.conftest import App


class Angry(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def raising(error: BaseException) -> Any:
    def check(value: object) -> None:
        raise error

    return check


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (lambda value: None, ""),
        (lambda value: True, ""),
        (lambda value: "", ""),
        (lambda value: [], ""),
        (lambda value: False, "refuses it"),
        (lambda value: f"{value} is odd", "refuses it: 3 is odd"),
        (raising(ValueError("too many")), "failed: ValueError: too many"),
        (raising(Angry()), "failed: Angry"),
        (lambda value: sys.exit(1), "failed: SystemExit: 1"),
    ],
)
def test_a_check_says_no_in_any_way(check: Any, said: str) -> None:
    found = refusal(check, 3)
    assert found.endswith(said)
    assert bool(found) == bool(said)


def declared(app: App, key: str, default: Any, check: Any) -> Parameter[Any]:
    return Parameter(spec_of(key, default, Constraint(), "", trainable=True), default, app.sdk.pins, check)


def test_a_refused_value_fails_the_whole_release_with_the_reason(app: App) -> None:
    other = app.parameter("other", "x")
    k = declared(app, "k", 2, lambda value: value % 2 == 0 or f"{value} is odd")
    app.connect()
    app.publish(1, k=4, other="y")
    app.publish(2, k=5, other="z")
    word = app.server.wait_for_acknowledgement(2)
    assert word.status == release_pb2.RELEASE_STATUS_FAILED
    assert "parameter 'k': the application's check refuses it: 5 is odd" in word.error
    assert (k.value, other.value) == (4, "y")


def test_a_check_is_asked_once_for_each_value_and_not_for_the_default(app: App) -> None:
    asked: list[int] = []
    k = declared(app, "k", 2, asked.append)
    other = app.parameter("other", 1)
    app.connect()
    for number, value in enumerate([2, 3, 3, 4, 3]):
        app.publish(number + 1, k=value, other=number)
        with app.span():
            assert (k.value, other.value) == (value, number)
    assert asked == [3, 4]


def test_a_value_that_came_before_its_parameter_is_checked_when_it_is_read(app: App) -> None:
    app.connect()
    app.publish(1, k=5)
    k = declared(app, "k", 2, lambda value: "odd")
    assert (k.value, k.resolve().error) == (2, "parameter 'k': the application's check refuses it: odd")


def test_an_override_is_checked_too(app: App) -> None:
    k = declared(app, "k", 2, lambda value: value < 9)
    with pytest.raises(InvalidValue, match="refuses it"), k.override(9):
        pass


def test_a_default_that_the_application_refuses_is_a_fault_of_the_declaration() -> None:
    with pytest.raises(InvalidValue, match=r"parameter 'checks\.k': default: the application's check refuses it: odd"):
        otel_opto.parameter("checks.k", default=3, constraint=lambda value: "odd")
    assert "checks.k" not in otel_opto._sdk.registry.specs()
