"""Feedback as a list."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from collector.core.feedback import Attachment, Feedback, FeedbackState, OpenFeedback, StoredFeedback
from collector.core.page import Page, PageRequest, cursor, key_of, page_of
from collector.core.span import SpanContext
from collector.core.telemetry import Signal
from collector.otlp.responses import response_ids_in
from collector.storage.memory.log import MemoryLog

_MOST_METRICS = 100


@dataclass(slots=True)
class _Kept:
    """One feedback and what became of it.

    Attributes:
        sequence: Counts up from 1.
        feedback: As it was submitted.
        came_at: How far the log had come then.
        looked_at: How far it had come when its span was looked for last; None: nobody did, or it moved since.
    """

    sequence: int
    feedback: Feedback
    received_unix_nano: int
    came_at: int
    state: FeedbackState = FeedbackState.WAITING
    attachment: Attachment | None = None
    settled: bool = False
    looked_at: int | None = None
    patient_until_unix_nano: int = 0

    @property
    def judged(self) -> SpanContext:
        return self.attachment.target if self.attachment else self.feedback.target

    @property
    def is_open(self) -> bool:
        return self.state is not FeedbackState.EXPIRED and not self.settled

    @property
    def says(self) -> bool:
        return self.feedback.score is not None or self.feedback.label != ""

    @property
    def when(self) -> tuple[int, int]:
        return self.feedback.time_unix_nano, self.sequence

    def is_of(self, release: int) -> bool:
        one = self.attachment
        return one is not None and (one.release == release or release in one.beside)


class MemoryFeedback:
    """See `FeedbackStore`. Not durable."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._all: list[_Kept] = []

    async def submit(self, feedback: Sequence[Feedback], received_unix_nano: int) -> None:
        """See `FeedbackStore`."""
        end = await self._log.newest_position()
        for one in feedback:
            if self._of_id(one.id) is None:
                self._all.append(_Kept(len(self._all) + 1, one, received_unix_nano, end))

    async def attachable(self, limit: int, now_unix_nano: int = 0) -> Sequence[OpenFeedback]:
        """See `FeedbackStore`."""
        end = await self._log.newest_position()
        due = [one for one in self._all if one.is_open and self._is_due(one, now_unix_nano)]
        due.sort(key=lambda one: (one.state is FeedbackState.ATTACHED, one.sequence))
        return [
            OpenFeedback(one.feedback.id, one.feedback, end, one.attachment, one.patient_until_unix_nano)
            for one in due[: limit or None]
        ]

    def _is_due(self, one: _Kept, now_unix_nano: int) -> bool:
        over = one.state is FeedbackState.WAITING and 0 < one.patient_until_unix_nano <= now_unix_nano
        return one.looked_at is None or over or self._touched_behind(one, one.looked_at)

    def _touched_behind(self, one: _Kept, position: int) -> bool:
        traces = {bytes.fromhex(span.trace_id) for span in (one.feedback.target, one.judged)} - {b""}
        answered = one.attachment is not None and one.attachment.answered
        answers = {one.feedback.response_id} - {""} if not answered else set()
        return any(
            traces & request.trace_ids or answers & response_ids_in(request.body)
            for at, request in self._log.kept
            if at > position and request.signal is Signal.TRACES
        )

    async def attach(self, attachments: Sequence[Attachment], looked_for: Sequence[OpenFeedback] = ()) -> None:
        """See `FeedbackStore`."""
        for looked in looked_for:
            one = self._of_id(looked.id)
            if one is not None:
                one.looked_at = max(looked.position, one.looked_at or 0)
                one.patient_until_unix_nano = looked.patient_until_unix_nano
        for attachment in attachments:
            one = self._of_id(attachment.feedback_id)
            if one is None or one.settled:
                continue
            moved = one.judged.trace_id != attachment.target.trace_id
            one.looked_at = None if moved else one.came_at if one.looked_at is None else one.looked_at
            answered = attachment.answered or (one.attachment is not None and one.attachment.answered)
            beside = tuple(sorted(attachment.beside))
            one.state, one.attachment = FeedbackState.ATTACHED, replace(attachment, answered=answered, beside=beside)

    async def settle_counted(self, release: int, name: str) -> None:
        """See `FeedbackStore`."""
        for one in self._movable():
            if one.is_of(release) and one.feedback.name == name:
                one.settled = True

    async def settle(self, received_before_unix_nano: int, most: int) -> int:
        """See `FeedbackStore`."""
        for one in self._movable():
            if one.received_unix_nano < received_before_unix_nano:
                one.settled = True
        movable = self._movable()
        beyond = movable[: max(len(movable) - most, 0)]
        for one in beyond:
            one.settled = True
        return len(beyond)

    def _movable(self) -> Sequence[_Kept]:
        return [one for one in self._all if one.state is FeedbackState.ATTACHED and not one.settled]

    async def expire(self, received_before_unix_nano: int) -> int:
        """See `FeedbackStore`."""
        old = [
            one
            for one in self._all
            if one.state is FeedbackState.WAITING and one.received_unix_nano < received_before_unix_nano
        ]
        for one in old:
            one.state = FeedbackState.EXPIRED
        return len(old)

    async def listed(
        self, page: PageRequest, *, trace_id: str = "", states: Sequence[FeedbackState] = ()
    ) -> Page[StoredFeedback]:
        """See `FeedbackStore`."""
        (behind,) = key_of(page.cursor, "feedback", int) or (len(self._all) + 1,)
        rest = [
            one
            for one in reversed(self._all)
            if one.sequence < int(behind)
            and trace_id in ("", one.judged.trace_id)
            and (not states or one.state in states)
        ]
        return page_of(
            rest,
            page.limit,
            self._stored,
            lambda one: cursor("feedback", one.sequence),
            lambda one: len(one.feedback.text) + len(one.feedback.label) + 200,
        )

    async def of_release(self, release: int, name: str) -> Sequence[StoredFeedback]:
        """See `FeedbackStore`."""
        return [self._stored(one) for one in self._all if one.is_of(release) and one.feedback.name == name]

    async def metrics_of_release(self, release: int) -> Mapping[str, int]:
        """See `FeedbackStore`."""
        names = [one.feedback.name for one in self._all if one.is_of(release)]
        ordered = sorted(set(names), key=lambda name: (-names.count(name), name))
        return {name: names.count(name) for name in ordered[:_MOST_METRICS]}

    async def judged(self, name: str, trace_ids: Collection[str]) -> Collection[str]:
        """See `FeedbackStore`."""
        return {one.judged.trace_id for one in self._all if one.feedback.name == name} & set(trace_ids)

    async def revision(self, trace_id: str) -> str:
        """See `FeedbackStore`."""
        return repr([(one.sequence, one.state) for one in self._all if one.judged.trace_id == trace_id])

    async def counts(self) -> Mapping[FeedbackState, int]:
        """See `FeedbackStore`."""
        states = [one.state for one in self._all]
        return {state: states.count(state) for state in FeedbackState}

    def _of_id(self, feedback_id: str) -> _Kept | None:
        return next((one for one in self._all if one.feedback.id == feedback_id), None)

    def _stored(self, one: _Kept) -> StoredFeedback:
        return StoredFeedback(
            one.feedback.id,
            replace(one.feedback, target=one.judged),
            one.state,
            one.received_unix_nano,
            one.attachment.release if one.attachment else None,
            self._is_superseded(one),
        )

    def _is_superseded(self, one: _Kept) -> bool:
        """Words alone by any later word of its source, what has a score or a label by later ones that have, too."""
        return any(
            other.when > one.when and (other.says or not one.says)
            for other in self._all
            if (other.judged, other.feedback.name, other.feedback.source)
            == (one.judged, one.feedback.name, one.feedback.source)
        )
