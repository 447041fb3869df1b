"""``otel-opto models``: what language models are good for."""

import argparse
import asyncio
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from collector.cli.directory import directory_of
from collector.cli.terminal import output
from collector.cli.terminal.progress import busy
from collector.optimizer.calls.llm import ModelSettings, OpenAIModel
from collector.optimizer.drafting.acceptance import Acceptance, acceptance
from collector.optimizer.drafting.checks import Checks

_HELP = """\
Asks a model a dozen small problems with known answers, in the form that studies ask in, and says how it did: whether
its answers can be read, whether it moves numbers the right way, whether it repeats what it was given, how long a prompt
it takes and how fast it is; then which options a study with it should be given. Takes a minute and 15,000 tokens; of a
model that does badly three times as much, for it is asked again with fewer worked examples.

The result is kept in the collector's data directory. Studies with this model at this address that begin afterwards are
given these options, other than those that they say themselves, and say so if the model is too weak.

examples:
  OPENAI_BASE_URL=http://127.0.0.1:8080/v1 otel-opto models check my-model
  otel-opto models check my-model --base-url http://127.0.0.1:8080/v1 --data-dir ./data --save my-model.json
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Adds the command and its actions."""
    parser = commands.add_parser(
        "models",
        help="find out what a language model is good for",
        description=_HELP,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    checking = actions.add_parser("check", help="ask it a dozen small problems", parents=[common])
    checking.add_argument("model", help="its name at the endpoint")
    checking.add_argument("--base-url", default="", metavar="ADDRESS", help="default: OPENAI_BASE_URL")
    checking.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="of one call (default 120)")
    checking.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="the collector's; default: what the configuration says"
    )
    checking.add_argument("--config", type=Path, metavar="FILE", help="the collector's configuration")
    checking.add_argument("--save", type=Path, metavar="FILE", help="keep the result in a file of its own, too")
    checking.set_defaults(run=check)


def check(arguments: argparse.Namespace) -> int:
    """Asks a model; 1 where it is too weak for something."""
    settings = ModelSettings(
        arguments.model, base_url=arguments.base_url, max_tokens=300, timeout_seconds=arguments.timeout
    )
    directory = directory_of(arguments)
    with busy("asking the model"):
        found = asyncio.run(_asked(settings))
    try:
        kept = str(Checks(directory).keep(found, arguments.base_url))
    except OSError as error:
        kept = ""
        output.warn(f"not kept for studies: {error}; name the collector's own directory with --data-dir")
    document = asdict(found)
    if arguments.save is not None:
        arguments.save.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if arguments.json:
        output.show_json(document)
    else:
        _show(found, kept)
    return 1 if found.weaknesses else 0


async def _asked(settings: ModelSettings) -> Acceptance:
    model = OpenAIModel(settings, os.environ)
    async with model.kept():
        found = await acceptance(model, settings.model)
    takes = model.response_format.split(" ")[0]
    if takes == "json_schema":
        return found
    return replace(found, options={**found.options, "response_format": takes})


def _show(found: Acceptance, kept: str) -> None:
    rows = [
        ("answers that can be read", f"{found.readable:.0%}"),
        ("numbers moved the right way", f"{found.direction:.0%}"),
        ("texts repeated as they were", f"{found.copied:.0%}"),
        ("longest prompt it took", f"{found.prompt_chars:,} characters"),
        ("characters in a token", f"{found.chars_per_token:g}" if found.chars_per_token else "not said"),
        ("speed", f"{found.tokens_per_second:g} tokens a second" if found.tokens_per_second else "not said"),
    ]
    output.show_table(("", found.model), rows, "")
    options = " ".join(f"--option {name}={value}" for name, value in found.options.items())
    output.show(f"use it with: {options}")
    if kept:
        output.show(f"studies that begin from now on do so by themselves; kept in {kept}")
    for weakness in found.weaknesses:
        output.warn(f"too weak: {weakness}")
