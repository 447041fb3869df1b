"""What runs in a process of its own, started by `otel_opto.code.process`: standard library only, stands alone.

It limits itself, then runs the source with each of the arguments, and writes a line of JSON for each.
"""

import asyncio
import inspect
import itertools
import json
import linecache
import os
import resource
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILE = "<source>"
_MOST_ITEMS = 1_000
_LONGEST = 2_000
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_REFUSED = (
    "ctypes.", "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.putenv", "os.spawn",
    "os.startfile", "os.system", "pty.spawn", "socket.", "subprocess.Popen", "syslog.",
)  # fmt: skip
_CHANGING = (
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate",
    "os.utime", "shutil.",
)  # fmt: skip
_READABLE = ("/dev/null", "/dev/urandom", "/usr/share/zoneinfo")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def limited(limits: dict[str, int]) -> list[str]:
    """Limits this process for good; what could be limited."""
    wanted = {
        "cpu": (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        "memory": (resource.RLIMIT_AS, limits["memory_bytes"]),
        "file size": (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        "open files": (resource.RLIMIT_NOFILE, limits["files"]),
        "core": (resource.RLIMIT_CORE, 0),
        "processes": (resource.RLIMIT_NPROC, 0),
    }
    done = []
    for name, (which, most) in wanted.items():
        try:
            resource.setrlimit(which, (most, most + (name == "cpu")))  # a signal first that says what for
        except (ValueError, OSError):
            continue
        if not (name == "processes" and os.geteuid() == 0):  # the superuser's are not counted
            done.append(name)
    return done


def without_network() -> bool:
    """Whether this process has a network of its own now, with nobody in it (Linux)."""
    try:
        import ctypes  # noqa: PLC0415 - not everywhere

        unshare = ctypes.CDLL(None, use_errno=True).unshare
    except (ImportError, OSError, AttributeError):
        return False
    return bool(unshare(_NEW_NETWORK) == 0 or unshare(_NEW_USER | _NEW_NETWORK) == 0)


def guard(own: str) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook: no connections, no processes, files only below `own`; what Python brings may be read."""
    readable = tuple(os.path.realpath(one) for one in {*sys.path, sys.prefix, sys.base_prefix} if one) + _READABLE
    hooked = os.path.realpath  # what runs later may not take it away

    def below(path: Any, folders: tuple[str, ...]) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return True  # a number of a file that is open
        found = hooked(os.fsdecode(path))
        return any(found == one or found.startswith(one + os.sep) for one in folders)

    def audited(event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.__new__" and args[1] in (socket.AF_UNIX, -1):
            return  # an event loop talks to itself; it cannot connect
        if event.startswith(_REFUSED):
            raise PermissionError(f"{event} is not allowed in an evaluation")
        if event == "open":
            writes = isinstance(args[2], int) and args[2] & _WRITES
            if not below(args[0], (own,) if writes else (own, *readable)):
                raise PermissionError(f"opening {args[0]!r} is not allowed in an evaluation")
        elif event.startswith(_CHANGING) and not all(below(path, (own,)) for path in args[:2]):
            raise PermissionError(f"{event} of {args[0]!r} is not allowed in an evaluation")

    return audited


def called(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The result; of a generator its items."""
    found = function(*args, **kwargs)
    if inspect.isawaitable(found):
        return asyncio.run(_awaited(found))
    if inspect.isasyncgen(found):
        return asyncio.run(_items(found))
    return list(itertools.islice(found, _MOST_ITEMS)) if inspect.isgenerator(found) else found


async def _awaited(found: Any) -> Any:
    return await found


async def _items(found: Any) -> list[Any]:
    items = []
    async for item in found:
        items.append(item)
        if len(items) == _MOST_ITEMS:
            break
    return items


def raised(error: BaseException) -> dict[str, Any]:
    """What went wrong, and in which line of the source."""
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if frame.filename == FILE), None)
    if line is None and isinstance(error, SyntaxError) and error.filename == FILE:
        line = error.lineno
    try:
        message = str(error)[:_LONGEST]
    except Exception:  # noqa: BLE001 - the source's own __str__
        message = ""
    return {"type": type(error).__name__, "message": message, "line": line or 0}


def outcome(function: Callable[..., Any], call: dict[str, Any]) -> dict[str, Any]:
    """Of one call."""
    try:
        found = called(function, call["args"], call["kwargs"])
    except BaseException as error:  # noqa: BLE001 - whatever the source does
        return raised(error)
    try:
        json.dumps(found, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return {"type": type(error).__name__, "message": f"the result is no JSON: {error}"[:_LONGEST], "line": 0}
    return {"value": found}


def main(folder: str) -> None:
    """Reads ``request.json`` of the folder and writes ``result.jsonl``."""
    own = os.path.realpath(folder)
    request = json.loads(Path(own, "request.json").read_text(encoding="utf-8"))
    with Path(own, "result.jsonl").open("w", encoding="utf-8") as result:

        def say(said: dict[str, Any]) -> None:
            result.write(json.dumps(said) + "\n")
            result.flush()

        network = ["network"] if without_network() else []
        say({"enforced": [*limited(request["limits"]), *network]})
        sys.addaudithook(guard(own))
        names: dict[str, Any] = {"__name__": "evaluated"}
        text = request["source"]
        linecache.cache[FILE] = (len(text), None, text.splitlines(keepends=True), FILE)
        try:
            exec(compile(request["before"], "<before>", "exec"), names)  # noqa: S102 - this is what it is for
            exec(compile(text, FILE, "exec"), names)  # noqa: S102
            function = names[request["name"]]
        except BaseException as error:  # noqa: BLE001 - whatever the source does
            say(raised(error))
            return
        for call in request["calls"]:
            say(outcome(function, call))


if __name__ == "__main__":
    main(sys.argv[1])
