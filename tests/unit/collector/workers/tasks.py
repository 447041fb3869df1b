"""Work for workers; in a module of its own, because a worker imports it."""

import os
import signal
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from collector.core.errors import GraphError


def doubled(number: int) -> int:
    return 2 * number


def large(size: int) -> bytes:
    return bytes(size)


def own_pid() -> int:
    print("what is printed does not disturb")
    return os.getpid()


def failing(message: str) -> None:
    raise GraphError(message)


def unspeakable() -> None:
    class Local(Exception):
        pass

    raise Local("odd")


def crashing() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def greedy() -> bytes:
    return bytes(10**12)


def endless(path: str) -> None:
    Path(path).write_text(str(os.getpid()), encoding="utf-8")
    while True:
        time.sleep(0.001)


def adding(number: int) -> Generator[str, int, Any]:
    one = yield "one"
    other = yield "other"
    return number + one + other
