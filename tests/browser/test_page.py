"""The page in a real browser: seen by everybody, worked by keyboard and by click, live, and closed behind it."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from collector.ui.news import MOST
from tests.integration.running import RunningCollector
from tests.unit.collector.ui.conftest import HOSTILE, PARAMETERS, SERVICE, TRACE_ID, prompted, spans

_PATIENCE_SECONDS = 60.0
_PATHS = (
    "/", "/doctor", "/studies", "/studies/tune", "/rollouts/wider", "/releases", "/releases/2", "/traces",
    f"/traces/{TRACE_ID}?part=whole",
    f"/traces/{TRACE_ID}?node=span%3A0000000000000002&part=whole", f"/services/{quote(SERVICE, safe='')}",
    f"/services/{quote(SERVICE, safe='')}/parameters/prompt", f"/services/{quote(SERVICE, safe='')}/discoveries",
    f"/traces/{TRACE_ID}/spans/0000000000000002",
)  # fmt: skip
_STUDIED = (
    "/studies/first", "/studies/second", "/studies/first/trials/7", "/studies/second/trials/0",
    "/studies/first/importance", "/compare?study=first&study=second",
    "/services/shop", "/services/shop/parameters/answer.prompt", "/services/nobody",
)  # fmt: skip


@pytest.fixture(scope="module")
def filled(collector: RunningCollector) -> RunningCollector:
    """With something of everything, hostile where somebody else chooses the words."""
    client, name = collector.client, quote(SERVICE, safe="")
    client.put(f"/v1/services/{name}/parameters", {"parameters": PARAMETERS})
    client.post(f"/v1/services/{name}/releases", {"values": {"k": 1}, "reason": HOSTILE})
    client.post(f"/v1/services/{name}/releases", {"values": {"k": 5, "prompt": f"Answer briefly. {HOSTILE}"}})
    client.put("/v1/rollouts/wider", {"service": SERVICE, "release": 2, "metric": {"name": "quality"}})
    client.post("/v1/studies", {"name": "tune", "service": SERVICE, "metric": "quality"})
    content = {"content-type": "application/x-protobuf"}
    for body in (spans(), prompted()):
        sent = httpx.post(f"{collector.http}/v1/traces", content=body, headers=content, timeout=60)
        assert sent.status_code == 200
    client.post(
        "/v1/feedback", {"feedback": [{"trace_id": TRACE_ID, "name": "quality", "score": 0.4, "text": HOSTILE}]}
    )
    return collector


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    """A tab of its own, in which nothing may go wrong unsaid."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(_PATIENCE_SECONDS * 1_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: (faults.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    yield page
    context.close()
    assert faults == []


