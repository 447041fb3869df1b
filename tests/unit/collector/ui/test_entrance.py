"""Who may look, who may press what, and what other sites make a browser send."""

import httpx
import pytest

from tests.unit.collector.ui.conftest import TOKENS
from tests.unit.collector.ui.reading import read


async def entered(client: httpx.AsyncClient, name: str) -> httpx.Response:
    form = read(await client.get("/login"))
    return await client.post("/login", data={"page_key": form.field("page_key"), "token": TOKENS[name][0], "next": ""})


async def test_without_a_token_there_is_only_the_entrance(guarded: httpx.AsyncClient) -> None:
    for path, back in (("/", "/login"), ("/studies/tune?trials=x", "/login?next=%2Fstudies%2Ftune%3Ftrials%3Dx")):
        answer = await guarded.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, back)
    assert (await guarded.get("/news")).status_code == 401
    assert (await guarded.get("/login")).status_code == 200


async def test_a_token_opens_a_session_that_no_script_and_no_other_site_has(guarded: httpx.AsyncClient) -> None:
    answer = await entered(guarded, "viewer")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKENS["viewer"][0] not in cookie
    assert (await guarded.get("/")).status_code == 200
    assert (await guarded.get("/v1/stats")).status_code == 200  # so that pictures and tables can be saved
    assert (await guarded.post("/v1/releases/1/rollback")).status_code == 401  # a cookie alone changes nothing
    out = read(await guarded.get("/"))
    kept = dict(guarded.cookies)
    assert (await guarded.post("/logout", data={"page_key": out.field("page_key")})).status_code == 303
    guarded.cookies.update(kept)
    assert (await guarded.get("/")).status_code == 303


async def test_a_wrong_token_is_said_and_leads_nowhere(guarded: httpx.AsyncClient) -> None:
    form = read(await guarded.get("/login"))
    for token in ("", "wrong", "wröng ☃"):
        answer = await guarded.post("/login", data={"page_key": form.field("page_key"), "token": token})
        assert answer.status_code == 401
        assert "This token is not known here." in read(answer).text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"])
async def test_the_entrance_leads_to_no_other_site(guarded: httpx.AsyncClient, target: str) -> None:
    form = read(await guarded.get("/login"))
    fields = {"page_key": form.field("page_key"), "token": TOKENS["viewer"][0], "next": target}
    assert (await guarded.post("/login", data=fields)).headers["location"] == "/"


@pytest.mark.parametrize(
    ("name", "steps"),
    [("viewer", []), ("machine", ["abort"]), ("boss", ["approve", "abort"])],
)
async def test_buttons_are_those_that_the_token_allows(guarded: httpx.AsyncClient, name: str, steps: list[str]) -> None:
    await entered(guarded, name)
    found = read(await guarded.get("/rollouts/wider"))
    assert [one for one in found.actions() if one != "/logout"] == [f"/rollouts/wider/{step}" for step in steps]
    assert ("Your token allows none of these steps" in found.text) == (not steps)
    assert ("/releases/2/rollback" in read(await guarded.get("/releases/2")).actions()) == (name == "boss")


async def test_a_button_that_is_not_there_cannot_be_pressed_either(guarded: httpx.AsyncClient) -> None:
    await entered(guarded, "viewer")
    found = read(await guarded.get("/rollouts/wider"))
    fields = {"page_key": found.field("page_key"), "content_hash": "0" * 64}
    answer = await guarded.post("/rollouts/wider/approve", data=fields)
    assert answer.status_code == 403
    assert "does not allow 'approve'" in read(answer).text


async def test_a_person_approves_what_was_looked_at_and_promotes_it(page: httpx.AsyncClient) -> None:
    found = read(await page.get("/rollouts/wider"))
    fields = {name: found.field(name) for name in ("page_key", "content_hash", "request_id")}
    assert found.text.count(fields["content_hash"]) == 2  # at the top, and beside the button
    wrong = await page.post("/rollouts/wider/approve", data={**fields, "content_hash": "0" * 64})
    assert wrong.status_code == 409
    assert (await page.post("/rollouts/wider/approve", data=fields)).status_code == 303
    again = await page.post("/rollouts/wider/approve", data=fields)  # a second press is the same request
    assert again.status_code == 303
    found = read(await page.get("/rollouts/wider"))
    assert "ramping" in found.text
    fields |= {"request_id": found.field("request_id")}
    blind = await page.post("/rollouts/wider/promote", data={**fields, "content_hash": ""})
    assert blind.status_code == 409
    assert "for the content that was looked at" in read(blind).text
    answer = await page.post("/rollouts/wider/promote", data={**fields, "message": "looks good"})
    assert answer.headers["location"] == "/rollouts/wider"
    assert "promoted" in read(await page.get("/rollouts/wider")).text
    assert "in force" in read(await page.get("/releases/2")).text


async def test_a_release_comes_back_and_a_study_ends(page: httpx.AsyncClient) -> None:
    study = read(await page.get("/studies/tune"))
    fields = {"page_key": study.field("page_key"), "request_id": study.field("request_id")}
    assert (await page.post("/studies/tune/stop", data=fields)).status_code == 303
    assert (await page.get("/v1/studies/tune")).json()["state"] == "stopped"
    answer = await page.post("/releases/2/rollback", data={**fields, "request_id": "another"})
    assert answer.status_code == 303
    assert "in force" in read(await page.get(answer.headers["location"])).text


async def test_forms_of_other_makers_are_refused(page: httpx.AsyncClient) -> None:
    found = read(await page.get("/rollouts/wider"))
    good = {"page_key": found.field("page_key"), "content_hash": found.field("content_hash")}
    for fields in ({**good, "page_key": ""}, {**good, "page_key": "0" * 64}, {"content_hash": good["content_hash"]}):
        assert (await page.post("/rollouts/wider/approve", data=fields)).status_code == 403
    long = await page.post("/rollouts/wider/approve", data={**good, "message": "x" * 100_000})
    assert long.status_code == 413
    own = {"origin": str(page.base_url).rstrip("/")}
    assert (await page.post("/rollouts/wider/approve", data=good, headers=own)).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "http://evil.example", "host": "evil.example"},
    ],
    ids=["another site", "a hidden one", "one that says so", "one whose name leads here"],
)
async def test_other_sites_change_nothing_here(page: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Neither with a form of the page nor through the API, which a browser reaches as well."""
    found = read(await page.get("/rollouts/wider"))
    fields = {"page_key": found.field("page_key"), "content_hash": found.field("content_hash")}
    for path, sent in (("/rollouts/wider/approve", fields), ("/v1/releases/1/rollback", {}), ("/login", fields)):
        answer = await page.post(path, data=sent, headers=headers)
        assert answer.status_code == 403, path
    assert (await page.get("/v1/rollouts/wider")).json()["state"] == "awaiting_approval"
