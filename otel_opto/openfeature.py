"""Parameters as feature flags: an OpenFeature provider (https://openfeature.dev/specification). Extra ``openfeature``.

    from openfeature import api
    from otel_opto.openfeature import OptoProvider

    api.set_provider(OptoProvider())

A flag is the parameter of the same key; reading it is a use of the parameter, recorded on the current span.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

import otel_opto
from otel_opto.parameter import Parameter, Resolved, spec_of
from otel_opto.setup import Sdk
from otel_opto.spec import Constraint, InvalidValue, ParameterType

_T = TypeVar("_T")
_BOOLEAN = (ParameterType.BOOLEAN,)
_STRING = (ParameterType.TEXT, ParameterType.CHOICE, ParameterType.CODE)
_INTEGER = (ParameterType.INTEGER,)
_FLOAT = (ParameterType.FLOAT, ParameterType.INTEGER)
_OBJECT = (ParameterType.JSON,)
_MOST_DECLARED = 1_000
"""Flags that are declared by being asked for: a key made of a user's id must not fill memory and collector."""


class OptoProvider(AbstractProvider):
    """Resolves flags by what `otel_opto` has in force. It neither blocks nor asks anybody.

    The targeting key of the evaluation context is the assignment's: it decides which release the current trace gets,
    as long as the trace has read no value, and is passed on to the next service (as `otel_opto.targeting_key`).

    Reasons are OpenFeature's: ``STATIC``, one release is in force for everybody; ``SPLIT``, the targeting key or the
    trace chose among several; ``TARGETING_MATCH``, the service that called has chosen; ``CACHED``, from disk, not yet
    confirmed by the collector; ``DEFAULT``, nothing is released for the flag; ``ERROR``, with the code. The variant is
    ``release-N``, after the release that brought the value; the metadata name that release and the one in force.

    Args:
        declare: Whether a flag that is no declared parameter becomes one, with the type and value of the first default
            that it is asked with; a number so declared has no bounds, which a search needs. Otherwise such a flag is
            ``FLAG_NOT_FOUND``.
        sdk: For tests; else that of the process.
    """

    def __init__(self, *, declare: bool = True, sdk: Sdk | None = None) -> None:
        super().__init__()
        self._sdk = sdk or otel_opto._sdk  # noqa: SLF001 - the instance of the process
        self._declares = declare
        self._declared = 0
        self._lock = threading.Lock()
        self._parameters: dict[str, Parameter[Any]] = {}
        self._end: Callable[[], None] | None = None

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002 - the name is the protocol's
        """See `FeatureProvider`. From now on ``PROVIDER_CONFIGURATION_CHANGED`` says which flags have other values."""
        self.shutdown()
        self._end = self._sdk.registry.on_applied(self._changed)

    def shutdown(self) -> None:
        """See `FeatureProvider`; parameters stay as they are."""
        end, self._end = self._end, None
        if end is not None:
            end()

    def _changed(self, keys: frozenset[str]) -> None:
        self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=sorted(keys)))

    def get_metadata(self) -> Metadata:
        """See `FeatureProvider`."""
        return Metadata(name="otel-opto")

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """Of a parameter of type boolean."""
        return self._resolved(flag_key, default_value, evaluation_context, _BOOLEAN)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """Of a parameter of type text, choice or code."""
        return self._resolved(flag_key, default_value, evaluation_context, _STRING)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """Of a parameter of type integer."""
        return self._resolved(flag_key, default_value, evaluation_context, _INTEGER)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """Of a parameter of type float or integer."""
        default = float(default_value) if isinstance(default_value, int) else default_value
        found = self._resolved(flag_key, default, evaluation_context, _FLOAT)
        found.value = float(found.value)
        return found

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Of a parameter whose value is a list or an object."""
        found = self._resolved(flag_key, default_value, evaluation_context, _OBJECT)
        if isinstance(found.value, str):
            found.value = json.loads(found.value)
        return found

    def _resolved(
        self, key: str, default: _T, evaluation: EvaluationContext | None, types: Sequence[ParameterType]
    ) -> FlagResolutionDetails[_T]:
        try:
            parameter = self._parameter(key, default)
        except InvalidValue as error:
            return _failed(default, ErrorCode.FLAG_NOT_FOUND, str(error))
        if parameter.spec.type not in types:
            wanted = " or ".join(one.value for one in types)
            said = f"parameter {key!r} is a {parameter.spec.type.value}; asked for as {wanted}"
            return _failed(default, ErrorCode.TYPE_MISMATCH, said)
        target = evaluation.targeting_key if evaluation is not None else None
        with self._sdk.pins.targeting(target) if target else nullcontext():
            return self._details(parameter.use(), default)

    def _parameter(self, key: str, default: object) -> Parameter[Any]:
        """Raises `InvalidValue` where there is none and none is made."""
        spec = self._sdk.registry.specs().get(key)
        known = self._parameters.get(key)
        if known is not None and known.spec is spec:
            return known
        with self._lock:
            if spec is None:
                if not self._declares or self._declared >= _MOST_DECLARED:
                    raise InvalidValue(f"parameter {key!r} is not declared")
                spec = spec_of(key, default, Constraint(), "", trainable=True)
                self._declared += 1
            check = self._sdk.registry.check_of(key)
            made = self._parameters[key] = Parameter[Any](spec, spec.default, self._sdk.pins, check)
        return made

    def _details(self, found: Resolved[Any], default: _T) -> FlagResolutionDetails[_T]:
        if found.error is not None:
            return _failed(default, ErrorCode.PARSE_ERROR, found.error)
        metadata: dict[str, bool | int | float | str] = {} if found.release is None else {"release": found.release}
        if found.version is None:
            value = found.value if found.reason == "override" else default
            reason = Reason.STATIC if found.reason == "override" else Reason.DEFAULT
            return FlagResolutionDetails(value, reason=reason, variant=found.reason, flag_metadata=metadata)
        return FlagResolutionDetails(
            found.value,
            reason=self._reason(found),
            variant=f"release-{found.version}",
            flag_metadata={**metadata, "version": found.version},
        )

    def _reason(self, found: Resolved[Any]) -> Reason:
        if found.reason == "cached":
            return Reason.CACHED
        pin = self._sdk.pins.of_current()
        if pin is not None and pin.revision is None:
            return Reason.TARGETING_MATCH
        assignment = self._sdk.registry.assignment
        return Reason.SPLIT if assignment is not None and assignment.splits else Reason.STATIC


def _failed(default: _T, code: ErrorCode, message: str) -> FlagResolutionDetails[_T]:
    return FlagResolutionDetails(default, error_code=code, error_message=message, reason=Reason.ERROR)
