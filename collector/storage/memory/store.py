"""The `Store` in memory: the reference of what every part does."""

import secrets

from collector.core.protocols import Clock
from collector.storage.memory.acknowledgements import MemoryAcknowledgements
from collector.storage.memory.feedback import MemoryFeedback
from collector.storage.memory.ledger import MemoryLedger
from collector.storage.memory.log import MemoryLog
from collector.storage.memory.marks import MemoryDeliveries, MemoryMarks
from collector.storage.memory.parameters import MemoryParameters
from collector.storage.memory.search import MemorySearch
from collector.storage.memory.units import MemoryUnits


class MemoryStore:
    """See `Store`. Plain rather than quick, and not durable: for tests, and to be read."""

    def __init__(self, clock: Clock) -> None:
        self.log = MemoryLog(clock)
        self.search = MemorySearch(self.log)
        self.feedback = MemoryFeedback(self.log)
        self.parameters = MemoryParameters()
        self.acknowledgements = MemoryAcknowledgements()
        self.ledger = MemoryLedger(clock)
        self.units = MemoryUnits()
        self.deliveries = MemoryDeliveries()
        self.marks = MemoryMarks()
        self._instance_id = secrets.token_hex(8)

    async def start(self) -> None:
        """See `Store`; there is nothing to open."""

    async def stop(self) -> None:
        """See `Store`; there is nothing to close."""

    async def instance_id(self) -> str:
        """See `Store`."""
        return self._instance_id

    async def size_bytes(self) -> int:
        """See `Store`; what is in the log."""
        return self.log.size_bytes()
