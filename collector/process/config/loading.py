"""From file, environment and flags to one validated configuration."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from collector.core.errors import ConfigError, InvalidRequest
from collector.process.config import exposure
from collector.process.config.faults import Sources, faults_of
from collector.process.config.file import ConfigFile, read
from collector.process.config.sections import Config

ENVIRONMENT_PREFIX = "OTEL_OPTO_"


class Key(BaseModel):
    """One key of the configuration, for its documentation."""

    model_config = ConfigDict(frozen=True)

    path: str
    environment: str | None
    default: str
    description: str


def keys(section: type[BaseModel] = Config, prefix: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key, in the order of the file. Keys that hold lists or mappings have no environment variable."""
    for name, field in section.model_fields.items():
        path = (*prefix, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, path)
            continue
        listed = isinstance(field.default, list | dict)
        yield Key(
            path=".".join(path),
            environment=None if listed else ENVIRONMENT_PREFIX + "_".join(path).upper(),
            default="" if field.default is None else str(field.default),
            description=field.description or "",
        )


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, object]) -> Config:
    """The configuration in force. `flags`: by key path; those that are None were not given.

    Raises:
        ConfigError: with every fault at once: where it stands, key path, what was found (unless it may be a secret),
            what is allowed.
    """
    said = read(file, environment) if file else ConfigFile("")
    sources = Sources(said)
    for key in keys():
        if key.environment and key.environment in environment:
            _set(said.tree, key.path, environment[key.environment])
            sources.replaced[tuple(key.path.split("."))] = f"environment variable {key.environment}"
    for path, value in flags.items():
        if value is not None:
            _set(said.tree, path, value)
            sources.replaced[tuple(path.split("."))] = "config"
    try:
        # Not strict, whatever a document demands over the API: what comes out of the environment is text.
        config = Config.model_validate(said.tree, strict=False)
    except ValidationError as error:
        raise ConfigError(faults_of(error, sources)) from None
    faults = [*_wrong_studies(config, sources), *exposure.faults_of(config)]
    if faults:
        raise ConfigError(faults)
    return config


def _wrong_studies(config: Config, sources: Sources) -> Iterator[str]:
    for number, study in enumerate(config.studies):
        try:
            study.study()
        except InvalidRequest as error:
            path = ("studies", str(number))
            yield f"{sources.of(path)}: studies.{number}: {sources.masked(str(error), path)}"


def _set(tree: dict[str, Any], path: str, value: object) -> None:
    *sections, name = path.split(".")
    for section in sections:
        below = tree.get(section)
        tree = tree.setdefault(section, {}) if below is None or isinstance(below, dict) else {}
    tree[name] = value
