"""What is printed and logged: nothing that a terminal obeys, nothing that an encoding cannot take."""

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.cli import main
from collector.cli.terminal import output
from collector.core.printable import printable, printable_lines

OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
EVIL = "ok\x1b[31mRED\x1b]0;title\x07\x9b2J\r\nFAKE LINE\u202egnp\u2066\u200f\u061c\u2028x\x85y\x00\x7f\ud800\U000e0041"
ANYTHING = st.text(st.characters(), max_size=60) | st.just(EVIL)


class Terminal(io.TextIOWrapper):
    """A standard output in some encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="\n")

    def seen(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


@contextmanager
def printing(encoding: str) -> Iterator[Terminal]:
    terminal = Terminal(encoding)
    with pytest.MonkeyPatch.context() as patched:  # not before the test itself begins: pytest captures anew for it
        patched.setattr(sys, "stdout", terminal)
        patched.setattr(sys, "stderr", terminal)
        output.prepare()
        yield terminal


every_encoding = pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "gbk"])


@given(ANYTHING)
def test_a_line_is_one_line_and_moves_nothing(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not OBEYED.search(shown)
    shown.encode()
    assert printable_lines(f"{text}\n{text}").split("\n") == [printable(part) for part in f"{text}\n{text}".split("\n")]


def test_what_can_be_read_is_left_as_it_is() -> None:
    for text in ("naïve Größe 検索 👍", "", "a\\b", "עברית العربية"):
        assert printable(text) == text
    assert printable("a\u00a0b\u3000c") == "a b c"


@every_encoding
def test_every_way_to_print_is_safe_in_every_encoding(encoding: str) -> None:
    with printing(encoding) as terminal:
        output.show(EVIL)
        output.warn(EVIL)
        output.show_table((EVIL, "n"), [(EVIL, 1), ("検索", 2)], "")
        output.show_table(("a",), [], EVIL)
        output.show_lines(f"one {EVIL}\ntwo → ✗")
        output.show(output.change(EVIL, {"k": EVIL}))
        seen = terminal.seen()
    assert not OBEYED.search(seen)
    assert not any(line.startswith(("FAKE", "x", "y")) for line in seen.split("\n")[:3])


@every_encoding
def test_json_says_the_same_in_every_encoding(encoding: str) -> None:
    document = {"é": [EVIL, "検索 👍", 1.5, None], EVIL: "\u202e"}
    with printing(encoding) as terminal:
        output.show_json(document)
        seen = terminal.seen()
    assert json.loads(seen) == document
    assert not OBEYED.search(seen)
    assert seen.isascii() == (encoding != "utf-8")


def test_log_lines_cannot_be_forged() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(output.LogFormatter())
    logger = logging.getLogger("tests.forged")
    logger.addHandler(handler)
    logger.propagate = False
    forged = f"{EVIL}\n2026-01-01 00:00:00,000 INFO root: all is well"
    try:
        logger.warning("found %s", forged)
        try:
            raise ValueError(forged)
        except ValueError:
            logger.exception("failed: %s", forged, stack_info=True)
    finally:
        logger.removeHandler(handler)
    written = stream.getvalue()
    assert not OBEYED.search(written)
    records = [line for line in written.splitlines() if not line.startswith("    ")]
    assert len(records) == 2
    assert all(" tests.forged: f" in record for record in records)


def test_arguments_that_are_wrong_are_repeated_safely() -> None:
    text = EVIL.replace("\x00", "")
    with printing("utf-8") as terminal:
        for arguments in (["traces", text], [text], ["releases", "show", text], ["graph", "--reach", text, "x"]):
            with pytest.raises(SystemExit) as ended:
                main(arguments)
            assert ended.value.code == 2
        seen = terminal.seen()
    assert "RED" in seen
    assert not OBEYED.search(seen)


def run(*arguments: str, shell: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = " ".join([sys.executable, "-m", "collector", *arguments]) + shell
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, env=environment, timeout=60, check=False
    )


@pytest.mark.parametrize("arguments", [("--help",), ("graph", "--help"), ("collector", "--validate")])
def test_a_reader_that_has_seen_enough_is_no_fault(arguments: tuple[str, ...]) -> None:
    done = run(*arguments, shell=" | true")
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_an_output_that_is_closed_or_full_or_in_another_encoding() -> None:
    closed = run("collector", "--validate", shell=" >&-")
    assert (closed.returncode, closed.stderr) == (0, b"")
    full = run("collector", "--validate", shell=" > /dev/full")
    assert full.returncode == 1
    assert b"No space left" in full.stderr
    assert b"Traceback" not in full.stderr
    assert b"Exception ignored" not in full.stderr
    for environment in (
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
    ):
        done = run("collector", "--validate", "--data-dir", "数据-é", shell="", **environment)
        assert (done.returncode, done.stderr) == (0, b"")
        directory = json.loads(done.stdout)["storage"]["directory"]
        assert directory.encode("utf-8", "surrogateescape").decode() == "数据-é"


def test_of_texts_of_several_lines_the_changed_lines_are_shown() -> None:
    before, after = "def f(x):\n    return x\n", "def f(x):\n    y = 2\n    return x * y\n"
    assert list(output.changed_lines(before, after))[2:] == [
        "@@ -1,3 +1,4 @@", " def f(x):", "-    return x", "+    y = 2", "+    return x * y", " ",
    ]  # fmt: skip
    assert output.changed_lines("one", "other") == output.changed_lines(None, 3) == ()
    assert "+b" in output.changed_lines(None, "a\nb")
