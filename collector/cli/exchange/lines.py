"""Files of JSON lines: one document a line, each held alone."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from collector.core.errors import ConfigError

STANDARD = "-"
"""Stands for standard input or output."""

MOST_LINE_BYTES = 256 * 2**20


class Line(NamedTuple):
    """One line of a file.

    Attributes:
        number: From 1.
        text: Without its end; empty where it cannot be read.
        document: The object that it is.
        fault: Why it is none: what was found and what to do; empty if it is one.
    """

    number: int
    text: bytes
    document: dict[str, object]
    fault: str


def lines_in(file: BinaryIO, most_bytes: int = MOST_LINE_BYTES) -> Iterator[Line]:
    """The lines of a file but empty ones; no more than one is held at a time."""
    number = 0
    while text := file.readline(most_bytes + 1):
        number += 1
        if len(text) > most_bytes and not text.endswith(b"\n"):
            while rest := file.readline(2**20):
                if rest.endswith(b"\n"):
                    break
            fault = f"found more than {most_bytes:,} bytes without an end; write one document a line"
            yield Line(number, b"", {}, fault)
        elif text.strip():
            yield _line(number, text.rstrip(b"\r\n"))


def _line(number: int, text: bytes) -> Line:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        cut = "" if text.rstrip().endswith(b"}") else ", and it does not end with }: it was cut"
        return Line(number, b"", {}, f"no JSON: {error}{cut}")
    if not isinstance(document, dict):
        return Line(number, b"", {}, f"found {type(document).__name__}, allowed is a JSON object")
    return Line(number, text, document, "")


@contextmanager
def reading(name: str) -> Iterator[BinaryIO]:
    """A file, or standard input.

    Raises:
        ConfigError: it cannot be opened.
    """
    if name == STANDARD:
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below; only the opening is a matter of the arguments
    except OSError as error:
        raise ConfigError([f"{name}: {error.strerror}; name a file, or - for standard input"]) from None
    with file:
        yield file


class Writing:
    """Where lines go."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def line(self, document: object) -> None:
        """One more."""
        self._file.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
        self._file.write(b"\n")


@contextmanager
def writing(name: str) -> Iterator[Writing]:
    """A file, which has its name only when it is whole, or standard output.

    Raises:
        ConfigError: it cannot be made.
    """
    if name == STANDARD:
        yield Writing(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    part = Path(f"{name}.part")
    try:
        file = part.open("wb")
    except OSError as error:
        raise ConfigError(
            [f"{part}: {error.strerror}; name a file that can be made, or - for standard output"]
        ) from None
    try:
        with file:
            yield Writing(file)
        part.replace(name)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
