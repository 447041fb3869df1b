"""Scores the graphs of the recorded workflows when their spans come damaged, as they do.

    python -m benchmarks.dataflow.damage

A row for each kind of damage: means over workflows. True edges, parameters and outputs whose value the damage took away
count as not recorded.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final, TypeAlias

from benchmarks.dataflow.__main__ import COLUMNS, ratios, scored
from benchmarks.dataflow.capture import Capture, load, names
from benchmarks.dataflow.score import IN_BOTH, bare, literal_parts
from collector.core.span import AnyValue, Attributes, LogRecord, Span

MILLISECOND: Final = 1_000_000

HEAD: Final = 40
"""Characters of a value by which it is looked for in what was left."""

_Change: TypeAlias = Callable[[Attributes], Attributes]


def cut(length: int) -> Callable[[Capture], Capture]:
    """``OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT``: values of attributes, of spans, events and log records, end there."""

    def short(value: AnyValue) -> AnyValue:
        if isinstance(value, str):
            return value[:length]
        return [short(item) for item in value] if isinstance(value, list | tuple) else value

    return _on_attributes(lambda attributes: {key: short(value) for key, value in attributes.items()})


def limited(count: int) -> Callable[[Capture], Capture]:
    """``OTEL_ATTRIBUTE_COUNT_LIMIT``: of more attributes the first ones are dropped."""
    return _on_attributes(lambda attributes: dict([*attributes.items()][-count:]))


def in_order_of_names(capture: Capture) -> Capture:
    """As stores and Java's SDK write attributes: not in the order in which they were set."""
    return _on_attributes(lambda attributes: dict(sorted(attributes.items())))(capture)


def in_milliseconds(capture: Capture) -> Capture:
    """Times rounded down, so that whole chains of operations have one and the same."""

    def rounded(span: Span) -> Span:
        start, end = span.start_time_unix_nano, span.end_time_unix_nano
        return span._replace(
            start_time_unix_nano=start - start % MILLISECOND, end_time_unix_nano=end - end % MILLISECOND
        )

    return replace(capture, spans=tuple(map(rounded, capture.spans)))


def _on_attributes(change: _Change) -> Callable[[Capture], Capture]:
    def on_span(span: Span) -> Span:
        left = change(span.attributes)
        events = tuple(event._replace(attributes=change(event.attributes)) for event in span.events)
        lost = len(span.attributes) - len(left)
        return span._replace(
            attributes=left, events=events, dropped_attributes_count=span.dropped_attributes_count + lost
        )

    def on_capture(capture: Capture) -> Capture:
        spans = tuple(map(on_span, capture.spans))
        records = tuple(replace(record, attributes=change(record.attributes)) for record in capture.records)
        return replace(capture, spans=spans, records=records, truth=_still_true(capture.truth, spans, records))

    return on_capture


def _still_true(truth: Mapping[str, Any], spans: tuple[Span, ...], records: tuple[LogRecord, ...]) -> Mapping[str, Any]:
    """The truth with what cannot be seen any more marked so."""
    left: dict[str, list[str]] = {}
    for span in spans:
        events = [value for event in span.events for value in event.attributes.values()]
        left.setdefault(span.context.span_id, []).extend(map(bare, (*span.attributes.values(), *events)))
    for record in records:
        if record.context is not None:
            said = (record.body, *record.attributes.values())
            left.setdefault(record.context.span_id, []).extend(map(bare, said))

    def there(span_id: str, text: str) -> bool:
        return any(text in one for one in left.get(span_id, ()))

    changed = deepcopy(dict(truth))
    for trace in changed["traces"]:
        for edge in trace["edges"]:
            value = bare(edge["value"])[:HEAD] if edge["value"] is not None else ""
            ends = (edge["producer_span_id"], edge["consumer_span_id"])
            if edge["observable"] == IN_BOTH and not all(there(one, value) for one in ends):
                edge["observable"] = "lost"
        for parameter in trace["parameters"]:
            parts = literal_parts(str(parameter.get("text") or ""))
            users = [use["span_id"] for use in parameter["used_by"] if use.get("span_id")]
            if not all(any(there(one, part) for one in users) for part in parts):
                parameter["text"] = None
        final = trace.get("final_output")
        if final and not any(there(span_id, bare(final)) for span_id in left):
            trace["final_observable"] = False
    return changed


DAMAGES: Final[Mapping[str, Callable[[Capture], Capture]]] = {
    "none": lambda capture: capture,
    "values cut at 1,000 characters": cut(1_000),
    "values cut at 300 characters": cut(300),
    "32 attributes a span": limited(32),
    "attributes in order of names": in_order_of_names,
    "times in milliseconds": in_milliseconds,
}


def damaged(name: str) -> dict[str, object]:
    """The means over all workflows with one kind of damage."""
    return ratios([scored(DAMAGES[name](load(workflow)))[0] for workflow in names()])


def main() -> None:
    """Prints the table of docs/benchmarks/dataflow.md."""
    shown = [name for name, _, _ in COLUMNS if name != "trainable"]
    print(f"| damage | {' | '.join(shown)} | extra |\n| --- |" + " ---: |" * (len(shown) + 1))
    for name in DAMAGES:
        means = damaged(name)
        cells = ["" if (mean := means[f"{column} (mean)"]) is None else f"{mean:.3f}" for column in shown]
        print(f"| {name} | {' | '.join(cells)} | {means['extra parameters']} |")


if __name__ == "__main__":
    main()
