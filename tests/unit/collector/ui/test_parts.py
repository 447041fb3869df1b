"""Differences, tables, numbers and times."""

import pytest

from collector.core.times import LATEST
from collector.ui import formats
from collector.ui.differences import difference
from collector.ui.tables import Cell, Table, csv_of


def test_a_text_is_compared_word_by_word() -> None:
    found = difference("prompt", "Answer the question.", "Answer each question, briefly.")
    assert [(piece.kind, piece.text) for piece in found.pieces] == [
        ("kept", "Answer "), ("removed", "the"), ("added", "each"), ("kept", " question"), ("added", ", briefly"),
        ("kept", "."),
    ]  # fmt: skip
    for kind, text in (("added", "Answer the question."), ("removed", "Answer each question, briefly.")):
        assert "".join(piece.text for piece in found.pieces if piece.kind != kind) == text


def test_what_did_not_change_is_left_out_where_it_is_long() -> None:
    same = "word " * 200
    found = difference("prompt", f"{same}old {same}", f"{same}new {same}")
    assert [piece.text for piece in found.short if piece.kind in ("added", "removed")] == ["old", "new"]
    assert sum(len(piece.text) for piece in found.short) < 300


@pytest.mark.parametrize(("before", "after"), [(1, 2), (None, "x"), ("x", None), ("a " * 5_000, "b " * 5_000)])
def test_all_else_is_shown_whole(before: object, after: object) -> None:
    found = difference("k", before, after)
    assert (found.before is None, found.after is None) == (before is None, after is None)


def test_texts_without_a_common_word_stand_one_behind_the_other() -> None:
    found = difference("style", "plain", "short")
    assert (found.before, found.after, found.pieces, found.cut) == ("plain", "short", (), False)


def test_many_words_are_compared_by_lines() -> None:
    lines = [f"line {number} of many words that say little\n" for number in range(400)]
    found = difference("k", "".join(lines), "".join([*lines[:200], "new\n", *lines[200:]]))
    assert [piece.text for piece in found.pieces if piece.kind == "added"] == ["new\n"]


def test_a_spreadsheet_computes_nothing_of_a_table() -> None:
    row = (Cell("=1+1"), Cell("@x"), Cell("-1", value=-1.25), Cell('a"b,c'), Cell("\u202ex"))
    said = csv_of(Table("t", "T", ("a", "b", "c", "d", "e"), (row,)))
    assert said == 'a,b,c,d,e\r\n\'=1+1,\'@x,-1.25,"a""b,c",\\u202ex\r\n'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"), (0, "0"), (0.0, "0"), (12345, "12,345"), (0.1234, "0.123"), (1e-9, "1e-09"),
        (123456.5, "1.23e+05"),
        (float("inf"), "inf"), (float("nan"), "nan"), (-0.5, "-0.500"), (1e300, "1e+300"),
    ],
)  # fmt: skip
def test_numbers(value: float | None, words: str) -> None:
    assert formats.number(value) == words


def test_times_have_their_zone() -> None:
    assert formats.when(0) == "–"
    assert formats.when(1_764_490_500_123_456_789) == "2025-11-30 08:15:00 UTC"
    assert formats.iso(1_764_490_500_123_456_789) == "2025-11-30T08:15:00.123456Z"
    assert formats.when(LATEST).endswith(" UTC")


def test_durations_and_sizes() -> None:
    assert [formats.took(nano) for nano in (900, 12_300_000, 4_200_000_000, 186_000_000_000)] == [
        "1 µs", "12.3 ms", "4.2 s", "3.1 min",
    ]  # fmt: skip
    assert [formats.size(count) for count in (0, 1536, 5 * 2**40)] == ["0 B", "1.5 KiB", "5 TiB"]
    assert [formats.share(part) for part in (None, 0.05, 0.125, 1)] == ["–", "5 %", "12.5 %", "100 %"]


def test_a_value_in_brief() -> None:
    assert formats.brief("a\n b" + "c" * 1_000, 10) == "a bccccccc…"
    assert formats.brief({"a": [1]}) == '{"a": [1]}'
    assert formats.brief(None) == "–"
