"""What is wrong with a configuration, in words that say where it stands and give no secret away."""

import difflib
import typing
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ValidationError

from collector.process.config.file import ConfigFile, KeyPath
from collector.process.config.sections import Config

_SECRET = ("auth", "exporters", "optimizer_options")
"""Sections and keys whose values are never repeated, wrong ones neither."""


class Sources:
    """Where the values of a configuration come from.

    Attributes:
        replaced: Of key paths that the file does not decide: what does, in words.
    """

    def __init__(self, file: ConfigFile) -> None:
        self._file = file
        self.replaced: dict[KeyPath, str] = {}

    def of(self, path: KeyPath) -> str:
        """Where a value stands: a file and its line, an environment variable, or the command line."""
        return self.replaced.get(path) or (f"config file {self._file.at(path)}" if self._file.name else "config")

    def found(self, path: KeyPath, value: object) -> str:
        """A wrong value in words; nothing where it may be a secret or is no single value."""
        if path in self._file.references and path not in self.replaced:
            return f"; found what {' and '.join(self._file.references[path])} of the environment hold"
        if isinstance(value, Mapping | list) or any(part in _SECRET for part in path):
            return ""
        text = repr(value)
        return f"; found {text if len(text) <= 80 else text[:77] + '...'}"

    def masked(self, text: str, within: KeyPath) -> str:
        """A text without what values beneath a key path have from the environment."""
        for path, names in self._file.references.items():
            if path[: len(within)] == within:
                value: object = self._file.tree
                for part in path:
                    value = value[int(part)] if isinstance(value, list) else value[part]  # type: ignore[index]
                hidden = f"what {' and '.join(names)} of the environment hold"
                # As a number it stands there without quotes.
                text = text.replace(repr(value), hidden).replace(f"found {value}", f"found {hidden}")
        return text


def faults_of(error: ValidationError, sources: Sources) -> Sequence[str]:
    """Every fault of a validation: where it stands, key path, what is wrong, what was found."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False):
        path = tuple(str(part) for part in fault["loc"] if part != "[key]")
        where, key = sources.of(path), ".".join(path) or "the file"
        if fault["type"] == "extra_forbidden":
            faults.append(f"{where}: {key}: no such key{_meant(path)}")
            continue
        wrong = fault["msg"].removeprefix("Value error, ")
        shown = (
            "" if fault["type"] == "missing" or _expects_more(fault["type"]) else sources.found(path, fault["input"])
        )
        faults.append(f"{where}: {key}: {wrong[:1].lower()}{wrong[1:]}{shown}")
    return faults


def _expects_more(kind: str) -> bool:
    """Whether a section or a list was expected: what stands there instead may be anything, a secret too."""
    return kind in ("model_type", "model_attributes_type", "dict_type", "list_type")


def _meant(path: KeyPath) -> str:
    known = _keys_at(path[:-1])
    near = difflib.get_close_matches(path[-1].lower(), known, 1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known here: {', '.join(known)}" if known else ""


def _keys_at(path: KeyPath) -> Sequence[str]:
    section: type[BaseModel] = Config
    inside = False  # of a list or mapping, whose elements' numbers and names are no fields
    for part in path:
        if inside:
            inside = False
            continue
        if part not in section.model_fields:
            return ()
        annotation = section.model_fields[part].annotation
        arguments = [one for one in typing.get_args(annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
        if arguments:
            section, inside = arguments[-1], True
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            section = annotation
        else:
            return ()
    return tuple(section.model_fields)
