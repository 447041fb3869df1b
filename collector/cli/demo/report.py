"""The demo's end: figures, chart, diff, and where to look further."""

import shlex
import webbrowser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.cli.demo.processes import CollectorProcess
from collector.cli.terminal import output
from collector.render.chart import ScorePoint, score_bars, score_chart_svg


@dataclass(frozen=True, slots=True)
class Report:
    """What the demo measured. Scores are means in [0, 1]."""

    before: float
    after: float
    held_out: int
    study: Mapping[str, Any]
    changes: Sequence[Mapping[str, Any]]
    baseline_release: int
    final_release: int
    trace_id: str
    seconds: float
    spans: int
    feedback: Mapping[str, int]

    @property
    def improved(self) -> bool:
        """Whether the score on the questions kept apart rose."""
        return self.after > self.before


def show_page(collector: CollectorProcess, *, browser: bool) -> None:
    """Says first of all where one can look, and opens it on demand."""
    output.show(f"page        {collector.api}/  shows what happens, while it happens")
    if browser and not webbrowser.open(collector.api):
        output.warn("--open: no browser was found; open the page yourself")


def show_report(report: Report, directory: Path) -> None:
    """Prints the report and writes ``scores.svg`` into the directory."""
    points = _points(report)
    (directory / "scores.svg").write_text(score_chart_svg(points, "Training score by release"), encoding="utf-8")
    trials = report.study["trials"]
    winner = next((trial for trial in trials if trial["number"] == report.study["winner"]), None)
    output.show_lines(f"\nstudy {report.study['name']}: {report.study['state']}, {report.study['message']}")
    output.show_lines(f"\nscore by release (training questions)\n{score_bars(points, 48)}\n")
    rows = [(f"held out ({report.held_out} questions)", report.before, report.after)]
    if winner is not None:  # by the questions that chose it, it would look better than it is
        usual = winner["control_score"]
        rows.insert(0, (f"training ({winner['fresh_units']} fresh answers)", usual, usual + winner["gain"]))
    output.show_table((f"{'questions':<30}", "before", "after"), rows, "")
    output.show_lines(f"\nwhat changed from release {report.baseline_release} to release {report.final_release}")
    changes = [(change["key"], output.change(change["before"], change["after"])) for change in report.changes]
    output.show_table(("parameter", "change"), changes, "nothing")
    output.show_lines(
        f"\n{report.spans} spans and {sum(report.feedback.values())} feedbacks are stored; "
        f"{len(trials)} trials took {report.seconds:.1f} s"
    )
    where = shlex.quote(str(directory))
    output.show(f"data        {directory}")
    output.show(f"chart       {directory / 'scores.svg'}")
    output.show(f"one trace   {directory / 'graph.svg'}, or: otel-opto graph {report.trace_id} --data-dir {where}")
    if report.improved:
        output.show_lines(f"\nIt got better: {report.before:.3f} → {report.after:.3f} on questions it had not seen.")
    else:
        output.show_lines(
            f"\nIt did NOT get better: {report.before:.3f} → {report.after:.3f} on questions it had not seen."
        )


def _points(report: Report) -> list[ScorePoint]:
    complete = [trial for trial in report.study["trials"] if trial["score"] is not None]
    winner = report.study["winner"]
    return [ScorePoint(trial["release"], trial["score"], trial["number"] == winner) for trial in complete]
