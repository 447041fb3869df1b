"""Export requests read: what is kept, the feedback in it, and what is not kept. Pure functions."""

import pickle
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.core.telemetry import Encoding, OtlpRequest, Signal
from collector.feedback.extract import Extraction, from_log_records, from_spans
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.faults import Faults
from collector.otlp.json_request import parts_in, to_protobuf
from collector.otlp.parts import Part, parts_of, request_of, split
from collector.otlp.request import Reading, check_something_read, read_request
from collector.otlp.weight import is_heavy
from otel_opto import semconv

PIECE_BYTES, PIECE_ITEMS = 512 * 2**10, 5_000
"""Of one piece of a large request. Whatever reads it later holds the interpreter for a few milliseconds at most."""

MOST_IN_AN_ITEM = 200_000
"""Attributes, events, links and values in one item that is larger than a piece."""

_EVALUATION = semconv.EVALUATION_EVENT.encode()
_IN_PLACE_BYTES = 2**20


_NOTHING = Extraction((), ())


@dataclass(frozen=True, slots=True)
class Piece:
    """A request, or a part of one that is a request by itself.

    Attributes:
        request: What is kept.
        found: The feedback in it.
    """

    request: OtlpRequest
    found: Extraction = _NOTHING


@dataclass(slots=True)
class Read:
    """What became of a request: its pieces, in order, and what is not kept as it came."""

    pieces: list[Piece] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a request came.

    Attributes:
        hops: The collectors that forwarded it.
    """

    signal: Signal
    encoding: Encoding
    received_unix_nano: int
    hops: tuple[str, ...] = ()


def holds_feedback(body: bytes) -> bool:
    """Whether there may be feedback in it. Looked for from behind, where CPython looks twice as fast."""
    return body.rfind(_EVALUATION) >= 0


def with_feedback(reading: Reading) -> Piece:
    """A piece of what was checked."""
    request = reading.request
    if not holds_feedback(request.body):
        return Piece(request)
    if request.signal is Signal.TRACES:
        return Piece(request, from_spans(spans_of(request.body)))
    return Piece(request, from_log_records(log_records_of(request.body)))


def read_whole(arrival: Arrival, body: bytes) -> Read:
    """A small request, as one piece.

    Raises:
        InvalidRequest: it is no request at all.
        TooLarge: it has more parts than any real request.
    """
    faults = Faults()
    if arrival.encoding is Encoding.JSON:
        body = to_protobuf(arrival.signal, body, faults)
    reading = read_request(arrival.signal, body, arrival.received_unix_nano, arrival.hops, faults)
    if not reading.request.items:
        check_something_read(arrival.signal, faults)
        return Read([], faults)
    return Read([with_feedback(reading)], faults)


def read_in_pieces(arrival: Arrival, body: bytes) -> Generator["Shipped", None, Faults]:
    """A large request, never parsed as a whole: it is walked on the borders of its fields.

    Yields its pieces; they count only if it ends without an error, with what is not kept as it came.

    Raises:
        InvalidRequest: it is no request at all.
        TooLarge: it has more parts than any real request.
    """
    faults = Faults()
    items = 0
    as_json = arrival.encoding is Encoding.JSON
    parts = parts_in(arrival.signal, body, faults) if as_json else parts_of(body, faults)
    for lot in split(_without_heavy(arrival.signal, parts, faults), PIECE_BYTES, PIECE_ITEMS):
        reading = read_request(arrival.signal, request_of(lot), arrival.received_unix_nano, arrival.hops)
        faults.add(reading.faults)
        if reading.request.items:
            items += reading.request.items
            yield Shipped.of(with_feedback(reading))
    if not items:
        check_something_read(arrival.signal, faults)
    return faults


def _without_heavy(signal: Signal, parts: Iterable[Part], faults: Faults) -> Iterator[Part]:
    """Rejects items made of so much that whoever reads their trace would hold everybody up."""
    descriptor = Span.DESCRIPTOR if signal is Signal.TRACES else LogRecord.DESCRIPTOR
    for part in parts:
        kept = []
        for item in part.items:
            if len(item) > PIECE_BYTES and is_heavy(item, descriptor, MOST_IN_AN_ITEM):
                faults.reject(
                    f"an item of {len(item)} bytes holds more than {MOST_IN_AN_ITEM:,} attributes, events and values"
                )
            else:
                kept.append(item)
        if kept:
            yield part._replace(items=kept)


@dataclass(frozen=True, slots=True)
class Shipped:
    """A piece on its way between processes: its body beside it, which is not copied where it is large."""

    piece: Piece
    body: bytes | pickle.PickleBuffer

    @classmethod
    def of(cls, piece: Piece) -> "Shipped":
        """The piece, packed."""
        body = piece.request.body
        emptied = replace(piece, request=replace(piece.request, body=b""))
        return cls(emptied, shipped(body))

    def unpacked(self) -> Piece:
        """The piece."""
        body = self.body if isinstance(self.body, bytes) else bytes(self.body)
        return replace(self.piece, request=replace(self.piece.request, body=body))


def shipped(body: bytes) -> bytes | pickle.PickleBuffer:
    """A body as it is handed to another process."""
    return body if len(body) < _IN_PLACE_BYTES else pickle.PickleBuffer(body)
