"""Validation of a proposal: nothing becomes a release that does not fit its parameters."""

from collections.abc import Mapping, Sequence

from otel_opto.spec import InvalidValue, ParameterSpec, ParameterValue


def validated(
    values: Mapping[str, object], parameters: Sequence[ParameterSpec]
) -> tuple[dict[str, ParameterValue], tuple[str, ...]]:
    """The values in their parameters' types, and every fault: unknown keys, wrong types, broken constraints."""
    specs = {spec.key: spec for spec in parameters}
    good: dict[str, ParameterValue] = {}
    faults: list[str] = []
    for key, value in values.items():
        spec = specs.get(key)
        if spec is None:
            faults.append(f"parameter {key!r}: unknown; known: {', '.join(sorted(specs)) or 'none'}")
            continue
        try:
            good[key] = spec.validate(value)
        except InvalidValue as error:
            faults.append(str(error))
    return good, tuple(faults)
