"""Prints the table of docs/llm.md: ``python -m benchmarks.optimizers [sentiment] [numeric] [--seeds 5] [--calls 10]``.

The endpoint stands in OTEL_OPTO_TEST_LLM_BASE_URL and OTEL_OPTO_TEST_LLM_MODEL; its model is the optimizer, and on the
sentences the task's model, too.
"""

import argparse
import asyncio
import json

from benchmarks.optimizers.endpoint import MISSING, options
from benchmarks.optimizers.studies import numbers, words_of


async def main() -> None:
    """Runs what is asked for, one study after another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", default=["sentiment", "numeric"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=10, help="calls, and trials, of one study")
    parser.add_argument("--loud", action="store_true", help="say each trial")
    parser.add_argument("--answers", action="store_true", help="say each answer")
    given = parser.parse_args()
    if options() is None:
        raise SystemExit(MISSING)
    for task in given.tasks:
        run, reached, answers, read, copies = (words_of if task == "sentiment" else numbers), 0, 0, 0, 0
        for seed in range(given.seeds):
            outcome = await run(seed, given.calls, loud=given.loud)
            reached += outcome.reached
            rates = outcome.rates()
            answers, read, copies = answers + rates[0], read + rates[1], copies + rates[2]
            print(f"{task} seed {seed}: {outcome.words}", flush=True)
            if given.answers:
                print(json.dumps(outcome.heard.texts, indent=1), flush=True)
        print(f"{task}: {reached} of {given.seeds} seeds; {answers} answers, {read} read, {copies} repeats")


asyncio.run(main())
