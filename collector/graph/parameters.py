"""The parameters that a trace used: each version is one node, whatever the number of its users."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.core.graph import Gap, GraphParameter, Node, NodeId, NodeKind
from collector.core.release import Release, ReleasedValue
from collector.core.span import AnyValue
from collector.graph.reading.facts import ParameterUse
from otel_opto.spec import ParameterSpec, ParameterValue, canonical, value_hash


@dataclass(frozen=True, slots=True)
class UsedParameters:
    """What the uses of a trace come to.

    Attributes:
        nodes: By service, key and version, the code's own values first.
        parameters: One for each node, in the same order.
        of_span: By span id, the nodes that the span used, by key.
        gaps: ``unknown_value``, one for each node without a value.
    """

    nodes: tuple[Node, ...]
    parameters: tuple[GraphParameter, ...]
    of_span: Mapping[str, Sequence[NodeId]]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """One use, looked up.

    Attributes:
        version: The release that brought the value; 0 for the code's own, or if the span contradicts the release.
        label: Tells the versions of a parameter apart: the version, else the hash of the value.
        fault: Why there is no value.
    """

    span_id: str
    use: ParameterUse
    version: int
    label: str
    value: ParameterValue | None
    fault: str = ""


class ParameterLookup:
    """Values by release number and by hash, specifications by service and key."""

    def __init__(self, releases: Mapping[int, Release], specs: Mapping[tuple[str, str], ParameterSpec]) -> None:
        self._specs = specs
        self._releases = releases
        self._by_hash: dict[tuple[str, str, str], ParameterValue] = {
            (service, key, value_hash(spec.default)): spec.default for (service, key), spec in specs.items()
        }
        for release in releases.values():
            for key, released in release.values.items():
                self._by_hash[release.service, key, released.hash] = released.value

    def discovered(self, service: str, uses: Sequence[ParameterUse]) -> bool:
        """Whether nobody declared it and no span calls it a parameter: it only looks like a prompt."""
        return (service, uses[0].key) not in self._specs and all(use.discovered for use in uses)

    def trainable(self, service: str, uses: Sequence[ParameterUse]) -> bool:
        """As declared, else as a span says, else yes; what is only discovered is not."""
        spec = self._specs.get((service, uses[0].key))
        if spec is not None:
            return spec.trainable
        stated = next((use.trainable for use in uses if use.trainable is not None), True)
        return stated and not self.discovered(service, uses)

    def find(self, service: str, span_id: str, use: ParameterUse) -> _Known:
        """The value that the span itself says, else one with the stated hash, else what the release says."""
        released = self._released(service, use)
        contradicted = released is not None and use.hash not in ("", released.hash)
        version = 0 if use.version is None or contradicted else use.version
        value = self._by_hash.get((service, use.key, use.hash)) if use.value is None else _simple(use.value)
        if value is None and released is not None and not contradicted:
            value = released.value
        label = str(version) if version else use.hash or ("unknown" if value is None else value_hash(value))
        return _Known(span_id, use, version, label, value, "" if value is not None else _fault(service, use, released))

    def _released(self, service: str, use: ParameterUse) -> ReleasedValue | None:
        release = self._releases.get(use.version or 0)
        return release.values.get(use.key) if release is not None and release.service == service else None


def _fault(service: str, use: ParameterUse, released: ReleasedValue | None) -> str:
    if use.version is None:
        return f"no release is stated and no value with the hash {use.hash!r} is known"
    if released is None:
        return f"release {use.version} of service {service!r} is not known, or has no such key"
    return f"release {use.version} holds the value {released.hash}, the span says {use.hash}"


def gather(used: Iterable[tuple[str, str, ParameterUse]], lookup: ParameterLookup) -> UsedParameters:
    """The parameters of a trace.

    Args:
        used: Span id, service and use, in order of time.
        lookup: Where values come from that spans do not carry.
    """
    found: dict[tuple[str, str, int, str], list[_Known]] = {}
    of_span: dict[str, list[NodeId]] = {}
    for span_id, service, use in used:
        known = lookup.find(service, span_id, use)
        identity = (service, use.key, known.version, known.label)
        found.setdefault(identity, []).append(known)
        of_span.setdefault(span_id, []).append(_node_id(identity))
    entries = [_entry(identity, found[identity], lookup) for identity in sorted(found)]
    return UsedParameters(
        nodes=tuple(node for node, _, _ in entries),
        parameters=tuple(parameter for _, parameter, _ in entries),
        of_span={span_id: tuple(nodes) for span_id, nodes in of_span.items()},
        gaps=tuple(gap for _, _, gap in entries if gap),
    )


def _node_id(identity: tuple[str, str, int, str]) -> NodeId:
    service, key, _, label = identity
    return f"param:{service}/{key}@{label}"


def _entry(
    identity: tuple[str, str, int, str], uses: Sequence[_Known], lookup: ParameterLookup
) -> tuple[Node, GraphParameter, Gap | None]:
    service, key, version, _ = identity
    node_id = _node_id(identity)
    value = next((known.value for known in uses if known.value is not None), None)
    node = Node(node_id, NodeKind.PARAMETER, key, value=value, service=service)
    said = [known.use for known in uses]
    parameter = GraphParameter(
        key=key,
        version=version or None,
        text=None if value is None else value if isinstance(value, str) else canonical(value),
        trainable=lookup.trainable(service, said),
        used_by=tuple(known.span_id for known in uses),
        node=node_id,
        discovered=lookup.discovered(service, said),
    )
    gap = Gap("unknown_value", uses[0].span_id, f"{node_id}: {uses[0].fault}") if value is None else None
    return node, parameter, gap


def _simple(value: AnyValue) -> ParameterValue:
    """An inline value as a parameter's value; what no parameter type can hold (a list, NaN) becomes its text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
