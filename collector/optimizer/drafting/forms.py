"""The forms in which a model is asked for a candidate, and how its answer is read in each."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from collector.core.study import Cost, Proposal
from collector.optimizer.answers.reading import read_answer
from collector.optimizer.answers.schema import schema_of
from otel_opto.spec import ParameterSpec


class Form(Protocol):
    """What an answer should look like."""

    @property
    def again(self) -> str:
        """What a model is told to do after an answer that cannot be used."""
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
