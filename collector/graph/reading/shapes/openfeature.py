"""Feature flags (OpenFeature hooks): each evaluation is the use of a parameter."""

from typing import Final

from collector.core.span import AnyValue, Attributes
from collector.graph.reading.facts import Facts, ParameterUse, Source
from collector.graph.reading.values import decoded

NAMESPACES: Final = ("feature_flag",)
SAYS: Final = "event or log record `feature_flag.evaluation`: `feature_flag.{key,result.value,result.variant}`"

_EVENTS = ("feature_flag.evaluation", "feature_flag")


def read(source: Source) -> Facts | None:
    """Of several evaluations of one flag the last counts; the value is JSON text in Python's hook."""
    found: dict[str, ParameterUse] = {}
    for event in source.events:
        key = event.attributes.get("feature_flag.key")
        if event.name in _EVENTS and key:
            found[str(key)] = ParameterUse(str(key), value=_value(event.attributes))
    return Facts(uses=tuple(found[key] for key in sorted(found))) if found else None


def _value(said: Attributes) -> AnyValue:
    for key in ("feature_flag.result.value", "feature_flag.evaluation.result.value"):
        if key in said:
            return decoded(said[key])
    variant = said.get("feature_flag.result.variant", said.get("feature_flag.variant"))
    return None if variant is None else str(variant)
