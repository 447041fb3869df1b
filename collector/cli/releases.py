"""``otel-opto releases``: what was published, what changed, and the way back."""

import argparse

from collector.cli import output
from collector.cli.client import ApiClient

_HELP = """\
A release is an immutable, numbered set of parameter values; applications apply one whole or not at all.

examples:
  otel-opto releases                    list them, newest first
  otel-opto releases show 12            its values, and which instances applied it
  otel-opto releases diff 9 12          what changed between two
  otel-opto releases rollback 9         publish the values of 9 again, as a new release; stops the service's study
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds the command and its actions."""
    parser = commands.add_parser(
        "releases",
        help="list, show, diff, roll back releases",
        description=_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=list_releases, service="", limit=100)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    listing = actions.add_parser("list", help="newest first", parents=[common])
    listing.add_argument("--service", default="", help="only of this service")
    listing.add_argument("--limit", type=int, default=100, help="0 means all (default 100)")
    listing.set_defaults(run=list_releases)
    showing = actions.add_parser("show", help="one release", parents=[common])
    showing.add_argument("number", type=int)
    showing.set_defaults(run=show)
    comparing = actions.add_parser("diff", help="what changed between two", parents=[common])
    comparing.add_argument("before", type=int, help="0 stands for nothing")
    comparing.add_argument("after", type=int)
    comparing.set_defaults(run=diff)
    back = actions.add_parser("rollback", help="publish an earlier one's values again", parents=[common])
    back.add_argument("number", type=int)
    back.set_defaults(run=rollback)


def list_releases(arguments: argparse.Namespace) -> int:
    """Releases, newest first."""
    releases = ApiClient(arguments.collector).listed(
        "/v1/releases", "releases", arguments.limit, service=arguments.service
    )
    if arguments.json:
        output.show_json(releases)
        return 0
    rows = [
        (r["number"], r["service"], output.moment(r["created_unix_nano"]), r["hash"][:12], r["reason"])
        for r in releases
    ]
    output.show_table(("release", "service", "published (UTC)", "hash", "reason"), rows, "no release yet")
    return 0


def show(arguments: argparse.Namespace) -> int:
    """One release and what applications said of it."""
    client = ApiClient(arguments.collector)
    release = client.get(f"/v1/releases/{arguments.number}")
    words = client.listed(f"/v1/releases/{arguments.number}/acknowledgements", "acknowledgements")
    if arguments.json:
        output.show_json({**release, "acknowledgements": words})
        return 0
    output.show(f"release {release['number']} of {release['service']}: {release['reason']}")
    rows = [(key, repr(value), release["versions"][key]) for key, value in release["values"].items()]
    output.show_table(("parameter", "value", "since release"), rows, "it has no values")
    output.show("")
    said = [(w["instance_id"] or "-", w["status"], output.moment(w["time_unix_nano"]), w["error"]) for w in words]
    output.show_table(("instance", "status", "when (UTC)", "error"), said, "no application has acknowledged it")
    return 0


def diff(arguments: argparse.Namespace) -> int:
    """What changed between two releases."""
    document = ApiClient(arguments.collector).get(f"/v1/releases/{arguments.before}/diff/{arguments.after}")
    if arguments.json:
        output.show_json(document)
        return 0
    rows = [(c["key"], output.change(c["before"], c["after"])) for c in document["changes"]]
    output.show_table(("parameter", "change"), rows, "no value differs")
    return 0


def rollback(arguments: argparse.Namespace) -> int:
    """Publishes an earlier release's values again."""
    release = ApiClient(arguments.collector).post(f"/v1/releases/{arguments.number}/rollback")
    if arguments.json:
        output.show_json(release)
        return 0
    output.show(f"release {release['number']} is published with the values of release {arguments.number}")
    return 0
