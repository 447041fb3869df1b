"""The plot of an experiment, by matplotlib: the best score so far by candidate, a mean over seeds with its interval."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from examples.experiments.frame.experiment import Experiment
from examples.experiments.frame.summary import Row

_MARK = "<!-- made of "
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999", "#8b6d31")
"""Okabe and Ito's, which most people can tell apart."""
_LINES = ("-", "--", "-.", ":")


def svg(experiment: Experiment, tables: Mapping[str, Mapping[str, Row]], digest: str) -> str:
    """A panel for each problem.

    Args:
        experiment: Whose plot it is.
        tables: By problem and method.
        digest: Of the results that it is made of; `is_of` finds it again.
    """
    import matplotlib as mpl  # noqa: PLC0415 - an extra, and half a second to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    drawn = {problem: rows for problem, rows in tables.items() if rows}
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": experiment.name, "font.size": 9}):
        figure = Figure(figsize=(max(6.4, 4.2 * len(drawn)), 3.6), layout="constrained")
        panels = figure.subplots(1, max(1, len(drawn)), squeeze=False)[0]
        for panel, (problem, rows) in zip(panels, drawn.items(), strict=False):
            _draw(panel, experiment, rows)
            panel.set_title(problem or experiment.title)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    head, tag, rest = out.getvalue().partition("<svg ")
    text = f"{head}{_MARK}{digest} -->\n{tag}{rest}"
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def is_of(text: str, digest: str) -> bool:
    """Whether the plot was made of results with that digest."""
    return f"{_MARK}{digest} -->" in text


def _draw(panel: object, experiment: Experiment, rows: Mapping[str, Row]) -> None:
    from matplotlib.axes import Axes  # noqa: PLC0415
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    assert isinstance(panel, Axes)
    names = [method.name for method in experiment.methods]
    for name, row in rows.items():
        place = names.index(name)
        colour, line = _COLOURS[place % len(_COLOURS)], _LINES[place % len(_LINES)]
        calls = range(len(row.curve))
        means = [point.mean for point in row.curve]
        panel.plot(calls, means, line, color=colour, label=name, linewidth=1.4)
        if all(math.isfinite(point.half) for point in row.curve):
            low = [point.mean - point.half for point in row.curve]
            high = [point.mean + point.half for point in row.curve]
            if not experiment.log:
                panel.fill_between(calls, low, high, color=colour, alpha=0.08, linewidth=0)
    panel.set_xlabel("candidates tried")
    panel.set_ylabel("best so far")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    if experiment.log:
        panel.set_yscale("log")
    else:
        _frame(panel, [point.mean for row in rows.values() for point in row.curve])
    panel.grid(visible=True, alpha=0.25)
    panel.legend(fontsize=7, frameon=False)


def _frame(panel: Any, means: Sequence[float]) -> None:
    """The lines fill the panel; what intervals are wider is cut off."""
    if not means:
        return
    room = 0.25 * (max(means) - min(means)) or 0.5
    panel.set_ylim(min(means) - room, max(means) + room)
