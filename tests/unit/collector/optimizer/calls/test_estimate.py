"""What a study will take."""

import pytest

from collector.core.study import Study
from collector.optimizer.calls.estimate import estimate_of


def study(max_trials: int = 10, **options: object) -> Study:
    return Study("s", "shop", "q", batch_size=5, max_trials=max_trials, optimizer_options=options)  # type: ignore[arg-type]


def test_without_a_model_it_is_judged_outputs_alone() -> None:
    found = estimate_of(study())
    assert found.words() == "baseline + 10 candidates, about 55 judged outputs; what ends it is max_trials"
    assert not found.warning


def test_with_a_model_it_is_calls_and_tokens_and_money_too() -> None:
    found = estimate_of(study(model="m", max_prompt_chars=4_000, input_price=1.0, output_price=10.0))
    assert found.words() == (
        "baseline + 10 candidates, about 55 judged outputs, about 10 calls of models, at most about 13,000 tokens, "
        "at most about 0.04 in the unit of the prices; what ends it is max_trials"
    )


@pytest.mark.parametrize(
    ("options", "candidates", "limit"),
    [
        ({"max_calls": 4}, 4, "option max_calls"),
        ({"max_calls": 9, "candidates": 4}, 8, "option max_calls"),
        ({"max_study_tokens": 10_000}, 2, "option max_study_tokens"),
        ({"max_money": 0.1, "input_price": 1.0, "output_price": 1.0}, 10, "max_trials"),
        ({"max_money": 0.02, "prices": {"m": [1.0, 1.0]}}, 4, "option max_money"),
    ],
)
def test_a_cap_ends_it_earlier(options: dict[str, object], candidates: int, limit: str) -> None:
    found = estimate_of(study(model="m", **options))
    assert (found.candidates, found.limit) == (candidates, limit)


def test_too_few_candidates_are_warned_of() -> None:
    assert estimate_of(study(model="m", max_calls=2)).warning == (
        "only 2 candidates can be tried, a study wants 3 at least; raise option max_calls"
    )
    assert "raise max_trials" in estimate_of(study(2)).warning


def test_several_models_are_added_up() -> None:
    found = estimate_of(study(models={"small": 3, "large": 1}, prices={"large": [10.0, 10.0]}, max_prompt_chars=4_000))
    assert (found.calls, found.candidates) == (12, 10)
    assert found.money == pytest.approx(3 * 1_300 * 10 / 1e6)


def test_options_that_are_not_allowed_count_as_not_given() -> None:
    wrong = study(model="m", max_prompt_chars="long", prices=3, max_calls="many", candidates=99)
    assert estimate_of(wrong) == estimate_of(study(model="m"))
