"""Where requests are read: at once, in a thread, or in a process of its own."""

from dataclasses import dataclass

from collector.core.errors import InvalidRequest
from collector.core.protocols import Clock
from collector.core.telemetry import MAX_HOPS, Encoding, Signal
from collector.otlp.request import Dense, checked
from collector.reading.read import (
    Arrival,
    Piece,
    Read,
    Shipped,
    holds_feedback,
    read_in_pieces,
    read_whole,
    shipped,
    with_feedback,
)
from collector.workers.process import WorkerLost
from collector.workers.workers import Workers


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """What is read at once, on the event loop. Whatever its bytes are, such a request takes a few milliseconds.

    Attributes:
        protobuf_bytes: Of sound protobuf.
        feedback_bytes: Of protobuf in which there may be feedback: it is decoded.
        json_bytes: Of JSON, and of protobuf that is not sound: they are taken apart in Python.
        seconds: For which a worker may read a request.
    """

    protobuf_bytes: int = 640 * 2**10
    feedback_bytes: int = 32 * 2**10
    json_bytes: int = 8 * 2**10
    seconds: float = 120.0


class RequestReader:
    """Reads export requests so that nobody waits for another one's.

    Args:
        clock: For the time of reception.
        workers: Take what is too much to be read at once.
        instance_id: Of this collector; a request that it forwarded itself is not kept again.
        limits: See there.
    """

    def __init__(
        self, clock: Clock, workers: Workers, instance_id: str = "", limits: ReadingLimits | None = None
    ) -> None:
        self._clock = clock
        self._workers = workers
        self._instance_id = instance_id
        self._limits = limits or ReadingLimits()

    def is_circling(self, hops: tuple[str, ...]) -> bool:
        """Whether a request that these collectors forwarded has been here, or goes on for ever."""
        return self._instance_id in hops or len(hops) > MAX_HOPS

    async def read(
        self, signal: Signal, body: bytes, hops: tuple[str, ...] = (), encoding: Encoding = Encoding.PROTOBUF
    ) -> Read:
        """See `Ingestor.ingest`.

        Raises:
            InvalidRequest: it is no request at all.
            TooLarge: reading it would take too long, or too much memory.
            Unavailable: too many wait to be read.
        """
        arrival = Arrival(signal, encoding, self._clock.now_unix_nano(), hops)
        if len(body) <= self._limits.json_bytes:
            return read_whole(arrival, body)
        if encoding is Encoding.PROTOBUF:
            read = self._read_at_once(arrival, body)
            if read is not None:
                return read
        return await self._read_elsewhere(arrival, body)

    def _read_at_once(self, arrival: Arrival, body: bytes) -> Read | None:
        """None where that would take too long: it is large, made of very much, holds feedback, or is not sound."""
        if len(body) > self._limits.protobuf_bytes:
            return None
        judging = holds_feedback(body)
        if judging and len(body) > self._limits.feedback_bytes:
            return None
        try:
            reading = checked(arrival.signal, body, arrival.received_unix_nano, arrival.hops, may_be_dense=False)
        except (InvalidRequest, Dense):
            return None
        if not reading.request.items:
            return Read([], reading.faults)
        return Read([with_feedback(reading) if judging else Piece(reading.request)], reading.faults)

    async def _read_elsewhere(self, arrival: Arrival, body: bytes) -> Read:
        read = Read()

        async def take(piece: Shipped) -> None:
            read.pieces.append(piece.unpacked())

        try:
            read.faults = await self._workers.run(
                read_in_pieces, arrival, shipped(body), size=len(body), seconds=self._limits.seconds, answer=take
            )
        except WorkerLost as error:
            raise InvalidRequest(f"the body ({len(body)} bytes) cannot be read here: {error}") from None
        return read
