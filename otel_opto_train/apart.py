"""Asynchronous work for code that is not, also where a loop is running already, as in a notebook."""

import asyncio
import contextvars
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def finished(work: Coroutine[Any, Any, T]) -> T:
    """What the work gives, when it has; in a thread with a loop of its own where this one's is busy."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1, thread_name_prefix="otel-opto-apart") as pool:
        return pool.submit(contextvars.copy_context().run, asyncio.run, work).result()
