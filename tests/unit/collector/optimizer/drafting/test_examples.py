"""Worked examples: by type of variable, and in the form that is asked for."""

import json

import pytest

from collector.core.study import Cost
from collector.optimizer.answers.reading import read_answer
from collector.optimizer.drafting.examples import worked_for
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests.contract.optimizers import SPECS

TEXT = ParameterSpec("t", ParameterType.TEXT, "a")
NUMBER = ParameterSpec("n", ParameterType.FLOAT, 1.0)
CHOICE = ParameterSpec("c", ParameterType.CHOICE, "a", Constraint(choices=("a", "b")))
CODE = ParameterSpec("f", ParameterType.CODE, "def f(x):\n    return x\n")


@pytest.mark.parametrize("spec", [TEXT, NUMBER, CHOICE, CODE])
def test_one_kind_of_variable_has_examples_of_its_kind_alone(spec: ParameterSpec) -> None:
    assert len({worked.family for worked in worked_for([spec])}) == 1


def test_several_kinds_share_four_examples() -> None:
    assert [worked.family for worked in worked_for(SPECS)] == ["choice", "number", "number", "text"]
    assert worked_for([]) == []


@pytest.mark.parametrize("spec", [TEXT, NUMBER, CHOICE, CODE])
def test_every_example_answers_in_the_form_that_is_read(spec: ParameterSpec) -> None:
    for worked in worked_for([spec]):
        asked, answered = worked.turns()
        known = [ParameterSpec(key, ParameterType.TEXT, "x") for key in worked.suggestion]
        proposal = read_answer(answered["content"], known, Cost())
        assert proposal.values == json.loads(json.dumps(worked.suggestion))
        assert all(f"{key} = " in asked["content"] for key in worked.suggestion)
        assert len(proposal.reasoning) < 300
