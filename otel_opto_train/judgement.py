"""What may be said of an output, in whatever form an application says it."""

import asyncio
import math
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import SupportsFloat, TypeAlias

from collector.core.feedback import score_of
from otel_opto.process import clean

_MOST_CHARACTERS = 4_000
_MOST = 1e100
"""Of a score, either way: sums and squares of more are not finite."""


class InvalidJudgement(ValueError):
    """What was said is no feedback."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Feedback on one output.

    Attributes:
        score: Finite; None where it is judged in words only, or where it failed: no score is never a bad one.
        text: In words.
        label: One word of it, such as ``good``.
        failed: Nothing was judged: the workflow, or who judges, failed.
    """

    score: float | None = None
    text: str = ""
    label: str = ""
    failed: bool = False


Said: TypeAlias = (
    "Judgement | SupportsFloat | str | tuple[SupportsFloat | None, str] | Mapping[str, object] | BaseException | None"
)
"""A score (whatever `float` takes, a tensor with one element, too), a text, both, a mapping with ``score``, ``text``
(or ``feedback``) and ``label``, an exception."""


def judgement_of(said: Said) -> Judgement:
    """One form for all.

    Raises:
        InvalidJudgement: it is none of the forms, says nothing, or its score is not finite, or too large to be added up
            with others; says what is allowed.
    """
    found = _read(said)
    if found.score is not None and not math.isfinite(found.score):
        raise InvalidJudgement(f"feedback: score: found {found.score}, allowed are finite numbers")
    if found.score is not None and abs(found.score) > _MOST:
        raise InvalidJudgement(
            f"feedback: score: found {found.score:g}, allowed are numbers between -{_MOST:g} and {_MOST:g}"
        )
    if found.score is None and not found.text and not found.label:
        raise InvalidJudgement(
            f"feedback: found {said!r}, which says nothing; allowed are a score, a text, (score, text), a mapping with "
            "score, text, label, or an exception"
        )
    return found


def failure_of(error: BaseException) -> Judgement:
    """An exception as feedback: what it says and where it was raised; no score."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" (line {last[0].lineno} of {last[0].name}: {last[0].line})" if last else ""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - somebody else's __str__
        said = ""
    return Judgement(text=_text(f"{type(error).__name__}: {said}"[:_MOST_CHARACTERS] + where), failed=True)


def is_failure(error: BaseException) -> bool:
    """Whether an exception ends what raised it, and nothing else: of whatever kind, a stray cancellation, too.

    An interrupt, and the cancellation of the task that this is called in, are for those around it.
    """
    if isinstance(error, asyncio.CancelledError):
        try:
            task = asyncio.current_task()
        except RuntimeError:  # in a thread: nobody cancels it
            return True
        return task is None or not task.cancelling()
    return not isinstance(error, KeyboardInterrupt)


def _read(said: Said) -> Judgement:
    if isinstance(said, Judgement):
        return said
    if isinstance(said, BaseException):
        return failure_of(said)
    if isinstance(said, str):
        return Judgement(text=_text(said))
    if isinstance(said, SupportsFloat):
        return Judgement(_score(said))
    if isinstance(said, tuple | list) and len(said) == 2:
        return Judgement(_score(said[0]), _text(said[1]))
    if isinstance(said, Mapping):
        unknown = ", ".join(sorted(map(str, set(said) - {"score", "text", "feedback", "label"})))
        if unknown:
            raise InvalidJudgement(f"feedback: found {unknown}, allowed are score, text (or feedback) and label")
        text = said.get("text") or said.get("feedback")
        return Judgement(_score(said.get("score")), _text(text), _text(said.get("label")))
    if said is None:
        return Judgement()
    raise InvalidJudgement(
        f"feedback: found {said!r} ({type(said).__name__}), allowed are a score, a text, (score, text), a mapping with "
        "score, text, label, or an exception"
    )


def _score(value: object) -> float | None:
    if value is None:
        return None
    try:
        return float(value) if isinstance(value, SupportsFloat) else score_of(str(value))
    except (TypeError, OverflowError, ValueError) as error:
        raise InvalidJudgement(
            f"feedback: score: found {value!r:.200} ({type(value).__name__}), allowed is one finite number ({error})"
        ) from None


def _text(value: object) -> str:
    return "" if value is None else clean.text(str(value))
