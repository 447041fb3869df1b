"""The options of a study's optimizer: one declaration per option gives type, bounds, default and words."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.core.study import Study
from otel_opto.spec import ParameterSpec

_MOST_ROWS = 16


def _anything(_: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        kinds: The Python types that a value may have; bool is no int here.
        default: In force where the study says nothing; `REQUIRED` where it must.
        allowed: In words, for the error.
        low: Of numbers, inclusive.
        high: Of numbers, inclusive.
        choices: Of texts; empty for any text.
        pattern: Of texts; a regular expression for the whole of it.
        each: Of tables: whether one of its values is allowed.
    """

    kinds: tuple[type, ...]
    default: object
    allowed: str
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()
    pattern: str = ".*"
    each: Callable[[object], bool] = _anything

    def accepts(self, value: object) -> bool:
        """Whether a value is allowed."""
        if isinstance(value, bool) or not isinstance(value, self.kinds):
            return False
        if isinstance(value, int | float):
            return self.low <= value <= self.high
        if isinstance(value, Mapping):
            return 0 < len(value) <= _MOST_ROWS and all(name and self.each(one) for name, one in value.items())
        if self.choices:
            return value in self.choices
        return re.fullmatch(self.pattern, str(value)) is not None


REQUIRED = object()
"""Stands for "no default"."""


def faults_of(given: Mapping[str, object], options: Mapping[str, Option]) -> Sequence[str]:
    """Every unknown option, every wrong value and every required one that is missing; a secret is not repeated."""
    faults = []
    for name, value in given.items():
        if name.lower() in ("api_key", "openai_api_key", "token"):
            faults.append(f"option {name}: secrets are not kept with studies; set OPENAI_API_KEY for the collector")
        elif name not in options:
            faults.append(f"option {name!r}: unknown; known: {', '.join(sorted(options))}")
        elif not options[name].accepts(value):
            faults.append(f"option {name}: found {masked(repr(value))}, allowed: {options[name].allowed}")
    missing = [name for name, option in options.items() if option.default is REQUIRED and name not in given]
    return [*faults, *(f"option {name}: missing; it must be {options[name].allowed}" for name in missing)]


def masked(text: str) -> str:
    """The text without the user and password of an address in it."""
    return re.sub(r"//[^/@]*@", "//***@", text)


def chosen(given: Mapping[str, Any], options: Mapping[str, Option]) -> dict[str, Any]:
    """The value of each option, defaults filled in."""
    return {name: given.get(name, option.default) for name, option in options.items()}


def selected(study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[ParameterSpec]:
    """The declared parameters that the study is about; () while none of them has been declared."""
    if study.parameters:
        wanted = set(study.parameters)
        return [spec for spec in parameters if spec.key in wanted]
    return [spec for spec in parameters if spec.trainable]
