"""What the key of an attribute tells of its value, where no convention says it: a namespace, a word (`plain.toml`)."""

import re
import tomllib
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from importlib.resources import files
from typing import Final


class Side(Enum):
    """Of an operation: where a value went, or what it is."""

    INPUT = "input"
    OUTPUT = "output"
    PROMPT = "prompt"
    EITHER = "either"
    NEITHER = "neither"


def _lists(section: str) -> dict[str, frozenset[str]]:
    read = tomllib.loads((files(__package__) / "plain.toml").read_text(encoding="utf-8"))
    return {name: frozenset(words) for name, words in read[section].items()}


_SPACE: Final = _lists("space")
_WORD: Final = _lists("word")
PIECES: Final = _WORD["pieces"]
_TELLING: Final = (_WORD["input"] | _WORD["output"] | _WORD["prompt"]) - {"system"}
_CONTENT: Final = re.compile(
    r"http\.(request|response)\.body(\.\w+)?|http\.\w*(body|payload)|url\.query|messaging\.message\.(body|payload)\w*|"
    r"db\.\w+(\.\w+)*|code\.function\.(parameter|return)\..+"
)
"""The attributes of general namespaces that hold what was sent or received."""


@lru_cache(maxsize=4_096)
def side(key: str) -> Side:
    """By the last word that says something, or one before it that says which side the whole is of.

    ``app.user.question`` went in, ``outputs.query`` came out, ``app.prompt`` is a template, ``llm.prompt`` one that was
    filled and sent, ``app.draft`` may be either, ``app.tokens`` is neither.
    """
    said = words(key)
    if said[-1] in _WORD["meta"]:
        return Side.NEITHER
    telling = (
        said if _CONTENT.fullmatch(key) else [word for word in said[:-1] if word in _WORD["sides"]][-1:] or said[-1:]
    )
    if _WORD["output"].intersection(telling) or (key.startswith("db.") and _WORD["rows"].intersection(said)):
        return Side.OUTPUT
    if _WORD["input"].intersection(telling) or _is_filled(said) or key.startswith(("db.", "messaging.")):
        return Side.INPUT
    if said[-1] in _WORD["prompt"]:
        return Side.PROMPT
    return Side.NEITHER if key.partition(".")[0] in _SPACE["frameworks"] else Side.EITHER


def words(key: str) -> list[str]:
    """Lower-cased; without those at the end that only tell the form: ``appAnswer.raw`` is app, answer."""
    found = re.split(r"[._:/\s-]", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())
    while len(found) > 1 and (found[-1] in _WORD["form"] or found[-1].isdigit()):
        found.pop()
    return found


def is_of_application(key: str) -> bool:
    """Whether an attribute is outside of OpenTelemetry's general namespaces or holds what was sent or received."""
    first, dot, second = key.partition(".")
    if not dot:
        return key not in _SPACE["flags"]
    if first == "db":
        return second.partition(".")[0] not in _SPACE["database"]
    told = _CONTENT.fullmatch(key) is not None if first in _SPACE["transports"] else first not in _SPACE["general"]
    return told or (first in _SPACE["vendors"] and _tells(key))


def is_of_event(event: str, key: str) -> bool:
    """The same of an attribute of an event, by both names."""
    spaces = {event.partition(".")[0], key.partition(".")[0]} & _SPACE["general"]
    return not spaces or (spaces <= _SPACE["vendors"] and _tells(key))


def _tells(key: str) -> bool:
    return words(key)[-1] in _TELLING


def _is_filled(said: Sequence[str]) -> bool:
    """Whether it is a prompt as it was sent, and no template: ``userPrompt``, ``llm.prompt``."""
    return said[-1] in ("prompt", "prompts") and not _WORD["sent"].isdisjoint(said[:-1])
