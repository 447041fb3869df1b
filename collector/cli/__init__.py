"""The command line ``otel-opto``. The only place that prints and that ends the process.

Exit codes: 0 done, 1 refused or not better, 2 wrong usage or configuration, 3 no collector answers.
"""

import argparse
import os
import sys
from collections.abc import Sequence

_EPILOG = """\
exit codes:
  0  done
  1  the collector refused it, something is damaged, or the demo did not get better
  2  wrong usage or configuration
  3  no collector answers

`otel-opto COMMAND --help` tells more. Commands that talk to a collector find it by --collector URL, else by the
environment variable OTEL_OPTO_COLLECTOR, else at http://127.0.0.1:4319.
"""
_EXTRAS = "this command needs the collector's dependencies: pip install 'otel-opto[all]'"


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    from collector.cli import demo, directory, feedback, releases, serve, studies, traces  # noqa: PLC0415 - see main

    top = argparse.ArgumentParser(
        prog="otel-opto",
        description="Makes instrumented AI applications better from their own OpenTelemetry traces.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # SUPPRESS: an action's parser must not overwrite what was given before the action.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--collector", metavar="URL", help="the collector's API address")
    common.add_argument("--json", action="store_true", help="one JSON document, for scripts")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve.add_to(commands)
    demo.add_to(commands)
    studies.add_to(commands, common)
    releases.add_to(commands, common)
    feedback.add_to(commands, common)
    traces.add_to(commands, common)
    directory.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    try:
        from collector.cli.client import Refused, Unreachable  # noqa: PLC0415 - the SDK alone has no dependencies for it
        from collector.core.errors import CollectorError, ConfigError  # noqa: PLC0415

        top = parser()
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("collector", "otel_opto"):
            raise
        sys.stderr.write(f"otel-opto: {error.name} is not installed; {_EXTRAS}\n")
        return 2
    default = os.environ.get("OTEL_OPTO_COLLECTOR", "http://127.0.0.1:4319")
    arguments = top.parse_args(argv, argparse.Namespace(collector=default, json=False))
    try:
        code: int = arguments.run(arguments)
    except Unreachable as error:
        return _failed(str(error), 3)
    except ConfigError as error:
        return _failed("\n".join(error.faults), 2)
    except BrokenPipeError:
        return 0
    except (Refused, CollectorError, OSError) as error:
        return _failed(str(error), 1)
    return code


def _failed(message: str, code: int) -> int:
    for line in message.splitlines():
        sys.stderr.write(f"otel-opto: {line}\n")
    return code
