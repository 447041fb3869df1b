"""The bill of a study stands on the ledger."""

import asyncio
from pathlib import Path

import pytest

from collector.core.calls import ModelCall
from collector.core.errors import BudgetSpent
from collector.core.study import Cost
from collector.storage.file_store import FileStore
from collector.study.calls import LedgerCalls
from tests.clocks import TickingClock


async def test_calls_of_a_study_are_added_up_also_by_another_process(tmp_path: Path) -> None:
    store = FileStore(tmp_path, TickingClock())
    await store.start()
    mine, other = (LedgerCalls(store.ledger, "tune", "shop") for _ in range(2))
    call = ModelCall("tiny", Cost(1, 10, 5, 0.5, 0.25), "x" * 9_999)
    await asyncio.gather(*(book.record(call) for book in (mine, other, mine, other)))
    assert await LedgerCalls(store.ledger, "tune", "shop").spent() == Cost(4, 40, 20, 2.0, 1.0)
    assert await LedgerCalls(store.ledger, "other", "shop").spent() == Cost()
    newest = (await store.ledger.history(prefix="calls/"))[0]
    assert (newest.kind, newest.subject, newest.actor) == ("model_called", "shop", "study:tune")
    assert len(str(newest.data["failure"])) == 500
    await store.stop()


def test_a_spent_budget_is_lasting() -> None:
    with pytest.raises(BudgetSpent) as spent:
        raise BudgetSpent("enough")
    assert spent.value.permanent
