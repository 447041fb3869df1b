"""``python -m otel_opto.doctor``: in the environment of an application, without the collector's packages."""

import argparse
import importlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from opentelemetry import trace

import otel_opto
from otel_opto.doctor import Finding, Level, document_of, examine, lines_of
from otel_opto.doctor.finding import worst_of

_HELP = """\
What this application would send, and where it gets lost: endpoint, protocol, TLS, token, names, sampler, parameters.
Reads the variables of its environment (OTEL_*, OTEL_OPTO_*). With --import it looks at what the application's code
declares and sets up, too. Exit code 1 where something is red.

examples:
  python -m otel_opto.doctor
  python -m otel_opto.doctor --import app --json
"""


def run(module: str) -> Sequence[Finding]:
    """Everything that is found, with a module of the application imported first; empty: none."""
    with _quiet():
        return _found(module)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the SDK's own log, which would say the same beside what is found."""
    log = logging.getLogger("otel_opto")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _found(module: str) -> Sequence[Finding]:
    if module:
        sys.path.insert(0, str(Path.cwd()))
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - of somebody else's code; it is what was found
            says = f"{module} cannot be imported: {type(error).__name__}: {error}"
            return [Finding("import", Level.RED, says, "name the module that the application begins with")]
    own = otel_opto._sdk  # noqa: SLF001 - that of this process
    return examine(os.environ, own, trace.get_tracer_provider(), imported=bool(module))


def main(argv: Sequence[str] | None = None) -> int:
    """Looks and tells."""
    parser = argparse.ArgumentParser(
        "python -m otel_opto.doctor", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--import", dest="module", default="", metavar="MODULE", help="the application's own")
    parser.add_argument("--json", action="store_true", help="one JSON document, for scripts")
    arguments = parser.parse_args(argv)
    findings = run(arguments.module)
    if arguments.json:
        sys.stdout.write(json.dumps(document_of(findings), indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines_of(findings)))
    return 1 if worst_of(findings) is Level.RED else 0


if __name__ == "__main__":
    sys.exit(main())
