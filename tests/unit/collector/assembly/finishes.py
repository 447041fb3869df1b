"""What tests make of graphs; in a module of its own, because a worker imports it."""

import os
import time
from pathlib import Path

from collector.core.graph import TraceGraph


def counted(graph: TraceGraph) -> tuple[int, int]:
    """Operations, and the process in which they were counted."""
    return len(graph.nodes), os.getpid()


def noted(path: str, seconds: float, graph: TraceGraph) -> int:
    """Says in a file that it was begun, then takes its time."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    return len(graph.nodes)


def forgetful(path: str, graph: TraceGraph) -> None:
    """Dies."""
    noted(path, 0, graph)
    os._exit(7)
