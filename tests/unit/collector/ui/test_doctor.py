"""What is wrong is said, with its cure: by the API, on the page, and on the command line."""

import asyncio
import json

import httpx
import pytest

from collector.api.doctor import LOOKED_AT
from collector.cli import main
from collector.process.servers import Addresses
from tests.unit.collector.ui.conftest import HOSTILE, SERVICE


async def test_a_refused_release_is_red_and_each_fault_has_its_cure(page: httpx.AsyncClient) -> None:
    found = (await page.get("/v1/doctor")).json()
    assert found["level"] == "red"
    by_level = {level: [one for one in found["findings"] if one["level"] == level] for level in ("red", "yellow")}
    (red,) = by_level["red"]
    assert red["name"] == f"service {SERVICE}"
    assert f"release 1 is refused by 1 instances: {HOSTILE}" in red["says"]
    assert all(one["cure"] for one in (*by_level["red"], *by_level["yellow"]))
    stuck = [one for one in by_level["yellow"] if "cannot move" in one["says"]]
    assert len(stuck) == 1
    looked_at = {"versions", "ports", "disk", "store", "losses", "clocks", "feedback", "names"}
    assert looked_at <= {one["name"] for one in found["findings"]}
    assert {one["name"].split()[0] for one in found["findings"]} <= LOOKED_AT.keys()


async def test_clocks_feedback_and_names_that_are_wrong_are_said(at: Addresses) -> None:
    async with httpx.AsyncClient(base_url=f"http://{at.api}") as client:
        early = {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "x", "startTimeUnixNano": str(8 * 10**18)}
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "unknown_service:python"}}]}
        sent = {
            "resourceSpans": [
                {"resource": resource, "scopeSpans": [{"spans": [{**early, "endTimeUnixNano": str(8 * 10**18)}]}]}
            ]
        }
        assert (await client.post(f"http://{at.otlp_http}/v1/traces", json=sent)).status_code == 200
        feedback = {"feedback": [{"trace_id": "ef" * 16, "name": "quality", "score": 1.0}]}
        assert (await client.post("/v1/feedback", json=feedback)).status_code == 201
        found = {one["name"]: one for one in (await client.get("/v1/doctor")).json()["findings"]}
    assert {name: found[name]["level"] for name in ("clocks", "feedback", "names")} == dict.fromkeys(
        ("clocks", "feedback", "names"), "yellow"
    )
    assert "unknown_service:python" in found["names"]["says"]


async def test_the_command_line_shows_it_on_one_screen(
    page: httpx.AsyncClient, at: Addresses, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["doctor", "--live", "--collector", f"http://{at.api}"]
    assert await asyncio.to_thread(main, asked) == 1
    shown = capsys.readouterr().out
    assert "✗ red    service team/qa" in shown
    assert "    → propose values that fit what these instances declare, or roll back" in shown
    assert "\u202e" not in shown
    assert await asyncio.to_thread(main, [*asked, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["level"] == "red"
