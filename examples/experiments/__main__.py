"""``python -m examples.experiments NAME``: runs an experiment, or goes on with it."""

import argparse
import datetime as dt
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from examples.experiments.frame.conduct import Conduct
from examples.experiments.frame.estimate import estimated
from examples.experiments.frame.experiment import Budget, Form, experiment, names
from examples.experiments.frame.machine import words
from examples.experiments.frame.results import Results
from examples.experiments.frame.wire import Wire

RESULTS = Path(__file__).with_name("results")
_CACHE = Path(".experiments")


def main(arguments: Sequence[str]) -> int:
    """The command."""
    said = _parser().parse_args(arguments)
    if bool(said.endpoint) != bool(said.model):
        sys.stderr.write("--endpoint and --model go together: the address and the model's name there\n")
        return 2
    form = Form.MINUTE if said.minute else Form.FULL if said.full else Form.SHORT
    wanted = experiment(said.name)
    if said.estimate:
        budget = wanted.budgets[form]
        kept = Results((said.results or RESULTS) / f"{wanted.name}.jsonl").lines
        for line in estimated(wanted, Budget(said.seeds or budget.seeds, budget.calls), kept):
            _told(line)
        return 0
    with ExitStack() as stack:
        folder = said.results
        if folder is None and form is Form.MINUTE:  # a test of the machinery, nothing to keep
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="otel-opto-experiment-")))
        folder = folder or RESULTS
        answers = _CACHE if folder == RESULTS else folder
        wire = None
        if said.endpoint:
            wire = stack.enter_context(Wire(said.endpoint, said.model, answers / f"{wanted.name}.answers.jsonl"))
        conduct = Conduct(
            form,
            said.seeds,
            words(),
            lambda: dt.datetime.now(dt.UTC).date().isoformat(),
            _told,
            tuple(filter(None, said.methods.split(","))),
            tuple(filter(None, said.problems.split(","))),
        )
        try:
            conduct.carried_out(wanted, Results(folder / f"{wanted.name}.jsonl"), wire)
        except ConnectionError as error:
            sys.stderr.write(f"{error}\nnothing was kept of that; the same command goes on once the model answers\n")
            return 1
    return 0


def _told(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/experiment", description="Runs an experiment, or goes on with it.")
    parser.add_argument("name", choices=names())
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--full", action="store_true", help="as long as it takes, instead of minutes")
    length.add_argument("--minute", action="store_true", help="a minute, to see that it runs; nothing is kept")
    parser.add_argument("--estimate", action="store_true", help="only says what it would take")
    parser.add_argument("--seeds", type=int, default=0, help="how many; else as the experiment says")
    parser.add_argument("--endpoint", default=os.environ.get("OPENAI_BASE_URL", ""), help="OpenAI-compatible base URL")
    parser.add_argument("--model", default=os.environ.get("OTEL_OPTO_EXPERIMENT_MODEL", ""), help="its name there")
    parser.add_argument("--methods", default="", help="only these, with commas between")
    parser.add_argument("--problems", default="", help="only these, with commas between")
    parser.add_argument("--results", type=Path, help="another folder for what is kept")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
