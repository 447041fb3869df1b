"""``otel-opto demo``: a real application gets better from its own OTLP while one watches."""

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.cli.client import ApiClient
from collector.cli.demo.examples import Question, examples_directory, questions
from collector.cli.demo.improvement import Improvement, improve
from collector.cli.demo.live import run_live
from collector.cli.demo.processes import Application, CollectorProcess
from collector.cli.demo.report import Report, show_page, show_report
from collector.cli.terminal import output
from collector.cli.terminal.options import pairs_of
from collector.core.errors import ConfigError

METRIC = "answer_quality"
SERVICE = "retrieval-qa"
STUDY = "demo"
_QUESTIONS_EACH = 20
"""That a candidate answers before it is judged; what is released answers many more, fresh ones."""

_TOGETHER = 5
"""Candidates that share one measurement of what is in force."""

_HELP = """\
Starts a collector and an example application (retrieval question answering, no model, no key) as two processes,
improves the application's parameters from its own traces and feedback, and reports on questions that were kept apart.
Everything stays on this machine, in a data directory that is named at the end.

examples:
  otel-opto demo
  otel-opto demo --seed 7 --releases 40
  otel-opto demo --live                 a good release is promoted, a planted bad one is taken back
  OPENAI_BASE_URL=http://127.0.0.1:8080/v1 otel-opto demo --optimizer optoprime --model my-model --releases 6
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", _: argparse.ArgumentParser) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "demo",
        help="see the whole loop on an example application",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split and of the search (default 0)")
    parser.add_argument("--releases", type=int, metavar="N", help="releases to try (default 25; 8 with optoprime)")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="default: a new temporary directory")
    parser.add_argument("--optimizer", default="search", help="search (default), optoprime, or an installed one")
    parser.add_argument("--model", help="for optoprime: the model's name at OPENAI_BASE_URL")
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="further options of the optimizer"
    )
    parser.add_argument("--open", action="store_true", help="opens the page in a browser")
    parser.add_argument("--live", action="store_true", help="the second act: releases are rolled out on live traffic")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Split:
    """Questions to learn from, and questions to judge by."""

    train: tuple[Question, ...]
    held_out: tuple[Question, ...]


def split(asked: Sequence[Question], seed: int) -> Split:
    """Two random halves without a common question."""
    shuffled = list(asked)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a split, not a secret
    half = len(shuffled) // 2
    return Split(tuple(shuffled[:half]), tuple(shuffled[half:]))


def run(arguments: argparse.Namespace) -> int:
    """Runs the demo. Exit code 0 if the held-out score rose, else 1."""
    if arguments.optimizer == "optoprime" and not arguments.model:
        raise ConfigError(["demo: --optimizer optoprime needs --model NAME, and OPENAI_BASE_URL or OPENAI_API_KEY"])
    directory = arguments.data_dir or Path(tempfile.mkdtemp(prefix="otel-opto-demo-"))
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise ConfigError([f"demo: --data-dir: {directory} is not empty; give a new directory, the demo begins afresh"])
    if arguments.live:
        return 0 if run_live(directory, SERVICE, METRIC, arguments.seed, browser=arguments.open) else 1
    report = _improve_example(arguments, directory)
    show_report(report, directory)
    return 0 if report.improved else 1


def _improve_example(arguments: argparse.Namespace, directory: Path) -> Report:
    home = examples_directory()
    parts = split(questions(home), arguments.seed)
    with CollectorProcess(directory) as collector, Application(home, directory, collector.otlp_grpc) as application:
        show_page(collector, browser=arguments.open)
        output.show(f"collector   {collector.api} (pid {collector.pid}), data in {directory}")
        output.show(f"application {application.address} (pid {application.pid}), service {SERVICE}")
        output.show_lines(f"questions   {len(parts.train)} to learn from, {len(parts.held_out)} kept apart\n")
        client = ApiClient(collector.api)
        before = application.mean_score(parts.held_out, "held_out")
        output.show(f"held-out score before: {before:.3f}")
        improvement: Improvement = improve(collector, application, parts.train, _study(arguments))
        application.wait_for_release(improvement.final_release)
        after = application.mean_score(parts.held_out, "held_out")
        sample = application.ask(parts.held_out[0], "held_out")
        application.stop()  # sends what is still in its queues
        graph = client.get_text(f"/v1/traces/{sample.trace_id}/graph", format="svg")
        (directory / "graph.svg").write_text(graph, encoding="utf-8")
        changes = client.get(f"/v1/releases/{improvement.baseline_release}/diff/{improvement.final_release}")
        stats = client.get("/v1/stats")
    return Report(
        before=before,
        after=after,
        held_out=len(parts.held_out),
        study=improvement.study,
        changes=changes["changes"],
        baseline_release=improvement.baseline_release,
        final_release=improvement.final_release,
        trace_id=sample.trace_id,
        seconds=improvement.seconds,
        spans=stats["spans"],
        feedback=stats["feedback"],
    )


def _study(arguments: argparse.Namespace) -> dict[str, object]:
    options = pairs_of(arguments.option, "--option")
    if arguments.model:
        options["model"] = arguments.model
    default = 8 if arguments.optimizer == "optoprime" else 25
    return {
        "name": STUDY,
        "service": SERVICE,
        "metric": METRIC,
        "optimizer": arguments.optimizer,
        "optimizer_options": options,
        "batch_size": _QUESTIONS_EACH,
        "max_trials": arguments.releases or default,
        "seed": arguments.seed,
        "feedback_filter": {"split": "train"},
        "exploration": {"share": 1.0, "parallel": _TOGETHER},  # the questions are there to evaluate
        "instruction": "Make the answers match the expected ones word for word: higher scores are better.",
    }
