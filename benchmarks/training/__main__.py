"""Prints the lines of docs/train.md: ``python -m benchmarks.training [--seeds 5] [--calls 10]``.

The task's model and the optimizer's are the endpoint that the environment names (docs/llm.md): 20 sentences to learn
from, all of which decide who goes on; training ends when 17 are right, or the calls are used up. 10 sentences are the
test part.
"""

import argparse
import sys
import time

import otel_opto
from benchmarks.optimizers.endpoint import MISSING, answer, options
from benchmarks.optimizers.tasks import HELD_OUT, INSTRUCTION, SENTENCES

_TARGET = 17

prompt = otel_opto.parameter(
    "prompt", default=str(INSTRUCTION.default), max_length=500, description=INSTRUCTION.description
)


@otel_opto.node
def chat(text: str) -> str:
    """The model's answer."""
    return answer(prompt.value, text)


@otel_opto.node
def classify(text: str) -> str:
    """The workflow."""
    return chat(text)


def judge(said: str, label: str) -> tuple[float, str]:
    """Right where the answer is the label and nothing else."""
    right = said == label
    return float(right), "right" if right else f"wrong: the answer was {said!r}, expected exactly {label!r}"


def main() -> int:
    """One line for each seed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=10)
    arguments = parser.parse_args()
    told = options()
    if told is None:
        sys.stderr.write(f"{MISSING}\n")
        return 2
    for seed in range(1, arguments.seeds + 1):
        begun = time.monotonic()
        report = otel_opto.train(
            classify,
            SENTENCES,
            judge,
            optimizer="optoprime",
            options={**told, "max_calls": arguments.calls},
            validation=0.0,
            test=HELD_OUT,
            instruction="The program must say the sentiment of the text.",
            target=_TARGET / 20,
            rounds=arguments.calls,
            patience=arguments.calls,
            workers=1,
            seed=seed,
        )
        right = round((report.rows[report.best].train.mean or 0.0) * 20)
        held = round((report.test[report.best].mean or 0.0) * 10) if report.test else 0
        sys.stdout.write(
            f"seed {seed}: {right} of 20, {held} of 10 on the test part, {report.cost.calls} calls, "
            f"{report.evaluations} examples run, {time.monotonic() - begun:.0f} s: {report.values['prompt']!r}; "
            f"{report.verdict}\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
