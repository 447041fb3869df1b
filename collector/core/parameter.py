"""Validation of a proposal: nothing becomes a release that does not fit its parameters."""

from collections.abc import Mapping, Sequence

from collector.core.errors import InvalidRequest, some
from otel_opto.spec import InvalidValue, ParameterSpec, ParameterValue


def validated(
    values: Mapping[str, object], parameters: Sequence[ParameterSpec]
) -> tuple[dict[str, ParameterValue], tuple[str, ...]]:
    """The values in their parameters' types, and every fault: unknown keys, wrong types, broken constraints."""
    specs = {spec.key: spec for spec in parameters}
    known = some(sorted(specs)) or "none"
    good: dict[str, ParameterValue] = {}
    faults: list[str] = []
    for key, value in values.items():
        spec = specs.get(key)
        if spec is None:
            faults.append(f"parameter {key!r}: unknown; known: {known}")
            continue
        try:
            good[key] = spec.validate(value)
        except InvalidValue as error:
            faults.append(str(error))
    return good, tuple(faults)


def undeclared(service: str, wanted: Sequence[str], declared: Sequence[ParameterSpec]) -> str:
    """Why a study of these parameters cannot begin, in words; empty if it can.

    Args:
        wanted: Keys; empty for all that are trainable.
        declared: By the applications of the service.
    """
    known = {spec.key: spec for spec in declared}
    if not known:
        return f"service {service!r} has declared no parameters"
    missing = [key for key in wanted if key not in known]
    if missing:
        return f"no application of {service!r} has declared {some(missing)}; declared are {some(sorted(known))}"
    if not wanted and not any(spec.trainable for spec in declared):
        return f"service {service!r} has declared no trainable parameters; declared are {some(sorted(known))}"
    return ""


MOST_PARAMETERS = 10_000
"""Declared parameters of one service."""

MOST_PARAMETER_BYTES = 16 * 2**20
"""Of all declarations of one service together, as they are kept."""


def check_amount(service: str, count: int, size_bytes: int) -> None:
    """Passes where a service may have so many declared parameters: each release names them all.

    Raises:
        InvalidRequest: it has too many, or they are too large.
    """
    if count > MOST_PARAMETERS:
        raise InvalidRequest(
            f"parameters of service {service!r}: found {count}, allowed are {MOST_PARAMETERS} in one service"
        )
    if size_bytes > MOST_PARAMETER_BYTES:
        raise InvalidRequest(
            f"parameters of service {service!r}: found {size_bytes} bytes of declarations, allowed are "
            f"{MOST_PARAMETER_BYTES} in one service; shorten texts, choices and candidates"
        )
