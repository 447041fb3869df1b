"""Numbers, times and values as people read them. Times have their zone, which is UTC."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")
_LONGEST = 300


def number(value: float | None) -> str:
    """``12,345``, ``0.123``, ``1.2e+09``; a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, float) and not (math.isfinite(value) and value == int(value) and abs(value) < 1e9):
        return f"{value:.3f}" if 0.001 <= abs(value) < 100_000 else f"{value:.3g}"
    return f"{int(value):,}"


def interval(trial: Mapping[str, Any] | None) -> str:
    """Of a trial's score: ``0.512 to 0.634``; a dash where none is known."""
    if trial is None or trial["score_lowest"] is None:
        return "–"
    return f"{number(trial['score_lowest'])} to {number(trial['score_highest'])}"


def share(value: float | None) -> str:
    """Of 1, in per cent: ``5 %``, ``12.5 %``."""
    return "–" if value is None else f"{value * 100:.4g} %"


def moment(unix_nano: int) -> datetime | None:
    """None for 0, which means that it never happened."""
    return _EPOCH + timedelta(microseconds=unix_nano // 1_000) if unix_nano else None


def when(unix_nano: int) -> str:
    """``2026-11-30 08:15:00 UTC``; a dash for 0."""
    at = moment(unix_nano)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at is not None else "–"


def iso(unix_nano: int) -> str:
    """The same for machines."""
    at = moment(unix_nano)
    return at.isoformat().replace("+00:00", "Z") if at is not None else ""


def took(nano: int) -> str:
    """``850 µs``, ``12.3 ms``, ``4.2 s``, ``3.1 min``."""
    seconds = nano / 1e9
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return duration(seconds)


def duration(seconds: float) -> str:
    """``4.2 s``, ``3.1 min``, ``7 d``."""
    for size, name in _SECONDS:
        if seconds >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.3g} s"


def size(count: float) -> str:
    """``1.5 MiB``."""
    for name in _BYTES[:-1]:
        if count < 1024:
            return f"{count:.4g} {name}"
        count /= 1024
    return f"{count:.4g} {_BYTES[-1]}"


def value(given: object) -> str:
    """A parameter's or a node's: a text as it is, all else as JSON; a dash for None."""
    if given is None:
        return "–"
    return (
        given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, indent=1 if _deep(given) else None)
    )


def brief(given: object, longest: int = _LONGEST) -> str:
    """The beginning of it, on one line."""
    text = given if isinstance(given, str) else "–" if given is None else json.dumps(given, ensure_ascii=False)
    line = " ".join(text[: 4 * longest].split())
    return line if len(line) <= longest and len(text) <= 4 * longest else line[:longest] + "…"


def _deep(given: object) -> bool:
    return isinstance(given, list | dict) and bool(given)
