"""The conformance battery of `Optimizer`, on every one in the box."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from collector.core.parameter import validated
from collector.core.protocols import Optimizer
from collector.core.study import Study, Trial
from collector.optimizer.registry import OptimizerRegistry
from tests.contract.optimizers import DEFAULTS, SPECS, request
from tests.fakes_openai import ScriptedOpenAI

SUGGESTED = {"top_k": 5, "weight": 0.5, "method": "fast", "style": "{a}", "strict": True}


@dataclass
class Subject:
    """An optimizer and a study that it can work on."""

    optimizer: Optimizer
    study: Study


@pytest.fixture(params=["search", "optoprime"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    optimizer = OptimizerRegistry().load(request.param)
    study = Study("s", "shop", "quality", optimizer=request.param, seed=4)
    if request.param == "search":
        yield Subject(optimizer, study)
        return
    with ScriptedOpenAI([json.dumps({"reasoning": "why", "suggestion": SUGGESTED})]) as server:
        options = {"model": "scripted", "base_url": server.base_url}
        yield Subject(optimizer, replace(study, optimizer_options=options))


def test_it_takes_its_own_options_and_names_wrong_ones(subject: Subject) -> None:
    assert list(subject.optimizer.check(subject.study, SPECS)) == []
    wrong = replace(subject.study, optimizer_options={**subject.study.optimizer_options, "nonsense": 1})
    (fault,) = subject.optimizer.check(wrong, SPECS)
    assert "'nonsense'" in fault
    assert "known:" in fault


async def test_a_proposal_is_valid_and_new(subject: Subject) -> None:
    (proposal, *_) = await subject.optimizer.propose(request(study=subject.study))
    values, faults = validated(proposal.values, SPECS)
    assert faults == ()
    assert {**DEFAULTS, **values} != DEFAULTS
    assert proposal.reasoning


async def test_the_same_request_gives_the_same_proposal(subject: Subject) -> None:
    asked = request(study=subject.study, trials=(Trial(1, 2, {**DEFAULTS, "top_k": 4}, score=0.5),))
    first, second = [await subject.optimizer.propose(asked) for _ in range(2)]
    assert [proposal.values for proposal in first] == [proposal.values for proposal in second]


async def test_it_works_without_any_batch(subject: Subject) -> None:
    assert await subject.optimizer.propose(replace(request(study=subject.study), batch=()))
