"""The services that are known here: what is in force for each, who has applied it, and what is under way."""

from collections.abc import Callable
from dataclasses import dataclass

from collector.core.page import Page, PageRequest, cursor, key_of, page_of
from collector.core.protocols import Store
from collector.core.release import Acknowledgement, ReleaseStatus
from collector.core.rollout import Rollout
from collector.publisher.desk import Desk
from collector.publisher.events import assignment_stream
from collector.rollout.rollouts import Rollouts
from collector.study.studies import Studies
from otel_opto.assignment import Assignment

_MOST_WORDS = 200
_MOST_FAILURES = 20


@dataclass(frozen=True, slots=True)
class Words:
    """What instances said of one release.

    Attributes:
        applied: How many have it in force.
        failed: The first of those that refused it.
        partial: Whether there are more instances than were looked at.
    """

    release: int
    applied: int
    failed: tuple[Acknowledgement, ...]
    partial: bool


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service.

    Attributes:
        assignment: What is in force; None before the first release.
        words: What was said of the release that is in force for most, then of each arm's.
        watchers: How many instances are connected now.
        studies: The names of the running ones.
        rollouts: Those that have not ended.
    """

    service: str
    assignment: Assignment | None
    words: tuple[Words, ...]
    watchers: int
    studies: tuple[str, ...]
    rollouts: tuple[Rollout, ...]


class Services:
    """Finds out. It changes nothing.

    Args:
        watchers: How many instances of a service are connected.
    """

    def __init__(
        self, store: Store, desk: Desk, studies: Studies, rollouts: Rollouts, watchers: Callable[[str], int]
    ) -> None:
        self._store = store
        self._desk = desk
        self._studies = studies
        self._rollouts = rollouts
        self._watchers = watchers

    async def listed(self, page: PageRequest) -> Page[ServiceState]:
        """By name: those that have a release, and those that spans came from.

        Raises:
            InvalidRequest: the cursor is none of this list.
        """
        (behind,) = key_of(page.cursor, "services", str) or ("",)
        prefix = assignment_stream("")
        released = {stream.removeprefix(prefix) for stream in await self._store.ledger.streams(prefix)}
        names = sorted(released | set(await self._store.search.services()))
        following = [name for name in names if name > str(behind)][: page.limit + 1]
        states = [await self.of(name) for name in following]
        return page_of(
            states,
            page.limit,
            lambda one: one,
            lambda one: cursor("services", one.service),
            lambda one: len(repr(one)),
        )

    async def of(self, service: str) -> ServiceState:
        """One service, known or not."""
        assignment = await self._desk.assignment(service)
        numbers = assignment.releases if assignment is not None else ()
        rollouts = [one for one in await self._rollouts.all() if one.plan.service == service and not one.state.ended]
        return ServiceState(
            service=service,
            assignment=assignment,
            words=tuple([await self._words(number) for number in numbers]),
            watchers=self._watchers(service),
            studies=tuple(await self._studies.running(service)),
            rollouts=tuple(rollouts),
        )

    async def _words(self, release: int) -> Words:
        page = await self._store.acknowledgements.of(release, PageRequest(_MOST_WORDS))
        failed = [one for one in page.items if one.status is ReleaseStatus.FAILED]
        applied = len(page.items) - len(failed)
        return Words(release, applied, tuple(failed[:_MOST_FAILURES]), bool(page.next_cursor))
