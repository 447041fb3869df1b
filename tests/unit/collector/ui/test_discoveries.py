"""What was never declared, and why a graph says what it says of a span."""

import csv
import io
from urllib.parse import quote

import httpx

from collector.process.servers import Addresses
from tests.unit.collector.ui.conftest import HOSTILE, PROMPTED_ID, SERVICE, TRACE_ID, prompted
from tests.unit.collector.ui.reading import read
from tests.unit.collector.ui.test_pages import SHOWN, check_harmless

PATH = f"/services/{quote(SERVICE, safe='')}/discoveries"
SPAN = "0000000000000002"


async def send(page: httpx.AsyncClient, at: Addresses, prompts: int) -> None:
    content = {"content-type": "application/x-protobuf"}
    sent = await page.post(f"http://{at.otlp_http}/v1/traces", content=prompted(prompts), headers=content)
    assert sent.status_code == 200


async def test_a_discovery_has_its_lines_of_code_and_its_trace(page: httpx.AsyncClient, at: Addresses) -> None:
    await send(page, at, 1)
    answer = await page.get(PATH)
    check_harmless("discoveries", answer)
    found = read(answer)
    (one,) = (await page.get(f"/v1{PATH}")).json()["discoveries"]
    assert "otel_opto.parameter(" in found.text
    assert "placeholders=('count', 'topic')" in found.text
    assert found.text.count(SHOWN) >= 4  # the name of the service, the key, the text, the lines of code
    links = [link["href"] for link in found.all("a")]
    assert f"/traces/{PROMPTED_ID}?part=whole" in links
    why = f"/traces/{PROMPTED_ID}/spans/{one['span_ids'][0]}"
    assert why in links
    assert (await page.get(why)).status_code == 200
    (row,) = csv.DictReader(io.StringIO((await page.get(f"{PATH}?csv=discoveries")).text))
    assert (row["filled in"], row["traces that have it"], row["the newest of them"]) == (
        "count, topic",
        "1",
        PROMPTED_ID,
    )


async def test_there_is_nothing_where_nothing_was_found(page: httpx.AsyncClient) -> None:
    found = read(await page.get("/services/nobody/discoveries"))
    assert "Nothing was found." in found.text
    assert "The newest 0 traces were looked at." in found.text
    assert found.all("pre") == []


async def test_discoveries_come_a_page_at_a_time(page: httpx.AsyncClient, at: Addresses) -> None:
    await send(page, at, 25)
    first = read(await page.get(PATH))
    (following,) = (link["href"] for link in first.all("a") if link.get("rel") == "next")
    second = read(await page.get(f"{PATH}{following}"))
    assert (len(first.all("pre")), len(second.all("pre"))) == (20, 5)
    for query, words in (("discoveries=x", "discoveries: found 'x'"), ("newest=many", "traces: found 'many'")):
        refused = await page.get(f"{PATH}?{query}")
        assert (refused.status_code, words in read(refused).text) == (400, True)


async def test_the_page_of_a_service_leads_to_them(page: httpx.AsyncClient) -> None:
    links = [link["href"] for link in read(await page.get(PATH.removesuffix("/discoveries"))).all("a")]
    assert PATH in links


async def test_a_node_leads_to_what_was_read_of_its_span_and_by_which_rules(page: httpx.AsyncClient) -> None:
    node = read(await page.get(f"/traces/{TRACE_ID}?part=whole&node=span%3A{SPAN}"))
    (why,) = {link["href"] for link in node.all("a") if "/spans/" in (link["href"] or "")}
    assert why is not None
    answer = await page.get(why)
    check_harmless("span", answer)
    rows = list(csv.DictReader(io.StringIO((await page.get(f"{why}&csv=statements")).text)))
    (given,) = (row for row in rows if row["what"] == "input q")
    assert (given["value"], given["from the keys"]) == ("<i>2</i>", "opto.input.q")
    assert given["by the convention"]
    edges = list(csv.DictReader(io.StringIO((await page.get(f"{why}&csv=edges")).text)))
    assert ("into it", "q", "q") in {(row["flows"], row["from or to"], row["as"]) for row in edges}
    (called,) = (row for row in edges if row["rule"] == "result")
    assert called["flows"] == "out of it"
    back = [link["href"] for link in read(answer).all("a") if f"node=span%3A{SPAN}" in (link["href"] or "")]
    assert (await page.get(back[0] or "")).status_code == 200


async def test_a_span_that_is_not_there_is_said(page: httpx.AsyncClient) -> None:
    for span, status, words in (("f" * 16, 404, "has none of that id"), (quote(HOSTILE, safe=""), 400, SHOWN)):
        answer = await page.get(f"/traces/{TRACE_ID}/spans/{span}")
        check_harmless("no span", answer)
        assert (answer.status_code, words in read(answer).text) == (status, True)
