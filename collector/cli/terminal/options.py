"""Options of the command line for the fields of a record, and the record's tree out of what was given."""

import argparse
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, get_args, get_origin

from collector.core.errors import ConfigError
from collector.core.record import About, Field, fields_of

_NO_ITEMS: Mapping[type, Callable[[str], object]] = MappingProxyType({})


def add_options(
    parser: argparse.ArgumentParser,
    record: type,
    within: str = "",
    *,
    without: Collection[str] = (),
    optional: bool = False,
) -> None:
    """Adds an option for every field of a record, and of the records in it. What is not given is left out of the tree.

    Args:
        within: The path of the field that holds the record.
        without: Fields that are no options.
        optional: The record may be missing as a whole, so that none of its fields has to be given.
    """
    for field in fields_of(record):
        path = f"{within}{field.name}"
        if path in without:
            continue
        if isinstance(field.type, type) and is_dataclass(field.type):
            add_options(parser, field.type, f"{path}.", without=without, optional=optional or field.optional)
        else:
            _add(parser, field, path, required=field.required and not optional)


def add_request_id(parser: argparse.ArgumentParser) -> None:
    """For commands that change something."""
    parser.add_argument(
        "--request-id", default="", metavar="ID", help="given again with the same, nothing happens a second time"
    )


def tree_of_options(
    arguments: argparse.Namespace,
    record: type,
    within: str = "",
    *,
    without: Collection[str] = (),
    items: Mapping[type, Callable[[str], object]] = _NO_ITEMS,
) -> dict[str, Any]:
    """What was given of a record, as its tree.

    Args:
        within: As for `add_options`, and so is `without`.
        items: Makes the trees of records that stand in a list, out of a text each.
    """
    tree: dict[str, Any] = {}
    for field in fields_of(record):
        path = f"{within}{field.name}"
        if path in without:
            continue
        if isinstance(field.type, type) and is_dataclass(field.type):
            if below := tree_of_options(arguments, field.type, f"{path}.", without=without, items=items):
                tree[field.name] = below
        elif (given := getattr(arguments, path)) is not None:
            tree[field.name] = _joined(field, given, items)
    return tree


def pairs_of(texts: list[str], flag: str) -> dict[str, object]:
    """Values by key from KEY=VALUE texts; a value is JSON where it is JSON, else a text."""
    return {key: _json_or_text(value) for key, value in _pairs(texts, flag, "KEY=VALUE").items()}


def _add(parser: argparse.ArgumentParser, field: Field, path: str, *, required: bool) -> None:
    about = field.about
    flag = about.option or f"--{field.name.replace('_', '-')}"
    kind, metavar = field.type, about.metavar or None
    more: dict[str, Any] = {}
    if isinstance(kind, type) and issubclass(kind, Enum):
        more = {"choices": [one.value for one in kind]}
    elif kind is bool:
        more = {"action": argparse.BooleanOptionalAction}
    elif get_origin(kind) in (tuple, Mapping):
        more = {"action": "append", "metavar": metavar}
    else:
        more = {"type": _number(kind, about, flag) if kind in (int, float) else kind, "metavar": metavar}
    if not flag.startswith("--"):
        parser.add_argument(path, help=about.words, **{**more, "metavar": flag})
        return
    shown = f" (default {_shown(field)})" if _shown(field) else ""
    parser.add_argument(flag, dest=path, help=f"{about.words}{shown}".replace("%", "%%"), required=required, **more)


def _shown(field: Field) -> str:
    if isinstance(field.default, bool | list | dict) or field.default in (None, ""):
        return ""
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def _number(kind: type, about: About, flag: str) -> Callable[[str], float]:
    def number(text: str) -> float:
        if text in about.named:
            return about.named[text]
        try:
            found: float = kind(text)
        except ValueError:
            wanted = "a whole number" if kind is int else "a number"
            allowed = ", ".join((wanted, *map(repr, about.named)))
            raise ConfigError([f"{flag} {text!r}: allowed is {allowed}"]) from None
        return found

    return number


def _joined(field: Field, given: Any, items: Mapping[type, Callable[[str], object]]) -> object:
    """The value of a field, out of one option or of all that were given for it."""
    of = get_args(field.type)
    if get_origin(field.type) is tuple:
        return [items[of[0]](text) for text in given] if of[0] in items else given
    if get_origin(field.type) is not Mapping:
        return given
    flag, shape = field.about.option, field.about.metavar or "KEY=VALUE"
    if of[1] is float:
        return {key: _score(value, key, flag, shape) for key, value in _pairs(given, flag, shape, last=True).items()}
    return _pairs(given, flag, shape) if of[1] is str else pairs_of(given, flag)


def _pairs(texts: list[str], flag: str, shape: str, *, last: bool = False) -> dict[str, str]:
    """By the first ``=``, or the last one where keys may have one."""
    pairs = {}
    for text in texts:
        key, separator, value = text.rpartition("=") if last else text.partition("=")
        if not separator or not key:
            raise ConfigError([f"{flag} {text!r}: allowed is {shape}"])
        pairs[key] = value
    return pairs


def _score(text: str, key: str, flag: str, shape: str) -> float:
    try:
        return float(text)
    except ValueError:
        given = f"{key}={text}"
        raise ConfigError([f"{flag} {given!r}: allowed is {shape}, the second a number"]) from None


def _json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
