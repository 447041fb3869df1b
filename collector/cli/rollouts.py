"""``otel-opto rollouts``: how a release gets from an arm of live traffic to everybody, or is taken back."""

import argparse
import time
from collections.abc import Mapping
from typing import Any

from collector.cli.client import ApiClient, quoted
from collector.cli.terminal import output
from collector.cli.terminal.options import add_options, add_request_id, tree_of_options
from collector.core.errors import ConfigError
from collector.core.record import tree_of
from collector.core.rollout import DEFAULT_GUARDRAILS, Guardrail, RolloutPlan, Stage

_HELP = """\
A rollout gives a release a share of the traffic, compares it with the control at the same time, and promotes it on
evidence or takes it back on evidence. No data is neither: it waits, and asks a person in the end.

examples:
  otel-opto rollouts                                                     list them
  otel-opto rollouts start better --release 12 --metric quality          5, 25, 50 %, an hour each; a person approves
  otel-opto rollouts start quick --release 12 --metric quality --stage 10=60 --stage 50=60 --policy automatic
  otel-opto rollouts show better                                         share, what it waits for, evidence, guardrails
  otel-opto rollouts approve better                                      after the hash was looked at
  otel-opto rollouts pause better --why "looking into it"
  otel-opto rollouts abort better                                        every user goes back to the control, at once
  otel-opto rollouts watch better                                        until it has ended
"""
_NO_OPTIONS = ("service", "content_hash")
"""Of a plan: the release says both."""

_ENDED = ("promoted", "aborted")


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds the command and its actions."""
    parser = commands.add_parser(
        "rollouts",
        help="list, show, start, approve, pause, resume, promote, abort, watch rollouts",
        description=_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=list_rollouts, service="", limit=100)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    listing = actions.add_parser("list", help="the newest first", parents=[common])
    listing.add_argument("--service", default="", help="only of this service")
    listing.add_argument("--limit", type=int, default=100, help="0 means all (default 100)")
    listing.set_defaults(run=list_rollouts)
    for name, run, words in (
        ("show", show, "one rollout: share, evidence, guardrails, what is next"),
        ("watch", watch, "shows what changes until it has ended"),
    ):
        showing = actions.add_parser(name, help=words, parents=[common])
        showing.add_argument("name")
        showing.set_defaults(run=run)
    approving = actions.add_parser("approve", help="a person's word for exactly this content", parents=[common])
    approving.add_argument("name")
    approving.add_argument("--hash", default="", help="of the content that was looked at (default: asks for it)")
    add_request_id(approving)
    approving.set_defaults(run=approve)
    for name, words in (
        ("pause", "stays where it is; guardrails still hold"),
        ("resume", "goes on in its stage"),
        ("promote", "everybody gets the release, now"),
        ("abort", "everybody goes back to the control, now"),
    ):
        changing = actions.add_parser(name, help=words, parents=[common])
        changing.add_argument("name")
        changing.add_argument("--why", default="", help="for the ledger")
        add_request_id(changing)
        changing.set_defaults(run=change, step=name)
    _add_start(actions, common)


def _add_start(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    starting = actions.add_parser("start", help="begin one", parents=[common])
    starting.add_argument("name")
    add_options(starting, RolloutPlan, without=_NO_OPTIONS)
    add_request_id(starting)
    starting.set_defaults(run=start)


def list_rollouts(arguments: argparse.Namespace) -> int:
    """All rollouts, the newest first."""
    found = ApiClient(arguments.collector).listed("/v1/rollouts", "rollouts", service=arguments.service)
    rollouts = found[::-1][: arguments.limit or None]
    if arguments.json:
        output.show_json(rollouts)
        return 0
    rows = [(r["name"], r["service"], r["release"], r["state"], _share(r), r["message"]) for r in rollouts]
    output.show_table(
        ("rollout", "service", "release", "state", "share", "why"),
        rows,
        "no rollout yet; start one: otel-opto rollouts start",
    )
    return 0


def start(arguments: argparse.Namespace) -> int:
    """Begins a rollout, or has it wait for its approval."""
    client = ApiClient(arguments.collector)
    release = client.get(f"/v1/releases/{arguments.release}")
    plan = tree_of_options(arguments, RolloutPlan, without=_NO_OPTIONS, items={Stage: _stage, Guardrail: _guardrail})
    plan["service"] = release["service"]
    if further := plan.get("guardrails"):
        named = [one["signal"] for one in further]
        plan["guardrails"] = [one for one in tree_of(DEFAULT_GUARDRAILS) if one["signal"] not in named] + further
    return _changed(arguments, client.put(f"/v1/rollouts/{quoted(arguments.name)}", plan, arguments.request_id))


def show(arguments: argparse.Namespace) -> int:
    """One rollout with its evidence."""
    report = ApiClient(arguments.collector).get(f"/v1/rollouts/{quoted(arguments.name)}")
    if arguments.json:
        output.show_json(report)
        return 0
    for line in _lines(report):
        output.show(line)
    return 0


def watch(arguments: argparse.Namespace) -> int:
    """Shows a rollout whenever something of it changes, until it has ended."""
    client, shown = ApiClient(arguments.collector), ""
    while True:
        report = client.get(f"/v1/rollouts/{quoted(arguments.name)}")
        line = f"{report['state']:<17} {_share(report):>5}  {report['units']}; {report['next']['message']}"
        if line != shown:
            output.show(line)
            shown = line
        if report["state"] in _ENDED:
            return 0
        time.sleep(1.0)


def approve(arguments: argparse.Namespace) -> int:
    """A person's word for exactly this content."""
    client, path = ApiClient(arguments.collector), f"/v1/rollouts/{quoted(arguments.name)}"
    wanted = arguments.hash or client.get(path)["content_hash"]
    return _changed(arguments, client.post(f"{path}/approve", {"content_hash": wanted}, arguments.request_id))


