"""Prints one table: ``python -m benchmarks.graph [--sizes 10,1000] [--trace-opt PYTHON]``.

Every case runs in a process of its own, one after the other. `trace-opt` is an optional peer: its column is filled
where the interpreter that is named has the package (with `litellm` and `black`, which its optimizers import).
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.graph.shapes import SHAPES

_COLUMNS = (
    "shape", "N", "decode ms", "assemble ms", "subgraph ms", "assemble + subgraph ms", "heap kept B/span",
    "heap peak B/span", "trace-opt backward + summarise ms",
)  # fmt: skip
_ROUNDS_FOR = 20_000
"""So many spans are measured again and again in all, once at least and `_MOST_ROUNDS` times at most."""

_MOST_ROUNDS = 15
_ENVIRONMENT = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
"""Without it the import of litellm asks the network for prices."""


class Peer:
    """`trace-opt` in another interpreter; given up for a shape at the first size that takes too long."""

    def __init__(self, python: str, limit_seconds: float) -> None:
        self._python = python
        self._limit = limit_seconds
        self._lost: dict[str, str] = {}
        command = [python, "-c", "import opto.optimizers.optoprime"]
        found = subprocess.run(command, capture_output=True, check=False, env=_ENVIRONMENT)
        self.installed = found.returncode == 0

    def cell(self, shape: str, size: int) -> str:
        """Milliseconds, or why there are none."""
        if not self.installed:
            return "not installed"
        if shape not in self._lost:
            try:
                backward, summarise = _case(self._python, "benchmarks.graph.peer", [shape, str(size)], self._limit)
            except subprocess.TimeoutExpired:
                self._lost[shape] = f"not done in {self._limit:.0f} s"
            else:
                return f"{backward + summarise:,.1f}"
        return self._lost[shape]


def _case(python: str, module: str, arguments: Sequence[str], limit: float | None = None) -> Sequence[float]:
    command = [python, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit, env=_ENVIRONMENT)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-2_000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return [float(figure) for figure in (answer.values() if isinstance(answer, dict) else answer)]


def main() -> None:
    """Runs all cases."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.graph", description=__doc__)
    options.add_argument("--shapes", default=",".join(SHAPES))
    options.add_argument("--sizes", default="10,100,1000,10000,100000")
    options.add_argument("--trace-opt", metavar="PYTHON", default=sys.executable, help="an interpreter that has it")
    options.add_argument("--limit", type=float, default=60.0, metavar="SECONDS", help="of one trace-opt case")
    given = options.parse_args()
    peer = Peer(given.trace_opt, given.limit)
    if not peer.installed:
        sys.stderr.write(f"trace-opt cannot be imported by {given.trace_opt}: its column stays empty\n")
    _row(_COLUMNS)
    _row(["---", *["---:"] * (len(_COLUMNS) - 1)])
    for shape in given.shapes.split(","):
        for size in map(int, given.sizes.split(",")):
            rounds = max(1, min(_MOST_ROUNDS, _ROUNDS_FOR // size))
            decode, build, subgraph, kept, peak = _case(
                sys.executable, "benchmarks.graph.ours", [shape, str(size), str(rounds)]
            )
            figures = [f"{ms:,.2f}" for ms in (decode, build, subgraph, build + subgraph)]
            _row([shape, f"{size:,}", *figures, f"{kept:,.0f}", f"{peak:,.0f}", peer.cell(shape, size)])


def _row(cells: Sequence[str]) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
