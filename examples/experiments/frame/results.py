"""What is kept of an experiment: a JSON line for each candidate, written before the next one begins."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

_MOST_CHARACTERS = 1_500


@dataclass(frozen=True, slots=True)
class Line:
    """One candidate of one run, or how the run ended.

    Attributes:
        form: See `examples.experiments.frame.experiment.Form`.
        problem: Which of the experiment's problems; empty where it has one.
        method: By name.
        seed: Of the run.
        call: The candidate's number in the run; 0 is the start.
        part: ``train``, ``test``, or ``end``: then `said` is why it ended, and nothing else is told.
        score: None: it failed.
        values: Of the parameters.
        said: The feedback in words.
        calls: Of the optimizer's model, so far in the run.
        tokens: Of these calls, in both directions.
        task_calls: Of the task's model.
        task_tokens: The same of them.
        prompts: Hashes of what the optimizer asked for this candidate.
        answer: What the model said to it, raw.
        model: Its name; empty where none was asked.
        machine: In words, no host's name.
        date: Of the day.
    """

    form: str
    problem: str
    method: str
    seed: int
    call: int
    part: str
    score: float | None
    values: Mapping[str, Any]
    said: str
    calls: int
    tokens: int
    task_calls: int
    task_tokens: int
    prompts: tuple[str, ...]
    answer: str
    model: str
    machine: str
    date: str

    @property
    def run(self) -> tuple[str, str, str, int]:
        """The run that it belongs to."""
        return self.form, self.problem, self.method, self.seed

    @property
    def place(self) -> tuple[int, str]:
        """Its place in the run."""
        return self.call, self.part

    @classmethod
    def read(cls, tree: Mapping[str, Any]) -> "Line":
        """From JSON."""
        known = {one.name: tree[one.name] for one in fields(cls)}
        return cls(**{**known, "prompts": tuple(known["prompts"])})

    def written(self) -> str:
        """As JSON, on one line."""
        return json.dumps(asdict(self), ensure_ascii=False)


class Results:
    """The lines of one experiment.

    Args:
        path: A JSON Lines file; it need not be there. A last line that was cut off by a kill does not count.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[Line] = []
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole, _, self._cut_off = text.rpartition("\n")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                self.lines.append(Line.read(json.loads(line)))
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path}, line {number}: found no line of an experiment ({error!r})") from error

    def of(self, run: tuple[str, str, str, int]) -> Sequence[Line]:
        """The lines of a run, in order."""
        return [line for line in self.lines if line.run == run]

    def ended(self, run: tuple[str, str, str, int]) -> bool:
        """Whether the run is complete."""
        return any(line.part == "end" for line in self.of(run))

    def add(self, line: Line) -> None:
        """Writes it; on return it is on the disk."""
        if self._cut_off:
            self._write(self.lines)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line.written() + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.lines.append(line)

    def forget(self, run: tuple[str, str, str, int], since: int) -> None:
        """Takes lines of a run away, from that place in it: it went another way when it was taken up again."""
        away = {id(line) for line in self.of(run)[since:]}
        self._write([line for line in self.lines if id(line) not in away])

    def _write(self, lines: Iterable[Line]) -> None:
        self.lines = list(lines)
        beside = self.path.with_suffix(".new")
        beside.write_text("".join(line.written() + "\n" for line in self.lines), encoding="utf-8")
        os.replace(beside, self.path)  # noqa: PTH105 - whole or not at all
        self._cut_off = ""


def shortened(value: Any) -> Any:
    """A value that is small enough to keep; floats with the digits that matter."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, str):
        return value if len(value) <= _MOST_CHARACTERS else value[:_MOST_CHARACTERS] + "…"
    return value
