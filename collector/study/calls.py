"""What a study's calls of language models cost, on the ledger: an event each, written before its answer is used."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from typing import Any, cast

from collector.core.calls import ModelCall
from collector.core.errors import Outdated
from collector.core.folding import Fold
from collector.core.ledger import Change, Event, Json, Ledger, Recorded
from collector.core.study import Cost

_PREFIX, _CALLED = "calls/", "model_called"
_LONGEST_FAILURE = 500


class LedgerCalls:
    """A `CallBook` for one study."""

    def __init__(self, ledger: Ledger, study: str, service: str) -> None:
        self._ledger = ledger
        self._stream = _PREFIX + study
        self._study, self._service = study, service
        self._spent = Fold(ledger, Cost(), _added)

    async def record(self, call: ModelCall) -> None:
        """See `CallBook`."""
        data: Mapping[str, Json] = {
            "model": call.model,
            "cost": cast(Json, asdict(call.cost)),
            "failure": call.failure[:_LONGEST_FAILURE],
            "purpose": call.purpose,
        }
        while True:
            version = (await self._spent.of(self._stream)).version
            try:
                change = Change(self._stream, version, (Event(_CALLED, data, self._service),))
                await self._ledger.append([change], f"study:{self._study}")
            except Outdated:
                continue  # another draft's call was faster
            return

    async def spent(self) -> Cost:
        """See `CallBook`."""
        return (await self._spent.of(self._stream)).state


def _added(spent: Cost, events: Sequence[Recorded]) -> Cost:
    costs: list[Mapping[str, Any]] = [cast(Mapping[str, Any], event.data["cost"]) for event in events]
    return reduce(Cost.__add__, (Cost(**cost) for cost in costs), spent)
