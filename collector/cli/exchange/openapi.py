"""``otel-opto openapi``: the API as a document, for generators of clients."""

import argparse

from collector.cli.terminal import output
from collector.process.documented import api_document

_HELP = """\
Prints the JSON API as an OpenAPI 3.1 document: every endpoint with its query, its body, its answers and the scope that
a token needs. It is made of this version's code; no collector is asked.

example:
  otel-opto openapi > otel-opto.json
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", _: argparse.ArgumentParser) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "openapi",
        help="print the API as an OpenAPI document",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=show)


def show(_: argparse.Namespace) -> int:
    """Prints the document."""
    output.show_json(api_document())
    return 0
