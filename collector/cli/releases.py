"""``otel-opto releases``: what was published, what changed, and the way back."""

import argparse
import time
from pathlib import Path

from collector.cli.client import ApiClient, quoted
from collector.cli.terminal import output
from collector.cli.terminal.options import add_request_id, pairs_of
from collector.core.errors import ConfigError
from collector.publisher.signing import DAYS, envelope_of
from otel_opto.signing import Signed

_HELP = """\
A release is an immutable, numbered set of parameter values; applications apply one whole or not at all.

examples:
  otel-opto releases                    list them, newest first
  otel-opto releases show 12            its values, and which instances applied it
  otel-opto releases diff 9 12          what changed between two
  otel-opto releases propose qa k=5     a release made by hand, for a rollout
  otel-opto releases sign 12 --key k    for applications that apply signed releases only
  otel-opto releases rollback 9         publish the values of 9 again, as a new release; stops the service's study
"""
_MOST_DAYS = 36_500


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
    proposing = actions.add_parser("propose", help="a release that is in force for nobody yet", parents=[common])
    proposing.add_argument("service")
    proposing.add_argument("values", nargs="+", metavar="KEY=VALUE", help="the value is JSON where it is JSON")
    proposing.add_argument("--why", default="", help="for the ledger")
    add_request_id(proposing)
    proposing.set_defaults(run=propose)
    signing = actions.add_parser("sign", help="for applications that hold the public key", parents=[common])
    signing.add_argument("number", type=int)
    signing.add_argument("--key", required=True, metavar="FILE", help="the private key (otel-opto keys create)")
    signing.add_argument("--days", type=float, default=DAYS, help=f"how long it may be applied (default {DAYS:g})")
    add_request_id(signing)
    signing.set_defaults(run=sign)
    back = actions.add_parser("rollback", help="publish an earlier one's values again", parents=[common])
    back.add_argument("number", type=int)
    add_request_id(back)
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
    for one in document["changes"]:
        lines = output.changed_lines(one["before"], one["after"])
        for line in ("", f"{one['key']}:", *lines) if lines else ():
            output.show(line)
    return 0


def propose(arguments: argparse.Namespace) -> int:
    """Makes a release out of given values; a rollout brings it to applications."""
    document = {"values": pairs_of(arguments.values, "KEY=VALUE"), "reason": arguments.why}
    path = f"/v1/services/{quoted(arguments.service)}/releases"
    release = ApiClient(arguments.collector).post(path, document, arguments.request_id)
    if arguments.json:
        output.show_json(release)
        return 0
    output.show(f"release {release['number']} of {release['service']} is there; nothing changes for applications yet")
    output.show(f"roll it out: otel-opto rollouts start NAME --release {release['number']} --metric METRIC")
    return 0


def sign(arguments: argparse.Namespace) -> int:
    """Signs a release as it is stored; applications verify it before they apply it."""
    if not 0 < arguments.days <= _MOST_DAYS:
        raise ConfigError([f"--days {arguments.days:g}: allowed is above 0, and {_MOST_DAYS:,} at most"])
    client = ApiClient(arguments.collector)
    release = client.get(f"/v1/releases/{arguments.number}")
    now = int(time.time())
    signed = Signed(release["service"], release["number"], release["values"], now, now + round(arguments.days * 86_400))
    try:
        envelope = envelope_of(signed, Path(arguments.key).read_bytes())
    except (ValueError, OSError) as error:
        raise ConfigError([f"--key {arguments.key}: {error}"]) from None
    client.post(f"/v1/releases/{arguments.number}/signature", {"envelope": envelope}, arguments.request_id)
    if arguments.json:
        output.show_json({"number": release["number"], "service": release["service"], "days": arguments.days})
        return 0
    output.show(f"release {release['number']} of {release['service']} is signed for {arguments.days:g} days")
    return 0


def rollback(arguments: argparse.Namespace) -> int:
    """Publishes an earlier release's values again."""
    release = ApiClient(arguments.collector).post(f"/v1/releases/{arguments.number}/rollback", {}, arguments.request_id)
    if arguments.json:
        output.show_json(release)
    else:
        output.show(f"release {release['number']} is published with the values of release {arguments.number}")
    if release["message"]:
        output.warn(f"warning: {release['message']}")
    return 0
