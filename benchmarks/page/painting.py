"""When Chromium paints a page, and how long its tasks hold the page's thread."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_SIZE = {"width": 1280, "height": 900}
_LOOK_MILLIS, _QUIET_MILLIS, _PATIENCE_MILLIS = 20, 2_000, 120_000
_CATEGORIES = ["toplevel", "loading", "blink.user_timing"]
_PAINT = "performance.getEntriesByName('first-contentful-paint').map((one) => one.startTime)[0] || 0"


@dataclass(frozen=True, slots=True)
class Painted:
    """One page, once; milliseconds.

    Attributes:
        paint: From the navigation to the first contentful paint, by the clock.
        cpu: Of the page's thread in that time, on the processor.
        task: The longest task of that thread, by the clock.
        task_cpu: The one that took the processor longest.
    """

    paint: float
    cpu: float
    task: float
    task_cpu: float


@contextmanager
def painter(program: str, address: str) -> Iterator[Callable[[str], Painted]]:
    """Opens paths of an address, each in a tab of its own, with one cache for all."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the server is measured without it

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(viewport=_SIZE)
        context.set_default_timeout(_PATIENCE_MILLIS)
        yield lambda path: _painted(browser, context, address + path)
        browser.close()


def _painted(browser: Any, context: Any, address: str) -> Painted:
    page = context.new_page()
    browser.start_tracing(page=page, categories=_CATEGORIES)
    page.goto(address)
    while not (paint := page.evaluate(_PAINT)):  # the page's policy lets no condition be waited for inside it
        page.wait_for_timeout(_LOOK_MILLIS)
    page.wait_for_timeout(_QUIET_MILLIS)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    page.close()
    return Painted(paint, *_tasks(events, paint))


def _tasks(events: Sequence[Mapping[str, Any]], paint: float) -> tuple[float, float, float]:
    """Of the thread that painted; a trace has microseconds, and of each task also those of the thread itself."""
    last = max((one for one in events if one["name"] == "firstContentfulPaint"), key=lambda one: one["ts"])
    begun = last["ts"] - paint * 1e3
    tasks = [
        one
        for one in events
        if (one["pid"], one["tid"]) == (last["pid"], last["tid"]) and one["name"].endswith("RunTask")
        and "tdur" in one and one["ts"] >= begun
    ]  # fmt: skip
    before = sum(one["tdur"] for one in tasks if one["ts"] <= last["ts"])
    longest = max((one["dur"] for one in tasks), default=0)
    return before / 1e3, longest / 1e3, max((one["tdur"] for one in tasks), default=0) / 1e3
