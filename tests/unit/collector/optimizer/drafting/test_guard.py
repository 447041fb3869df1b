"""Texts that copy what was shown are refused with a reason."""

from dataclasses import replace

from collector.core.protocols import OptimizationRequest
from collector.core.study import Study
from collector.optimizer.drafting.examples import worked_for
from collector.optimizer.drafting.guard import Guard
from tests.contract.optimizers import DEFAULTS, SPECS, judged, request


def fault(text: str, asked: OptimizationRequest | None = None) -> str:
    runs = (judged(1, 0.0, "wrong: name all seven boats of the harbour", asked="Where do all of the seven boats go?"),)
    return Guard(asked or replace(request(), batch=runs), worked_for(SPECS)).fault_of({**DEFAULTS, "style": text})


def test_a_recorded_input_is_not_an_instruction() -> None:
    assert "copies recorded data ('where do all of the seven')" in fault("{a}: where do ALL of the seven boats go")


def test_what_feedback_says_may_be_said() -> None:
    assert fault("{a} Name all seven boats of the harbour") == ""


def test_five_words_may_be_the_same() -> None:
    assert fault("{a} where do all of the things go") == ""


def test_a_text_does_not_grow_without_limit() -> None:
    assert "found 1003 characters, allowed are 1000 in one step" in fault("{a}" + "x" * 1_000)
    long = {**DEFAULTS, "style": "{a}" + "y" * 1_000}
    assert fault("{a}" + "x" * 3_000, replace(request(), current=long)) == ""


def test_words_of_an_example_do_not_leak_unless_they_are_the_tasks_own() -> None:
    assert "digit belongs to an example" in fault("Say one digit: {a}")
    own = replace(request(study=Study("s", "shop", "quality", instruction="One digit.")))
    assert fault("Say one digit: {a}", own) == ""


def test_what_is_there_already_may_stay() -> None:
    assert fault("{a}") == ""
    assert fault("It is {a}") == ""


def test_what_stands_beside_a_value_is_no_part_of_it() -> None:
    (style,) = (spec for spec in SPECS if spec.key == "style")
    told = replace(style, description="how the answer is put to the user")
    limited = replace(told, constraint=replace(style.constraint, max_length=300))
    asked = replace(request(), parameters=(limited,))
    line = f"({limited.describe_allowed()})"
    assert f"copies what is said about it ({line!r})" in fault(f"{{a}}, please {line}", asked)
    assert "copies what is said about it ('-- how the answer" in fault(f"{{a}} -- {told.description}", asked)
    assert fault("{a}: this is how the answer is put to the user", asked) == "", "its words alone may be meant"
