"""``otel-opto traces``, ``otel-opto graph`` and ``otel-opto stats``: looking at what came in."""

import argparse
import asyncio
import json
from pathlib import Path

from collector.cli.client import ApiClient
from collector.cli.terminal import output
from collector.cli.terminal.png import write_png
from collector.core.identity.ids import span_id_of, trace_id_of
from collector.core.study import Reach
from collector.process.service import drawn_from

_GRAPH_HELP = """\
The OPTO graph of a trace: parameters, inputs and operations, and what flowed into what.

examples:
  otel-opto graph 0af7651916cd43dd8448eb211c80319c                    a tree in the terminal
  otel-opto graph 0af7651916cd43dd8448eb211c80319c --json             one JSON object
  otel-opto graph 0af7651916cd43dd8448eb211c80319c --tgj              Trace-Graph JSON, for OpenTrace
  otel-opto graph 0af7651916cd43dd8448eb211c80319c --svg graph.svg    a picture
  otel-opto graph 0af7651916cd43dd8448eb211c80319c --dot | dot -Tpng > graph.png
  otel-opto graph 0af7651916cd43dd8448eb211c80319c --explain b7ad6b7169203331   what was read where, which rules spoke
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds the three commands."""
    listing = commands.add_parser("traces", help="list stored traces", parents=[common])
    listing.add_argument("--limit", type=int, default=1000, help="newest first; 0 means all (default 1000)")
    listing.set_defaults(run=list_traces)
    drawing = commands.add_parser(
        "graph",
        help="show the OPTO graph of a trace",
        description=_GRAPH_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    drawing.add_argument("trace_id", help="1 to 32 hex digits; `otel-opto traces` lists them")
    forms = drawing.add_mutually_exclusive_group()
    forms.add_argument("--tgj", action="store_true", help="Trace-Graph JSON 1.0, for OpenTrace's optimizers")
    forms.add_argument("--dot", action="store_true", help="Graphviz source on standard output")
    forms.add_argument("--svg", type=Path, metavar="FILE", help="write a picture")
    forms.add_argument("--png", type=Path, metavar="FILE", help="the same in pixels; needs rsvg-convert")
    forms.add_argument(
        "--explain",
        metavar="SPAN_ID",
        default="",
        help="what was read from which of the span's keys by which table, and which rule made each of its edges",
    )
    drawing.add_argument(
        "--reach",
        choices=[reach.value for reach in Reach],
        default=Reach.TRACE.value,
        help="the trace alone, also the traces that it links to, or also the earlier ones of its session",
    )
    drawing.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="read a collector's data directory while no collector runs on it"
    )
    drawing.set_defaults(run=graph, data_dir=None)
    counting = commands.add_parser("stats", help="how much is stored, what was refused or lost", parents=[common])
    counting.set_defaults(run=stats)


def list_traces(arguments: argparse.Namespace) -> int:
    """Stored traces, newest first."""
    traces = ApiClient(arguments.collector).listed("/v1/traces", "traces", arguments.limit)
    if arguments.json:
        output.show_json(traces)
        return 0
    rows = [
        (
            t["trace_id"],
            t["root_name"],
            ", ".join(t["services"]),
            output.moment(t["start_time_unix_nano"]),
            t["duration_nano"] / 1e6,
            t["span_count"],
            t["error_count"],
        )
        for t in traces
    ]
    headings = ("trace", "root", "services", "start (UTC)", "ms", "spans", "errors")
    output.show_table(headings, rows, "no trace is stored yet")
    return 0


def graph(arguments: argparse.Namespace) -> int:
    """The OPTO graph of a trace in the form that was asked for."""
    if arguments.svg:
        arguments.svg.write_text(_drawn(arguments, "svg"), encoding="utf-8")
        output.show(f"written: {arguments.svg}")
    elif arguments.png:
        write_png(_drawn(arguments, "svg"), arguments.png)
        output.show(f"written: {arguments.png}")
    elif arguments.json or arguments.tgj:
        output.show_json(json.loads(_drawn(arguments, "tgj" if arguments.tgj else "json")))
    else:
        output.show_lines(_drawn(arguments, "dot" if arguments.dot else "text"))
    return 0


def _drawn(arguments: argparse.Namespace, form: str) -> str:
    explain = arguments.explain and span_id_of(arguments.explain)
    if arguments.data_dir is None:
        path = f"/v1/traces/{trace_id_of(arguments.trace_id)}/"
        path += f"spans/{explain}/explanation" if explain else "graph"
        return ApiClient(arguments.collector).get_text(path, format=form, reach=arguments.reach)
    return asyncio.run(drawn_from(arguments.data_dir, arguments.trace_id, form, Reach(arguments.reach), explain))


def stats(arguments: argparse.Namespace) -> int:
    """Counts of the store and of the process."""
    document = ApiClient(arguments.collector).get("/v1/stats")
    if arguments.json:
        output.show_json(document)
        return 0
    kept = [(name, document[name]) for name in ("spans", "traces", "log_records", "bytes")]
    waiting = [(f"feedback {state}", count) for state, count in document["feedback"].items()]
    output.show_table(("stored", "count"), [*kept, *waiting], "")
    output.show("")
    output.show_table(("since the collector's start", "count"), list(document["counters"].items()), "")
    return 0
