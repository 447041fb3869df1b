"""Parameters that a file declares, for an application whose code declares none.

    parameters:
      retriever.top_k: {default: 3, minimum: 1, maximum: 10}
      prompt:
        default: "Answer in one sentence: {question}"
        description: what the model is told

YAML (extra ``yaml``), or JSON in a file that ends in ``.json``. The fields are those of `otel_opto.parameter`, and
``type`` where the default does not say it (``float`` for a default of 3, ``code``).
"""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from otel_opto.json_parameter import written
from otel_opto.registry import Registry
from otel_opto.schema import text_of
from otel_opto.shown import shown
from otel_opto.spec import CONSTRAINTS, Constraint, InvalidValue, ParameterSpec, ParameterType

_LOG = logging.getLogger("otel_opto")
_FIELDS = ("type", "default", *CONSTRAINTS, "description", "trainable")
_OF_PYTHON: Sequence[tuple[type | tuple[type, ...], ParameterType]] = (
    (bool, ParameterType.BOOLEAN),
    (int, ParameterType.INTEGER),
    (float, ParameterType.FLOAT),
    (str, ParameterType.TEXT),
    ((list, dict), ParameterType.JSON),
)


def declare(registry: Registry, path: Path) -> None:
    """Declares what the file holds; what is wrong in it is said in the log, and the rest holds. Raises nothing."""
    try:
        tree = _tree(path)
    except Exception as error:  # noqa: BLE001 - whatever a file holds: the application comes first
        _LOG.error("no parameters from %s: %s", path, error)
        return
    listed = tree.get("parameters") if isinstance(tree, dict) else None
    if not isinstance(listed, dict):
        _LOG.error("no parameters from %s: it must be an object with the object 'parameters', by key", path)
        return
    for key, said in listed.items():
        try:
            registry.declare(spec_in(str(key), said))
        except InvalidValue as error:
            _LOG.error("%s: %s; the parameter is left out", path, error)


def spec_in(key: str, said: object) -> ParameterSpec:
    """The specification that a file gives for a key. Raises `InvalidValue` with what is wrong."""
    if not isinstance(said, Mapping) or "default" not in said:
        raise InvalidValue(f"parameter {key!r}: found {shown(said)}; it needs at least a default")
    unknown = sorted(str(name) for name in said if name not in _FIELDS)
    if unknown:
        raise InvalidValue(f"parameter {key!r}: unknown: {', '.join(unknown)}; known: {', '.join(_FIELDS)}")
    limits = {name: _limit(key, name, said[name]) for name in CONSTRAINTS if said.get(name) is not None}
    default = said["default"]
    trainable = said.get("trainable", True)
    if not isinstance(trainable, bool):
        raise InvalidValue(f"parameter {key!r}: trainable: found {shown(trainable)}, allowed: true or false")
    return ParameterSpec(
        key,
        _type_of(key, said.get("type"), default, chosen="choices" in limits),
        default,
        Constraint(**limits),  # type: ignore[arg-type] # checked by _limit
        str(said.get("description", "")),
        trainable,
    )


def _type_of(key: str, name: object, default: object, *, chosen: bool) -> ParameterType:
    if name is not None:
        kinds = {kind.value: kind for kind in ParameterType}
        if not isinstance(name, str) or name not in kinds:
            raise InvalidValue(f"parameter {key!r}: type: found {shown(name)}, allowed: {', '.join(kinds)}")
        return kinds[name]
    found = next((kind for of, kind in _OF_PYTHON if isinstance(default, of)), None)
    if found is None:
        raise InvalidValue(f"parameter {key!r}: default: found {type(default).__name__}, which no parameter can be")
    return ParameterType.CHOICE if chosen and found is ParameterType.TEXT else found


def _limit(key: str, name: str, value: object) -> object:
    """A field of `Constraint` in its type."""
    if name in ("minimum", "maximum"):
        fits, allowed = isinstance(value, int | float) and not isinstance(value, bool), "a number"
    elif name == "max_length":
        fits, allowed = isinstance(value, int) and not isinstance(value, bool), "a whole number"
    elif name in ("pattern", "json_schema"):
        if name == "json_schema" and isinstance(value, dict):
            value = text_of(value)
        fits, allowed = isinstance(value, str), "a text"
    else:
        if name == "candidates" and isinstance(value, list):
            value = [written(key, one) if isinstance(one, str | list | dict) else json.dumps(one) for one in value]
        fits, allowed = isinstance(value, list) and all(isinstance(one, str) for one in value), "a list of texts"
    if not fits:
        raise InvalidValue(f"parameter {key!r}: {name}: found {shown(value)}, allowed: {allowed}")
    return tuple(value) if isinstance(value, list) else value


def _tree(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError("YAML needs PyYAML: pip install 'otel-opto[yaml]', or name a .json file") from None
    return yaml.safe_load(text)
