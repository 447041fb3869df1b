"""``otel-opto studies``: standing optimizations."""

import argparse
import json
from typing import Any

from collector.cli import output
from collector.cli.client import ApiClient, quoted
from collector.core.study import Policy, Reach

_HELP = """\
A study improves the parameters of one service: it gives a release a part of the traffic, beside the one in force,
waits for scored feedback on both, and lets its optimizer propose the next, until the budget is used; the best one is
rolled out to everybody, step by step and compared all the while (otel-opto rollouts).

examples:
  otel-opto studies                                              list them
  otel-opto studies create tune --service qa --metric quality    begin one (search over all trainable parameters)
  otel-opto studies create words --service qa --metric quality --optimizer optoprime \\
      --option model=my-model --max-trials 10
  otel-opto studies create words --service qa --metric verdict --label good=1 --label bad=0
  otel-opto studies show tune                                    trials, scores, values
  otel-opto studies create bench --service qa --metric quality --exploration whole
                                                                 every release for all traffic, the best one stays
  otel-opto studies stop tune                                    end it; what was best so far is rolled out
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds the command and its actions."""
    parser = commands.add_parser(
        "studies",
        help="list, show, create, stop studies",
        description=_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=list_studies, limit=100)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    listing = actions.add_parser("list", help="in order of creation", parents=[common])
    listing.add_argument("--limit", type=int, default=100, help="0 means all (default 100)")
    listing.set_defaults(run=list_studies)
    showing = actions.add_parser("show", help="one study and its trials", parents=[common])
    showing.add_argument("name")
    showing.set_defaults(run=show)
    stopping = actions.add_parser("stop", help="end it; what was best so far is rolled out, or stays", parents=[common])
    stopping.add_argument("name")
    stopping.set_defaults(run=stop)
    _add_create(actions, common)


def _add_create(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    creating = actions.add_parser("create", help="begin one", parents=[common])
    creating.add_argument("name")
    creating.add_argument("--service", required=True, help="the application's service.name")
    creating.add_argument("--metric", required=True, help="name of the feedback that is the objective")
    creating.add_argument("--direction", choices=["maximize", "minimize"], default="maximize")
    creating.add_argument("--optimizer", default="search", help="search (default), optoprime, or an installed one")
    creating.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="for the optimizer; the value is JSON where it is JSON, else a text",
    )
    creating.add_argument("--parameter", action="append", default=[], metavar="KEY", help="default: all trainable ones")
    creating.add_argument("--batch-size", type=int, default=20, help="scored feedbacks per trial (default 20)")
    creating.add_argument("--max-trials", type=int, default=30, help="proposals after the baseline (default 30)")
    creating.add_argument("--seed", type=int, default=0)
    creating.add_argument(
        "--filter", action="append", default=[], metavar="KEY=VALUE", help="count only feedback with this attribute"
    )
    creating.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="LABEL=SCORE",
        help="what feedback with this label and without a score counts as: --label good=1 --label bad=0",
    )
    creating.add_argument(
        "--exploration",
        default="0.1",
        metavar="SHARE",
        help="part of live traffic that trials have together, beside the release in force (default 0.1); 'whole': one "
        "trial at a time for everybody, for traffic that is there to evaluate",
    )
    creating.add_argument("--parallel", type=int, default=1, help="trials at once, as arms of equal shares (default 1)")
    creating.add_argument("--deadline", type=float, default=604_800.0, metavar="SECONDS", help="of a trial (a week)")
    creating.add_argument(
        "--promotion",
        choices=[policy.value for policy in Policy],
        default=Policy.APPROVAL.value,
        help="who says that the best release may be rolled out to everybody: a person (default), or the evidence",
    )
    creating.add_argument(
        "--range", nargs=2, type=float, default=(0.0, 1.0), metavar=("LOWEST", "HIGHEST"), help="of scores (0 1)"
    )
    creating.add_argument(
        "--reach",
        choices=[reach.value for reach in Reach],
        default=Reach.TRACE.value,
        help="of the graph of a judged output: its trace, also the traces it links to, also its session's earlier ones",
    )
    creating.add_argument("--instruction", default="", help="the objective in words, for optimizers that read")
    creating.set_defaults(run=create)


def options_of(texts: list[str], flag: str = "--option") -> dict[str, object]:
    """Options or values from KEY=VALUE texts; a value is JSON where it is JSON, else a text."""
    return {key: _json_or_text(value) for key, value in _pairs(texts, flag).items()}


