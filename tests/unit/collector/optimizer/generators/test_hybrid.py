"""Two generators for one study."""

from dataclasses import replace

import pytest

from collector.core.errors import OptimizerError
from collector.core.study import Study
from collector.optimizer.generators.hybrid import build
from tests.contract.optimizers import SPECS, request, trial
from tests.fakes_openai import ScriptedOpenAI, suggesting

STYLE = tuple(spec for spec in SPECS if spec.key == "style")
SEARCHED = {"top_k", "weight", "method", "strict"}


def study(server: ScriptedOpenAI, **options: object) -> Study:
    return Study("s", "shop", "quality", optimizer_options={"model": "m", "base_url": server.base_url, **options})  # type: ignore[dict-item]


async def test_numbers_are_searched_and_texts_are_written_in_turns() -> None:
    with ScriptedOpenAI([suggesting(style="So: {a}")]) as server:
        searched, written = await build().propose(request(study=study(server), trials=(trial(1, 0.5, top_k=4),)))
        first, _ = await build().propose(request(study=study(server)))
    assert searched.values.keys() == SEARCHED
    assert written.values == {"style": "So: {a}"}
    assert first.origin.startswith("optoprime")
    asked_for = server.requests[0]["response_format"]["json_schema"]["schema"]["properties"]["suggestion"]
    assert list(asked_for["properties"]) == ["style"]


async def test_where_the_model_fails_the_search_goes_on() -> None:
    with ScriptedOpenAI([(401, "no")]) as server:
        asked = request(study=study(server))
        (searched,) = await build().propose(asked)
        with pytest.raises(OptimizerError, match="no"):
            await build().propose(replace(asked, parameters=STYLE, current={"style": "It is {a}"}))
    assert searched.values.keys() == SEARCHED


def test_options_of_both_are_known_and_faults_of_both_are_said() -> None:
    options = {"model": "m", "sampler": "random", "scales": {"weight": "log"}}
    (fault,) = build().check(Study("s", "shop", "q", optimizer_options=options), SPECS)  # type: ignore[arg-type]
    assert "allowed for log: above 0" in fault
