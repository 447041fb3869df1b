"""What `otel-opto models check` found of models, kept in the data directory, and the studies that it is used for."""

import json
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from collector.core.span import AnyValue
from collector.core.study import Study
from collector.optimizer.calls.models import drafts_of
from collector.optimizer.drafting.acceptance import Acceptance

_LOG = logging.getLogger(__name__)

FILE = "models.json"
_SMALLEST = ("max_prompt_chars", "chars_per_token")
"""Of several models the smallest holds for all; of other options only what they have in common."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is kept of one model: the options of a study with it, and what it is too weak for, in words."""

    options: Mapping[str, AnyValue]
    weaknesses: tuple[str, ...]


class Checks:
    """By the model's address and name: the same name elsewhere may be another model.

    Args:
        directory: A data directory; `FILE` in it is read anew each time, so that a running collector sees what is kept.
        environ: OPENAI_BASE_URL, for models whose address is not given.
    """

    def __init__(self, directory: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._file = directory / FILE
        self._environ = environ

    def keep(self, found: Acceptance, base_url: str) -> Path:
        """Takes the place of what was known of the model. Returns the file.

        Raises:
            OSError: there is no such directory, or it cannot be written.
        """
        known = self._read()
        models = known.get(self._address(base_url))
        known[self._address(base_url)] = {**(models if isinstance(models, dict) else {}), found.model: asdict(found)}
        unfinished = self._file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(self._file)
        return self._file

    def of(self, model: str, base_url: str = "") -> Checked | None:
        """None where the model was never checked at that address."""
        models = self._read().get(self._address(base_url))
        found = models.get(model) if isinstance(models, dict) else None
        if not isinstance(found, dict) or not isinstance(found.get("options"), dict):
            return None
        options = {name: value for name, value in found["options"].items() if name != "model"}
        return Checked(options, tuple(str(one) for one in found.get("weaknesses", ())))

    def completed(self, study: Study, known: Collection[str]) -> Study:
        """The study with the options that its models were found to want; what it says itself stays.

        Args:
            study: As it was asked for.
            known: The options that its optimizer has.
        """
        given = study.optimizer_options
        kept = list(self._models(study).values())
        found = [one for one in kept if one is not None]
        if not found or len(found) < len(kept):
            return study
        wanted = _together([one.options for one in found])
        passed_over = {*given, *_settled_by(given)}
        filled = {name: value for name, value in wanted.items() if name in known and name not in passed_over}
        if not filled:
            return study
        said = ", ".join(f"{name}={value}" for name, value in filled.items())
        _LOG.info("study %s: from the check of its model: %s", study.name, said)
        return replace(study, optimizer_options={**given, **filled})

    def weaknesses(self, study: Study) -> Sequence[str]:
        """What the study's models were found too weak for, in words."""
        checked = self._models(study).items()
        return [
            f"model {name!r} was found too weak: {weakness}"
            for name, one in checked
            if one is not None
            for weakness in one.weaknesses
        ]

    def _models(self, study: Study) -> Mapping[str, Checked | None]:
        given = study.optimizer_options
        if not (given.get("model") or given.get("models")):
            return {}
        return {name: self.of(name, str(given.get("base_url", ""))) for name in drafts_of(given)}

    def _address(self, base_url: str) -> str:
        return (base_url or self._environ.get("OPENAI_BASE_URL", "")).rstrip("/")

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _LOG.warning("%s is passed over: %s; otel-opto models check writes it anew", self._file, error)
            return {}
        return found if isinstance(found, dict) else {}


def _together(options: Sequence[Mapping[str, AnyValue]]) -> dict[str, AnyValue]:
    """What several models can be given."""
    first, *others = options
    agreed: dict[str, AnyValue] = {}
    for name, value in first.items():
        values = [value, *(other[name] for other in others if name in other)]
        numbers = [one for one in values if isinstance(one, int | float)]
        if name in _SMALLEST and len(numbers) == len(values):
            agreed[name] = min(numbers)
        elif len(values) == len(options) and all(one == value for one in values):
            agreed[name] = value
    return agreed


def _settled_by(given: Mapping[str, AnyValue]) -> Collection[str]:
    """Options that what is given leaves no room for."""
    settled = set()
    if given.get("models") or given.get("temperature") == 0:
        settled.add("candidates")
    if given.get("max_prompt_tokens"):
        settled.add("max_prompt_chars")
    return settled
