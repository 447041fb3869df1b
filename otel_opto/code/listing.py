"""A source as people and optimizers are shown it where something went wrong."""

import re
from typing import Final

RELEASED: Final = re.compile(r"<[^<>@\n]+@[0-9a-f]{12}>")
"""The file under whose name a traceback shows code that came with a release: ``<rank@0123456789ab>``."""

_AROUND: Final = 3
_LONGEST: Final = 4_000


def listing(text: str, number: int, said: str) -> str:
    """The lines around a line (from 1), numbered, with what was said of that one behind it."""
    lines = text.splitlines()
    around = range(max(number - _AROUND, 1), min(number + _AROUND, len(lines)) + 1)
    shown = [f"{one:>4} | {lines[one - 1]}" + (f"    <--- {said}" if one == number else "") for one in around]
    return "\n".join(shown)[:_LONGEST] if 1 <= number <= len(lines) else said[:_LONGEST]