def eventually(look: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def violations(page: Any, axe: str, rules: Sequence[str]) -> list[str]:
    """What axe finds against its rules (WCAG, good practice), or some of them, each with the first element."""
    page.evaluate(axe)
    options = {"resultTypes": ["violations"], "preload": False, **({"runOnly": rules} if rules else {})}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [f"{page.url}: {one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


@pytest.mark.parametrize(("scheme", "width", "rules"), [("light", 400, ()), ("dark", 3840, ("color-contrast",))])
def test_everybody_can_read_every_page(
    filled: RunningCollector, chromium: Any, axe: str, scheme: str, width: int, rules: Sequence[str]
) -> None:
    context = chromium.new_context(color_scheme=scheme, bypass_csp=True, viewport={"width": width, "height": 900})
    context.set_default_timeout(_PATIENCE_SECONDS * 1_000)
    page = context.new_page()
    found = []
    for path in (*_PATHS, *_STUDIED):
        page.goto(filled.api + path)
        page.wait_for_load_state("load")
        found += violations(page, axe, rules)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{path}: it is wider than the screen")
    context.close()
    assert found == []


def test_nothing_hostile_runs(filled: RunningCollector, tab: Any) -> None:
    for path in _PATHS:
        tab.goto(filled.api + path)
        assert tab.locator("body >> text=<script>alert(1)</script>").count() >= (
            path not in ("/studies", "/studies/tune")
        )
    assert tab.evaluate("document.images.length") == 0


def test_a_node_opens_in_place_by_keyboard(filled: RunningCollector, tab: Any) -> None:
    tab.goto(f"{filled.api}/traces/{TRACE_ID}?part=whole&fold=false")
    tab.evaluate("window.same = true")
    tab.locator("a.node").last.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#node h3")
    assert tab.evaluate("window.same") is True
    assert tab.evaluate("document.activeElement.id") == "node"
    assert "node=" in tab.url
    tab.goto(tab.url)
    assert tab.locator("#node h3").count() == 3


def test_a_discovery_is_reached_by_keyboard_and_leads_to_why(filled: RunningCollector, tab: Any) -> None:
    def follow(words: str) -> None:
        tab.locator(f"main a:has-text({words!r})").first.focus()
        tab.keyboard.press("Enter")

    tab.goto(f"{filled.api}/services/{quote(SERVICE, safe='')}")
    follow("Discoveries")
    tab.wait_for_selector("#found-1")
    assert "otel_opto.parameter(" in tab.locator("#found-1 pre").inner_text()
    follow("Where span")
    tab.wait_for_selector("#table-statements")
    follow("Its node")
    tab.wait_for_selector("#node h3")
    follow("Why: what was read of its span")
    tab.wait_for_selector("#table-edges")


def test_a_newcomer_gets_from_the_overview_to_an_approved_release(filled: RunningCollector, tab: Any) -> None:
    """Clicks only what the page says, and sees what happens elsewhere without loading it again."""
    tab.goto(filled.api)
    tab.click("section.waiting a")
    content = tab.locator("code.hash").first.inner_text()
    tab.click("summary:text-is('approve')")
    assert tab.locator("details[open] code.hash").inner_text() == content
    tab.click("button:text-is('approve wider')")
    tab.wait_for_selector(".lead .state:text-is('ramping')")
    tab.wait_for_selector("#listening:text-is('live')")
    filled.client.post("/v1/rollouts/wider/pause", {"message": "lunch"})
    tab.wait_for_selector(".lead .state:text-is('paused')")
    assert "lunch" in tab.locator(".lead").inner_text()
    tab.click("summary:text-is('promote')")
    tab.fill("details[open] input[name=message]", "seen enough")
    filled.client.post("/v1/rollouts/wider/resume", {"message": "back"})
    time.sleep(0.5)  # what is being written into is not replaced meanwhile
    assert tab.input_value("details[open] input[name=message]") == "seen enough"
    tab.click("button:text-is('promote wider')")
    tab.wait_for_selector(".lead .state:text-is('promoted')")
    assert filled.client.get("/v1/rollouts/wider")["state"] == "promoted"
    newest = filled.client.get("/v1/audit", stream="rollout/wider")["events"][0]
    assert (newest["actor"], newest["data"]["message"]) == ("local", "seen enough")


def test_a_chart_shows_scores_with_their_intervals_and_pictures_are_saved(filled: RunningCollector, tab: Any) -> None:
    tab.goto(f"{filled.api}/studies/first")
    tab.wait_for_selector(".chart canvas")
    assert [one.strip() for one in tab.locator(".chart .u-legend .u-label").all_inner_texts()] == [
        "trial", "best so far", "control", "score", "from", "to", "n",
    ]  # fmt: skip
    for picture in ("scores", "importance", "slices", "parallel"):
        with tab.expect_download() as saving:
            tab.click(f"a[data-png='{picture}.png']")
        assert saving.value.suggested_filename == f"{picture}.png"
        assert saving.value.path().read_bytes().startswith(b"\x89PNG")
    tab.goto(f"{filled.api}/traces/{TRACE_ID}")
    with tab.expect_download() as saving:
        tab.click("a[data-png='graph.png']")
    assert len(saving.value.path().read_bytes()) > 1_000


def test_tabs_that_are_closed_or_hidden_leave_no_stream(filled: RunningCollector, chromium: Any) -> None:
    context = chromium.new_context()
    context.set_default_timeout(_PATIENCE_SECONDS * 1_000)
    for _ in range(5):
        page = context.new_page()
        page.goto(f"{filled.api}/studies")
        page.wait_for_selector("#listening:text-is('live')")
        page.close()
    page = context.new_page()
    page.goto(f"{filled.api}/studies")
    page.wait_for_selector("#listening:text-is('live')")
    assert places_left(filled) == MOST - 1
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true});document.dispatchEvent(new Event('visibilitychange'))"
    )
    eventually(lambda: places_left(filled) == MOST)
    context.close()


def places_left(collector: RunningCollector) -> int:
    """How many streams of news can be opened beside those that are."""
    host, port = collector.addresses["api"].split(":")
    with contextlib.ExitStack() as open_ones:
        for count in range(MOST + 1):
            stream = open_ones.enter_context(socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS))
            stream.sendall(b"GET /news HTTP/1.1\r\nhost: localhost\r\n\r\n")
            if not stream.recv(64).startswith(b"HTTP/1.1 200"):
                return count
    raise AssertionError("there is no bound")
