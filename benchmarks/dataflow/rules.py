"""What each rule is worth on the recorded workflows.

    python -m benchmarks.dataflow.rules [--write]

Of a rule's edges those that the truth explains, on the recordings that rules were made for, on those that are held
out, and on all with their values cut; on how many families there are any; and how much of the flow is lost without it.
From that the confidence that a rule may claim. --write keeps the figures for docs/graph.md beside this module.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.dataflow.__main__ import ratios, scored
from benchmarks.dataflow.capture import Capture, load, names
from benchmarks.dataflow.damage import DAMAGES
from benchmarks.dataflow.family import Tree
from benchmarks.dataflow.score import Truth, explained
from benchmarks.dataflow.split import FAMILY, is_held_out
from collector.core.graph import Edge, EdgeOrigin
from collector.graph.builder import build
from collector.graph.rules import RULES

CUT: Final = "values cut at 300 characters"
SHOWN: Final = 0.0005
KEPT: Final = Path(__file__).with_name("rules.json")

ENOUGH: Final = 10
"""Edges on what is held out; with fewer all recordings count, then all that were cut."""

UNPROVEN: Final = 0.3
"""Of a rule of which no recording has an edge: below the least confidence that optimizers are shown by default."""

Z: Final = 1.96
"""Of an interval of 95 %."""

Told = Counter[tuple[str, bool]]
"""Edges by rule and whether they are true."""


def said(capture: Capture) -> Told:
    """What the graphs of a recording say between operations that do not contain each other."""
    counts: Told = Counter()
    for truth in capture.truth["traces"]:
        spans = capture.spans_of(truth["trace_id"])
        graph = build(truth["trace_id"], spans, {}, {}, (), capture.records_of(truth["trace_id"]))
        tree = Tree(spans)
        for edge in graph.edges:
            if edge.source.startswith("span:") and (right := _is_true(truth, edge, tree)) is not None:
                counts[edge.rule, right] += 1
    return counts


def _is_true(truth: Truth, edge: Edge, tree: Tree) -> bool | None:
    """Whether the truth has an edge; None where it does not say: of results only some are followed."""
    source, target = (one.removeprefix("span:") for one in (edge.source, edge.target))
    if edge.origin is EdgeOrigin.CALL or tree.nested(source, target):
        return None
    sources, targets = tree.family(source, target), tree.family(target, source)
    for one in (truth.get("control_edges") or ()) if edge.origin is EdgeOrigin.CONTROL else ():
        ends = [(one.get(f"{end}_span_id"), one.get(end)) for end in ("producer", "consumer")]
        if all(
            span_id in among or name in {tree.names[member] for member in among}
            for (span_id, name), among in zip(ends, (sources, targets), strict=True)
        ):
            return True
    return explained(truth, source, target, tree)


def lowest(right: int, of: int) -> float:
    """The lower end of Wilson's interval for a share."""
    if not of:
        return 0.0
    share, spread = right / of, Z * Z / of
    around = Z * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return (share + spread / 2 - around) / (1 + spread)


def confidence(figures: Mapping[str, float]) -> float:
    """What a rule may claim, in steps of 0.05: the lower end over what is held out, if that is enough."""
    for where in ("held", "all", "cut"):
        of = int(figures.get(where, 0))
        if of >= (ENOUGH if where == "held" else 1):
            return math.floor(20 * lowest(int(figures[f"{where} right"]), of)) / 20
    return UNPROVEN


def figures() -> dict[str, dict[str, float]]:
    """By rule."""
    captures = [load(name) for name in names()]
    cut = [DAMAGES[CUT](capture) for capture in captures]
    families: dict[str, set[str]] = {}
    told: dict[str, Told] = {where: Counter() for where in ("tuned", "held", "cut")}
    for capture, short in zip(captures, cut, strict=True):
        counts = said(capture)
        told["held" if is_held_out(capture.name) else "tuned"].update(counts)
        told["cut"].update(said(short))
        for rule, right in counts:
            if right:
                families.setdefault(rule, set()).add(FAMILY[capture.name])
    told["all"] = told["tuned"] + told["held"]
    whole, whole_cut = _flow(captures), _flow(cut)
    found: dict[str, dict[str, float]] = {}
    for rule in RULES:
        one: dict[str, float] = {}
        for where, counts in told.items():
            one[where] = counts[rule.name, True] + counts[rule.name, False]
            one[f"{where} right"] = counts[rule.name, True]
        one["families"] = len(families.get(rule.name, ()))
        one["lost"] = round(whole - _flow(captures, (rule.name,)), 4)
        one["lost cut"] = round(whole_cut - _flow(cut, (rule.name,)), 4)
        found[rule.name] = one
    return found


def _flow(captures: Sequence[Capture], off: Sequence[str] = ()) -> float:
    summary = ratios([scored(capture, off)[0] for capture in captures])
    flow, hard = summary["flow (mean)"], summary["hard (mean)"]
    assert isinstance(flow, float)
    assert isinstance(hard, float)
    return (9 * flow + hard) / 10


def kept() -> Mapping[str, Mapping[str, float]]:
    """The figures that were kept last."""
    found: Mapping[str, Mapping[str, float]] = json.loads(KEPT.read_text(encoding="utf-8"))
    return found


def table() -> list[str]:
    """The kept figures as rows of Markdown."""
    of_rule = kept()
    parts = ("tuned", "held", "cut")
    heads = ("rule", "origin", "confidence", "true, made for", "true, held out", "true, all cut", "families", "lost",
             "lost, cut", "why")  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", f"| --- | --- |{' ---: |' * 7} --- |"]
    for rule in RULES:
        one = of_rule.get(rule.name, {})
        cells = [f"{one[f'{where} right']:g} of {one[where]:g}" if one.get(where) else "" for where in parts]
        cells.append(f"{one['families']:g}" if one.get("families") else "")
        cells += [f"{one[key]:.3f}" if abs(one.get(key, 0)) >= SHOWN else "" for key in ("lost", "lost cut")]
        shown = (f"`{rule.name}`", f"`{rule.origin.value}`", f"{rule.confidence:g}", *cells, rule.why)
        lines.append(f"| {' | '.join(shown)} |")
    return lines


def main() -> None:
    """Prints the figures, or keeps them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dataflow.rules", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"to {KEPT.name}")
    found = figures()
    text = json.dumps(found, indent=1) + "\n"
    if parser.parse_args().write:
        KEPT.write_text(text, encoding="utf-8")
    for name, one in found.items():
        print(f"{name:14} {confidence(one):.2f} {one}")


if __name__ == "__main__":
    main()
