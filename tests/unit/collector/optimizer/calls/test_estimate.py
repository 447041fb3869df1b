"""What a study will take."""

from dataclasses import replace

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


def test_critics_are_called_before_the_drafts_by_the_first_model() -> None:
    plain = {"model": "m", "max_prompt_chars": 4_000, "input_price": 1.0, "output_price": 0.0}
    found = estimate_of(replace(study(**plain), optimizer="textgrad"))
    assert found.calls == 10 * (1 + 2 * 12)
    assert found.tokens == 10 * (1_300 + 24 * (1_200 + 150))
    assert found.money == pytest.approx(10 * (1_000 + 24 * 1_200) / 1e6)
    fewer = replace(study(**plain, examples=1, max_edges=3, max_calls=9, candidates=2), optimizer="textgrad")
    assert (estimate_of(fewer).candidates, estimate_of(fewer).calls) == (2, 5)


def test_what_only_a_run_can_say_is_said_to_be_unknown() -> None:
    found = estimate_of(replace(study(model="m", algorithm="textgrad"), optimizer="trace_opt"))
    assert "beside that each draft makes a call for each edge of the runs that it sees" in found.words()
    assert not estimate_of(replace(study(model="m"), optimizer="trace_opt")).unknown


def test_a_cap_on_calls_does_not_end_the_search_of_a_hybrid() -> None:
    found = estimate_of(replace(study(model="m", max_calls=2), optimizer="hybrid"))
    assert (found.candidates, found.calls, found.warning) == (10, 2, "")
    assert found.limit == "max_trials; option max_calls ends what the model writes, and the search goes on"
