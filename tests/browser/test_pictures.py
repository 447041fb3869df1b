"""The pictures that the docs show: the same content each time, written where ``--pictures`` says so."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from otel_opto import semconv
from tests.integration.running import RunningCollector
from tests.samples import SECOND, span, span_id, trace_id, traces_request
from tests.unit.collector.ui.studied import SHOP, WORDS

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
_TRACE = trace_id(1)
_PAGES: Mapping[str, str] = {
    "overview": "/",
    "study": "/studies/first",
    "trial": "/studies/first/trials/7",
    "compare": "/compare?study=first&study=second&only=different",
    "rollout": "/rollouts/calmer",
    "release": "/releases/2",
    "trace": f"/traces/{_TRACE}?node=span%3A{span_id(2)}",
    "parameter": "/services/shop/parameters/answer.prompt",
    "span": f"/traces/{_TRACE}/spans/{span_id(3)}",
    "discoveries": "/services/shop/discoveries",
    "service": "/services/shop",
    "front": "/studies/second#table-front",
}
_MOST_BYTES = 120_000
_PATIENCE_MILLIS = 60_000
_STILL = """() => {
  for (const one of document.querySelectorAll("time")) one.textContent = "2026-11-30 08:15:00 UTC";
  for (const one of document.querySelectorAll("dd"))
    if (/^20\\d\\d-\\d\\d-\\d\\d /.test(one.textContent)) one.textContent = "2026-11-30 08:15:00 UTC";
  document.getElementById("listening").textContent = "live";
}"""
"""Times are what they are; everything else is the same each time."""


@pytest.fixture(scope="module")
def shop(collector: RunningCollector) -> RunningCollector:
    """An application with a release, another one that waits for approval, and a trace."""
    client = collector.client
    values = {"ranker.weight": 0.31, "answer.prompt": WORDS[2]}
    number = client.post(f"/v1/services/{SHOP}/releases", {"values": values, "reason": "less weight for the title"})
    plan = {"service": SHOP, "release": number["number"], "metric": {"name": "quality"}}
    client.put("/v1/rollouts/calmer", plan)
    for instance, status, error in (
        ("shop-1", "APPLIED", ""),
        ("shop-2", "FAILED", "answer.prompt: longer than 40 characters"),
    ):
        word = {"service": SHOP, "instance_id": instance, "status": status, "error": error}
        client.post("/v1/releases/1/acknowledgements", word)
    found = "Lima is the capital of Peru, on its dry Pacific coast."
    passages = {"opto.input.question": "What is the capital of Peru?", semconv.OUTPUT: found}
    version = f"{semconv.PARAM_PREFIX}answer.prompt{semconv.PARAM_VERSION_SUFFIX}"
    answer = {"opto.input.passages": found, semconv.OUTPUT: "Lima", version: 1, semconv.RELEASE: 1}
    body = traces_request(
        [
            span(1, 1, name="request", values={semconv.OUTPUT: "Lima", semconv.RELEASE: 1}, duration=3 * SECOND),
            span(1, 2, 1, "retrieve", values=passages, start=1),
            span(1, 3, 1, "answer", values=answer, links=((2, "passages"),), start=SECOND + 1),
        ],
        SHOP,
    )
    words = "Write the question so that it can be searched for, in at most five words: {question}"
    rewritten = span(2, 1, name="rewrite", values={"app.rewrite.prompt": words, "app.answer": "capital of Peru"})
    content = {"content-type": "application/x-protobuf"}
    for sent in (body, traces_request([rewritten], SHOP)):
        taken = httpx.post(f"{collector.http}/v1/traces", content=sent, headers=content, timeout=60)
        assert taken.status_code == 200
    judged = {"trace_id": _TRACE, "name": "quality", "score": 0.9, "text": "right, but names no source"}
    client.post("/v1/feedback", {"feedback": [judged]})
    return collector


@pytest.mark.parametrize("name", list(_PAGES))
def test_the_docs_have_a_picture_of(
    name: str, shop: RunningCollector, chromium: Any, pytestconfig: pytest.Config
) -> None:
    context = chromium.new_context(viewport={"width": 960, "height": 720}, color_scheme="light")
    context.set_default_timeout(_PATIENCE_MILLIS)
    page = context.new_page()
    page.goto(shop.api + _PAGES[name])
    page.wait_for_load_state("load")
    if name == "study":
        page.wait_for_selector(".chart canvas")
    page.evaluate(_STILL)
    picture = page.screenshot()
    context.close()
    assert len(picture) <= _MOST_BYTES
    if pytestconfig.getoption("--pictures"):
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / f"{name}.png").write_bytes(picture)
    assert (PICTURES / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
