"""Trace's own optimizers over our graphs, where trace-opt is installed."""

import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest
from collector.core.span import AnyValue
from collector.core.study import Proposal, Remarks, Study
from collector.optimizer.bridge.package import MISSING
from collector.optimizer.generators.trace_opt import build
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests.contract.optimizers import DEFAULTS, SPECS, judged, request, trial
from tests.fakes_openai import Answer, ScriptedOpenAI, suggesting

needed = pytest.mark.skipif(importlib.util.find_spec("opto") is None, reason="the package trace-opt is not installed")


def study(**options: AnyValue) -> Study:
    return Study("s", "shop", "quality", optimizer="trace_opt", optimizer_options={"model": "m", **options})


async def proposed(
    answers: Sequence[Answer], asked: OptimizationRequest | None = None, **options: AnyValue
) -> tuple[Proposal, list[dict[str, Any]]]:
    with ScriptedOpenAI(list(answers)) as server:
        asked = asked or request(trials=(trial(1, 0.5, top_k=4),))
        of = study(base_url=server.base_url, **options)
        (found,) = await build().propose(replace(asked, study=of))
        return found, server.requests


def said(sent: Mapping[str, Any]) -> str:
    return str(sent["messages"][1]["content"])


def test_without_the_package_a_study_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opto", None)
    assert list(build().check(study(), SPECS)) == [MISSING]


def test_its_options_are_checked() -> None:
    (fault, *_) = build().check(study(algorithm="sgd"), SPECS)
    assert "option algorithm: found 'sgd', allowed: optoprime, opro, textgrad" in fault


@needed
async def test_its_optoprime_sees_the_program_the_variables_and_the_feedback_of_each_run() -> None:
    found, (sent,) = await proposed([suggesting("shorter", top_k0=5, style0="{a}")], examples=2)
    assert (found.values, found.reasoning) == ({"top_k": 5, "style": "{a}"}, "shorter")
    shown = said(sent)
    for line in (
        "find0 = find(x0=top_k0)",
        "tell0 = tell(x0=style0, found=find0)",
        "(int) top_k0=1",
        "(int) top_k0: a whole number from 1 to 9",
        'ID [0]: score 0.7, "run 7 is too wordy"',
        'ID [1]: score 0.1, "run 1 is too wordy"',
    ):
        assert line in shown
    assert shown.count("top_k0=1") == 1  # the runs share their variables
    assert json.loads(json.dumps(sent["response_format"])) == {"type": "json_object"}


@needed
async def test_its_memory_is_the_trials() -> None:
    asked = replace(
        request(trials=(trial(1, 0.5, top_k=4), trial(2, 0.6, top_k=6))), remarks={2: Remarks("still too wordy", "")}
    )
    answer = suggesting(top_k0=5)
    _, (sent,) = await proposed([answer], asked)
    assert '"top_k0": 4' in said(sent)
    assert "still too wordy" in said(sent)
    _, (sent,) = await proposed([answer], asked, memory_size=1)
    assert '"top_k0": 4' not in said(sent)
    assert '"top_k0": 6' in said(sent)
    _, (sent,) = await proposed([answer], asked, algorithm="opro")
    assert '"top_k0": 4' in said(sent)
    assert "#Code" not in said(sent)


@needed
async def test_its_textgrad_goes_back_edge_by_edge_and_writes_each_variable() -> None:
    def answer(sent: Mapping[str, Any]) -> str:
        if "<IMPROVED_VARIABLE>" not in sent["messages"][0]["content"]:
            return "It should be shorter."
        return f"<IMPROVED_VARIABLE>{'3' if '<ROLE>passages kept' in said(sent) else 'So {a}'}</IMPROVED_VARIABLE>"

    found, sent = await proposed([answer], algorithm="textgrad", examples=1)
    assert found.values == {"top_k": 3, "style": "So {a}"}
    updates = [said(one) for one in sent if "<IMPROVED_VARIABLE>" in one["messages"][0]["content"]]
    assert len(updates) == 2  # of the five variables two lead to the output
    assert all("It should be shorter." in one for one in updates)
    assert found.cost.calls == len(sent)


@needed
async def test_values_that_are_not_allowed_keep_theirs_and_are_named() -> None:
    found, _ = await proposed([suggesting("more", top_k0=99, style0="{a}!", unknown=1)])
    assert found.values == {"style": "{a}!"}
    assert "left out: parameter 'top_k': found 99" in found.reasoning


@needed
async def test_its_typing_is_ours() -> None:
    """There "False" is true, and a text with "def" in it is dropped."""
    fallback = replace(request(), batch=())  # all variables are shown
    answer = suggesting(strict0="False", style0="By default: {a}", weight0="0.5", method0="FAST")
    found, _ = await proposed([answer], fallback)
    assert found.values == {"strict": False, "style": "By default: {a}", "weight": 0.5, "method": "fast"}


@needed
async def test_what_cannot_be_read_is_asked_for_anew_and_then_an_error() -> None:
    found, sent = await proposed(["TERMINATE", suggesting(top_k0=1), suggesting(top_k0=2)])
    assert (found.values, len(sent)) == ({"top_k": 2}, 3)
    assert len({one["seed"] for one in sent}) == 3
    with pytest.raises(OptimizerError, match="OptoPrime of trace-opt, in 3 answers: it suggested nothing"):
        await proposed(["TERMINATE"])


@needed
async def test_prompts_are_held_within_characters_and_runs_within_nodes() -> None:
    batch = tuple(judged(n, n / 10, f"run {n}", found="boats " * 2_000) for n in range(1, 4))
    _, (sent,) = await proposed([suggesting(top_k0=5)], replace(request(), batch=batch), max_prompt_chars=6_000)
    assert sum(len(message["content"]) for message in sent["messages"]) <= 6_000
    assert "run 1" in said(sent)
    _, (sent,) = await proposed([suggesting(top_k0=5)], examples=3, max_nodes=10)
    assert "ID [" not in said(sent)  # a run has six nodes
    long = "very " * 2_000
    spec = ParameterSpec("style", ParameterType.TEXT, long, Constraint())
    wide = replace(request(), parameters=(spec,), current={**DEFAULTS, "style": long}, trials=())
    with pytest.raises(OptimizerError, match="option max_prompt_chars: a prompt of") as caught:
        await proposed(["never asked"], wide, max_prompt_chars=4_000)
    assert caught.value.permanent


@needed
async def test_it_leaves_no_node_in_the_registry_of_the_package() -> None:
    await proposed([suggesting(top_k0=5)])
    from opto.trace.nodes import GRAPH

    await proposed([suggesting(top_k0=5)])
    assert not [name for name in GRAPH._nodes if name.startswith("otel_opto")]


@needed
async def test_code_is_told_as_code() -> None:
    source = "def tell(found):\n    return found\n"
    spec = ParameterSpec("style", ParameterType.CODE, source)
    asked = replace(request(), parameters=(spec,), current={**DEFAULTS, "style": source}, trials=())
    better = source.replace("return found", "return found[0]")
    found, (sent,) = await proposed([suggesting(style__code0=better)], asked)
    assert found.values == {"style": better}
    assert f"(code) style__code0:{source}" in said(sent)
