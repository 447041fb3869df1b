"""Work for a client ends with the client."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from collector.api.attended import Attended


class Client:
    """An ASGI server's side of one request."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.incoming.put_nowait({"type": "http.request", "body": b"ignored", "more_body": False})
        self.sent: list[Message] = []

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})


class Slow:
    """An application that works on until it is cancelled."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            self.ended.set()


async def test_a_get_whose_client_leaves_is_cancelled() -> None:
    client, app = Client(), Slow()
    serving = asyncio.create_task(Attended(app)({"type": "http", "method": "GET"}, client.incoming.get, client.send))
    await app.begun.wait()
    client.leave()
    await asyncio.wait_for(serving, 10)
    assert app.ended.is_set()


async def test_what_changes_something_is_not_cancelled() -> None:
    client, ended = Client(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["body"] == b"ignored"
        client.leave()
        await asyncio.sleep(0.01)
        ended.set()

    await Attended(app)({"type": "http", "method": "POST"}, client.incoming.get, client.send)
    assert ended.is_set()


async def test_an_answer_and_an_error_go_their_way() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError(scope["method"])

    client = Client()
    with pytest.raises(ValueError, match="GET"):
        await Attended(app)({"type": "http", "method": "GET"}, client.incoming.get, client.send)
    assert client.sent[0]["status"] == 200


async def test_who_stops_the_server_stops_it_too() -> None:
    client, app = Client(), Slow()
    serving = asyncio.create_task(Attended(app)({"type": "http", "method": "GET"}, client.incoming.get, client.send))
    await app.begun.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    await asyncio.wait_for(app.ended.wait(), 10)
