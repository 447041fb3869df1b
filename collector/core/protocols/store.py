"""Everything durable."""

from typing import Protocol

from collector.core.ledger import Ledger
from collector.core.protocols.feedback import FeedbackStore
from collector.core.protocols.marks import Deliveries, Marks
from collector.core.protocols.parameters import AcknowledgementStore, ParameterStore
from collector.core.protocols.telemetry import TelemetryLog, TelemetrySearch
from collector.core.units import UnitStore


class Store(Protocol):
    """The parts of one store, which begin and end together. Who needs one part takes that part, not the store.

    Each part is durable by itself; nothing spans two of them. Who changes two of them does it in an order in which a
    change of the first alone is no harm, and doing both again neither.
    """

    @property
    def log(self) -> TelemetryLog:
        """Spans and log records as they came."""
        ...

    @property
    def search(self) -> TelemetrySearch:
        """Of what is in the log."""
        ...

    @property
    def feedback(self) -> FeedbackStore:
        """Judgements and what became of them."""
        ...

    @property
    def parameters(self) -> ParameterStore:
        """What applications declared."""
        ...

    @property
    def acknowledgements(self) -> AcknowledgementStore:
        """What applications said of releases."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Studies, releases, assignments, rollouts: what was decided."""
        ...

    @property
    def units(self) -> UnitStore:
        """What came under rollouts."""
        ...

    @property
    def deliveries(self) -> Deliveries:
        """How far the log was forwarded."""
        ...

    @property
    def marks(self) -> Marks:
        """What the store remembers of itself."""
        ...

    async def start(self) -> None:
        """Opens it. Raises `ConfigError` if it cannot be opened, with the path and the reason."""
        ...

    async def stop(self) -> None:
        """Commits what is pending and closes. Safe twice and unstarted."""
        ...

    async def instance_id(self) -> str:
        """Names the store's owner, the same after every restart."""
        ...

    async def size_bytes(self) -> int:
        """Of all that it holds."""
        ...
