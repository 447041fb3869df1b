"""OPRO: the history, and nothing else."""

from dataclasses import replace

import pytest

from collector.core.errors import OptimizerError
from collector.core.study import Direction, Remarks, Study
from collector.optimizer.generators.opro import build
from tests.contract.optimizers import request, trial
from tests.fakes_openai import ScriptedOpenAI, suggesting


def study(server: ScriptedOpenAI, **options: object) -> Study:
    return Study("s", "shop", "quality", optimizer_options={"model": "m", "base_url": server.base_url, **options})  # type: ignore[dict-item]


async def test_the_best_values_come_last_and_no_run_is_shown() -> None:
    trials = (trial(1, 0.5, top_k=4), trial(2, 0.1, top_k=8), trial(3, None, top_k=9))
    with ScriptedOpenAI([suggesting(top_k=6)]) as server:
        asked = replace(request(study=study(server), trials=trials), remarks={1: Remarks("too long", "fine")})
        (proposal,) = await build().propose(asked)
        asked = replace(asked, study=replace(asked.study, direction=Direction.MINIMIZE))
        await build().propose(asked)
    assert (proposal.values, proposal.origin) == ({"top_k": 6}, "opro, m, draft 1")
    said = [sent["messages"][-1]["content"] for sent in server.requests]
    tried = [text.split("#Tried\n")[1].strip().splitlines() for text in said]
    assert [line.split(",")[0] for line in tried[0]] == [
        "score 0.1: top_k = 8", "score 0.25: top_k = 1", "score 0.5: top_k = 4",
    ]  # fmt: skip
    assert tried[1][-1].startswith("score 0.1: top_k = 8")
    assert 'feedback "too long" … "fine"' in tried[0][-1]
    assert "wordy" not in said[0]
    assert "#Runs" not in said[0]


async def test_what_does_not_fit_is_left_out_and_said() -> None:
    trials = tuple(trial(n, n / 100, style=f"{'x' * 3_000}{n} {{a}}") for n in range(1, 40))
    with ScriptedOpenAI([suggesting(top_k=6)]) as server:
        await build().propose(request(study=study(server, max_prompt_chars=4_000), trials=trials))
    (sent,) = server.requests
    assert sum(len(message["content"]) for message in sent["messages"]) <= 4_000
    assert "lines left out" in sent["messages"][-1]["content"]


async def test_variables_that_do_not_fit_are_a_fault() -> None:
    with ScriptedOpenAI(["never"]) as server:
        asked = request(study=replace(study(server, max_prompt_chars=4_000), instruction="x" * 5_000))
        with pytest.raises(OptimizerError, match="characters too many"):
            await build().propose(asked)
