"""The command line ``otel-opto``. The only place that prints and that ends the process.

Exit codes: 0 done, 1 refused or not better, 2 wrong usage or configuration, 3 no collector answers.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from collector.core.printable import printable_lines

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

_EPILOG = """\
exit codes:
  0  done
  1  the collector refused it, something is damaged, or demo or training did not get better
  2  wrong usage or configuration
  3  no collector answers

`otel-opto COMMAND --help` tells more. Commands that talk to a collector find it by --collector URL, else by the
environment variable OTEL_OPTO_COLLECTOR, else at http://127.0.0.1:4319.
"""
_EXTRAS = "this command needs the collector's dependencies: pip install 'otel-opto[all]'"


_MODULES = {
    "serve": ("collector",),
    "demo": ("demo",),
    "status": ("status", "discoveries"),
    "studies": ("studies",),
    "models": ("models",),
    "releases": ("releases",),
    "rollouts": ("rollouts",),
    "feedback": ("feedback",),
    "traces": ("traces", "graph", "stats"),
    "train": ("train",),
    "audit": ("audit",),
    "keys": ("keys",),
    "exchange.traces": ("export", "import"),
    "exchange.openapi": ("openapi",),
    "terminal.completion": ("completion",),
    "directory": ("doctor", "repair", "backup", "restore"),
}
"""Where each command is, in the order of the help. A command costs a moment, and not that of all others."""


class _Parser(argparse.ArgumentParser):
    """What it complains about is made visible, too: arguments may be somebody else's text."""

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        super()._print_message(printable_lines(message), file)


def parser(command: str = "") -> argparse.ArgumentParser:
    """The command line; the whole of it, unless a command is named, whose module is then the only one imported."""
    top: argparse.ArgumentParser = _Parser(
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
    chosen = [module for module, names in _MODULES.items() if command in names] or list(_MODULES)
    for module in chosen:
        import_module(f"{__name__}.{module}").add_to(commands, common)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    # gRPC's core writes past Python's log, as it came, a line for every stranger whose handshake fails; it reads this
    # when it is loaded.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        from collector.cli.client import Refused, Unreachable  # noqa: PLC0415 - the SDK alone has no dependencies for it
        from collector.cli.terminal import output  # noqa: PLC0415
        from collector.core.errors import CollectorError, ConfigError  # noqa: PLC0415

        given = sys.argv[1:] if argv is None else argv
        top = parser(given[0] if given else "")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("collector", "otel_opto"):
            raise
        sys.stderr.write(f"otel-opto: {error.name} is not installed; {_EXTRAS}\n")
        return 2
    output.prepare()
    try:
        return _run(top, argv)
    except Unreachable as error:
        output.warn(str(error))
        return 3
    except ConfigError as error:
        for fault in error.faults:
            output.warn(fault)
        return 2
    except BrokenPipeError:  # who read it has seen enough
        output.abandon()
        return 0
    except (Refused, CollectorError, OSError) as error:
        output.abandon()
        output.warn(str(error))
        return 1
    except Exception:  # noqa: BLE001 - our own fault, told whole, and nothing in it that a terminal would obey
        sys.stderr.write(printable_lines(traceback.format_exc()))
        return 1


def _run(top: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    from collector.cli.terminal import output  # noqa: PLC0415 - see main

    default = os.environ.get("OTEL_OPTO_COLLECTOR", "http://127.0.0.1:4319")
    try:
        arguments = top.parse_args(argv, argparse.Namespace(collector=default, json=False))
    except SystemExit:
        output.finish()
        raise
    code: int = arguments.run(arguments)
    output.finish()
    return code
