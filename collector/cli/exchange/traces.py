"""``otel-opto export`` and ``otel-opto import``: traces and their feedback as OTLP JSON lines."""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.cli.client import ApiClient, Refused
from collector.cli.exchange import studies
from collector.cli.exchange.judgements import content_of, document_of, log_lines
from collector.cli.exchange.lines import STANDARD, Line, Writing, lines_in, reading, writing
from collector.cli.exchange.receiver import OtlpClient, receiver_of
from collector.cli.terminal import output
from collector.cli.terminal.progress import Progress
from collector.core.errors import InvalidRequest, TooLarge
from collector.core.identity.ids import trace_id_of
from collector.core.span import Span
from collector.core.telemetry import Signal
from collector.feedback.extract import from_log_records
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.faults import Faults
from collector.otlp.json_request import to_protobuf
from collector.otlp.request import read_request

_EXPORT_HELP = """\
Writes traces and the feedback on them as OTLP JSON lines, as the OpenTelemetry Collector's file exporter does: a line
is a whole trace ({"resourceSpans": …}), feedback on it follows as log events ({"resourceLogs": …}) with the name
gen_ai.evaluation.result. Traces are asked for one after the other, so their number does not matter. Releases and their
values are not in spans: a backup of the data directory has these (otel-opto backup). With --study and --studies studies
are written in place of traces: a line each, with every candidate, what was measured of it, and who decided what.

examples:
  otel-opto export > traces.jsonl                    all
  otel-opto export --service qa --limit 1000 --out qa.jsonl
  otel-opto export 0af7651916cd43dd8448eb211c80319c  one trace
  otel-opto export --studies --out studies.jsonl     all studies
"""
_IMPORT_HELP = """\
Takes OTLP JSON lines into a running collector: spans over OTLP/HTTP, log events gen_ai.evaluation.result as feedback.
What the collector has already is not sent again, so that an import that was broken off may simply be begun anew.
A line that cannot be read is passed over, and said with its number; the exit code is 1 then. A release that a span
names is one of the collector that takes it in, by its number. Studies come as what has ended, to be looked at and
compared; their releases stay where they were.

examples:
  otel-opto import traces.jsonl
  otel-opto export --collector http://there:4319 | otel-opto import -
  otel-opto import traces.jsonl --otlp http://127.0.0.1:14318
"""
_FEEDBACK_AT_ONCE = 100


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds the two commands."""
    exporting = commands.add_parser(
        "export",
        help="write traces and feedback as OTLP JSON lines",
        description=_EXPORT_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    exporting.add_argument("trace_id", nargs="*", help="only these; 1 to 32 hex digits each")
    exporting.add_argument("--service", default="", metavar="NAME", help="only traces with spans of this service")
    exporting.add_argument("--limit", type=int, default=0, help="newest first; 0 means all (default)")
    exporting.add_argument("--study", action="append", default=[], metavar="NAME", help="this study, not traces")
    exporting.add_argument("--studies", action="store_true", help="all studies, not traces")
    exporting.add_argument("--out", default=STANDARD, metavar="FILE", help="default: standard output")
    exporting.set_defaults(run=run_export)
    importing = commands.add_parser(
        "import",
        help="take OTLP JSON lines into a collector",
        description=_IMPORT_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument("file", metavar="FILE", help="- is standard input")
    importing.add_argument("--otlp", metavar="URL", help="its OTLP/HTTP address; default: port 4318 beside its API")
    importing.set_defaults(run=run_import, otlp="")


def run_export(arguments: argparse.Namespace) -> int:
    """Writes what is asked for."""
    client = ApiClient(arguments.collector)
    counts: Counter[str] = Counter()
    if arguments.study or arguments.studies:
        return _export_studies(client, arguments)
    with writing(arguments.out) as target, Progress("traces") as progress:
        for trace_id in _wanted(client, arguments):
            _export(client, trace_id, target, counts)
            progress.step()
    told = {name: counts[name] for name in ("traces", "spans", "feedback", "failed")}
    if arguments.json and arguments.out != STANDARD:
        output.show_json(told)
    else:
        output.warn(", ".join(f"{count:,} {name}" for name, count in told.items() if count) or "there are no traces")
    return 1 if counts["failed"] else 0


def _export_studies(client: ApiClient, arguments: argparse.Namespace) -> int:
    with writing(arguments.out) as target, Progress("studies") as progress:
        for line in studies.archives(client, arguments.study):
            target.line(line)
            progress.step()
    if arguments.json and arguments.out != STANDARD:
        output.show_json({"studies": progress.count})
    else:
        output.warn(f"{progress.count:,} studies" if progress.count else "there are no studies")
    return 0


def _wanted(client: ApiClient, arguments: argparse.Namespace) -> Iterator[str]:
    if arguments.trace_id:
        yield from map(trace_id_of, arguments.trace_id)
        return
    found = 0
    for summary in client.each("/v1/traces", "traces"):
        if arguments.service and arguments.service not in summary["services"]:
            continue
        yield str(summary["trace_id"])
        found += 1
        if found == arguments.limit:
            return


def _export(client: ApiClient, trace_id: str, target: Writing, counts: "Counter[str]") -> None:
    try:
        groups = _stored(client, trace_id)
    except Refused as error:
        output.warn(f"trace {trace_id}: {error}")
        counts["failed"] += 1
        return
    if groups:
        target.line({"resourceSpans": groups})
        counts["traces"] += 1
        counts["spans"] += sum(len(scope["spans"]) for group in groups for scope in group["scopeSpans"])
    some: list[Mapping[str, Any]] = []
    for one in client.each("/v1/feedback", "feedback", trace_id=trace_id):
        some.append(one)
        counts["feedback"] += 1
        if len(some) == _FEEDBACK_AT_ONCE:
            target.line(log_lines(some))
            some = []
    if some:
        target.line(log_lines(some))
    if not groups and not some:
        output.warn(f"trace {trace_id}: it is not stored (any more); otel-opto traces lists those that are")
        counts["failed"] += 1


def _stored(client: ApiClient, trace_id: str) -> list[dict[str, Any]]:
    """The ``resourceSpans`` of a trace as they came; [] if it is not there. Raises `Refused`: it is too large."""
    try:
        groups: list[dict[str, Any]] = client.get(f"/api/v3/traces/{trace_id}", rawTraces="true")["result"][
            "resourceSpans"
        ]
    except Refused as error:
        if error.status == 404:
            return []
        raise
    return groups


def _checked(signal: Signal, text: bytes, faults: Faults) -> bytes:
    """A line as the request that a receiver would keep of it."""
    return read_request(signal, to_protobuf(signal, text, faults), 0, faults=faults).request.body


def run_import(arguments: argparse.Namespace) -> int:
    """Takes a file in."""
    importing = _Import(ApiClient(arguments.collector), OtlpClient(arguments.otlp or receiver_of(arguments.collector)))
    with reading(arguments.file) as file, Progress("lines") as progress:
        for line in lines_in(file):
            for fault in importing.line(line):
                output.warn(f"{arguments.file}:{line.number}: {fault}")
            progress.step()
    counts = importing.counts
    told = {
        "lines": progress.count,
        "spans": counts["spans"],
        "spans_there_already": counts["spans_there"],
        "feedback": counts["feedback"],
        "feedback_there_already": counts["feedback_there"],
        "studies": counts["studies"],
        "studies_there_already": counts["studies_there"],
        "lines_with_faults": counts["faulty"],
        "damaged_lines": counts["damaged"],
    }
    if arguments.json:
        output.show_json(told)
    else:
        output.show(", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in told.items()))
    return 1 if counts["faulty"] else 0


class _Import:
    """Takes lines, one after the other. `counts`: what became of them."""

    def __init__(self, client: ApiClient, receiver: OtlpClient) -> None:
        self._client = client
        self._receiver = receiver
        self.counts: Counter[str] = Counter()

    def line(self, line: Line) -> Sequence[str]:
        """Takes one; returns what is wrong with it."""
        faults = [f"{line.fault}; the line is passed over"] if line.fault else self._taken(line)
        self.counts["faulty"] += bool(faults)
        self.counts["damaged"] += bool(line.fault)
        return faults

    def _taken(self, line: Line) -> list[str]:
        signals = {"resourceSpans": self._spans, "resourceLogs": self._feedback, studies.KEY: self._study}
        known = [signals[key] for key in signals if key in line.document]
        if not known:
            found = ", ".join(map(repr, list(line.document)[:5])) or "nothing"
            return [f"found {found}, allowed are {', '.join(map(repr, signals))}; the line is passed over"]
        said = []
        for take in known:
            faults = Faults()
            try:
                said.append(take(line.text, faults))
            except (InvalidRequest, TooLarge) as error:
                said.append(f"{error}; the line is passed over")
            said.append(faults.message)
        return [one for one in said if one]

    def _study(self, text: bytes, _: Faults) -> str:
        new = studies.take(self._client, json.loads(text))
        self.counts["studies" if new else "studies_there"] += 1
        return ""

    def _spans(self, text: bytes, faults: Faults) -> str:
        request = ExportTraceServiceRequest.FromString(_checked(Signal.TRACES, text, faults))
        there: dict[str, list[Span]] = {}
        coming = iter(spans_of(request.SerializeToString()))
        for group in request.resource_spans:
            for scope in group.scope_spans:
                kept = [message for message in scope.spans if not self._there(next(coming), there)]
                self.counts["spans"] += len(kept)
                del scope.spans[:]
                scope.spans.extend(kept)
        if not any(scope.spans for group in request.resource_spans for scope in group.scope_spans):
            return ""
        return self._receiver.send(request.SerializeToString())

    def _there(self, span: Span, there: dict[str, list[Span]]) -> bool:
        """Whether the collector has it, in every field, or the line has had it. `there`: what it has, by trace."""
        trace_id = span.context.trace_id
        if trace_id not in there:
            document = json.dumps({"resourceSpans": _stored(self._client, trace_id)}).encode()
            there[trace_id] = spans_of(to_protobuf(Signal.TRACES, document))
        known = span in there[trace_id]
        self.counts["spans_there"] += known
        if not known:
            there[trace_id].append(span)
        return known

    def _feedback(self, text: bytes, faults: Faults) -> str:
        records = log_records_of(_checked(Signal.LOGS, text, faults))
        found = from_log_records(records)
        coming = [document_of(one) for one in found.feedback]
        there: dict[str, set[tuple[object, ...]]] = {}
        for trace_id in {one["trace_id"] for one in coming}:
            listed = self._client.each("/v1/feedback", "feedback", trace_id=trace_id) if trace_id else ()
            there[trace_id] = {content_of(one) for one in listed}
        new = [one for one in coming if content_of(one) not in there[one["trace_id"]]]
        for begin in range(0, len(new), _FEEDBACK_AT_ONCE):
            self._client.post("/v1/feedback", {"feedback": new[begin : begin + _FEEDBACK_AT_ONCE]})
        self.counts["feedback"] += len(new)
        self.counts["feedback_there"] += len(coming) - len(new)
        return "; ".join((*found.faults[:1], *found.unscored[:1]))
