"""The conformance battery of `Optimizer`, on every one in the box."""

import asyncio
import copy
import importlib.util
import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any

import pytest

from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Direction, Proposal, RejectedProposal, Study, Trial
from collector.optimizer.registry import GROUP, OptimizerRegistry
from tests.contract.optimizers import DEFAULTS, SPECS, request, trial
from tests.fakes_openai import ScriptedOpenAI, suggesting

IN_THE_BOX = ("search", "optoprime", "opro", "textgrad", "bandit", "hybrid", "gepa", "trace_opt")
WRITERS = ("optoprime", "opro", "textgrad", "hybrid", "gepa", "trace_opt")
ALGORITHMS = ("opro", "textgrad")
"""Of trace_opt, beside the one that it takes by itself."""

OF = {"gepa": "gepa", "trace_opt": "opto"}
"""The packages of other people that an optimizer is nothing without."""


def drawn_values(rng: random.Random) -> dict[str, Any]:
    return {
        "top_k": rng.randint(1, 9),
        "weight": rng.random(),
        "method": rng.choice(["slow", "fast"]),
        "style": f"{rng.choice(['It is', 'Say', 'So'])} {{a}}{rng.randint(1, 99)}",
        "strict": rng.random() < 0.5,
    }


def drawn(sent: Mapping[str, Any]) -> str:
    """A model without wits: allowed values that follow from the messages and the seed alone."""
    rng = random.Random(json.dumps([sent["messages"], sent["seed"]]))
    values = drawn_values(rng)
    style = values["style"]
    if "response_format" not in sent:
        return f"Too wordy.\n```\n{style}\n```"
    asked_for = sent["response_format"]["json_schema"]["schema"]["properties"]
    if "critique" in asked_for:
        return json.dumps({"critique": f"it should be other than it is, {rng.random()}"})
    keys = asked_for["suggestion"]["required"]
    return suggesting(**{key: values[key] for key in keys})


def drawn_there(sent: Mapping[str, Any]) -> str:
    """The same for the prompts of trace-opt, which number the variables and ask for one at a time in TextGrad."""
    values = drawn_values(random.Random(json.dumps([sent["messages"], sent["seed"]])))
    system, asked = (str(message["content"]) for message in sent["messages"])
    if "Output_format" in system:
        return suggesting(**{f"{key}0": value for key, value in values.items()})
    if "<IMPROVED_VARIABLE>" not in system:
        return "It should be other than it is."
    (role,) = set(re.findall("<ROLE>(.*?)</ROLE>", asked))
    (key,) = (spec.key for spec in SPECS if role in (spec.description, spec.key))
    return f"<IMPROVED_VARIABLE>{values[key]}</IMPROVED_VARIABLE>"


@dataclass(frozen=True)
class Subject:
    """An optimizer and a study that it can work on; `fresh` is another optimizer of the same kind."""

    optimizer: Optimizer
    fresh: Optimizer
    study: Study

    async def propose(self, asked: OptimizationRequest) -> list[Mapping[str, object]]:
        return [proposal.values for proposal in await self.optimizer.propose(asked)]


@pytest.fixture(params=[*IN_THE_BOX, *(f"trace_opt {one}" for one in ALGORITHMS)])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    name, _, algorithm = request.param.partition(" ")
    if name in OF and importlib.util.find_spec(OF[name]) is None:
        pytest.skip(f"{name}: the package {OF[name]} is not installed")
    optimizer, fresh = (OptimizerRegistry().load(name) for _ in range(2))
    study = Study("s", "shop", "quality", optimizer=name, seed=4)
    with ScriptedOpenAI([drawn_there if name == "trace_opt" else drawn]) as server:
        options: dict[str, Any] = {}
        options |= {"model": "scripted", "base_url": server.base_url} if name in WRITERS else {}
        options |= {"algorithm": algorithm, "examples": 1} if algorithm else {}
        yield Subject(optimizer, fresh, replace(study, optimizer_options=options))


def test_the_battery_runs_on_all_that_are_installed() -> None:
    ours = {point.name for point in entry_points(group=GROUP) if point.value.startswith("collector.")}
    assert ours == set(IN_THE_BOX)


def test_it_takes_its_own_options_and_names_wrong_ones(subject: Subject) -> None:
    assert list(subject.optimizer.check(subject.study, SPECS)) == []
    wrong = replace(subject.study, optimizer_options={**subject.study.optimizer_options, "nonsense": 1})
    (fault,) = subject.optimizer.check(wrong, SPECS)
    assert "'nonsense'" in fault
    assert "known:" in fault


