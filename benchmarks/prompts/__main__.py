"""Prints one table: ``python -m benchmarks.prompts [--sizes 16,100] [--trace-opt PYTHON [--path FOLDER]]``.

Characters of the part of the prompt that shows the problem, with room for everything, so that both sides say all that
they know. `trace-opt` is an optional peer: its columns are filled where the interpreter that is named has the package
(with `litellm` and `black`, which its optimizers import); a folder puts another version of it first.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.prompts.problems import Problem, of_captures, of_shapes
from collector.optimizer.instance.problem import Budget, problem

_ROOM = 100_000_000
_ENVIRONMENT = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
"""Without it the import of litellm asks the network for prices."""


def ours(one: Problem) -> int:
    """Characters of our side."""
    return len(problem(one.request(), Budget(_ROOM, 1)))


def theirs(problems: Sequence[Problem], python: str, folder: str) -> list[list[int]]:
    """Characters of each version on the other side, for each problem; nothing where it is not installed."""
    path = os.pathsep.join(filter(None, [folder, _ENVIRONMENT.get("PYTHONPATH", "")]))
    lines = "".join(json.dumps(one.plain()) + "\n" for one in problems)
    done = subprocess.run(
        [python, "-m", "benchmarks.prompts.peer"], input=lines, capture_output=True, text=True, check=False,
        env={**_ENVIRONMENT, "PYTHONPATH": path},
    )  # fmt: skip
    sys.stderr.write(done.stderr[-500:])
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return found if len(found) == len(problems) else [[] for _ in problems]


def main() -> None:
    """Runs all cases."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.prompts", description=__doc__)
    options.add_argument("--sizes", default="16,100")
    options.add_argument("--trace-opt", metavar="PYTHON", default=sys.executable, help="an interpreter that has it")
    options.add_argument("--path", default="", metavar="FOLDER", help="where another version of it is")
    given = options.parse_args()
    problems = [*of_shapes(tuple(map(int, given.sizes.split(","))), 1_000), *of_captures()]
    columns: list[list[float]] = [[], []]
    _row(["case", "nodes", "characters", "V1", "V2", "of V1", "of V2"])
    _row(["---", *["---:"] * 6])
    for one, peers in zip(problems, theirs(problems, given.trace_opt, given.path), strict=True):
        mine = ours(one)
        parts = [mine / peer if peer else 0.0 for peer in peers]
        for place, part in enumerate(parts):
            columns[place] += [part] if part else []
        cells = [f"{peer:,}" if peer else "" for peer in peers] + [""] * (2 - len(peers))
        shown = [f"{part:.2f}" if part else "" for part in parts] + [""] * (2 - len(parts))
        _row([one.name, str(len(one.graph.nodes)), f"{mine:,}", *cells, *shown])
    middle = [f"{statistics.median(column):.2f}" if column else "" for column in columns]
    _row(["median", "", "", "", "", *middle])


def _row(cells: Sequence[str]) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
