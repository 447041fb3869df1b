"""The stream of news: one look for all, nothing missed, nothing left open."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from collector.core.errors import Unavailable
from collector.ui.news import News, State


class Told:
    """How things stand, as the test says; time passes when it says so."""

    def __init__(self) -> None:
        self.state: State = (7, ())
        self.looks = 0
        self._passed = asyncio.Event()

    async def look(self) -> State:
        self.looks += 1
        return self.state

    def now_unix_nano(self) -> int:
        return 0

    async def sleep(self, seconds: float) -> None:
        await self._passed.wait()
        self._passed.clear()

    def passes(self) -> None:
        self._passed.set()


async def heard(stream: AsyncGenerator[bytes, None]) -> bytes:
    return await asyncio.wait_for(anext(stream), 20)


async def begun(news: News, last: str = "") -> AsyncGenerator[bytes, None]:
    """A stream behind its first line."""
    stream = news.stream(last)
    assert await heard(stream) == b"retry: 3000\n\n"
    return stream


async def test_who_comes_back_is_told_at_once_what_was_missed() -> None:
    told = Told()
    news = News(told.look, told)
    for last, words in (("", b"id: 7\nevent: here\ndata: 7\n\n"), ("6", b"id: 7\nevent: changed\ndata: 7\n\n")):
        stream = await begun(news, last)
        assert await heard(stream) == words
        await stream.aclose()


async def test_all_hear_of_a_change_from_one_look() -> None:
    told = Told()
    news = News(told.look, told)
    streams = [await begun(news, "7") for _ in range(20)]
    waiting = [asyncio.create_task(heard(stream)) for stream in streams]
    while told.looks < 21:  # each looks once itself, and one looks for all
        await asyncio.sleep(0)
    told.state = (8, ())
    told.passes()
    assert {await one for one in waiting} == {b"id: 8\nevent: changed\ndata: 8\n\n"}
    assert told.looks == 22
    for stream in streams:
        await stream.aclose()
    assert news.listeners == 0


async def test_a_silent_stream_says_that_it_is_there() -> None:
    told = Told()
    stream = await begun(News(told.look, told, heartbeat_seconds=0.001), "7")
    assert await heard(stream) == b": still here\n\n"
    await stream.aclose()


async def test_streams_end_with_the_server() -> None:
    told = Told()
    news = News(told.look, told)
    stream = await begun(news, "7")
    waiting = asyncio.create_task(heard(stream))
    await asyncio.sleep(0)
    news.close()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_there_are_so_many_at_most() -> None:
    told = Told()
    news = News(told.look, told)
    streams = [await begun(news) for _ in range(200)]
    with pytest.raises(Unavailable, match="200 pages listen already"):
        await news.answer(None)  # type: ignore[arg-type]
    for stream in streams:
        await stream.aclose()


async def test_a_page_hears_of_a_decision(page: httpx.AsyncClient) -> None:
    async with page.stream("GET", "/news") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()

        async def event() -> str:
            async for line in lines:
                if line.startswith("event:"):
                    return line
            raise AssertionError("the stream ended")

        assert await asyncio.wait_for(event(), 20) == "event: here"
        changing = httpx.AsyncClient(base_url=page.base_url)
        assert (await changing.post("/v1/rollouts/wider/abort", json={})).status_code == 200
        await changing.aclose()
        assert await asyncio.wait_for(event(), 20) == "event: changed"
