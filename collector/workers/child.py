"""What runs in a worker: takes one piece of work after the other, and ends with the collector that began it."""

import gc
import os
import pickle
import queue
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Generator
from typing import IO, Any

from collector.core.errors import CollectorError
from collector.workers.wire import Closed, Kind, receive, send


def serve(memory_bytes: int) -> None:
    """Works until the collector closes the pipe, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the collector ends its workers itself
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    gc.disable()  # a graph has no circles of garbage: looking for them took 11 to 15 % of one of 40,000 spans
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not speak in between
    incoming: queue.SimpleQueue[tuple[Kind, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, incoming), daemon=True).start()
    while True:
        _, (function, arguments) = incoming.get()
        try:
            kind, result = Kind.RESULT, function(*arguments)
            if isinstance(result, Generator):
                result = _asked(result, incoming, answers)
            if isinstance(result, bytes):
                kind = Kind.BYTES
        except MemoryError:
            kind, result = Kind.NO_MEMORY, None
        except Exception as error:  # noqa: BLE001 - it is the caller's
            kind, result = Kind.FAULT, _sendable(error)
        send(answers, kind, result)
        result = None  # not held while it waits for more
        gc.collect()  # what there may be after all goes between two pieces of work


def _sendable(error: Exception) -> Exception:
    """The same with its traceback, which does not travel by itself; what cannot be pickled in words."""
    if not isinstance(error, CollectorError):  # these are raised on purpose
        error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what was just written
    except Exception:  # noqa: BLE001 - whatever its class does
        return RuntimeError(repr(error))
    return error


def _asked(work: Generator[Any, Any, Any], incoming: "queue.SimpleQueue[tuple[Kind, Any]]", answers: IO[bytes]) -> Any:
    try:
        question = next(work)
        while True:
            send(answers, Kind.QUESTION, question)
            _, answer = incoming.get()
            question = work.send(answer)
    except StopIteration as end:
        return end.value


def _listen(stream: IO[bytes], incoming: "queue.SimpleQueue[tuple[Kind, Any]]") -> None:
    """In a thread of its own, so that a worker does not outlive its collector by what it is working on."""
    try:
        while True:
            incoming.put(receive(stream))
    except Closed:
        os._exit(0)
