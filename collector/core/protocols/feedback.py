"""Feedback on its way to its span."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from collector.core.feedback import Attachment, Feedback, FeedbackState, OpenFeedback, StoredFeedback
from collector.core.page import Page, PageRequest


class FeedbackStore(Protocol):
    """Feedback and what became of it. It learns by itself which spans come to the `TelemetryLog` beside it.

    Waiting → attached (and moved, until it is settled), or waiting → expired. Times are Unix nanoseconds. Every change
    is durable on return.
    """

    async def submit(self, feedback: Sequence[Feedback], received_unix_nano: int) -> None:
        """Keeps feedback, all or none. Idempotent: what is there already (by id) stays as it is."""
        ...

    async def attachable(self, limit: int, now_unix_nano: int = 0) -> Sequence[OpenFeedback]:
        """Waiting feedback that was never looked for, or of whose trace a span has come since it was looked for last.

        Of its trace, of the trace of the span that it is attached to, or with the response id that it names.

        Also feedback whose patience is over by now, and attached feedback that is not settled and of whose trace a
        span has come since: the order in which spans and feedback come must not matter. After a restart, all of it once
        more. What waits first, then by coming.

        Args:
            limit: How many at most; 0 means all.
            now_unix_nano: The time.
        """
        ...

    async def attach(self, attachments: Sequence[Attachment], looked_for: Sequence[OpenFeedback] = ()) -> None:
        """Attaches feedback, or attaches it elsewhere; what is settled stays as it is.

        All that was looked for, found or not, is not attachable until another span of its trace comes, or until the
        patience that it says is over. What moves to another trace is attachable once more. Idempotent; unknown ids are
        passed over.
        """
        ...

    async def settle_counted(self, release: int, name: str) -> None:
        """Feedback of a metric that is attached to a release now stays where it is: a trial counts it."""
        ...

    async def settle(self, received_before_unix_nano: int, most: int) -> int:
        """Attached feedback that came before then, and all but the newest `most` of it, stays where it is.

        Returns how many of the latter there were.
        """
        ...

    async def expire(self, received_before_unix_nano: int) -> int:
        """Gives up on feedback that still waits and came before then. Returns how many; they stay readable."""
        ...

    async def listed(
        self, page: PageRequest, *, trace_id: str = "", states: Sequence[FeedbackState] = ()
    ) -> Page[StoredFeedback]:
        """Newest first; an empty filter lets everything through.

        Args:
            page: Which part.
            trace_id: Of the span that is judged, as far as is known; 32 hex digits.
            states: Any of them.

        Raises:
            InvalidRequest: the cursor is none.
        """
        ...

    async def of_release(self, release: int, name: str) -> Sequence[StoredFeedback]:
        """Attached feedback of a metric on traces in which a service ran with a release, in order of reception."""
        ...

    async def metrics_of_release(self, release: int) -> Mapping[str, int]:
        """How much attached feedback there is of each metric on traces that ran with a release, a hundred at most."""
        ...

    async def judged(self, name: str, trace_ids: Collection[str]) -> Collection[str]:
        """Those of the traces of which something was said by a metric, in whatever state."""
        ...

    async def revision(self, trace_id: str) -> str:
        """Another text whenever feedback on spans of the trace came or changed. 32 hex digits."""
        ...

    async def counts(self) -> Mapping[FeedbackState, int]:
        """How much there is in each state, in the order of `FeedbackState`."""
        ...
