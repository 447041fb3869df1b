"""The distribution's Chromium, driven by Playwright; tests are skipped, with a reason, where one of them is missing."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.running import RunningCollector
from tests.unit.collector.ui.studied import studied

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_VENDOR = Path(__file__).parent / "vendor"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser; not for the whole run, since no test with an event loop of its own can run beside Playwright."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    program = os.environ.get("OTEL_OPTO_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("there is no Chromium: run scripts/browser, or install the distribution's package `chromium`")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    """One for all tests of a module, with two studies that have ended."""
    directory = tmp_path_factory.mktemp("collector") / "data"
    directory.mkdir()
    asyncio.run(studied(directory))
    with RunningCollector(directory) as running:
        yield running


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, as a script (https://github.com/dequelabs/axe-core)."""
    return (_VENDOR / "axe.min.js").read_text(encoding="utf-8")
