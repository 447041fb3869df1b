"""Functions whose source is a parameter: ``@otel_opto.node(trainable=True)``."""

import logging
import re
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from otel_opto.checks import Check
from otel_opto.code.fallback import beside
from otel_opto.code.replacement import modules_of
from otel_opto.code.text import NoSource, source_text
from otel_opto.code.versions import Versions
from otel_opto.parameter import Parameter
from otel_opto.pinning import Pins
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType

_LOG = logging.getLogger("otel_opto")
_HELD = "__opto_parameter__"


@dataclass(frozen=True, slots=True)
class Trainable:
    """How the source of a function is a parameter.

    Attributes:
        key: Of the parameter; else the node's name, else the function's, with its class.
        imports: Modules that a new source may import, beside those that the declared one imports or uses.
        constraint: Called with the function that a new source makes, before it is applied; it refuses by raising, by
            False, or by a text.
        candidates: Other sources by the developer, for optimizers that choose and do not write.
        max_length: Of a source, in characters.
        description: For people, and for optimizers that read.
        fallback: Whether the declared function answers where a new source fails. False is for test runs, where its
            answer would be scored as the new one's: there the exception goes on.
    """

    key: str = ""
    imports: Sequence[str] = ()
    constraint: Check | None = None
    candidates: Sequence[str] = ()
    max_length: int | None = None
    description: str = ""
    fallback: bool = True


class Trainables:
    """Declares the sources of functions as parameters.

    Args:
        pins: Say what is in force for a trace.
    """

    def __init__(self, pins: Pins) -> None:
        self._pins = pins

    def of(self, function: Callable[..., Any], said: Trainable, name: str) -> Callable[..., Any]:
        """The function, which a release may give another source; itself where its source is not to be had.

        Raises:
            InvalidValue: it is no plain function, or the declaration contradicts itself.
        """
        if type(function) is not types.FunctionType or hasattr(function, "__wrapped__"):
            shown = getattr(function, "__qualname__", None) or repr(function)
            raise InvalidValue(
                f"@node(trainable=…) on {shown}: its source is not its own; allowed: a function written with def; put "
                "the decorator next to def, under all others"
            )
        try:
            text = source_text(function)
        except NoSource as error:
            _LOG.warning("@node(trainable=…): %s; it runs as it is, and is no parameter", error)
            return function
        constraint = Constraint(
            max_length=said.max_length,
            candidates=tuple(said.candidates),
            imports=tuple(dict.fromkeys((*said.imports, *modules_of(function)))),
        )
        key = said.key or _key(name or function.__qualname__)
        spec = ParameterSpec(key, ParameterType.CODE, text, constraint, said.description)
        assert spec.source is not None
        versions = Versions(function, text, spec.source, said.constraint, fallback=said.fallback)
        versions.parameter = Parameter(spec, text, self._pins, versions.check)
        made = beside(function, versions)
        setattr(made, _HELD, versions.parameter)
        return made


def _key(name: str) -> str:
    """A name as a key: ``Ranker.rank``; what a key cannot hold becomes ``-``."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name.replace("<locals>.", "")).lstrip("_.-")


def code_of(function: Callable[..., Any]) -> Parameter[str]:
    """The parameter that holds the source of a trainable function.

    Raises:
        InvalidValue: its source is no parameter.
    """
    found = getattr(function, _HELD, None)
    if not isinstance(found, Parameter):
        raise InvalidValue(f"{function!r} is not trainable: decorate it with @otel_opto.node(trainable=True)")
    return found
