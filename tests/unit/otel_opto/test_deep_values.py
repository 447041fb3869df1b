"""Values that are nested deeper than Python goes are refused in words, wherever they are given."""

from typing import Any

import pytest

import otel_opto
from otel_opto.declarations import spec_in
from otel_opto.shown import shown
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType
from otel_opto.testing import Rehearsal


def deep(*, named: bool = False) -> Any:
    found: Any = {} if named else []
    for _ in range(100_000):  # Python 3.12 and later go deeper than 3.11
        found = {"a": found} if named else [found]
    return found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"default": deep()}, "found a list that is nested too deep to be shown (list), allowed: a JSON list"),
        ({"default": deep(named=True)}, "found a dict that is nested too deep to be shown"),
        ({"default": [1], "candidates": (deep(),)}, "candidates: found a list that is nested too deep to be shown"),
        ({"default": "x", "candidates": (deep(named=True),)}, "candidates: found a dict that is nested too deep"),
        ({"default": "x", "choices": deep()}, "choices: found a list that is nested too deep to be shown"),
        ({"default": "x", "placeholders": deep()}, "placeholders: found a list that is nested too deep"),
        ({"default": 1, "minimum": deep()}, "minimum: found a list that is nested too deep to be shown"),
        ({"default": "x", "max_length": deep()}, "max_length: found a list that is nested too deep"),
        ({"default": "x", "pattern": deep()}, "pattern: found a list that is nested too deep"),
        ({"default": [1], "schema": deep(named=True)}, "schema: found dict, allowed: a JSON Schema"),
    ],
    ids=lambda one: "/".join(one) if isinstance(one, dict) else "",
)  # fmt: skip
def test_a_declaration_with_one_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        otel_opto.parameter("deep.declared", **given)
    assert said in str(refused.value)
    assert "deep.declared" not in otel_opto._sdk.registry.specs()


@pytest.mark.parametrize(
    "spec",
    [
        ParameterSpec("deep.json", ParameterType.JSON, [1]),  # type: ignore[arg-type]
        ParameterSpec("deep.text", ParameterType.TEXT, "x"),
        ParameterSpec("deep.choice", ParameterType.CHOICE, "x", Constraint(choices=("x", "y"))),
        ParameterSpec("deep.integer", ParameterType.INTEGER, 1),
        ParameterSpec("deep.boolean", ParameterType.BOOLEAN, True),
    ],
    ids=lambda one: one.type.value,
)
def test_a_value_that_is_one_is_refused(spec: ParameterSpec) -> None:
    for value in (deep(), deep(named=True)):
        with pytest.raises(InvalidValue, match="nested too deep to be shown"):
            spec.validate(value)


def test_a_text_that_spells_one_is_refused_with_how_deep_it_may_be() -> None:
    spec = ParameterSpec("deep.json", ParameterType.JSON, [1])  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="at most 100000 characters and 32 levels"):
        spec.validate("[" * 3_000 + "]" * 3_000)


@pytest.mark.parametrize(
    "said",
    [
        deep(), {"default": deep()}, {"default": "x", "choices": deep()}, {"default": "x", "type": deep()},
        {"default": "x", "candidates": deep()}, {"default": "x", "trainable": deep()},
        {"default": [1], "json_schema": deep(named=True)},
    ],
    ids=lambda one: "/".join(one) if isinstance(one, dict) else "all",
)  # fmt: skip
def test_a_file_with_one_is_refused(said: Any) -> None:
    with pytest.raises(InvalidValue):
        spec_in("deep.file", said)


def test_one_that_comes_in_and_goes_out_is_captured_without_a_fault(opto: Rehearsal) -> None:
    @otel_opto.node
    def turned(value: Any) -> Any:
        return value

    assert turned(deep())
    (span,) = [span for span in opto.spans() if span.name == "turned"]
    assert "opto.output" in (span.attributes or {})


def test_no_choice_at_all_is_no_choice() -> None:
    for none in ([], ()):
        with pytest.raises(InvalidValue, match=r"'deep\.none': choices: found none, allowed is 1 and more"):
            otel_opto.parameter("deep.none", default="x", choices=none)


def test_what_cannot_say_what_it_is_is_shown_all_the_same() -> None:
    class Shy:
        def __repr__(self) -> str:
            raise OSError("not at home")

    assert shown(Shy()) == "a Shy that cannot be shown (OSError)"
    assert shown("x" * 100, 10) == "'xxxxxx..."
