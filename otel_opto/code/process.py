"""New code tried in a process of its own: limits, a scrubbed environment, no network, a folder that is thrown away.

Better than in the application, and no sandbox: a process of the same user on the same kernel, whose Python can be
talked out of what only Python enforces (docs/code.md). POSIX only.
"""

import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from otel_opto.code.listing import listing
from otel_opto.code.source import InvalidSource, function_in, parsed
from otel_opto.code.text import source_text

_CHILD = Path(__file__).with_name("child.py")
_MOST_OUTPUT = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What an evaluation may take.

    Attributes:
        seconds: By the clock, for the start and all calls together; then it is killed.
        cpu_seconds: Of processor time.
        memory_bytes: Of address space; Python itself takes about 30 MiB of it, numpy some hundred.
        file_bytes: Of each file it writes, its results and its output included.
        files: Open at once.
    """

    seconds: float = 10.0
    cpu_seconds: int = 10
    memory_bytes: int = 512 * 2**20
    file_bytes: int = 4 * 2**20
    files: int = 64


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one call: JSON values."""

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call gave nothing.

    Attributes:
        line: Of the source, from 1; 0 where none of its lines is to blame.
        shown: The lines around that one, the exception behind it.
    """

    type: str
    message: str
    line: int
    shown: str


@dataclass(frozen=True, slots=True)
class Result:
    """Of one call: a value, after JSON (a tuple is a list), or why there is none."""

    value: Any = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it.

    Attributes:
        results: In order of the calls; fewer where it ended early.
        ended: Why it ended early; empty where it did not.
        enforced: What the operating system limited: ``cpu``, ``memory``, ``network``, …; what is missing was not to be
            had here, and at most Python's own guard stood there.
        output: The beginning of what it printed.
    """

    results: tuple[Result, ...]
    ended: str
    enforced: tuple[str, ...]
    output: str

    @property
    def fault(self) -> str:
        """The first failure, or why it ended early; empty where everything went well."""
        return next((one.failure.shown for one in self.results if one.failure), self.ended)


def evaluate(
    code: str | Callable[..., Any],
    calls: Sequence[Call],
    *,
    limits: Limits | None = None,
    before: str = "",
    packages: bool = False,
) -> Evaluation:
    """Calls a function in a process of its own. It blocks for `Limits.seconds` at most.

    Args:
        code: The source of one function, or the function (a new one as a `constraint` gets it, too).
        calls: With which arguments, one after the other in the one process.
        before: Python that stands before the function: the helpers and imports that it needs.
        packages: Whether installed packages can be imported; else only the standard library.

    Raises:
        InvalidSource: the code is not one function.
        OSError: no process can be started.
    """
    text = code if isinstance(code, str) else _text_of(code)
    within = limits or Limits()
    request = {
        "source": text,
        "name": function_in(parsed(text)).name,
        "before": before,
        "calls": [{"args": list(call.args), "kwargs": dict(call.kwargs)} for call in calls],
        "limits": asdict(within),
    }
    with tempfile.TemporaryDirectory(prefix="otel-opto-") as folder:
        own = Path(folder)
        (own / "request.json").write_text(json.dumps(request, allow_nan=False), encoding="utf-8")
        ended = _ran(own, within.seconds, packages=packages)
        said = _lines(own / "result.jsonl")
        output = _beginning(own / "output.txt")
    enforced = tuple(said[0].get("enforced", ())) if said else ()
    results = tuple(_result(one, text) for one in said[1:])
    if not ended and len(results) < len(calls) and not any(one.failure for one in results):
        ended = "it ended by itself before it was done"
    return Evaluation(results, ended, enforced, output)


def expecting(
    cases: Sequence[tuple[Call, Any]], *, limits: Limits | None = None, before: str = ""
) -> Callable[[Any], str]:
    """A `constraint` that tries new code in a process of its own: it has to give these results."""

    def check(function: Callable[..., Any]) -> str:
        found = evaluate(function, [call for call, _ in cases], limits=limits, before=before)
        if found.fault:
            return found.fault
        for (call, wanted), result in zip(cases, found.results, strict=True):
            if result.value != wanted:
                return (
                    f"of {json.dumps([*call.args])} it makes {json.dumps(result.value)}, wanted is {json.dumps(wanted)}"
                )
        return ""

    return check


def _text_of(function: Callable[..., Any]) -> str:
    plain = inspect.unwrap(function)
    if not isinstance(plain, types.FunctionType):
        raise InvalidSource(f"found {type(function).__name__}, wanted is a function or its source")
    return source_text(plain)


def _ran(own: Path, seconds: float, *, packages: bool) -> str:
    """Why it ended early; empty if it did not."""
    environment = {
        "PATH": os.defpath, "HOME": str(own), "TMPDIR": str(own), "LANG": "C.UTF-8", "PYTHONHASHSEED": "0",
    }  # fmt: skip
    flags = ["-s", "-P", "-B"] if packages else ["-s", "-P", "-B", "-S"]
    with (own / "output.txt").open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - this is what it is for
            [sys.executable, *flags, str(_CHILD), str(own)],
            cwd=own,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        code = child.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"it had not ended after {seconds:g} s"
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if code == -signal.SIGXCPU:
        return "its processor time was used up"
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit code {code}" if code else ""


def _lines(file: Path) -> list[dict[str, Any]]:
    """What was written whole."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            break
        if not isinstance(said, dict):
            break
        found.append(said)
    return found


def _result(said: Mapping[str, Any], text: str) -> Result:
    if "value" in said:
        return Result(said["value"])
    kind, message = str(said.get("type", "")), str(said.get("message", ""))
    line = said.get("line")
    number = line if isinstance(line, int) else 0
    return Result(failure=Failure(kind, message, number, listing(text, number, f"{kind}: {message}")))


def _beginning(file: Path) -> str:
    with file.open("rb") as written:
        return written.read(_MOST_OUTPUT).decode("utf-8", "replace")
