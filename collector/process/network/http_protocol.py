"""HTTP/1.1 on one connection: bodies received where they stay, and bounds on all that comes before anybody is known."""

import asyncio
import urllib.parse
from http import HTTPStatus
from typing import cast

import httptools
from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from collector.core.errors import CollectorError, InvalidRequest, Unavailable
from collector.counters import Counter
from collector.process.network.arriving import MOST_AT_ONCE, ArrivingBody
from collector.process.network.connections import Connections
from collector.process.network.cycle import Cycle, Ending
from collector.process.network.patience import Patience, Phase
from collector.receiver.limits import RESERVATION, Reservation


class _Stop(Exception):
    """Nothing more of this connection is parsed."""


class HttpProtocol(HttpToolsProtocol):
    """Uvicorn copies a body three times and wakes the application at every read of the socket, which is a tenth of
    what an ingested span costs. Here a body whose length is said is received into one buffer, past the parser, and the
    application is woken once.

    Nothing of a body is read before the application asks for it: who is refused for his headers costs no memory. What
    is read is taken from the budget first. Heads, headers, pipelined requests and the time of every phase are bounded.
    """

    cycle: Cycle | None  # type: ignore[assignment]

    def __init__(self, config: Config, state: ServerState, connections: Connections) -> None:
        super().__init__(config=config, server_state=state, app_state={}, _loop=asyncio.get_running_loop())
        self._all = connections
        self._limits = connections.limits
        self._time = Patience(connections.limits, self.loop.time())
        self._running: Cycle | None = None
        self._body: ArrivingBody | None = None
        self._stopped = False
        self._in_head = False
        self._head_bytes = self._head_read = self._head_headers = 0
        self._held_head: Reservation | None = None
        self._keep_alive = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self.ending = Ending(self)
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._all.forget(self)
        self._let_head_go()
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()
        for cycle, _ in self.pipeline:  # nobody will run them
            cast(Cycle, cycle).held.release()
        self.pipeline.clear()
        super().connection_lost(exc)
        self._forget()
        self.cycle = self._running = None  # no circles: garbage is collected seldom
        del self.ending

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Where the next bytes go: into the body that is being received, else where the parser looks."""
        return self._all.read_buffer if self._body is None else self._body.room()

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come."""
        if self._body is None:
            self.data_received(bytes(self._all.read_buffer[:nbytes]))
            return
        self._time.received += nbytes
        if self._body.took(nbytes):
            self._end_body(self._body)

    def data_received(self, data: bytes) -> None:
        """Bytes for the parser."""
        if self._stopped or self.parser is None:
            return
        alone = self._time.phase in (Phase.IDLE, Phase.HEAD)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # nothing to upgrade to is served; the request itself is answered
        except httptools.HttpParserError:
            if not self._over():
                self._refuse(HTTPStatus.BAD_REQUEST, "no HTTP/1.1 request", Counter.HTTP_MALFORMED_REQUESTS)
        if self._over():
            return
        if self._in_head and not alone:  # the next request has to wait for the answer to this one
            self.flow.pause_reading()
        elif self._in_head:
            self._head_grew(len(data))
        elif self.cycle is not None and self.cycle.more_body and not self.cycle.wanted:
            self._body_waits(self.cycle)

    def _body_waits(self, cycle: Cycle) -> None:
        if cycle is self._running:
            self._enter(Phase.BODY)
            if self._all.at_once(cast(Scope, cycle.scope)):
                self.wants(cycle)
                return
        self.flow.pause_reading()

    def _over(self) -> bool:
        return self._stopped

    # What the parser finds.

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = self._head_read = self._head_headers = 0

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody here reads."""
        self._head_headers += 1
        self._count_head(len(name) + len(value) + 4)
        if self._in_head:
            name = name.lower()
            self.headers.append((name, value))
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """The head is whole: the application is asked, the body waits for it."""
        self._in_head = False
        self._let_head_go()
        version = self.parser.get_http_version()
        target = httptools.parse_url(self.url)
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = urllib.parse.unquote(target.path.decode("ascii"))
        self.scope["raw_path"] = target.path
        self.scope["query_string"] = target.query or b""
        if len(self.pipeline) >= self._limits.max_pipelined:
            self._all.counters.add(Counter.HTTP_MALFORMED_REQUESTS)
            self._stop_after_answers()
            raise _Stop
        self._keep_alive = version != "1.0" and self.parser.should_keep_alive()
        held = self._all.budget.reserve(self._revoke)
        cast(dict[str, object], self.scope)[RESERVATION] = held
        self.cycle = Cycle(self, self.scope, held, expects_100=self.expect_100_continue)
        if self._running is None:
            self._all.works(self)
            self._running = self.cycle
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _run(self, cycle: Cycle) -> None:
        self._running = cycle
        if cycle.more_body:
            self._enter(Phase.BODY)
        else:
            self._time.phase = Phase.ANSWER
        self._start_asgi_task(cycle, self.app)

    def on_body(self, body: bytes) -> None:
        """A part of a body. The application is not woken before it is worth it."""
        cycle = self.cycle
        if cycle is None or cycle.fault is not None:
            return
        self._time.received += len(body)
        try:
            cycle.held.grow(len(body))
        except Unavailable as error:
            self._shed(error)
            raise _Stop from None
        cycle.body += body
        if len(cycle.body) > MOST_AT_ONCE:
            self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        """The request is whole."""
        cycle = self.cycle
        if cycle is None:
            return
        cycle.more_body = False
        cycle.held.settle()
        cycle.keep_alive = self._keep_alive
        if cycle is self._running:
            self._time.phase = Phase.ANSWER
        cycle.message_event.set()

    # Bodies past the parser.

    def wants(self, cycle: Cycle) -> None:
        """The application reads the body: now, and not before, it is received."""
        if cycle is not self.cycle or self._stopped or self.transport.is_closing():
            return
        if cycle.wanted:
            self._time.wait_for_us(self.loop.time())
        else:
            cycle.wanted = True
            self._enter(Phase.BODY)
            length = next((int(value) for name, value in self.headers if name == b"content-length"), 0)
            if len(cycle.body) < length <= MOST_AT_ONCE:
                try:
                    self._body = ArrivingBody(cycle.body, length, cycle.held)
                except Unavailable as error:
                    self._shed(error)
        self.flow.resume_reading()

    def _end_body(self, body: ArrivingBody) -> None:
        assert self.cycle is not None
        self.cycle.body = body.buffer
        self._body = None
        self.parser = httptools.HttpRequestParser(self)  # the old one still waits for the body
        self.on_message_complete()

    def _revoke(self) -> None:
        self._shed(Unavailable("the body came slowly, and its memory is wanted for others; try again"))

    def _shed(self, error: Unavailable) -> None:
        self._all.counters.add(Counter.HTTP_SHED_REQUESTS)
        self._fail(error)

    def _fail(self, error: CollectorError) -> None:
        """The body will not come: the application is told, and answers."""
        assert self.cycle is not None
        self._stopped = True
        self._body = None
        self.cycle.body = bytearray()
        self.cycle.held.release()
        self.cycle.fault = error.with_traceback(None)  # whose frames hold buffers
        self.cycle.message_event.set()

    # Ends.

    def end(self) -> None:
        """The last answer is written. Who still sends may read it before the connection is closed."""
        unread = self._stopped or self._in_head
        self._end(sending=unread or (self.cycle is not None and self.cycle.more_body))

    def _end(self, *, sending: bool) -> None:
        self._stopped = True
        self._let_head_go()
        self._forget()
        self._all.works(self)
        self._enter(Phase.CLOSING)
        if not sending or self.transport.is_closing():
            self.transport.close()
            return
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def on_response_complete(self) -> None:
        """An answer is written."""
        self._running = None
        if self._time.phase is Phase.CLOSING or self.transport.is_closing():
            return
        if self.pipeline:
            self._run(cast(Cycle, self.pipeline.pop()[0]))
            return
        self.cycle = None
        if not self._in_head:
            self._forget()
        self._enter(Phase.HEAD if self._in_head else Phase.IDLE)
        self._all.waits(self)
        self.flow.resume_reading()

    def _forget(self) -> None:
        """Heads and bodies are large, and connections are many: those that only wait keep nothing."""
        self._body = None
        self.headers, self.url = [], b""
        self.scope = {}  # type: ignore[typeddict-item]
        if self.cycle is not None:
            self.cycle.body = bytearray()
        if self._stopped:
            self.parser = None  # type: ignore[assignment]  # it holds what it has not understood yet

    def shutdown(self) -> None:
        """The server stops: what is under way is answered."""
        if self._running is None:
            self.transport.close()
        else:
            self._stop_after_answers()

    def give_up(self) -> None:
        """Closes at once: another connection needs the place."""
        self._let_head_go()
        self.transport.abort()

    def _stop_after_answers(self) -> None:
        assert self.cycle is not None
        self._keep_alive = self.cycle.keep_alive = False
        self._stopped = not self.cycle.more_body

    def _refuse(self, status: HTTPStatus, words: str, counter: Counter) -> None:
        """What came is no request; that is said when it is its turn."""
        self._all.counters.add(counter)
        if self.cycle is None:
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            self.transport.write(f"{head}content-length: {len(words)}\r\nconnection: close\r\n\r\n{words}".encode())
            self._end(sending=True)
        elif self.cycle.more_body:
            self._fail(InvalidRequest(f"{words}: its body is malformed"))
        else:
            self._stop_after_answers()

    # Bounds.

    def check(self, now: float) -> None:
        """See `collector.process.network.connections.Connection`."""
        phase = self._time.phase
        if phase is Phase.BODY and (self.flow.read_paused or self._stopped):
            self._time.wait_for_us(now)
        unread = self.transport.get_write_buffer_size()
        if not self._time.overdue(now, unread):
            return
        if unread and phase in (Phase.IDLE, Phase.ANSWER):
            self._all.counters.add(Counter.HTTP_TIMED_OUT_REQUESTS)
            self.transport.abort()
        elif phase is Phase.IDLE:
            self._end(sending=False)
        elif phase is Phase.HEAD:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the head came too slowly", Counter.HTTP_TIMED_OUT_REQUESTS)
        elif phase is Phase.BODY and not self._stopped:
            self._all.counters.add(Counter.HTTP_TIMED_OUT_REQUESTS)
            self._fail(Unavailable("the body came too slowly; try again"))
        elif phase is Phase.CLOSING:
            self.transport.abort()

    def _enter(self, phase: Phase) -> None:
        self._time.enter(phase, self.loop.time())

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.max_head_bytes or self._head_headers > self._limits.max_headers:
            self._too_large()
            raise _Stop

    def _too_large(self) -> None:
        allowed = f"{self._limits.max_head_bytes} bytes and {self._limits.max_headers} headers are allowed"
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self._refuse(status, f"too large a head: {allowed}", Counter.HTTP_TOO_LARGE_HEADS)

    def _head_grew(self, size: int) -> None:
        """A read ended before the head did."""
        if self._time.phase is Phase.IDLE:
            self._enter(Phase.HEAD)
        self._head_read += size
        self._held_head = self._all.grown_head(self._held_head, size, self._head_headers, self)
        if self._held_head is None:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many heads come slowly", Counter.HTTP_SHED_REQUESTS)
        elif self._head_read > self._limits.max_head_bytes:
            self._too_large()

    def _let_head_go(self) -> None:
        if self._held_head is not None:
            self._held_head.release()
            self._held_head = None
