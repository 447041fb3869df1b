"""Names that are used once."""

from hypothesis import given
from hypothesis import strategies as st

from collector.core.naming import numbered


def test_repeated_names_are_numbered_and_skip_what_is_taken() -> None:
    assert numbered(["look", "look_2", "look", "look"]) == ["look", "look_2", "look_3", "look_4"]


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "b", "b_2_2"])))
def test_every_name_is_there_once_and_begins_as_asked(bases: list[str]) -> None:
    names = numbered(bases)
    assert len(set(names)) == len(names)
    assert all(name.startswith(base) for name, base in zip(names, bases, strict=True))
