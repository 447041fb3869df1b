"""``otel-opto doctor``, ``repair``, ``backup``, ``restore``: care for a data directory, without asking a collector."""

import argparse
import asyncio
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from collector.cli.client import ApiClient
from collector.cli.terminal import output
from collector.cli.terminal.progress import busy
from collector.core.errors import CollectorError
from collector.process.config.loading import load
from collector.process.service import SystemClock, repaired
from collector.storage.care.backup import back_up, restore
from collector.storage.care.examination import examine
from collector.storage.integrity.damage import Damage
from otel_opto.doctor import document_of
from otel_opto.doctor.__main__ import run

_DOCTOR_HELP = """\
Reads every byte of a data directory and lists what is damaged, also while a collector runs on it. Changes nothing.
Exit code 0 where all is whole, 1 where something is not.

With --live it asks the running collector: ports, versions, disk, certificates, damages, losses, clocks of senders,
feedback that waits, spans without a service's name, releases that are refused, studies that cannot move; each green,
yellow or red, with the cure. Exit code 1 where something is red.

With --app it looks at what an application would send, by the variables of its environment: service.name, sampler,
limits, endpoint, protocol, TLS, token; with --import at what its code declares and sets up. The same without the
collector's packages: python -m otel_opto.doctor.

examples:
  otel-opto doctor                            the directory of the configuration
  otel-opto doctor --data-dir ./data --json
  otel-opto doctor --live                     the collector at --collector URL
  OTEL_SERVICE_NAME=qa otel-opto doctor --app --import app
"""
_SIGNS = {"green": "✓ green ", "yellow": "! yellow", "red": "✗ red   "}
_REPAIR_HELP = """\
Does for all of a data directory, at once, what a collector does where it comes upon damage: damaged bytes are copied
into damaged/, indexes are made again, a damaged database is made anew from the rows that can be read (the damaged one
is kept), and feedback that is lost with it is looked for in the telemetry that it came with. Nothing that can be read
is thrown away. The collector must be stopped.
"""
_BACKUP_HELP = """\
Copies a data directory as it is at one moment, also while a collector runs on it. A finished backup holds backup.json,
with checksums of every file, and is a data directory itself: `otel-opto doctor --data-dir BACKUP` looks through it.

examples:
  otel-opto backup /backups/monday --data-dir ./data
  otel-opto backup /backups/monday --link     links sealed segments instead of copying them (one disk, small and quick)
"""
_RESTORE_HELP = """\
Makes a data directory out of a backup, and checks every byte of it.

example:
  otel-opto restore /backups/monday ./data && otel-opto collector --data-dir ./data
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", _: argparse.ArgumentParser) -> None:
    """Adds the four commands."""
    doctor = _command(commands, "doctor", "look through a data directory", _DOCTOR_HELP)
    doctor.add_argument(
        "--live", action="store_true", help="ask the running collector instead of reading its directory"
    )
    doctor.add_argument(
        "--app", action="store_true", help="look at the environment of an application: what it would send, and where to"
    )
    doctor.add_argument(
        "--import", dest="module", default="", metavar="MODULE", help="the application's own, for --app"
    )
    doctor.add_argument("--collector", metavar="URL", default=argparse.SUPPRESS, help="its API address, for --live")
    doctor.set_defaults(run=run_doctor)
    repair = _command(commands, "repair", "mend a data directory on which no collector runs", _REPAIR_HELP)
    repair.set_defaults(run=run_repair)
    backup = _command(commands, "backup", "copy a data directory, also while a collector runs on it", _BACKUP_HELP)
    backup.add_argument("target", type=Path, metavar="DIR", help="empty, or not there yet")
    backup.add_argument("--link", action="store_true", help="link sealed segments instead of copying them")
    backup.set_defaults(run=run_backup)
    restoring = commands.add_parser(
        "restore",
        help="make a data directory out of a backup",
        description=_RESTORE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    restoring.add_argument("backup", type=Path, metavar="BACKUP", help="a finished one")
    restoring.add_argument("target", type=Path, metavar="DIR", help="empty, or not there yet")
    restoring.set_defaults(run=run_restore)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str, description: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=what, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="default: what the configuration says")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the collector's configuration")
    parser.add_argument("--json", action="store_true", help="one JSON document, for scripts")
    return parser


def directory_of(arguments: argparse.Namespace) -> Path:
    """The data directory that is named, or that of the configuration."""
    given: Path | None = arguments.data_dir
    return given if given is not None else load(arguments.config, os.environ, {}).storage.directory


def run_doctor(arguments: argparse.Namespace) -> int:
    """Lists what is damaged, or what is wrong with a running collector."""
    if arguments.app:
        return _look_at_application(arguments)
    if arguments.live:
        return _ask(arguments)
    with busy("reading every byte"):
        found = examine(directory_of(arguments))
    if arguments.json:
        document = {
            "running": found.running,
            "segments": found.segments,
            "requests": found.requests,
            "bytes": found.bytes,
            "damages": [_document(damage) for damage in found.damages],
            "set_aside": list(found.aside),
        }
        output.show_json(document)
        return 1 if found.damages else 0
    _show(found.damages, "all is whole")
    output.show(f"{found.requests} requests in {found.segments} segments, {found.bytes} bytes, were read")
    if found.running:
        output.show("a collector runs on it: what it is writing at the moment was not judged")
    for name in found.aside:
        output.show(f"set aside before: damaged/{name}")
    return 1 if found.damages else 0


def _ask(arguments: argparse.Namespace) -> int:
    with busy("asking the collector"):
        found = ApiClient(arguments.collector).get("/v1/doctor")
    if arguments.json:
        output.show_json(found)
    else:
        _tell(found)
    return 1 if found["level"] == "red" else 0


def _tell(found: Mapping[str, Any]) -> None:
    for one in found["findings"]:
        output.show(f"{_SIGNS[one['level']]} {one['name']}: {one['says']}")
        if one["cure"]:
            output.show(f"    → {one['cure']}")
    output.show(f"all together: {found['level']}")


def _look_at_application(arguments: argparse.Namespace) -> int:
    with busy("asking what the application would ask"):
        findings = document_of(run(arguments.module))
    if arguments.json:
        output.show_json(findings)
    else:
        _tell(findings)
    return 1 if findings["level"] == "red" else 0


def run_repair(arguments: argparse.Namespace) -> int:
    """Mends what can be mended."""
    with busy("mending"):
        damages, counts = asyncio.run(repaired(directory_of(arguments)))
    counted = {name: count for name, count in counts.items() if "_storage_" in name and count}
    if arguments.json:
        output.show_json({"damages": [_document(damage) for damage in damages], "counters": counted})
        return 0
    _show(damages, "there was nothing to mend")
    for name, count in counted.items():
        output.show(f"{name} {count}")
    return 0


def run_backup(arguments: argparse.Namespace) -> int:
    """Makes a backup."""
    try:
        with busy("copying"):
            manifest = back_up(directory_of(arguments), arguments.target, SystemClock(), link=arguments.link)
    except sqlite3.Error as error:
        raise CollectorError(f"the backup could not be made, and nothing of it is left: {error}") from error
    size = sum(length for length, _ in manifest.files.values())
    if arguments.json:
        output.show_json({"directory": str(arguments.target), "files": len(manifest.files), "bytes": size})
    else:
        output.show(f"{arguments.target}: {len(manifest.files)} files, {size} bytes")
    return 0


def run_restore(arguments: argparse.Namespace) -> int:
    """Makes a data directory out of a backup."""
    with busy("copying and checking"):
        manifest = restore(arguments.backup, arguments.target)
    output.show(f"{arguments.target}: as it was on {output.moment(manifest.made_unix_nano)} UTC")
    return 0


def _document(damage: Damage) -> dict[str, object]:
    return {
        "file": damage.file,
        "offset": damage.offset,
        "bytes": damage.size,
        "items": damage.items,
        "what": damage.what,
    }


def _show(damages: Sequence[Damage], empty: str) -> None:
    rows = [(damage.file, damage.offset, damage.size, damage.items, damage.what) for damage in damages]
    output.show_table(("file", "at byte", "bytes", "items known", "what"), rows, empty)