def test_parameters_that_are_not_declared_yet_are_no_fault(subject: Subject) -> None:
    assert list(subject.optimizer.check(subject.study, ())) == []


async def test_a_proposal_is_valid_and_new(subject: Subject) -> None:
    (proposal, *_) = await subject.optimizer.propose(request(study=subject.study))
    values, faults = validated(proposal.values, SPECS)
    assert faults == ()
    assert {**DEFAULTS, **values} != DEFAULTS
    assert proposal.reasoning
    assert proposal.origin


async def test_several_candidates_are_several_values(subject: Subject) -> None:
    study = replace(subject.study, optimizer_options={**subject.study.optimizer_options, "candidates": 4})
    found = await subject.propose(request(study=study))
    assert len({tuple(sorted({**DEFAULTS, **values}.items())) for values in found}) == len(found) >= 4


async def test_what_is_being_measured_is_not_proposed_again(subject: Subject) -> None:
    first = (await subject.propose(request(study=subject.study)))[0]
    good, _ = validated(first, SPECS)
    running = trial(1, None, **good)
    again = await subject.propose(request(study=subject.study, trials=(running,)))
    assert {**DEFAULTS, **again[0]} != running.values


async def test_the_same_request_gives_the_same_proposal(subject: Subject) -> None:
    asked = request(study=subject.study, trials=(trial(1, 0.5, top_k=4),))
    first = await subject.propose(asked)
    await subject.propose(request(study=replace(subject.study, seed=99)))
    assert await subject.propose(asked) == first
    assert [proposal.values for proposal in await subject.fresh.propose(asked)] == first


async def test_requests_beside_each_other_do_not_mix(subject: Subject) -> None:
    asked = [request(study=replace(subject.study, seed=seed)) for seed in range(4)]
    alone = [await subject.propose(one) for one in asked]
    assert await asyncio.gather(*(subject.propose(one) for one in asked)) == alone
    assert len({str(values) for values in alone}) > 1


async def test_the_request_stays_as_it_is(subject: Subject) -> None:
    asked = request(study=subject.study, trials=(trial(1, 0.5, top_k=4),))
    before = copy.deepcopy(asked)
    await subject.propose(asked)
    assert asked == before


@pytest.mark.parametrize("direction", list(Direction))
async def test_no_trial_of_a_study_is_like_another(subject: Subject, direction: Direction) -> None:
    study = replace(subject.study, direction=direction)
    trials: list[Trial] = []
    for number in range(1, 13):
        proposed = await subject.propose(request(study=study, trials=tuple(trials)))
        if not proposed:  # it knows of finitely many values only
            break
        values = proposed[0]
        good, faults = validated(values, SPECS)
        assert faults == ()
        trials.append(trial(number, number % 5 / 5, **good))
    assert len({tuple(sorted(one.values.items())) for one in trials}) == len(trials) >= 7


async def test_it_works_without_any_batch(subject: Subject) -> None:
    assert await subject.propose(replace(request(study=subject.study), batch=()))


async def test_it_works_without_any_history(subject: Subject) -> None:
    assert await subject.propose(replace(request(study=subject.study), trials=()))


async def test_it_works_on_with_what_was_rejected(subject: Subject) -> None:
    nonsense = Proposal({"top_k": [1, {"deep": None}], "unknown": "\ud800"}, "\n</run>")
    rejected = (RejectedProposal(nonsense, ("parameter 'top_k': found a list",), 1),)
    assert await subject.propose(request(study=subject.study, rejected=rejected))


async def test_only_parameters_of_the_request_change(subject: Subject) -> None:
    two = {key: DEFAULTS[key] for key in ("style", "strict")}
    asked = replace(
        request(study=subject.study),
        parameters=tuple(spec for spec in SPECS if spec.key in two),
        current=two,
        trials=(Trial(0, 1, two, score=0.1),),
    )
    (values, *_) = await subject.propose(asked)
    assert values
    assert values.keys() <= two.keys()


async def test_without_parameters_there_is_nothing_to_propose(subject: Subject) -> None:
    empty = replace(request(study=subject.study), parameters=(), current={}, trials=(Trial(0, 1, {}, score=0.1),))
    assert await subject.propose(empty) == []
