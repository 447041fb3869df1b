"""``otel-opto train``: an application's own function on a data set, in this process; and what a study has of it."""

import argparse
import asyncio
import importlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.cli.client import ApiClient, quoted
from collector.cli.terminal import output
from collector.core.errors import CollectorError, ConfigError

if TYPE_CHECKING:
    from otel_opto_train.trainer.report import Report

_STREAM, _REPORTED = "training/", "training_reported"
_MOST_SUGGESTED = 5
_UNFIT = frozenset({"broken", "invalid"})
_HELP = """\
Improves the parameters of a function on a data set: an optimizer suggests values, the training part of the data sorts
them, the validation part decides, and the test part, looked at once, says whether the best ones are better. Nothing is
released, unless --release says so and the test part shows a gain; then the values are a release that is in force for
nobody, for `otel-opto rollouts start`.

The data are JSON Lines of {"input": …, "expected": …}, or the inputs of stored traces, where what is expected is an
otel_opto.Past: output, score, label and text of then. The guide gets output, expected and input, as many as it takes,
and gives a score, a text, or both. With --ledger, a training that was killed goes on where it was.

examples:
  otel-opto train app:answer --data questions.jsonl --guide app:judge
  otel-opto train app:answer --data questions.jsonl --guide app:judge --optimizer optoprime --option model=my-model \\
      --ledger ./training --rounds 10
  otel-opto train app:answer --data questions.jsonl --guide app:judge --ledger ./training --release --service qa

exit codes: 0 shown to be better, 1 not shown, 2 wrong usage, or it cannot go on, and the message says why
"""
_NUMBERS: tuple[tuple[str, Callable[[str], Any], str], ...] = (
    ("metric", str, "name of the score (quality)"),
    ("direction", str, "maximize or minimize (maximize)"),
    ("instruction", str, "what is wanted, in words, for optimizers that read"),
    ("lowest", float, "of the score (0)"),
    ("highest", float, "of the score (1)"),
    ("rounds", int, "so often the optimizer is asked at most (20)"),
    ("minibatch", int, "examples of a round (20)"),
    ("finalists", int, "candidates of a round that are measured on the validation part (2)"),
    ("patience", int, "rounds without a better candidate, after which it ends (8)"),
    ("target", float, "mean on the validation part at which it ends"),
    ("folds", int, "no validation part, but so many folds that are it in turn"),
    ("workers", int, "examples that run at the same time (4)"),
    ("example-seconds", float, "with --processes: an example that takes longer is an error"),
    ("judge-samples", int, "so often each output is judged (1)"),
    ("seed", int, "of parts, minibatches and the optimizer (0)"),
    ("alpha", float, "how often what is no better may be called better (0.05)"),
)


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "train",
        help="improve a function's parameters on a data set, without a collector",
        description=_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("workflow", metavar="MODULE:FUNCTION", help="gets an example's input, gives its output")
    parser.add_argument(
        "--data",
        required=True,
        metavar="FILE|URL|DIR",
        help="JSON Lines; or what a collector, or its directory, has stored",
    )
    parser.add_argument(
        "--operation", default="", metavar="NAME", help="of stored traces: whose inputs are the examples"
    )
    parser.add_argument("--of-service", default="", metavar="NAME", help="of stored traces: only of this service")
    parser.add_argument("--guide", required=True, metavar="MODULE:FUNCTION", help="judges an output")
    parser.add_argument("--optimizer", default="search", metavar="NAME", help="search, optoprime, or an installed one")
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="for the optimizer; JSON, else a text"
    )
    parser.add_argument("--parameter", action="append", default=[], metavar="KEY", help="default: all trainable ones")
    for part, words in (("validation", "decides which candidate goes on"), ("test", "is looked at once")):
        told = f"what {words}: a share of the data (0.25), or data"
        parser.add_argument(f"--{part}", default="0.25", metavar="SHARE|FILE", help=told)
    parser.add_argument(
        "--processes", action="store_true", default=None, help="run examples in processes, not in threads and tasks"
    )
    for name, kind, words in _NUMBERS:
        parser.add_argument(f"--{name}", type=kind, metavar="N" if kind is not str else "TEXT", help=words)
    parser.add_argument("--ledger", metavar="DIR", help="keeps everything; killed, the same command goes on")
    parser.add_argument("--name", default="training", help="of the training in that directory (training)")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="a picture of the scores (SVG)")
    parser.add_argument("--release", action="store_true", help="give the collector what was shown to be better")
    parser.add_argument("--service", default="", help="whose release it is; with --release")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Trains, and says what came of it.

    Raises:
        ConfigError: the arguments are wrong, every fault; or the training cannot go on.
    """
    if arguments.release and not arguments.service:
        raise ConfigError(["--release: whose? --service NAME says it"])
    if arguments.chart is not None and not arguments.chart.parent.is_dir():
        raise ConfigError([f"--chart {arguments.chart}: there is no directory {arguments.chart.parent}"])
    sys.path.insert(0, "")
    from otel_opto_train.trainer.train import train  # noqa: PLC0415 - only this command needs it
    from otel_opto_train.trainer.training import TrainingError  # noqa: PLC0415 - as above

    workflow, guide = _function(arguments.workflow), _function(arguments.guide)
    numbers: Any = {name.replace("-", "_"): getattr(arguments, name.replace("-", "_")) for name, _, _ in _NUMBERS}
    numbers["processes"] = arguments.processes
    try:
        report = train(
            workflow,
            _data(arguments),
            guide,
            optimizer=arguments.optimizer,
            options=dict(map(_option, arguments.option)),
            parameters=arguments.parameter or None,
            ledger=arguments.ledger,
            name=arguments.name,
            validation=_part(arguments.validation),
            test=_part(arguments.test),
            **{name: value for name, value in numbers.items() if value is not None},
        )
    except ConfigError:
        raise
    except (ValueError, TrainingError, CollectorError, OSError) as error:
        raise ConfigError(str(error).splitlines()) from error
    if arguments.json:
        output.show_json(report.document())
    else:
        output.show_lines(str(report))
    if arguments.chart is not None:
        arguments.chart.write_text(report.chart_svg(), encoding="utf-8")
    if arguments.release:
        _release(arguments, report)
    return 0 if report.better else 1


def _release(arguments: argparse.Namespace, report: "Report") -> None:
    if not report.better:
        output.warn(f"nothing is released: {report.verdict}")
        return
    reason = f"training {report.name}: {report.verdict}"
    document = {"values": dict(report.values), "reason": reason}
    service = quoted(arguments.service)
    made = ApiClient(arguments.collector).post(f"/v1/services/{service}/releases", document)
    output.warn(
        f"release {made['number']} of {arguments.service} has the values and is in force for nobody; "
        f"otel-opto rollouts start {arguments.name} --release {made['number']} --metric {report.objective.metric}"
    )


def _data(arguments: argparse.Namespace) -> Any:
    from otel_opto_train.trainer.stored import stored_examples  # noqa: PLC0415 - as above

    given: str = arguments.data
    if given.startswith(("http://", "https://")) or Path(given).is_dir():
        try:
            return stored_examples(given, service=arguments.of_service, operation=arguments.operation)
        except OSError as error:
            raise ConfigError([f"--data {given}: {error}"]) from error
    return given


def _function(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError([f"{name}: {error}; allowed is MODULE:FUNCTION, found from here ({Path.cwd()})"]) from error
    if not callable(found):
        raise ConfigError([f"{name}: found {type(found).__name__}, allowed is a function"])
    function: Callable[..., Any] = found
    return function


def _option(text: str) -> tuple[str, Any]:
    key, _, value = text.partition("=")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _part(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def report_in(place: str, name: str) -> Mapping[str, Any]:
    """The report of a training, out of a file with what ``otel-opto train --json`` said, or out of its directory.

    Args:
        place: The path of either.
        name: Of the training, where it is a directory.

    Raises:
        ConfigError: there is none; says what was found, and what to do.
    """
    path = Path(place)
    if path.is_dir():
        return asyncio.run(_in_directory(path, name))
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError([f"--from-training {place}: {error}; allowed is a training's report or directory"]) from None
    if not isinstance(found, dict) or not isinstance(found.get("candidates"), list):
        raise ConfigError([f"--from-training {place}: it is no training's report; otel-opto train … --json says one"])
    return found


async def _in_directory(path: Path, name: str) -> Mapping[str, Any]:
    from collector.process.service import SystemClock  # noqa: PLC0415 - a study of a report needs no store
    from collector.storage.file_store import FileStore  # noqa: PLC0415

    store = FileStore(path, SystemClock())
    await store.start()
    try:
        streams = await store.ledger.streams(_STREAM)
        events = await store.ledger.read(f"{_STREAM}{name}")
    finally:
        await store.stop()
    found = next((event for event in reversed(events) if event.kind == _REPORTED), None)
    if found is not None:
        report: Any = found.data
        return dict(report)
    known = ", ".join(sorted(one.removeprefix(_STREAM) for one in streams)) or "none"
    why = "it has not ended; run it to its end" if events else f"there is no training {name!r}; there are: {known}"
    raise ConfigError([f"--from-training {path}: {why}"])


def suggestions_of(report: Mapping[str, Any]) -> list[dict[str, object]]:
    """The candidates that looked better than the baseline, the best ones first, as suggestions of a study.

    They are compared by the mean on the validation part, and on the training part where there was none.

    Raises:
        ConfigError: none looked better.
    """
    try:
        baseline, *candidates = report["candidates"]
        sign = -1 if report["direction"] == "minimize" else 1
        usual = {part: baseline[part]["mean"] for part in ("validation", "train")}
        better = []
        for one in candidates:
            part = next((p for p in usual if one[p]["mean"] is not None and usual[p] is not None), "")
            gain = sign * (one[part]["mean"] - usual[part]) if part else 0.0
            if gain > 0 and one["fate"] not in _UNFIT:
                better.append((part == "validation", gain, one, part))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError([f"--from-training: it is no training's report: {error!r}"]) from None
    better.sort(key=lambda found: found[:2], reverse=True)
    if not better:
        raise ConfigError([f"--from-training: no candidate of training {report.get('name')!r} looked better there"])
    return [
        {
            "values": one["values"],
            "reasoning": f"training {report.get('name')}, candidate {one['number']}: {sign * gain:+.3g} on "
            f"{one[part]['n']} examples of its {'validation' if part == 'validation' else 'training'} part; "
            f"{one['reasoning']}".removesuffix("; "),
        }
        for _, gain, one, part in better[:_MOST_SUGGESTED]
    ]
