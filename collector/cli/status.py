"""``otel-opto status`` and ``otel-opto discoveries``: why nothing happens, and what could be a parameter."""

import argparse

from collector.cli.client import ApiClient, quoted
from collector.cli.terminal import output

_HELP = """\
What has to be there before an application gets better, in the order in which it has to come, and what of it is missing.

examples:
  otel-opto status qa           one screen; the exit code is 1 where something is missing
  otel-opto status qa --json    the same for scripts
"""

_DISCOVERIES_HELP = """\
What looks like a prompt in a service's newest traces and was never declared: it is shown in graphs, and nothing ever
changes it. With each the five lines of code that make it a parameter.

examples:
  otel-opto discoveries --service qa           the prompts, those that most traces have first
  otel-opto discoveries --service qa --json    the same for scripts
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds both commands."""
    parser = commands.add_parser(
        "status",
        help="what an application waits for",
        description=_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("service", help="the application's service.name")
    parser.set_defaults(run=status)
    finding = commands.add_parser(
        "discoveries",
        help="prompts that nobody declared a parameter",
        description=_DISCOVERIES_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    finding.add_argument("--service", required=True, help="the application's service.name")
    finding.add_argument("--traces", type=int, default=20, metavar="N", help="newest ones to look at (default 20)")
    finding.set_defaults(run=discoveries)


def discoveries(arguments: argparse.Namespace) -> int:
    """What looks like a prompt, and the code that makes it a parameter."""
    path = f"/v1/services/{quoted(arguments.service)}/discoveries"
    found = ApiClient(arguments.collector).get(path, traces=arguments.traces)
    if arguments.json:
        output.show_json(found)
        return 0
    for one in found["discoveries"]:
        several = f", {one['texts']} texts" if one["texts"] > 1 else ""
        output.show(f"{one['key']}  in {one['traces']} of {found['traces']} traces{several}, last {one['trace_id']}")
        output.show_lines("".join(f"    {line}\n" for line in one["code"].splitlines()))
    if not found["discoveries"]:
        output.show(f"nothing that looks like an undeclared prompt in the newest {found['traces']} traces")
    if found["skipped"]:
        output.show(f"{found['skipped']} traces are too large, or make no graph")
    return 0


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
