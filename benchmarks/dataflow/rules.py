"""What each rule is worth on the recorded workflows.

    python -m benchmarks.dataflow.rules [--write]

Of a rule's edges between operations that do not contain each other, those that true edges explain, on the recordings
that rules were made for and on those that are held out; on how many families there are any; and how much of the flow is
lost without it, on the recordings as they came and with their values cut. --write keeps the figures for docs/graph.md
beside this module.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.dataflow.__main__ import ratios, scored
from benchmarks.dataflow.capture import Capture, load, names
from benchmarks.dataflow.damage import DAMAGES
from benchmarks.dataflow.family import Tree
from benchmarks.dataflow.score import FLOWS, explained
from benchmarks.dataflow.split import HELD_OUT, family_of
from collector.graph.builder import build
from collector.graph.rules import RULES

CUT: Final = "values cut at 300 characters"
SHOWN: Final = 0.0005
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
    cut = [DAMAGES[CUT](capture) for capture in captures]
    families: dict[str, set[str]] = {}
    tuned: Counter[tuple[str, bool]] = Counter()
    held: Counter[tuple[str, bool]] = Counter()
    for capture in captures:
        counts = said(capture)
        (held if capture.name in HELD_OUT else tuned).update(counts)
        for rule, right in counts:
            if right:
                families.setdefault(rule, set()).add(family_of(capture.name))
    whole, whole_cut = _flow(captures), _flow(cut)
    found = {}
    for rule in RULES:
        found[rule.name] = {
            "tuned": tuned[rule.name, True] + tuned[rule.name, False],
            "tuned right": tuned[rule.name, True],
            "held": held[rule.name, True] + held[rule.name, False],
            "held right": held[rule.name, True],
            "families": len(families.get(rule.name, ())),
            "lost": round(whole - _flow(captures, (rule.name,)), 4),
            "lost cut": round(whole_cut - _flow(cut, (rule.name,)), 4),
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
    heads = ("rule", "origin", "confidence", "true, made for", "true, held out", "families", "lost", "lost, cut", "why")
    lines = [f"| {' | '.join(heads)} |", "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"]
    for rule in RULES:
        one = kept.get(rule.name, {})
        cells = [
            f"{one[f'{where} right']:g} of {one[where]:g}" if one.get(where) else "" for where in ("tuned", "held")
        ]
        cells.append(f"{one['families']:g}" if one.get("families") else "")
        cells += [f"{one[key]:.3f}" if abs(one.get(key, 0)) >= SHOWN else "" for key in ("lost", "lost cut")]
        shown = (f"`{rule.name}`", f"`{rule.origin.value}`", f"{rule.confidence:g}", *cells, rule.why)
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
