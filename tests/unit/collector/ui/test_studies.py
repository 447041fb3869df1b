"""A study, its trials, its pictures and another one beside it."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.unit.collector.ui.conftest import begun
from tests.unit.collector.ui.reading import read
from tests.unit.collector.ui.studied import studied

PICTURES = "/v1/studies/first/pictures"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a collector that has two studies that have ended."""
    (tmp_path / "data").mkdir()
    await studied(tmp_path / "data")
    collector, at = await begun(tmp_path)
    async with httpx.AsyncClient(base_url=f"http://{at.api}", timeout=60) as client:
        yield client
    await collector.stop()


async def figures(client: httpx.AsyncClient, picture: str) -> dict[str, object]:
    answer = await client.get(f"{PICTURES}/{picture}?format=json")
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_scores_have_their_intervals_and_numbers(shop: httpx.AsyncClient) -> None:
    found = await figures(shop, "scores")
    assert found["trials"] == list(range(41))
    assert found["units"] == [40] * 41
    lowest, scores, highest = (found[name] for name in ("lowest", "scores", "highest"))
    assert isinstance(lowest, list)
    assert isinstance(scores, list)
    assert isinstance(highest, list)
    assert (lowest[0], highest[0]) == (None, None)  # what is in force is what others are compared with
    assert [high - low for low, high in zip(lowest[1:], highest[1:], strict=True)] == pytest.approx([0.16] * 40)
    so_far = found["best_so_far"]
    assert so_far == [max(scores[: place + 1]) for place in range(41)]
    trial = (await shop.get("/v1/studies/first/trials/7")).json()
    assert (trial["score_lowest"], trial["score_highest"]) == (lowest[7], highest[7])


async def test_each_picture_is_an_svg_and_its_figures(shop: httpx.AsyncClient) -> None:
    for picture, column in (
        ("scores", "scores"),
        ("slices", "parameters"),
        ("parallel", "trials"),
        ("importance", "parts"),
    ):
        answer = await shop.get(f"{PICTURES}/{picture}")
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert ET.fromstring(answer.text).tag.endswith("svg")
        assert (await figures(shop, picture))[column]
    for path in (f"{PICTURES}/portrait", f"{PICTURES}/scores?format=gif"):
        answer = await shop.get(path)
        assert answer.status_code == 400
        assert "allowed: " in answer.json()["error"]


async def test_the_lines_of_trials_have_the_values_that_slices_have(shop: httpx.AsyncClient) -> None:
    lines, slices = await figures(shop, "parallel"), await figures(shop, "slices")
    assert lines["best"] == slices["best"]
    drawn, by_value = lines["parameters"], slices["parameters"]
    assert isinstance(drawn, dict)
    assert isinstance(by_value, dict)
    assert drawn == {key: one["values"] for key, one in by_value.items()}
    assert list(drawn) == ["ranker.weight", "retriever.top_k"]


async def test_the_importance_of_parameters_is_a_table_too(shop: httpx.AsyncClient) -> None:
    parts = (await figures(shop, "importance"))["parts"]
    assert isinstance(parts, dict)
    assert next(iter(parts)) == "ranker.weight"
    answer = await shop.get("/studies/first/importance?csv=importance")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["parameter", "part"]
    assert {row[0]: float(row[1]) for row in rows[1:]} == pytest.approx(parts)


async def test_many_who_ask_at_once_get_one_answer(shop: httpx.AsyncClient) -> None:
    found = await asyncio.gather(*(shop.get(f"{PICTURES}/importance?format=json") for _ in range(8)))
    assert len({answer.text for answer in found}) == 1


async def test_a_study_shows_what_it_found_what_it_took_and_what_is_left(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/studies/first")
    words = answer.text.replace("</dt><dd>", " ")
    for said in (
        "trials left 10", "scored units left 1,360 of 3,000", "tokens left 58,180 of 100,000", "money left 0.918 of 1",
        "retriever.top_k: found 99, allowed is 1 to 20", "many passages may help",
    ):  # fmt: skip
        assert said in words, said
    assert "<del>" in answer.text
    answer = await shop.get("/studies/first?csv=trials")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows[0]["trial"] == "40"
    assert float(rows[0]["from"]) < float(rows[0]["score"]) < float(rows[0]["to"])
    assert "answer.prompt" in rows[0]["values that it changes"]


async def test_a_study_with_several_objectives_shows_its_front(shop: httpx.AsyncClient) -> None:
    told = (await shop.get("/v1/studies/second")).json()["front"]
    found = read(await shop.get("/studies/second"))
    assert told["rule"] in found.text
    rows = list(csv.DictReader(io.StringIO((await shop.get("/studies/second?csv=front")).text)))
    assert [int(row["trial"]) for row in rows] == told["trials"]
    assert len(rows) > 1
    for row in rows:
        one = (await shop.get(f"/v1/studies/second/trials/{row['trial']}")).json()
        assert float(row["quality, maximize"]) == pytest.approx(one["objectives"]["quality"])
        assert float(row["cost, minimize"]) == pytest.approx(one["objectives"]["cost"])
    best = (await shop.get("/v1/studies/second")).json()["winner"]
    assert "latency.p95 is kept" in read(await shop.get(f"/studies/second/trials/{best}")).text
    assert "The front" not in read(await shop.get("/studies/first")).text


async def test_a_trial_has_a_page_with_all_of_it(shop: httpx.AsyncClient) -> None:
    best = (await shop.get("/v1/studies/first")).json()["best_trial"]
    found = read(await shop.get(f"/studies/first/trials/{best}"))
    assert "won" in found.text
    assert "answers came from headings <b>only</b>" in found.text
    assert "fresh data say" in found.text
    assert [one["href"] for one in found.all("a") if one.get("rel") == "next"] == [f"/studies/first/trials/{best + 1}"]
    baseline = read(await shop.get("/studies/first/trials/0"))
    assert "It is what was in force." in baseline.text
    assert [one for one in baseline.all("a") if one.get("rel") == "prev"] == []
    assert (await shop.get("/studies/first/trials/99")).status_code == 404


async def test_studies_stand_side_by_side_with_what_differs(shop: httpx.AsyncClient) -> None:
    address = "/compare?study=first&study=second"
    whole, only = read(await shop.get(address)), read(await shop.get(f"{address}&only=different"))
    assert "hybrid" in whole.text
    assert "hybrid" not in only.text
    assert "best ranker.weight" in only.text
    assert "From the best of first to the best of second" in whole.text
    assert [one["src"] for one in whole.all("img")] == [
        "/v1/studies/first/pictures/scores", "/v1/studies/second/pictures/scores",
    ]  # fmt: skip
    assert "Choose two studies or more." in read(await shop.get("/compare")).text


async def test_whole_texts_are_there_on_demand(shop: httpx.AsyncClient) -> None:
    """A difference leaves out what is far from any change, until somebody wants all of it."""
    long = "Keep to the passages. " * 40
    proposal = {"values": {"answer.prompt": f"{long}Be brief."}}
    kind = {"values": {"answer.prompt": f"{long}Be kind."}}
    before = (await shop.post("/v1/services/shop/releases", json=kind)).json()["number"]
    await shop.post(f"/v1/releases/{before}/rollback", json={})
    number = (await shop.post("/v1/services/shop/releases", json=proposal)).json()["number"]
    short, whole = (
        (await shop.get(f"/releases/{number}")).text,
        (await shop.get(f"/releases/{number}?changes=whole")).text,
    )
    assert "Whole texts" in short
    assert "Only what changed" in whole
    assert whole.count("Keep to the passages.") > short.count("Keep to the passages.") + 30
