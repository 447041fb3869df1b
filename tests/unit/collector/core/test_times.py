"""Times that no clock shows."""

import pytest

from collector.core.times import LATEST, bounded, end_of


@pytest.mark.parametrize(
    ("came", "kept"), [(0, 0), (5, 5), (LATEST, LATEST), (2**63, LATEST), (2**64 - 1, LATEST), (-1, 0)]
)
def test_a_time_lies_within_its_bounds(came: int, kept: int) -> None:
    assert bounded(came) == kept


@pytest.mark.parametrize(
    ("start", "end", "kept"), [(3, 7, 7), (7, 3, 7), (7, 0, 7), (2**63 + 5, 2**63 + 9, LATEST), (2**64 - 1, 1, LATEST)]
)
def test_an_end_is_never_before_its_start(start: int, end: int, kept: int) -> None:
    assert end_of(start, end) == kept
