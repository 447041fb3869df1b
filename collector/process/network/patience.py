"""How long a connection may take for what it is about."""

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one connection may take. Each has to be enough for an honest client on a slow line.

    Attributes:
        max_connections: Open at once.
        max_head_bytes: Of the request line, the headers and the trailers of one request.
        max_headers: Of one request.
        max_heads_bytes: Of all heads that have begun and are not whole.
        max_pipelined: Requests of one connection that wait for the answer to the one before.
        idle_seconds: Without a request.
        head_seconds: From the first byte of a head to its end; of a TLS handshake, too.
        body_seconds: From the end of the head to the end of the body.
        window_seconds: In each such time at least `window_bytes` of a body must come.
        window_bytes: See `window_seconds`.
        answer_seconds: In which something of an answer must be read.
        linger_seconds: Who still sends may read the answer so long before the connection is closed.
    """

    max_connections: int = 1024
    max_head_bytes: int = 2**16
    max_headers: int = 256
    max_heads_bytes: int = 2**21
    max_pipelined: int = 16
    idle_seconds: float = 75.0
    head_seconds: float = 10.0
    body_seconds: float = 300.0
    window_seconds: float = 10.0
    window_bytes: int = 10 * 2**10
    answer_seconds: float = 30.0
    linger_seconds: float = 2.0


class Phase(enum.Enum):
    """What a connection is about."""

    IDLE = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()
    ANSWER = enum.auto()
    CLOSING = enum.auto()


class Patience:
    """The clock of one connection; times are seconds of the event loop.

    Attributes:
        phase: What it is about.
        received: Bytes of the current body.
    """

    def __init__(self, limits: HttpLimits, now: float) -> None:
        self.phase = Phase.IDLE
        self.received = 0
        self._limits = limits
        self._since = now
        self._window_began, self._window_had = now, 0
        self._unread = 0

    def enter(self, phase: Phase, now: float) -> None:
        """It is about something else now."""
        self.phase = phase
        self._since = now
        if phase is Phase.BODY:
            self.received = 0
            self.wait_for_us(now)

    def wait_for_us(self, now: float) -> None:
        """It is not the sender who is slow: what he has not sent so far does not count."""
        self._window_began, self._window_had = now, self.received

    def overdue(self, now: float, unread: int) -> bool:
        """Whether it has taken too long.

        Args:
            unread: Bytes of an answer that the client has not taken yet.
        """
        waited, limits = now - self._since, self._limits
        if unread and self.phase in (Phase.IDLE, Phase.ANSWER):
            if unread == self._unread:
                return waited > limits.answer_seconds
            self._unread, self._since = unread, now
            return False
        if self.phase is Phase.IDLE:
            return waited > limits.idle_seconds
        if self.phase is Phase.HEAD:
            return waited > limits.head_seconds
        if self.phase is Phase.BODY:
            return waited > limits.body_seconds or self._too_little(now)
        return self.phase is Phase.CLOSING and waited > limits.linger_seconds

    def _too_little(self, now: float) -> bool:
        if now - self._window_began <= self._limits.window_seconds:
            return False
        if self.received - self._window_had < self._limits.window_bytes:
            return True
        self.wait_for_us(now)
        return False
