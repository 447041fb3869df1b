"""A recorded workflow: the OTLP export requests as they came, and the truth beside them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.core.span import LogRecord, Span
from collector.core.telemetry import Signal
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.json_request import to_protobuf

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "data" / "captures"


@dataclass(frozen=True, slots=True)
class Capture:
    """One workflow.

    Attributes:
        spans: Of all traces, in order of arrival; duplicates included.
        records: Log records of all traces.
        truth: ``expected.json``: for each trace its true edges, parameters, final output and exception.
    """

    name: str
    spans: tuple[Span, ...]
    records: tuple[LogRecord, ...]
    truth: Mapping[str, Any]

    def spans_of(self, trace_id: str) -> list[Span]:
        """In order of arrival."""
        return [span for span in self.spans if span.context.trace_id == trace_id]

    def records_of(self, trace_id: str) -> list[LogRecord]:
        """Those that belong to a span of the trace."""
        return [record for record in self.records if record.context and record.context.trace_id == trace_id]


def names(folder: Path = FOLDER) -> list[str]:
    """Of the workflows there."""
    return sorted(path.parent.name for path in folder.glob("*/expected.json"))


def load(name: str, folder: Path = FOLDER) -> Capture:
    """Every recorded request of a workflow, decoded."""
    spans: list[Span] = []
    records: list[LogRecord] = []
    for item in json.loads((folder / name / "index.json").read_text(encoding="utf-8")):
        _, signal, form = item["file"].rsplit(".", 2)
        if signal not in ("traces", "logs"):
            continue
        body = (folder / name / item["file"]).read_bytes()
        if form == "json":
            body = to_protobuf(Signal(signal), body)
        if signal == "traces":
            spans.extend(spans_of(body))
        else:
            records.extend(log_records_of(body))
    truth = json.loads((folder / name / "expected.json").read_text(encoding="utf-8"))
    return Capture(name, tuple(spans), tuple(records), truth)
