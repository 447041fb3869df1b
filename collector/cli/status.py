"""``otel-opto status``: why nothing happens."""

import argparse

from collector.cli.client import ApiClient, quoted
from collector.cli.terminal import output

_HELP = """\
What has to be there before an application gets better, in the order in which it has to come, and what of it is missing.

examples:
  otel-opto status qa           one screen; the exit code is 1 where something is missing
  otel-opto status qa --json    the same for scripts
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "status",
        help="what an application waits for",
        description=_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("service", help="the application's service.name")
    parser.set_defaults(run=status)


def status(arguments: argparse.Namespace) -> int:
    """What is there and what is missing."""
    found = ApiClient(arguments.collector).get(f"/v1/services/{quoted(arguments.service)}/status")
    if arguments.json:
        output.show_json(found)
    else:
        for check in found["checks"]:
            output.show(f"{check['name']:<11} {'ok' if check['ok'] else 'missing':<8} {check['says']}")
        output.show(f"waiting for {found['waiting_for']}" if found["waiting_for"] else "nothing is missing")
    return 1 if found["waiting_for"] else 0
