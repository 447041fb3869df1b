"""What was tried before: values, their scores, and what was said of their outputs."""

from collections.abc import Mapping, Sequence

from collector.core.protocols import OptimizationRequest
from collector.core.span import AnyValue
from collector.core.study import Direction, Remarks, Trial
from collector.optimizer.instance.quoting import inert, quoted, words

_BEST, _LATEST, _REJECTED = 3, 6, 3


def history(request: OptimizationRequest, width: int) -> Sequence[str]:
    """The best and the latest trials with scores and what was said of them, then what was refused, in words.

    The trial that is in force is left out: its runs are shown.
    """
    sign = -1 if request.study.direction is Direction.MAXIMIZE else 1
    others = [trial for trial in request.trials if trial.score is not None and trial.values != request.current]
    best = sorted(others, key=lambda trial: sign * (trial.score or 0.0))[:_BEST]
    shown = {trial.number for trial in [*best, *others[-_LATEST:]]}
    lines = [line_of(trial, request.remarks.get(trial.number), width) for trial in others if trial.number in shown]
    return [*lines, *refusals(request, width)]


def refusals(request: OptimizationRequest, width: int) -> Sequence[str]:
    """The latest proposals that validation refused, and why."""
    return [
        inert(f"refused: {_together(one.proposal.values, width)}: {words('; '.join(one.errors), width)}")
        for one in request.rejected[-_REJECTED:]
    ]


def ranked(request: OptimizationRequest, most: int, width: int) -> Sequence[str]:
    """The best trials with their scores, the best one last, as OPRO shows them (Yang et al., ICLR 2024, section 3)."""
    sign = 1 if request.study.direction is Direction.MAXIMIZE else -1
    scored = [trial for trial in request.trials if trial.score is not None]
    best = sorted(scored, key=lambda trial: (sign * (trial.score or 0.0), trial.number))[-most:]
    return [line_of(trial, request.remarks.get(trial.number), width) for trial in best]


def line_of(trial: Trial, remarks: Remarks | None, width: int) -> str:
    """A trial on one line."""
    return inert(f"score {trial.score:.4g}: {_together(trial.values, width)}{_said(remarks, width)}")


def _said(remarks: Remarks | None, width: int) -> str:
    if remarks is None or not (remarks.worst or remarks.best):
        return ""
    texts = dict.fromkeys(text for text in (remarks.worst, remarks.best) if text)
    return "; feedback " + " … ".join(quoted(text, width) for text in texts)


def _together(values: Mapping[str, AnyValue], width: int) -> str:
    """Each value cut by itself, so that a long one leaves the others readable."""
    return ", ".join(f"{words(key, 140)} = {quoted(value, width)}" for key, value in values.items())
