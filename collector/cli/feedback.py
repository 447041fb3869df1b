"""``otel-opto feedback``: judgements on traces."""

import argparse
from typing import Any

from collector.cli.client import ApiClient
from collector.cli.terminal import output

_HELP = """\
Feedback is a score, a label, a text, or several of them on the output of a span. It may come before its spans.

examples:
  otel-opto feedback                                                      the latest
  otel-opto feedback list --trace 0af7651916cd43dd8448eb211c80319c        of one trace
  otel-opto feedback send 0af7651916cd43dd8448eb211c80319c --name quality --score 0.2 --text "names no source"
  otel-opto feedback send --response-id chatcmpl-9J3uX --name quality --label good
  otel-opto feedback send --by session.id=7f3c --name quality --score 1   the newest trace of that session
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds the command and its actions."""
    parser = commands.add_parser(
        "feedback",
        help="list and send feedback",
        description=_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=list_feedback, trace="", limit=100)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    listing = actions.add_parser("list", help="newest first", parents=[common])
    listing.add_argument("--trace", default="", metavar="TRACE_ID", help="only of this trace")
    listing.add_argument("--limit", type=int, default=100, help="0 means all (default 100)")
    listing.set_defaults(run=list_feedback)
    sending = actions.add_parser("send", help="judge a trace or a span", parents=[common])
    sending.add_argument("trace_id", nargs="?", default="", help="1 to 32 hex digits; may be left to the next three")
    sending.add_argument(
        "--response-id", default="", metavar="ID", help="gen_ai.response.id of the judged answer, wherever its span is"
    )
    sending.add_argument(
        "--by",
        default="",
        metavar="KEY=VALUE",
        help="an attribute that names what is judged, for example session.id: the newest trace that has it",
    )
    sending.add_argument("--handle", default="", help="what otel_opto.handle() gave, or a W3C traceparent")
    sending.add_argument("--span", default="", metavar="SPAN_ID", help="1 to 16 hex digits (default: the trace's root)")
    sending.add_argument("--name", required=True, help="the metric")
    sending.add_argument("--score", type=float)
    sending.add_argument("--label", default="")
    sending.add_argument("--text", default="")
    sending.add_argument("--source", default="cli", help="who says so (default cli)")
    sending.set_defaults(run=send)


def list_feedback(arguments: argparse.Namespace) -> int:
    """The latest feedback."""
    client = ApiClient(arguments.collector)
    items = client.listed("/v1/feedback", "feedback", arguments.limit, trace_id=arguments.trace)
    if arguments.json:
        output.show_json(items)
        return 0
    rows = [
        (
            f["trace_id"] or f["response_id"] or f"{f['by_key']}={f['by_value']}",
            f["name"],
            f["score"],
            _state(f),
            f["release"],
            f["text"] or f["label"],
        )
        for f in items
    ]
    output.show_table(("trace", "metric", "score", "state", "release", "text"), rows, "no feedback yet")
    return 0


def _state(feedback: dict[str, Any]) -> str:
    """Of several judgements by one source on one output by one metric the last one counts."""
    return f"{feedback['state']}, superseded" if feedback["superseded"] else str(feedback["state"])


def send(arguments: argparse.Namespace) -> int:
    """Sends one feedback."""
    by_key, _, by_value = arguments.by.partition("=")
    feedback = {
        "trace_id": arguments.trace_id,
        "handle": arguments.handle,
        "by_key": by_key,
        "by_value": by_value,
        "span_id": arguments.span,
        "response_id": arguments.response_id,
        "name": arguments.name,
        "score": arguments.score,
        "label": arguments.label,
        "text": arguments.text,
        "source": arguments.source,
    }
    answer = ApiClient(arguments.collector).post("/v1/feedback", {"feedback": [feedback]})
    if arguments.json:
        output.show_json(answer)
    else:
        output.show(f"feedback {answer['ids'][0]} is kept")
    return 0
