"""Every page shows what the API says, whatever it is called, and nothing on it runs."""

import csv
import io
from urllib.parse import quote

import httpx

from collector.ui.shell import POLICY
from tests.unit.collector.ui.conftest import HOSTILE, SERVICE, TRACE_ID
from tests.unit.collector.ui.reading import read

NAME = quote(SERVICE, safe="")
PAGES = {
    "overview": "/",
    "doctor": "/doctor",
    "studies": "/studies",
    "study": "/studies/tune",
    "compare": "/compare?study=tune&study=tune",
    "rollouts": "/rollouts",
    "rollout": "/rollouts/wider",
    "releases": "/releases",
    "releases of a service": f"/releases?service={NAME}",
    "release": "/releases/2",
    "traces": "/traces",
    "search": f"/traces?service={NAME}",
    "search by score": "/traces?metric=quality&highest=0.5",
    "search in vain": f"/traces?operation={quote(HOSTILE)}x",
    "trace": f"/traces/{TRACE_ID}",
    "whole trace": f"/traces/{TRACE_ID}?part=whole&fold=false",
    "node": f"/traces/{TRACE_ID}?part=whole&node=span%3A0000000000000002",
    "span": f"/traces/{TRACE_ID}/spans/0000000000000002",
    "service": f"/services/{NAME}",
    "discoveries": f"/services/{NAME}/discoveries",
    "parameter": f"/services/{NAME}/parameters/prompt",
    "nowhere": f"/studies/{quote(HOSTILE, safe='')}",
}
SHOWN = "<script>alert(1)</script>"
"""As text: a page that holds hostile words shows them as they are."""


async def test_nothing_of_what_a_page_shows_runs_and_all_of_it_is_shown(page: httpx.AsyncClient) -> None:
    for name, path in PAGES.items():
        answer = await page.get(path)
        assert answer.status_code == (404 if name == "nowhere" else 200), name
        check_harmless(name, answer)
        if name not in ("studies", "compare"):  # where nothing of it stands
            found = read(answer)
            assert SHOWN in found.text or SHOWN in " ".join(str(tag) for tag in found.tags), name


def check_harmless(name: str, answer: httpx.Response) -> None:
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    found = read(answer)
    assert [script for script in found.all("script") if "src" not in script] == [], name
    drawing = ["uPlot.iife.min.js"] if any(tag.get("class") == "chart" for _, tag in found.tags) else []
    assert [str(one["src"]).rpartition("/")[2] for one in found.all("script")] == [
        "htmx.min.js",
        *drawing,
        "page.js",
    ], name
    assert found.all("style") == []
    assert [given for _, given in found.tags if "style" in given or any(one.startswith("on") for one in given)] == []
    assert [given for given in found.all("img") if given["src"] == "x"] == [], name
    leads = [str(link["href"]) for link in found.all("a")]
    assert [one for one in leads if one[0] not in "/?#" and not one.startswith("http://viewer.example/")] == [], name
    assert "\u202e" not in answer.text


def test_the_policy_lets_nothing_in_that_is_not_a_file_of_ours() -> None:
    assert "unsafe" not in POLICY
    assert "script-src 'self';" in POLICY
    assert "default-src 'none'" in POLICY


async def test_the_overview_says_what_waits_and_what_was_refused(page: httpx.AsyncClient) -> None:
    words = read(await page.get("/")).text
    assert "Waits for a person wider: awaiting approval" in words
    assert "Applications and what they applied" in words
    found = read(await page.get("/"))
    assert sum("bad" in (cell.get("class") or "") for cell in found.all("td")) >= 2  # the word FAILED, and the reason
    assert "101" in words


async def test_a_trace_is_folded_and_reduced_until_somebody_asks_for_all(page: httpx.AsyncClient) -> None:
    folded = (await page.get(f"/traces/{TRACE_ID}?part=whole")).text
    assert "× 100" in folded
    whole = await page.get(f"/traces/{TRACE_ID}?part=whole&fold=false")
    nodes = [link for link in read(whole).all("a") if link.get("class") == "node"]
    assert 100 < len(nodes) <= 203
    assert "The picture has the 200 nodes that matter most" in read(whole).text
    assert all(str(link["href"]).startswith("?node=") for link in nodes)
    assert not any("more" in str(link["href"]) for link in nodes)  # what stands for several is no node to look at
    for link in (nodes[0], nodes[-1]):
        assert (await page.get(f"/traces/{TRACE_ID}{link['href']}")).status_code == 200


