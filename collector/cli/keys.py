"""``otel-opto keys``: the key pair with which releases are signed and verified."""

import argparse
from pathlib import Path

from collector.cli.terminal import output
from collector.core.errors import ConfigError
from collector.publisher.signing import make_keys

_HELP = """\
With a public key an application applies only releases that the private key has signed; the private key stays with
whoever signs, and need not be where the collector is.

examples:
  otel-opto keys create release            writes release.key (keep it) and release.pub (for applications)
  otel-opto releases sign 12 --key release.key
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", _: argparse.ArgumentParser) -> None:
    """Adds the command and its action."""
    parser = commands.add_parser(
        "keys",
        help="make keys that sign releases",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    creating = actions.add_parser("create", help="a new Ed25519 pair")
    creating.add_argument("name", help="of the two files, without their endings")
    creating.set_defaults(run=create)


def create(arguments: argparse.Namespace) -> int:
    """Writes a new pair; never over a file that is there."""
    private, public = Path(f"{arguments.name}.key"), Path(f"{arguments.name}.pub")
    try:
        make_keys(private, public)
    except (ValueError, OSError) as error:
        raise ConfigError([str(error)]) from None
    output.show(f"{private}: the private key, for its owner alone; otel-opto releases sign NUMBER --key {private}")
    output.show(f"{public}: the public key; otel_opto.configure(public_key={str(public)!r}) or OTEL_OPTO_PUBLIC_KEY")
    return 0
