"""What an experiment would take, by what was kept of earlier runs: before anything is asked."""

from collections.abc import Iterator, Sequence

from examples.experiments.frame.experiment import Budget, Experiment
from examples.experiments.frame.results import Line


def estimated(experiment: Experiment, budget: Budget, lines: Sequence[Line]) -> Iterator[str]:
    """A line for each method that asks a model: tokens of all its runs, by the mean of a candidate so far.

    Args:
        experiment: To be run.
        budget: With the seeds that are wanted.
        lines: What is kept, of whatever model: prompts are of the same length for all.
    """
    runs = budget.seeds * len(experiment.problems)
    total = 0.0
    asking = [method for method in experiment.methods if method.needs == "model"]
    if not asking:
        yield "no method asks a model"
        return
    for method in asking:
        ends = [line for line in lines if line.part == "end" and line.method == method.name and line.call]
        if not ends:
            yield f"{method.name}: {runs} runs of {budget.calls} candidates; no run is kept to say what one takes"
            continue
        candidates = sum(line.call for line in ends)
        tokens = sum(line.tokens + line.task_tokens for line in ends) / candidates * budget.calls * runs
        total += tokens
        said = f"about {tokens:,.0f} tokens (from {len(ends)} kept)"
        yield f"{method.name}: {runs} runs of {budget.calls} candidates, {said}"
    if total:
        yield f"in all about {total:,.0f} tokens, by the runs that are kept; longer forms have longer prompts"
