"""How the SDK is, at a glance."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """How the SDK is in this process, now. Counts are of this process, from its start or its fork.

    Attributes:
        configured: Whether `configure` was called, and nothing has disabled it.
        service: Whose parameters these are.
        endpoint: Where the collector is.
        connected: Whether it is there now.
        release: The number of the control's release in force; None where the code's own values are.
        confirmed: Whether the collector named that in this process; else it is from disk.
        parameters: How many are declared.
        troubles: What is wrong now, a line each.
        connections_failed: How often the collector was not reached.
        releases_refused: Releases of which nothing was applied, because something did not fit or was not signed.
        feedback_given: Judgements of which a log event was made.
        feedback_queued: Of these, what waits for the collector; nothing where a logger provider has them.
        feedback_sent: Of these, what the collector has taken from the queue.
        feedback_dropped: Judgements that reach nobody.
        spans_not_sent: By the exporter that the SDK has set up.
        log_records_not_sent: Likewise.
        capture_failures: Values, spans and hooks that failed while inputs and outputs were recorded.
    """

    configured: bool
    service: str
    endpoint: str
    connected: bool
    release: int | None
    confirmed: bool
    parameters: int
    troubles: tuple[str, ...]
    connections_failed: int
    releases_refused: int
    feedback_given: int
    feedback_queued: int
    feedback_sent: int
    feedback_dropped: int
    spans_not_sent: int
    log_records_not_sent: int
    capture_failures: int
