"""Numbering and comparing releases."""

from hypothesis import given
from hypothesis import strategies as st

from collector.core.release import Release, ReleaseDraft, ValueChange, diff, number_release

VALUES = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2), max_size=4)


def published(values: dict[str, int], number: int, parent: Release | None) -> Release:
    return number_release(ReleaseDraft("shop", values, "test"), number, parent, 7)


def test_an_unchanged_value_keeps_its_version() -> None:
    first = published({"a": 1, "b": 1}, 4, None)
    second = published({"a": 1, "b": 2}, 9, first)
    assert {key: value.version for key, value in second.values.items()} == {"a": 4, "b": 9}
    assert second.parent == 4


def test_one_and_one_point_zero_are_different_values() -> None:
    first = published({"a": 1}, 1, None)
    second = number_release(ReleaseDraft("shop", {"a": 1.0}, "test"), 2, first, 7)
    assert diff(first, second) == (ValueChange("a", 1, 1.0),)


@given(VALUES, VALUES)
def test_a_diff_leads_from_one_release_to_the_other(before: dict[str, int], after: dict[str, int]) -> None:
    first = published(before, 1, None)
    second = published(after, 2, first)
    applied: dict[str, object] = dict(before)
    for change in diff(first, second):
        assert applied.get(change.key) == change.before
        if change.after is None:
            del applied[change.key]
        else:
            applied[change.key] = change.after
    assert applied == after
    assert (first.hash == second.hash) == (before == after)


def test_the_diff_from_nothing_names_every_value() -> None:
    assert diff(None, published({"a": 1}, 1, None)) == (ValueChange("a", None, 1),)
