"""The application's own word on a new value, before it is applied."""

from collections.abc import Callable
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any], object]
"""Gets a new value. It refuses by raising, by returning False, or by returning a text that says why; everything else
is a yes. It runs where the release is received, in a thread of its own, and nothing of the release is applied until
every check has agreed."""

_LONGEST = 500


def refusal(check: Check, value: object) -> str:
    """Why the application refuses the value; empty if it does not. Never raises."""
    try:
        said = check(value)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the application does in there
        return f"the application's check failed: {_words(error)}"
    if said is False:
        return "the application's check refuses it"
    return f"the application's check refuses it: {said[:_LONGEST]}" if isinstance(said, str) and said else ""


def _words(error: BaseException) -> str:
    try:
        return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
    except Exception:  # noqa: BLE001 - somebody else's __str__
        return type(error).__name__
