"""What each rule is worth on the recorded workflows.

    python -m benchmarks.dataflow.rules [--write]

Of a rule's edges between operations that do not contain each other, those that true edges explain, on the recordings
that rules were made for and on those that are held out; and how much of the flow is lost without it. --write
keeps the figures for docs/graph.md beside this module.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.dataflow.__main__ import ratios, scored
from benchmarks.dataflow.capture import Capture, load, names
from benchmarks.dataflow.family import Tree
from benchmarks.dataflow.score import FLOWS, explained
from benchmarks.dataflow.split import HELD_OUT
from collector.graph.builder import build
from collector.graph.rules import RULES

KEPT: Final = Path(__file__).with_name("rules.json")


def said(capture: Capture) -> Counter[tuple[str, bool]]:
    """Edges by rule and whether they are true."""
    counts: Counter[tuple[str, bool]] = Counter()
    for truth in capture.truth["traces"]:
        spans = capture.spans_of(truth["trace_id"])
        graph = build(truth["trace_id"], spans, {}, {}, (), capture.records_of(truth["trace_id"]))
        tree = Tree(spans)
        for edge in graph.edges:
            source, target = (one.removeprefix("span:") for one in (edge.source, edge.target))
            if edge.origin in FLOWS and source in tree.names and not tree.nested(source, target):
                counts[edge.rule, explained(truth, source, target, tree)] += 1
    return counts


def figures() -> dict[str, dict[str, float]]:
    """By rule."""
    captures = [load(name) for name in names()]
    tuned: Counter[tuple[str, bool]] = Counter()
    held: Counter[tuple[str, bool]] = Counter()
    for capture in captures:
        (held if capture.name in HELD_OUT else tuned).update(said(capture))
    whole = _flow(captures)
    found = {}
    for rule in RULES:
        found[rule.name] = {
            "tuned": tuned[rule.name, True] + tuned[rule.name, False],
            "tuned right": tuned[rule.name, True],
            "held": held[rule.name, True] + held[rule.name, False],
            "held right": held[rule.name, True],
            "lost": round(whole - _flow(captures, (rule.name,)), 4),
        }
    return found


def _flow(captures: Sequence[Capture], off: Sequence[str] = ()) -> float:
    summary = ratios([scored(capture, off)[0] for capture in captures])
    flow, hard = summary["flow (mean)"], summary["hard (mean)"]
    assert isinstance(flow, float)
    assert isinstance(hard, float)
    return (9 * flow + hard) / 10


def table() -> list[str]:
    """The kept figures as rows of Markdown."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    lines = ["| rule | origin | confidence | true, made for | true, held out | lost without | why |"]
    lines.append("| --- | --- | ---: | ---: | ---: | ---: | --- |")
    for rule in RULES:
        one = kept.get(rule.name, {})
        cells = [
            f"{one[f'{where} right']:g} of {one[where]:g}" if one.get(where) else "" for where in ("tuned", "held")
        ]
        lost = f"{one['lost']:.3f}" if one.get("lost") else ""
        shown = (f"`{rule.name}`", f"`{rule.origin.value}`", f"{rule.confidence:g}", *cells, lost, rule.why)
        lines.append(f"| {' | '.join(shown)} |")
    return lines


def main() -> None:
    """Prints the figures, or keeps them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dataflow.rules", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"to {KEPT.name}")
    text = json.dumps(figures(), indent=1) + "\n"
    if parser.parse_args().write:
        KEPT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
