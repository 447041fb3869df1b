"""One worker, as the collector sees it."""

import contextlib
import subprocess
import sys
import weakref
from typing import TYPE_CHECKING, Any

from collector.core.errors import CollectorError
from collector.workers.wire import Closed, Kind, receive, send

if TYPE_CHECKING:
    from collections.abc import Callable

_PROGRAM = "import sys; sys.path[:] = sys.argv[2:]; from collector.workers.child import serve; serve(int(sys.argv[1]))"
"""Not multiprocessing: its workers import the program that began them, which is the whole collector."""


class WorkerLost(CollectorError):
    """A worker ended in the middle of its work: the system killed it, or it crashed."""


class WorkerProcess:
    """A process that works on one thing at a time; begun by the first `exchange`.

    It is executed anew, never forked: threads of gRPC live in the collector.

    Args:
        memory_bytes: Of addresses that it may have.
    """

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._end: Callable[[], object] = lambda: None

    @property
    def pid(self) -> int | None:
        """Of the process; None before it is there."""
        return None if self._process is None else self._process.pid

    def exchange(self, kind: Kind, content: Any) -> tuple[Kind, Any]:
        """Sends one thing and waits for what comes back. Blocks; called by one thread at a time.

        Raises:
            WorkerLost: the process is gone.
        """
        process = self._process or self._begin()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            send(process.stdin, kind, content)
            return receive(process.stdout)
        except (OSError, Closed) as error:
            self.close()
            raise WorkerLost(f"the process that computed it ended with code {process.returncode}") from error

    def _begin(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-c", _PROGRAM, str(self._memory_bytes), *sys.path]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
        self._end = weakref.finalize(self, _ended, self._process)
        if self._killed:  # meanwhile
            self._process.kill()
        return self._process

    def kill(self) -> None:
        """At once, whatever it does. Does not block; who waits in `exchange` is told."""
        self._killed = True
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Ends it, and waits until it has ended. Safe twice; also done when nobody holds it any more."""
        self.kill()
        self._end()


def _ended(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        with contextlib.suppress(OSError):  # what was not sent is lost with the process
            stream.close()
