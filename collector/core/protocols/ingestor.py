"""Where export requests go."""

from typing import Protocol

from collector.core.telemetry import Encoding, IngestResult, Signal


class Ingestor(Protocol):
    """What a receiver hands export requests to."""

    async def ingest(
        self, signal: Signal, body: bytes, hops: tuple[str, ...] = (), encoding: Encoding = Encoding.PROTOBUF
    ) -> IngestResult:
        """Reads, checks and keeps one export request. Durable on return.

        One bad item costs only itself; however large the request is, nobody waits for it to be read.

        Args:
            signal: What the body is an export request of.
            body: The request.
            encoding: How it is written.
            hops: The collectors that forwarded it, the first first. One that came back to where it has been is
                counted and let go.

        Raises:
            InvalidRequest: it is not one; sending it again would not help.
            TooLarge: reading it would take too long or too much memory; nor would it.
            Unavailable: nothing was kept; try again.
        """
        ...
