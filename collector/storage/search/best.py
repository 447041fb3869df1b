"""The traces with the newest spans among all that were offered, in logarithmic time for each."""

import heapq
from typing import TypeAlias

from collector.core.telemetry import FoundTrace

Rank: TypeAlias = tuple[int, int]
"""When the span began, and the position of the request that it came in: of spans that began together the one that was
stored last goes first. No two requests have a rank in common, so that it can be known when nothing better can come."""


class Best:
    """Args: limit: So many traces are kept; 0 keeps all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ranks: dict[bytes, Rank] = {}
        self._worst_first: list[tuple[Rank, bytes]] = []  # also ranks that were bettered since; passed over

    def offer(self, trace_id: bytes, rank: Rank) -> None:
        """Takes in a span of a trace, if it makes a difference."""
        known = self._ranks.get(trace_id)
        if known is not None and known >= rank:
            return
        self._ranks[trace_id] = rank
        if not self._limit:
            return
        heapq.heappush(self._worst_first, (rank, trace_id))
        if len(self._ranks) > self._limit:
            self._drop_bettered()
            _, worst = heapq.heappop(self._worst_first)
            del self._ranks[worst]

    def settled(self, bound: Rank) -> bool:
        """Whether no span of that rank or a lower one can make a difference."""
        if not self._limit or len(self._ranks) < self._limit:
            return False
        self._drop_bettered()
        return self._worst_first[0][0] > bound

    def would_take(self, trace_id: bytes, rank: Rank) -> bool:
        """Whether a span of a trace would make a difference."""
        known = self._ranks.get(trace_id)
        return (known is None or known < rank) and not self.settled(rank)

    def _drop_bettered(self) -> None:
        while self._ranks.get(self._worst_first[0][1]) != self._worst_first[0][0]:
            heapq.heappop(self._worst_first)

    def in_order(self) -> tuple[FoundTrace, ...]:
        """The best first; of one request those with the higher ids, as they are kept."""
        ordered = sorted(((rank, trace_id) for trace_id, rank in self._ranks.items()), reverse=True)
        return tuple(FoundTrace(trace_id.hex(), start) for (start, _), trace_id in ordered)
