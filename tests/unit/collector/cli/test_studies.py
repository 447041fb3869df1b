"""What is given of a study on the command line."""

import json

import pytest

from collector.cli import parser
from collector.core.errors import ConfigError

_CREATE = ("studies", "create", "tune", "--service", "qa", "--metric", "quality", "--estimate", "--json")


def created(*given: str) -> int:
    arguments = parser("studies").parse_args([*_CREATE, *given])
    code: int = arguments.run(arguments)
    return code


def test_objectives_and_what_may_not_get_worse_are_options(capsys: pytest.CaptureFixture[str]) -> None:
    bounds = ("--not-worse", "latency.p95=0.1", "--not-worse", "quality=0.02")
    assert created(*bounds, "--objective", "cost,highest=0.05,weight=0.5,direction=minimize") == 0
    assert json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("wrong", ["cost,highest=high", "cost,top=1", "cost,weight"])
def test_what_is_no_objective_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="allowed behind the name are highest=NUMBER, lowest=NUMBER, weight=NUMBER"):
        created("--objective", wrong)
