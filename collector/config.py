"""The configuration: one declaration per key gives type, default, bounds, environment variable and documentation.

One precedence rule: command-line flag, then environment variable, then file, then default. The file is YAML in the
OpenTelemetry Collector's manner, ``${env:NAME}`` and ``${env:NAME:-default}`` included. Everything is validated before
anything starts, and every fault is reported at once with its key path.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from collector.api.documents import StudyDocument, faults_of
from collector.core.errors import ConfigError, InvalidRequest

ENVIRONMENT_PREFIX = "OTEL_OPTO_"
_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_ENDPOINT = re.compile(r"(?:(\[[0-9A-Fa-f:]+\])|([^\s:/\[\]]+)):(\d{1,5})")


def _endpoint(text: str) -> str:
    match = _ENDPOINT.fullmatch(text)
    if not match or int(match[3]) > 65535:
        raise ValueError(f"found {text!r}, allowed is HOST:PORT, for example 127.0.0.1:4317 (port 0: a free one)")
    return text


Endpoint = Annotated[str, AfterValidator(_endpoint)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GrpcConfig(_Section):
    """OTLP over gRPC, and the SDK's own services beside it."""

    endpoint: Endpoint = Field("127.0.0.1:4317", description="Where OTLP/gRPC and the SDK's release watch are served.")


class HttpConfig(_Section):
    """OTLP over HTTP."""

    endpoint: Endpoint = Field("127.0.0.1:4318", description="Where OTLP/HTTP is served.")


class ProtocolsConfig(_Section):
    """The protocols of the OTLP receiver."""

    grpc: GrpcConfig = GrpcConfig()
    http: HttpConfig = HttpConfig()


class OtlpConfig(_Section):
    """The OTLP receiver."""

    protocols: ProtocolsConfig = ProtocolsConfig()
    max_request_bytes: int = Field(
        64 * 2**20, ge=1024, le=2**30, description="Largest export request, before and after decompression."
    )
    max_in_flight_bytes: int = Field(
        64 * 2**20,
        ge=2**20,
        le=2**32,
        description="Of all requests being received and not yet stored; beyond it exporters are told to try again.",
    )


class ReceiversConfig(_Section):
    """What comes in."""

    otlp: OtlpConfig = OtlpConfig()


class StorageConfig(_Section):
    """What is kept."""

    directory: Path = Field(Path("otel-opto-data"), description="Holds the SQLite database; made if it is not there.")


class ApiConfig(_Section):
    """The JSON API for the command line, scripts and applications without the SDK."""

    endpoint: Endpoint = Field("127.0.0.1:4319", description="Where the JSON API, /readyz and /healthz are served.")


class FeedbackConfig(_Section):
    """Feedback on its way to its span."""

    ttl_seconds: float = Field(
        86_400.0, gt=0, le=3.2e7, description="Feedback that waits longer for its spans is given up and counted."
    )


class TelemetryConfig(_Section):
    """What the collector says of itself."""

    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="One of DEBUG, INFO, WARNING, ERROR."
    )


class Config(_Section):
    """The whole configuration."""

    receivers: ReceiversConfig = ReceiversConfig()
    storage: StorageConfig = StorageConfig()
    api: ApiConfig = ApiConfig()
    feedback: FeedbackConfig = FeedbackConfig()
    telemetry: TelemetryConfig = TelemetryConfig()
    studies: list[StudyDocument] = Field(
        [], description="Studies that begin with the collector; one whose name is known already goes on."
    )


class Key(BaseModel):
    """One key of the configuration, for its documentation."""

    model_config = ConfigDict(frozen=True)

    path: str
    environment: str | None
    default: str
    description: str


def keys(section: type[BaseModel] = Config, prefix: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key, in the order of the file. Keys that hold lists have no environment variable."""
    for name, field in section.model_fields.items():
        path = (*prefix, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, path)
            continue
        listed = isinstance(field.default, list)
        yield Key(
            path=".".join(path),
            environment=None if listed else ENVIRONMENT_PREFIX + "_".join(path).upper(),
            default=str(field.default),
            description=field.description or "",
        )


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, object]) -> Config:
    """The configuration in force. `flags`: by key path; those that are None were not given.

    Raises:
        ConfigError: with every fault at once: key path, what was found, what is allowed.
    """
    faults: list[str] = []
    tree = _read(file, environment, faults) if file else {}
    for key in keys():
        if key.environment and key.environment in environment:
            _set(tree, key.path, environment[key.environment])
    for path, value in flags.items():
        if value is not None:
            _set(tree, path, value)
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError([*faults, *(f"config: {fault}" for fault in faults_of(error))]) from None
    for number, study in enumerate(config.studies):
        try:
            study.study()
        except InvalidRequest as error:
            faults.append(f"config: studies.{number}: {error}")
    if faults:
        raise ConfigError(faults)
    return config


def _set(tree: dict[str, Any], path: str, value: object) -> None:
    *sections, name = path.split(".")
    for section in sections:
        below = tree.get(section)
        tree = tree.setdefault(section, {}) if below is None or isinstance(below, dict) else {}
    tree[name] = value


def _read(file: Path, environment: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"config file {file}: {error.strerror}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"config file {file}: not YAML: {' '.join(str(error).split())}"]) from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError([f"config file {file}: found {type(tree).__name__}, allowed is a mapping of sections"])
    resolved = _resolve(tree, environment, (), faults)
    assert isinstance(resolved, dict)
    return resolved


def _resolve(node: object, environment: Mapping[str, str], path: Sequence[str], faults: list[str]) -> object:
    """The tree with its ``${env:…}`` references replaced; sections left empty count as not there."""
    if isinstance(node, dict):
        below = {str(k): _resolve(v, environment, (*path, str(k)), faults) for k, v in node.items()}
        return {key: value for key, value in below.items() if value is not None}
    if isinstance(node, list):
        return [_resolve(item, environment, (*path, str(i)), faults) for i, item in enumerate(node)]
    if not isinstance(node, str):
        return node

    def value_of(match: re.Match[str]) -> str:
        found = environment.get(match[1]) or match[2]
        if found is None:
            faults.append(
                f"config: {'.'.join(path)}: environment variable {match[1]} is not set; "
                f"set it or write ${{env:{match[1]}:-default}}"
            )
        return found or ""

    replaced = _REFERENCE.sub(value_of, node)
    return yaml.safe_load(replaced) if replaced != node else node