async def test_a_node_says_why_each_edge_is_there(page: httpx.AsyncClient) -> None:
    found = read(await page.get(PAGES["node"]))
    assert "What flowed into it q as q: link, 100 % sure, the span records the input" in found.text
    assert "sure by the rule result, " in found.text
    assert "<b>search" in found.text
    links = [link["href"] for link in found.all("a") if "viewer.example" in link["href"]]
    assert links == [f"http://viewer.example/trace/{TRACE_ID}"]


async def test_a_trace_says_by_which_rules_its_edges_were_found(page: httpx.AsyncClient) -> None:
    answer = await page.get(f"/traces/{TRACE_ID}?part=whole&csv=rules")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    (called,) = (row for row in rows if row["rule"] == "result")
    assert (called["origin"], called["edges"]) == ("call", "1")  # a hundred alike are one
    assert called["why there is one"].startswith("the caller of an operation gets its result")


async def test_traces_are_found_by_a_range_of_scores(page: httpx.AsyncClient) -> None:
    for query, found in (
        ("lowest=0.3&highest=0.5", 1),
        ("lowest=0.41&highest=0.5", 0),
        ("lowest=0.4", 1),
        ("highest=0.3", 0),
    ):
        answer = await page.get(f"/traces?metric=quality&{query}")
        assert sum(link["href"] == f"/traces/{TRACE_ID}" for link in read(answer).all("a")) == found, query
    refused = await page.get("/traces?metric=quality&lowest=much")
    assert (refused.status_code, "lowest: found 'much'" in read(refused).text) == (400, True)


async def test_a_parameter_without_a_release_shows_what_the_code_says(page: httpx.AsyncClient) -> None:
    await page.put("/v1/services/new/parameters", json={"parameters": [{"key": "k", "type": "integer", "default": 7}]})
    words = read(await page.get("/services/new/parameters/k")).text
    assert "No release has it yet: the code's own value. 7" in words
    assert "The service has no release yet." in words


async def test_what_nobody_knows_is_not_found_and_said(page: httpx.AsyncClient) -> None:
    for path, words in (
        ("/services/nobody", "it has declared nothing"),
        (f"/services/{NAME}/parameters/nothing", "has declared none of that key"),
        ("/services/nobody/parameters/k", "has declared none of that key"),
        ("/studies/nothing", "nothing"),
        ("/releases/99", "99"),
        ("/traces/" + "f" * 32, "f" * 32),
    ):
        answer = await page.get(path)
        assert answer.status_code == 404, path
        assert words in read(answer).text


async def test_lists_come_a_page_at_a_time(page: httpx.AsyncClient) -> None:
    first = await page.get(f"/traces/{TRACE_ID}?part=whole&fold=false")
    assert sum("node=" in link["href"] and "#node" in link["href"] for link in read(first).all("a")) == 50
    (following,) = (link["href"] for link in read(first).all("a") if link.get("rel") == "next")
    second = await page.get(f"/traces/{TRACE_ID}{following}")
    first_nodes, second_nodes = (
        {link["href"].split("node=")[-1] for link in read(one).all("a") if link["href"].endswith("#node")}
        for one in (first, second)
    )
    assert len(second_nodes) == 50
    assert first_nodes & second_nodes == set()


async def test_every_table_can_be_had_as_csv(page: httpx.AsyncClient) -> None:
    found = read(await page.get("/releases"))
    (address,) = (link["href"] for link in found.all("a") if "download" in link)
    answer = await page.get(f"/releases{address}")
    assert answer.headers["content-disposition"] == 'attachment; filename="releases.csv"'
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0][:2] == ["release", "service"]
    assert [row[0] for row in rows[1:]] == ["2", "1"]
    assert rows[1][2].endswith("Z")


async def test_what_the_api_refuses_is_said(page: httpx.AsyncClient) -> None:
    answer = await page.get("/releases?releases=nonsense")
    assert answer.status_code == 400
    assert "cursor: found 'nonsense'" in read(answer).text
    assert (await page.get("/traces?lowest=1")).status_code == 400
    assert (await page.get("/static/0/page.js")).status_code == 404


async def test_scripts_and_styles_are_served_once_and_for_all(page: httpx.AsyncClient) -> None:
    found = read(await page.get("/studies/tune"))
    addresses = [one["src"] for one in found.all("script")] + [one["href"] for one in found.all("link")]
    size = 0
    for address in addresses:
        answer = await page.get(address or "")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        size += len(answer.content)
    assert size < 200_000
