"""A short real study with whatever model the environment names."""

import pytest

from benchmarks.optimizers.endpoint import MISSING, options
from benchmarks.optimizers.studies import numbers


@pytest.mark.real_llm
async def test_a_real_model_optimizes_two_numbers() -> None:
    """No claim about its wits: what it says is read, becomes trials that are all new, and is on the bill."""
    if options() is None:
        pytest.skip(MISSING)
    outcome = await numbers(0, 4, loud=False)
    answers, read, _ = outcome.rates()
    tried = [tuple(sorted(trial.values.items())) for trial in outcome.trials]
    assert len(set(tried)) == len(tried) > 1
    assert read >= answers * 0.9
    assert all(trial.cost.calls >= 1 and trial.cost.seconds > 0 for trial in outcome.trials[1:])
