"""``otel-opto audit``: who decided what, when and why."""

import argparse

from collector.cli.client import ApiClient
from collector.cli.terminal import output

_HELP = """\
The ledger of releases, assignments, studies and rollouts, the newest event first. Nothing in it is ever changed.

examples:
  otel-opto audit                              what happened last
  otel-opto audit --service qa                 to one service
  otel-opto audit --stream rollout/better      in one rollout
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "audit",
        help="who decided what, when and why",
        description=_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--service", default="", help="only what concerns this service")
    parser.add_argument("--stream", default="", help="only streams whose names begin so")
    parser.add_argument("--limit", type=int, default=50, help="how many events (default 50)")
    parser.set_defaults(run=audit)


def audit(arguments: argparse.Namespace) -> int:
    """The newest events first."""
    query = {"service": arguments.service, "stream": arguments.stream, "limit": arguments.limit}
    events = ApiClient(arguments.collector).get("/v1/audit", **query)["events"]
    if arguments.json:
        output.show_json(events)
        return 0
    rows = [
        (e["sequence"], output.moment(e["time_unix_nano"]), e["actor"], e["stream"], e["kind"], _why(e["data"]))
        for e in events
    ]
    output.show_table(("event", "when (UTC)", "who", "stream", "what", "why"), rows, "nothing has happened yet")
    return 0


def _why(data: dict[str, object]) -> object:
    return data.get("reason") or data.get("message") or data.get("reasoning") or ""
