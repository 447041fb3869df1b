"""Where the example application is, and the labelled questions it comes with."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.core.errors import ConfigError

APPLICATION = "retrieval_qa"


@dataclass(frozen=True, slots=True)
class Question:
    """A labelled question of the example."""

    id: str
    question: str
    answer: str


def examples_directory() -> Path:
    """The folder that holds the application: inside the installed package, or beside it in a source tree.

    Raises:
        ConfigError: it is in neither place.
    """
    package = Path(__file__).resolve().parents[2]
    places = [package / "examples", package.parent / "examples"]
    for place in places:
        if (place / APPLICATION / "questions.jsonl").is_file():
            return place
    raise ConfigError(
        [f"demo: the example application is in none of {', '.join(map(str, places))}; reinstall otel-opto"]
    )


def questions(examples: Path) -> Sequence[Question]:
    """All labelled questions, in the order of the file."""
    lines = (examples / APPLICATION / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    documents = [json.loads(line) for line in lines if line.strip()]
    return [Question(str(d["id"]), str(d["question"]), str(d["answer"])) for d in documents]
