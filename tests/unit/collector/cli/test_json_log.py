"""The log as JSON: a line a record, with the trace of who called."""

import io
import json
import logging
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from collector.access.calling import Calling
from collector.cli.terminal.json_log import JsonFormatter
from tests.integration.running import RunningCollector

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def logged() -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.Logger("some.where")
    logger.addHandler(handler)
    return logger, stream


def test_a_record_is_one_line_whatever_is_in_it() -> None:
    logger, stream = logged()
    try:
        raise ValueError("two\nlines \u202e")
    except ValueError:
        logger.exception("it %s\nbroke \u202e", "all")
    (line,) = stream.getvalue().splitlines()
    assert re.fullmatch("[ -~]+", line)
    said = json.loads(line)
    assert (said["severity"], said["logger"], said["message"]) == ("ERROR", "some.where", "it all\nbroke \u202e")
    assert said["exception"].endswith("ValueError: two\nlines \u202e")
    assert said["time"].endswith("+00:00")
    assert "trace_id" not in said


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{'0' * 32}-{SPAN}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        ("anything", False),
        ("", False),
    ],
)
async def test_what_is_logged_for_a_request_names_its_trace(header: str, known: bool) -> None:
    logger, stream = logged()

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        logger.warning("inside")

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    headers = [(b"traceparent", header.encode())] if header else [(b"host", b"x")]
    await Calling(app)({"type": "http", "headers": headers}, nothing, nothing)
    logger.warning("outside")
    inside, outside = map(json.loads, stream.getvalue().splitlines())
    assert (inside.get("trace_id"), inside.get("span_id")) == ((TRACE, SPAN) if known else (None, None))
    assert "trace_id" not in outside


def test_the_collector_writes_it_by_a_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_OPTO_TELEMETRY_LOG_LEVEL", "DEBUG")
    with RunningCollector(tmp_path / "data", None, "--log-format", "json") as running:
        assert running.stop() == 0
    lines = (tmp_path / "data.log").read_text(encoding="utf-8").splitlines()
    assert lines
    assert {json.loads(line)["severity"] for line in lines} <= {"DEBUG", "INFO", "WARNING"}
