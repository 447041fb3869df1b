"""Scores the graphs of the recorded workflows.

    python -m benchmarks.dataflow [FOLDER] [-v]

A row for each workflow, then the totals and the means over workflows as JSON, of those that rules
were made for, of those that are held out, of all. `benchmarks/dataflow/score.py` says how
it counts; -v says what is missing or wrong.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.dataflow.capture import FOLDER, Capture, load, names
from benchmarks.dataflow.family import Tree
from benchmarks.dataflow.score import across, score
from benchmarks.dataflow.split import FAMILY, is_held_out
from collector.graph.builder import build

COLUMNS = (
    ("flow", "flow found", "flow"),
    ("hard", "hard found", "hard"),
    ("across", "across found", "across"),
    ("back", "back found", "back"),
    ("false", "false", "ruled out"),
    ("precision", "right", "said"),
    ("parameters", "parameter found", "parameter"),
    ("trainable", "trainable found", "trainable"),
    ("final", "final found", "final"),
    ("exceptions", "exception found", "exception"),
)

PARTS: Mapping[str, Callable[[str], bool]] = {
    "": FAMILY.__contains__,
    " that rules were made for": lambda name: not is_held_out(name),
    " that are held out": is_held_out,
}
"""Recordings by their names: all, and those of the two sides of `benchmarks.dataflow.split`."""


def scored(capture: Capture, off: Sequence[str] = ()) -> tuple[Counter[str], Counter[str]]:
    """The counts over the traces of a workflow, and how often each thing is missing or wrong."""
    counts: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    for truth in capture.truth["traces"]:
        trace_id = truth["trace_id"]
        spans = capture.spans_of(trace_id)
        graph = build(trace_id, spans, {}, {}, (), capture.records_of(trace_id), off)
        found, said = score(truth, graph, Tree(spans))
        counts.update(found)
        notes.update(said)
    if any(truth.get("cross_trace_edges") for truth in capture.truth["traces"]):
        whole, tree = build("", capture.spans, {}, {}, (), capture.records), Tree(capture.spans)
        for truth in capture.truth["traces"]:
            found, said = across(truth, whole, tree)
            counts.update(found)
            notes.update(said)
    return counts, notes


def ratios(rows: list[Counter[str]]) -> dict[str, object]:
    """Totals, and the mean over workflows, so that none with many traces hides another."""
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row)
    summary: dict[str, object] = {}
    for name, found, of in COLUMNS:
        having = [row[found] / row[of] for row in rows if row[of]]
        summary[name] = round(total[found] / total[of], 4) if total[of] else None
        summary[f"{name} (mean)"] = round(sum(having) / len(having), 4) if having else None
    return {**summary, "extra parameters": total["extra"], "false edges": total["false"]}


def table() -> list[str]:
    """The scores as rows of Markdown, the means last."""
    rows = [(load(name), *scored(load(name))) for name in names()]
    lines = [
        f"| workflow | instrumentation | {' | '.join(name for name, _, _ in COLUMNS)} | extra |",
        "| --- | --- |" + " ---: |" * (len(COLUMNS) + 1),
    ]
    for capture, counts, _ in rows:
        cells = [f"{counts[found]}/{counts[of]}" if counts[of] else "" for _, found, of in COLUMNS]
        convention = str(capture.truth.get("convention", ""))
        lines.append(f"| {capture.name} | {convention} | {' | '.join(cells)} | {counts['extra']} |")
    for part, kept in PARTS.items():
        counted = [counts for capture, counts, _ in rows if kept(capture.name)]
        means = ratios(counted)
        cells = ["" if (mean := means[f"{name} (mean)"]) is None else f"{mean:.3f}" for name, _, _ in COLUMNS]
        extra = f"{means['extra parameters']} in all"
        lines.append(f"| **mean of {len(counted)} workflows{part}** | | {' | '.join(cells)} | {extra} |")
    return lines


def main() -> None:
    """Prints the scores."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dataflow", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("-v", "--verbose", action="store_true", help="say what is missing or wrong")
    arguments = parser.parse_args()
    rows = {}
    print(f"{'workflow':44}" + "".join(f"{name:>12}" for name, _, _ in COLUMNS) + f"{'extra':>8}")
    for name in names(arguments.folder):
        counts, notes = scored(load(name, arguments.folder))
        rows[name] = counts
        cells = [f"{counts[found]}/{counts[of]}" if counts[of] else "-" for _, found, of in COLUMNS]
        print(f"{name:44}" + "".join(f"{cell:>12}" for cell in cells) + f"{counts['extra']:>8}")
        for note, times in notes.most_common() if arguments.verbose else ():
            print(f"    {times} × {note}")
    for part, kept in PARTS.items():
        counted = [counts for name, counts in rows.items() if name in FAMILY and kept(name)]
        if part and counted:
            print(json.dumps({"part": f"{len(counted)} recordings{part}", **ratios(counted)}))
    print(json.dumps(ratios([*rows.values()])))


if __name__ == "__main__":
    main()
