"""Plans of rollouts as they come in: what no loop could work with is refused, and costs little."""

import json
import time
from collections.abc import Callable

import pytest

from collector.api.bodies import MOST_VALUES, parse
from collector.api.rollout_documents import RolloutDocument, ValuesDocument
from collector.core.errors import CollectorError
from collector.core.rollout import Guardrail, Metric, RolloutPlan, Signal, Stage

PLAN = {"service": "shop", "release": 2}
STAGE = {"share": 0.1, "least_seconds": 1.0}

LARGE: dict[str, Callable[[], object]] = {
    "unknown keys": lambda: {f"{n}": n for n in range(MOST_VALUES - 9)},
    "empty stages": lambda: {**PLAN, "stages": [{}] * (MOST_VALUES // 2 - 9)},
    "stages": lambda: {**PLAN, "stages": [STAGE] * (MOST_VALUES // 4)},
    "guardrails": lambda: {**PLAN, "guardrails": [{"signal": "error"}] * (MOST_VALUES // 4)},
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_plan_is_refused_at_little_cost(name: str) -> None:
    body = json.dumps(LARGE[name]()).encode()
    begun = time.process_time()
    with pytest.raises(CollectorError) as refused:
        parse(RolloutDocument, body)
    assert time.process_time() - begun < 1
    assert len(str(refused.value)) < 2_000


@pytest.mark.parametrize("value", [[], {}, None, 1, "x"])
def test_a_release_of_too_many_values_is_refused_at_little_cost(value: object) -> None:
    body = json.dumps({"values": {f"{n}": value for n in range(MOST_VALUES // 2 - 9)}}).encode()
    begun = time.process_time()
    with pytest.raises(CollectorError, match="allowed are 10,000"):
        parse(ValuesDocument, body)
    assert time.process_time() - begun < 1


def test_shares_beyond_any_number_are_refused() -> None:
    with pytest.raises(CollectorError):
        parse(RolloutDocument, json.dumps({**PLAN, "stages": [{**STAGE, "share": 1e308}]}).encode())


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        (RolloutPlan("shop", 2, "", stages=(Stage(500, 1e308),)), "stages: least_seconds"),
        (RolloutPlan("shop", 2, "", stages=(Stage(500, float("nan")),)), "stages: least_seconds"),
        (RolloutPlan("shop", 2, "", feedback_delay_seconds=1e308), "feedback_delay_seconds"),
        (RolloutPlan("shop", 2, "", feedback_delay_seconds=-1.0), "feedback_delay_seconds"),
        (RolloutPlan("shop", 2, "", cap_seconds=float("inf")), "cap_seconds"),
        (RolloutPlan("shop", 2, "", Metric("m", lowest=-1.7e308, highest=1.7e308)), "metric"),
        (RolloutPlan("shop", 2, "", guardrails=(Guardrail(Signal.ERROR),) * 2), "more than once"),
        (RolloutPlan("shop", 2, "", targeting="x" * 4_000_000), "targeting: found a name of 4000000 characters"),
        (RolloutPlan("shop", 2, "", least_units=-1), "least_units: found -1"),
        (RolloutPlan("shop", 2, "", least_units=10**30), "least_units: found 1000"),
        (RolloutPlan("shop", 2, "", least_units_to_abort=0), "least_units_to_abort: found 0"),
        (RolloutPlan("shop", 2, "", guardrails=(Guardrail(Signal.ERROR, 5.0),)), "error: found the bound 5, it takes"),
        (RolloutPlan("shop", 2, "", guardrails=(Guardrail(Signal.COST, -1.0),)), "cost: found the bound -1"),
        (RolloutPlan("shop", 2, "", Metric("")), "metric: found a name of 0 characters"),
    ],
)
def test_what_the_comparison_could_not_reckon_with_is_a_fault(plan: RolloutPlan, fault: str) -> None:
    assert any(fault in one for one in plan.faults())
