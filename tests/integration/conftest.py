"""Fixtures of the integration tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.running import RunningCollector


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[RunningCollector]:
    """A collector on free ports with an empty store."""
    with RunningCollector(tmp_path / "data") as running:
        yield running
