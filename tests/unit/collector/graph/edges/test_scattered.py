"""Records in texts that show them in their own way."""

import pytest

from collector.graph.edges.anchors import Scattered
from collector.graph.texts import record

ROW = {"shop": "Oliwa", "sold": 344, "eur": 17022.25}


@pytest.mark.parametrize(
    "text",
    [
        "Oliwa: 344 pcs, 17022.25 EUR",
        "In Oliwa they sold 344 for 17022.3 in all.",
        "| 344 | 17022.25 | Oliwa |",
        "SELECT 1 WHERE shop = 'Oliwa' AND sold > 344 AND eur < 17022",
    ],
)
def test_every_layout_is_recognised(text: str) -> None:
    assert [*Scattered([record(ROW)]).among(text)] == [record(ROW)]


@pytest.mark.parametrize(
    "text",
    [
        "Oliwa: 344 pcs",
        "Oliwa sold 3445 pieces for 17022.25",
        "Oliwa " + "and so on " * 40 + "344 17022.25",
        "",
    ],
)
def test_a_value_that_is_missing_or_far_away_makes_it_another_text(text: str) -> None:
    assert [*Scattered([record(ROW)]).among(text)] == []


@pytest.mark.parametrize("few", [{"a": 1, "b": 2}, {"a": "Oliwa", "b": True}, {"a": "x", "b": ["Oliwa", "Długa 7"]}])
def test_records_that_say_too_little_or_are_not_flat_are_not_looked_for(few: dict[str, object]) -> None:
    assert not Scattered([text] if (text := record(few)) else [])  # type: ignore[arg-type]


def test_records_of_one_kind_are_told_apart() -> None:
    rows = [record({"city": f"harbour{number}", "price": 1000 + number}) for number in range(50)]
    assert [*Scattered(rows).among("the price in harbour7 is 1007 and in harbour9 1009")] == [rows[7], rows[9]]
