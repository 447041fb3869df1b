"""Options of optimizers."""

import pytest

from collector.core.study import Study
from collector.optimizer.options import REQUIRED, Option, chosen, faults_of, selected
from otel_opto.spec import ParameterSpec, ParameterType

OPTIONS = {
    "model": Option((str,), REQUIRED, "a name", pattern=".+"),
    "count": Option((int,), 3, "a whole number from 1 to 9", 1, 9),
    "share": Option((int, float), None, "a number from 0 to 1", 0, 1),
    "mode": Option((str,), "a", "a or b", choices=("a", "b")),
}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"model": ""}, "option model: found '', allowed: a name"),
        ({"model": None}, "option model: found None, allowed: a name"),
        ({"model": "m", "count": 0}, "option count: found 0, allowed: a whole number from 1 to 9"),
        ({"model": "m", "count": 2.0}, "option count: found 2.0, allowed: a whole number from 1 to 9"),
        ({"model": "m", "count": True}, "option count: found True, allowed: a whole number from 1 to 9"),
        ({"model": "m", "share": float("nan")}, "option share: found nan, allowed: a number from 0 to 1"),
        ({"model": "m", "mode": "c"}, "option mode: found 'c', allowed: a or b"),
        ({"model": "m", "modes": "c"}, "option 'modes': unknown; known: count, mode, model, share"),
        ({}, "option model: missing; it must be a name"),
        ({"model": "m", "mode": "http://me:secret@host"}, "option mode: found 'http://***@host', allowed: a or b"),
    ],
)
def test_each_fault_says_what_was_found_and_what_is_allowed(given: dict[str, object], fault: str) -> None:
    assert faults_of(given, OPTIONS) == [fault]


@pytest.mark.parametrize("name", ["api_key", "OPENAI_API_KEY", "token"])
def test_a_secret_is_refused_and_not_repeated(name: str) -> None:
    (fault,) = faults_of({"model": "m", name: "sk-secret"}, OPTIONS)
    assert "set OPENAI_API_KEY" in fault
    assert "sk-secret" not in fault


def test_defaults_fill_in() -> None:
    assert chosen({"model": "m", "count": 5}, OPTIONS) == {"model": "m", "count": 5, "share": None, "mode": "a"}


def test_a_study_is_about_the_parameters_it_names_or_about_all_that_are_trainable() -> None:
    kept = ParameterSpec("kept", ParameterType.BOOLEAN, default=False, trainable=False)
    free = ParameterSpec("free", ParameterType.BOOLEAN, default=False)
    assert selected(Study("s", "shop", "q"), (kept, free)) == [free]
    assert selected(Study("s", "shop", "q", parameters=("kept", "later")), (kept, free)) == [kept]