def labels_of(texts: list[str]) -> dict[str, float]:
    """Scores by label from LABEL=SCORE texts."""
    labels = {}
    for text in texts:
        label, separator, score = text.rpartition("=")
        try:
            labels[label] = float(score)
        except ValueError:
            separator = ""
        if not separator or not label:
            raise SystemExit(f"otel-opto: --label {text!r}: allowed is LABEL=SCORE, the score a number")
    return labels


def _share_of(text: str) -> float:
    if text == "whole":
        return 1.0
    try:
        return float(text)
    except ValueError:
        raise SystemExit(f"otel-opto: --exploration {text!r}: allowed is a number above 0, or 'whole'") from None


def _pairs(texts: list[str], flag: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise SystemExit(f"otel-opto: {flag} {text!r}: allowed is KEY=VALUE")
        pairs[key] = value
    return pairs


def _json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def create(arguments: argparse.Namespace) -> int:
    """Begins a study."""
    record = ApiClient(arguments.collector).post(
        "/v1/studies",
        {
            "name": arguments.name,
            "service": arguments.service,
            "metric": arguments.metric,
            "direction": arguments.direction,
            "optimizer": arguments.optimizer,
            "optimizer_options": options_of(arguments.option),
            "parameters": arguments.parameter,
            "batch_size": arguments.batch_size,
            "max_trials": arguments.max_trials,
            "seed": arguments.seed,
            "feedback_filter": _pairs(arguments.filter, "--filter"),
            "instruction": arguments.instruction,
            "reach": arguments.reach,
            "labels": labels_of(arguments.label),
            "lowest": arguments.range[0],
            "highest": arguments.range[1],
            "exploration": {
                "share": _share_of(arguments.exploration),
                "parallel": arguments.parallel,
                "deadline_seconds": arguments.deadline,
            },
            "promotion": arguments.promotion,
        },
    )
    if arguments.json:
        output.show_json(record)
    else:
        output.show(f"study {record['name']} is {record['state']}; watch it: otel-opto studies show {record['name']}")
    return 0


def list_studies(arguments: argparse.Namespace) -> int:
    """All studies."""
    studies = ApiClient(arguments.collector).listed("/v1/studies", "studies", arguments.limit)
    if arguments.json:
        output.show_json(studies)
        return 0
    rows = [
        (
            s["name"],
            s["service"],
            s["metric"],
            s["optimizer"],
            s["state"],
            _progress(s),
            s["best_score"],
        )
        for s in studies
    ]
    headings = ("study", "service", "metric", "optimizer", "state", "trials", "best score")
    output.show_table(headings, rows, "no study yet; otel-opto studies create --help tells how to begin one")
    return 0


def _progress(study: dict[str, int]) -> str:
    done = max(study["complete_trials"] - 1, 0)  # the baseline is none of the budget
    return f"{done}/{study['max_trials']}"


def show(arguments: argparse.Namespace) -> int:
    """One study and its trials."""
    client = ApiClient(arguments.collector)
    return _show(arguments, client, client.get(f"/v1/studies/{quoted(arguments.name)}"))


def stop(arguments: argparse.Namespace) -> int:
    """Ends a study."""
    client = ApiClient(arguments.collector)
    return _show(arguments, client, client.post(f"/v1/studies/{quoted(arguments.name)}/stop"))


def _show(arguments: argparse.Namespace, client: ApiClient, study: dict[str, Any]) -> int:
    for part in ("trials", "rejected"):
        if study.pop(f"next_{part}_cursor", ""):
            study[part] = client.listed(f"/v1/studies/{quoted(arguments.name)}/{part}", part)
    if arguments.json:
        output.show_json(study)
        return 0
    output.show(f"study {study['name']} of {study['service']} is {study['state']}: {study['message'] or 'at work'}")
    rows = [
        (
            trial["number"], trial["release"], trial["state"], trial["score"], trial["control_score"],
            trial["feedback_count"], trial["given_up"] or trial["reasoning"],
        )
        for trial in study["trials"]
    ]  # fmt: skip
    headings = ("trial", "release", "state", "score", "control", "feedback", "why")
    output.show_table(headings, rows, "no trial yet")
    for rejected in study["rejected"]:
        output.show(f"rejected before trial {rejected['trial']}: {rejected['errors']}")
    return 0
