"""The forms in which a model is asked for a candidate, and how its answer is read in each."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from collector.core.study import Cost, Proposal
from collector.optimizer.answers.alone import read_alone
from collector.optimizer.answers.reading import UnreadableAnswer, read_answer
from collector.optimizer.answers.schema import schema_of
from otel_opto.spec import ParameterSpec

_OBJECT = re.compile(r"\s*\{\s*[\"'“]")


class Form(Protocol):
    """What an answer should look like."""

    @property
    def again(self) -> str:
        """What a model is told to do after an answer that cannot be used; empty where it is asked anew instead."""
        ...

    def schema(self, parameters: Sequence[ParameterSpec]) -> Mapping[str, Any]:
        """The JSON schema of an answer; empty where it is no JSON."""
        ...

    def read(self, said: str, parameters: Sequence[ParameterSpec], *, cut_off: bool) -> Proposal:
        """The proposal in an answer.

        Raises:
            UnreadableAnswer: there is none.
        """
        ...


class JsonObject:
    """Reasons and a value for each parameter, as one object."""

    again = "Suggest other values, again as one JSON object."

    def schema(self, parameters: Sequence[ParameterSpec]) -> Mapping[str, Any]:
        """See `Form`."""
        return schema_of(parameters)

    def read(self, said: str, parameters: Sequence[ParameterSpec], *, cut_off: bool) -> Proposal:
        """See `Form`."""
        return read_answer(said, parameters, Cost(), cut_off=cut_off)


class Alone:
    """The new value of one text or code, and nothing around it.

    Args:
        spec: Of the variable.
        now: Its value, which is shown.
    """

    again = ""  # A text and a complaint before it is answered with talk about them.

    def __init__(self, spec: ParameterSpec, now: str = "") -> None:
        self._spec = spec
        self._now = now

    def schema(self, parameters: Sequence[ParameterSpec]) -> Mapping[str, Any]:  # noqa: ARG002 - it is no JSON
        """See `Form`."""
        return {}

    def read(self, said: str, parameters: Sequence[ParameterSpec], *, cut_off: bool) -> Proposal:
        """See `Form`. An object with variables by their keys is read as one, unless the text is such a thing itself.

        What was cut off has no end, and may be the half of a text.
        """
        text = read_alone(said, self._spec, self._now)
        if _OBJECT.match(text) and not any(map(_OBJECT.match, (str(self._spec.default), self._now))):
            return read_answer(said, parameters, Cost(), cut_off=cut_off)
        text = "" if cut_off else text
        if not text:
            raise UnreadableAnswer(f"found {said.strip()[:200]!r}; wanted is the new value of {self._spec.key} alone")
        return Proposal({self._spec.key: text}, f"{self._spec.key} written anew")
