"""What a training came to: the best candidate, what it is worth, what it cost, and what became of all the others."""

import html
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from collector.core.problem import Objective
from collector.core.study import Cost
from collector.render.chart import ScoreLevel, ScorePoint, score_bars, score_chart_svg
from collector.render.words import cut, short
from collector.selection.archive import Fate
from otel_opto.registry import Registry
from otel_opto.spec import ParameterValue, content_hash
from otel_opto_train.book import words
from otel_opto_train.trainer.comparing import Compared, Mean

_BAR_COLUMNS, _WHY_COLUMNS = 40, 90
_MOST_FAULTS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate.

    Attributes:
        number: 0 is the baseline.
        values: Of the trained parameters.
        reasoning: Why it was suggested.
        fate: What became of it.
        why: In words.
        train: What was measured on the training part.
        validation: And on the validation part.
    """

    number: int
    values: Mapping[str, ParameterValue]
    reasoning: str
    fate: Fate
    why: str
    train: Mean
    validation: Mean


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a training. Nothing has been released.

    Attributes:
        name: Of the training.
        objective: What was wanted.
        rows: All candidates; the first one is the baseline.
        best: The number of the one that looked best on data that it was not made from; 0 where the baseline stays.
        shown: The best one beside the baseline on the test part, which was looked at once; None where it was not.
        test: What was measured on the test part, by number: of the baseline and of the best one.
        why: Why it ended.
        cost: Of all calls of language models for making candidates.
        evaluations: Examples that were run, over all candidates.
        failures: Those that failed.
        clipped: Scores outside of the metric's range.
        faults: Some of the failures, in words.
        registry: Of the parameters.
    """

    name: str
    objective: Objective
    rows: tuple[Row, ...]
    best: int
    shown: Compared | None
    test: Mapping[int, Mean]
    why: str
    cost: Cost
    evaluations: int
    failures: int
    clipped: int
    faults: tuple[str, ...]
    registry: Registry

    @property
    def values(self) -> Mapping[str, ParameterValue]:
        """Of the best one."""
        return self.rows[self.best].values

    @property
    def better(self) -> bool:
        """Whether the test part shows that the best one is better than the baseline: then it may be released."""
        return self.shown is not None and self.shown.better

    @property
    def verdict(self) -> str:
        """What may be said, in one line."""
        if self.best == 0:
            return "the baseline stays: no candidate looked better on data that it was not made from"
        if self.shown is None:
            return f"candidate {self.best} looks better; without a test part nothing is shown"
        return f"candidate {self.best} beside the baseline, on data that nothing was selected by: {self.shown.words()}"

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The best values in force, for this thread or task."""
        with self.registry.overriding(self.values):
            yield

    def document(self) -> dict[str, object]:
        """All of it but the outcomes of single examples, as JSON."""
        return {
            "name": self.name,
            "metric": self.objective.metric,
            "direction": self.objective.direction.value,
            "best": self.best,
            "values": dict(self.values),
            "hash": content_hash(self.values.items()),
            "better": self.better,
            "verdict": self.verdict,
            "why": self.why,
            "evaluations": self.evaluations,
            "failures": self.failures,
            "clipped": self.clipped,
            "calls": self.cost.calls,
            "tokens": self.cost.input_tokens + self.cost.output_tokens,
            "money": self.cost.money,
            "test": {str(number): _mean_tree(mean) for number, mean in self.test.items()},
            "candidates": [
                {
                    "number": row.number,
                    "values": dict(row.values),
                    "reasoning": row.reasoning,
                    "fate": row.fate.value,
                    "why": row.why,
                    "train": _mean_tree(row.train),
                    "validation": _mean_tree(row.validation),
                }
                for row in self.rows
            ],
        }

    def chart_svg(self) -> str:
        """The candidates' means on the training part, with those of baseline and best one on the test part."""
        levels = [
            ScoreLevel("test, before" if number == 0 else "test, best", mean.mean)
            for number, mean in self.test.items()
            if mean.mean is not None
        ]
        return score_chart_svg(
            self._points(), f"{self.name}: {self.objective.metric}", direction=self.objective.direction, levels=levels,
            nouns=("candidate", "looked best"),
        )  # fmt: skip

    def _points(self) -> Sequence[ScorePoint]:
        return [
            ScorePoint(row.number, row.train.mean, row.number == self.best)
            for row in self.rows
            if row.train.mean is not None
        ]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.name}: {self.why}"
        yield score_bars(self._points(), _BAR_COLUMNS, "candidate")
        yield ""
        headings = ("candidate", "train", "n", "validation", "n", "failed", "fate", "why")
        cells = [headings, *(self._cells(row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
            yield "  ".join(padded).rstrip()
        for number, mean in self.test.items():
            yield f"test, {'the baseline' if number == 0 else f'candidate {number}'}: {_interval(mean)}"
        yield self.verdict
        yield "values: " + ", ".join(f"{key} = {short(value, 200)}" for key, value in self.values.items())
        yield self._spent()
        yield from (f"failed: {short(fault, 200)}" for fault in self.faults[:_MOST_FAULTS])

    def _cells(self, row: Row) -> tuple[str, str, str, str, str, str, str, str]:
        star = " ★" if row.number == self.best else ""
        return (
            f"{row.number}{star}",
            _figure(row.train),
            str(row.train.n),
            _figure(row.validation),
            str(row.validation.n),
            str(row.train.failures + row.validation.failures),
            row.fate.value if row.number else "baseline",
            cut(row.why, _WHY_COLUMNS),
        )

    def _spent(self) -> str:
        said = f"{self.evaluations} examples run, {self.failures} failed; for candidates {words(self.cost)}"
        return said + (f"; {self.clipped} scores were outside of the metric's range" if self.clipped else "")

    def _repr_html_(self) -> str:
        return f"<figure>{self.chart_svg()}<pre>{html.escape(str(self))}</pre></figure>"


def _figure(mean: Mean) -> str:
    return "–" if mean.mean is None else f"{mean.mean:.3f}"


def _interval(mean: Mean) -> str:
    if mean.mean is None:
        return f"no score, {mean.failures} failed"
    return f"{mean.mean:.3f} ({mean.lowest:.2f} to {mean.highest:.2f}), n = {mean.n}, {mean.failures} failed"


def _mean_tree(mean: Mean) -> Mapping[str, object]:
    return {"n": mean.n, "mean": mean.mean, "lowest": mean.lowest, "highest": mean.highest, "failures": mean.failures}
