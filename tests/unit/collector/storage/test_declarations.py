"""Declared parameters that today's rules refuse."""

import logging
import sqlite3
from pathlib import Path

import pytest

from collector.storage.file_store import FileStore
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests.clocks import TickingClock

OLDER = (
    '{"key": "tone", "type": "text", "default": "ab", "constraint": {"pattern": "(?=a)ab"},'
    ' "description": "", "trainable": true}'
)


async def test_what_an_older_version_took_is_set_aside_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = FileStore(tmp_path, TickingClock())
    await store.start()
    kept = ParameterSpec("style", ParameterType.TEXT, "ab", Constraint(pattern="[a-z]+"))
    await store.parameters.declare("shop", [kept])
    await store.stop()
    with sqlite3.connect(tmp_path / "otel-opto.sqlite3") as database:
        database.execute("INSERT INTO parameters VALUES ('shop', 'tone', ?)", (OLDER,))
    database.close()
    await store.start()
    try:
        with caplog.at_level(logging.WARNING):
            assert list(await store.parameters.of("shop")) == [kept]
        assert "service shop: a stored parameter counts as not declared" in caplog.text
        assert "(?=" in caplog.text
    finally:
        await store.stop()


@pytest.mark.parametrize(
    "change", [('"key"', '"kex"'), ('"text"', '"tesu"'), ('"constraint": {', '"constraint": [{'), ("{", "")]
)
async def test_a_damaged_one_hides_no_other(tmp_path: Path, change: tuple[str, str]) -> None:
    store = FileStore(tmp_path, TickingClock())
    await store.start()
    kept = ParameterSpec("style", ParameterType.TEXT, "ab")
    await store.parameters.declare("shop", [kept])
    await store.database.write(
        lambda db: (
            db.execute("INSERT INTO parameters VALUES ('shop', 'tone', ?)", (OLDER.replace(*change, 1),)) and None
        )
    )
    assert list(await store.parameters.of("shop")) == [kept]
    await store.stop()