def change(arguments: argparse.Namespace) -> int:
    """Pauses, resumes, promotes or aborts."""
    path = f"/v1/rollouts/{quoted(arguments.name)}/{arguments.step}"
    client = ApiClient(arguments.collector)
    return _changed(arguments, client.post(path, {"message": arguments.why}, arguments.request_id))


def _changed(arguments: argparse.Namespace, rollout: Mapping[str, Any]) -> int:
    if arguments.json:
        output.show_json(rollout)
        return 0
    output.show(
        f"rollout {rollout['name']} of release {rollout['release']} is {rollout['state']}: {rollout['message']}"
    )
    if rollout["state"] == "awaiting_approval":
        output.show(f"look at it: otel-opto releases show {rollout['release']} (content {rollout['content_hash']})")
        output.show(f"then: otel-opto rollouts approve {rollout['name']} --hash {rollout['content_hash']}")
    return 0


def _lines(report: Mapping[str, Any]) -> list[str]:
    following = "" if report["next_share"] is None else f", then {_percent(report['next_share'])}"
    lines = [
        f"rollout {report['name']}: release {report['release']} of {report['service']} is {report['state']}",
        f"  content    {report['content_hash']}",
        *([f"  share      {_percent(report['share'])} now{following}"] if report["state"] not in _ENDED else []),
        f"  next       {report['next']['step']}: {report['next']['message']}",
        f"  units      {report['units']}; {report['unscored']} without a score, {report['mixed']} mixed",
    ]
    if report["evidence"] is not None:
        said = report["evidence"]
        lines.append(
            f"  {report['metric']['name']:<10} arm {_mean(said['arm'])}, control {_mean(said['control'])}; "
            f"e-value of harm {said['harm_e_value']:.3g}, of soundness {said['sound_e_value']:.3g} (20 is evidence)"
        )
    lines += [f"  guardrail  {rail['words']}" for rail in report["guardrails"]]
    if report["approved_by"]:
        lines.append(f"  approved   by {report['approved_by']}")
    return lines


def _mean(arm: Mapping[str, Any]) -> str:
    return "nothing yet" if arm["mean"] is None else f"{arm['mean']:.3f} of {arm['units']}"


def _share(rollout: Mapping[str, Any]) -> str:
    return "–" if rollout["state"] in _ENDED else _percent(rollout["share"])


def _percent(share: float) -> str:
    return f"{share * 100:g} %"


def _stage(text: str) -> dict[str, float]:
    percent, _, seconds = text.partition("=")
    try:
        return {"share": float(percent) / 100, "least_seconds": float(seconds)}
    except ValueError:
        raise ConfigError([f"--stage {text!r}: allowed is PERCENT=SECONDS, for example 25=3600"]) from None


def _guardrail(text: str) -> dict[str, object]:
    signal, separator, bound = text.partition("=")
    try:
        return {"signal": signal, "bound": float(bound) if separator else None}
    except ValueError:
        raise ConfigError([f"--guardrail {text!r}: allowed is SIGNAL or SIGNAL=NUMBER"]) from None
