"""``otel-opto studies``: standing optimizations."""

import argparse
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from collector.cli.client import ApiClient, quoted
from collector.cli.terminal import output
from collector.cli.terminal.options import add_options, add_request_id, tree_of_options
from collector.cli.train import report_in, suggestions_of
from collector.core.errors import ConfigError
from collector.core.record import record_of
from collector.core.study import Objective, Study
from collector.optimizer.calls.estimate import estimate_of

_NO_OPTIONS = ("suggestions",)
_NUMBERS = ("highest", "lowest", "weight")
_HELP = """\
A study improves the parameters of one service: it gives candidates a part of the traffic, beside the release in force,
compares their scores, and lets its optimizer propose more, until the budget is used. Who looks best is measured once
more on fresh units; what these show to be better is rolled out to everybody, step by step and compared all the while
(otel-opto rollouts). Nothing else is ever released.

examples:
  otel-opto studies                                              list them
  otel-opto studies create tune --service qa --metric quality    begin one (search over all trainable parameters)
  otel-opto studies create words --service qa --metric quality --optimizer optoprime \\
      --option model=my-model --max-trials 10
  otel-opto studies create words --service qa --metric verdict --label good=1 --label bad=0
  otel-opto studies show tune                                    candidates: units, leads, fates
  otel-opto studies create bench --service qa --metric quality --exploration whole
                                                                 all traffic is dealt among the candidates
  otel-opto studies create quick --service qa --metric quality --not-worse latency.p95=0.1
                                                                 p95 of the latency at most 10 % above what is in force
  otel-opto studies create both --service qa --metric quality --objective cost,highest=0.05,weight=0.5
  otel-opto studies create live --service qa --metric quality --from-training ./training
  otel-opto studies stop tune                                    end it; what has won is rolled out, else nothing
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
    stopping = actions.add_parser("stop", help="end it; what has won is rolled out, else nothing", parents=[common])
    stopping.add_argument("name")
    add_request_id(stopping)
    stopping.set_defaults(run=stop)
    _add_create(actions, common)


def _add_create(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    creating = actions.add_parser("create", help="begin one", parents=[common])
    add_options(creating, Study, without=_NO_OPTIONS)
    add_request_id(creating)
    creating.add_argument(
        "--from-training",
        metavar="FILE|DIR",
        help="first tries what looked better in a training: its report (otel-opto train --json), or its directory",
    )
    creating.add_argument(
        "--training", default="training", metavar="NAME", help="which one in that directory (default training)"
    )
    creating.add_argument("--estimate", action="store_true", help="say what it would take, and begin nothing")
    creating.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="the collector's, with what models were found to be good for (otel-opto models check), for --estimate",
    )
    creating.set_defaults(run=create)


def create(arguments: argparse.Namespace) -> int:
    """Begins a study, or says what it would take."""
    tree = tree_of_options(arguments, Study, without=_NO_OPTIONS, items={Objective: _objective})
    if arguments.from_training:
        tree["suggestions"] = suggestions_of(report_in(arguments.from_training, arguments.training))
    study: Study = record_of(Study, tree)
    if arguments.estimate:
        study = _as_begun(study, arguments.data_dir)
    estimate = estimate_of(study)
    if arguments.estimate:
        output.show_json(asdict(estimate)) if arguments.json else output.show(estimate.words())
    if estimate.warning:
        output.warn(f"warning: {estimate.warning}")
    if arguments.estimate:
        return 0
    record = ApiClient(arguments.collector).post("/v1/studies", tree, arguments.request_id)
    if arguments.json:
        output.show_json(record)
    else:
        output.show(f"study {record['name']} is {record['state']}; watch it: otel-opto studies show {record['name']}")
    if record["message"]:
        output.warn(f"warning: {record['message']}; otel-opto status {record['service']} tells more")
    return 0


def _as_begun(study: Study, directory: Path | None) -> Study:
    """With the options that the check of its model adds; what the model is too weak for is said."""
    # What models are asked for with takes its time to import, and is wanted here only.
    from collector.optimizer.drafting.checks import Checks  # noqa: PLC0415
    from collector.optimizer.drafting.writer import Writer  # noqa: PLC0415
    from collector.process.config.loading import load  # noqa: PLC0415

    checks = Checks(directory if directory is not None else load(None, os.environ, {}).storage.directory)
    for weakness in checks.weaknesses(study):
        output.warn(f"warning: {weakness}")
    return checks.completed(study, Writer.options)


def _objective(text: str) -> dict[str, object]:
    """``latency,highest=5,weight=0.5`` as the tree of an objective."""
    name, *settings = text.split(",")
    found: dict[str, object] = {"name": name}
    for setting in settings:
        key, _, value = setting.partition("=")
        if key == "direction":
            found[key] = value
            continue
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if key not in _NUMBERS or math.isnan(number):
            allowed = ", ".join(f"{known}=NUMBER" for known in _NUMBERS)
            raise ConfigError(
                [f"--objective {text!r}: found {setting!r}, allowed behind the name are {allowed}, direction=WORD"]
            )
        found[key] = number
    return found


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
    return _show(arguments, client, client.post(f"/v1/studies/{quoted(arguments.name)}/stop", {}, arguments.request_id))


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
            trial["number"], trial["release"], trial["fate"] if trial["number"] else "in force",
            trial["feedback_count"], trial["errors"], trial["score"], _lead(trial), _gain(trial),
            trial["why"] or trial["reasoning"],
        )
        for trial in study["trials"]
    ]  # fmt: skip
    headings = ("trial", "release", "fate", "units", "failed", "score", "looks better by", "fresh data", "why")
    output.show_table(headings, rows, "no trial yet")
    if study["winner"] is not None:
        output.show(f"trial {study['winner']} is better on fresh data; it alone is released")
    for trial in study["trials"]:
        for words in trial["kept"].values():
            output.show(f"trial {trial['number']}: {words}")
    if study["front"]:
        _show_front(study)
    for rejected in study["rejected"]:
        output.show(f"rejected before trial {rejected['trial']}: {rejected['errors']}")
    return 0


def _show_front(study: Mapping[str, Any]) -> None:
    """Every objective by itself."""
    front = study["front"]
    names = [one["name"] for one in front["objectives"]]
    rows = [
        (
            ("★ " if trial["number"] in front["trials"] else "") + str(trial["number"]),
            *(_reached(trial, n) for n in names),
        )
        for trial in study["trials"]
    ]
    output.show("")
    output.show_table(("trial", *names), rows, "")
    output.show(f"★ no other is better in all of them. {front['rule']}")


def _reached(trial: Mapping[str, Any], name: str) -> str:
    score, deviation = trial["objectives"].get(name), trial["deviations"].get(name)
    if score is None:
        return ""
    return f"{score:.3g}" + (f" ± {2 * deviation:.2g}" if deviation is not None else "")


def _lead(trial: Mapping[str, Any]) -> str:
    """Two standard errors about the lead; it was chosen by these units, and is no gain."""
    if trial["lead"] is None or not trial["number"]:
        return ""
    return f"{trial['lead']:+.3f} ± {2 * trial['deviation']:.3f}"


def _gain(trial: Mapping[str, Any]) -> str:
    """What fresh data say: the only gain that there is."""
    if trial["gain"] is None:
        return ""
    ends = f"{trial['gain_lowest']:.3f} to {trial['gain_highest']:.3f}"
    return f"{trial['gain']:+.3f} ({ends}), {trial['fresh_units']} units"
