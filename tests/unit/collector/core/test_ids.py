"""One rule for ids, whoever writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.errors import InvalidRequest
from collector.core.identity.ids import span_id_of, trace_id_of

WHOLE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (WHOLE, WHOLE),
        (WHOLE.upper(), WHOLE),
        (f" {WHOLE}\n", WHOLE),
        (WHOLE[1:], WHOLE),
        ("463ac35c9f6413ad", "0000000000000000463ac35c9f6413ad"),
        ("1", "1".rjust(32, "0")),
    ],
)
def test_a_trace_id_is_filled_up_and_lower_case(written: str, meant: str) -> None:
    assert trace_id_of(written) == meant


@given(st.integers(1, 2**64 - 1), st.booleans(), st.sampled_from(["", " ", "\t", "\n "]))
def test_every_way_to_write_an_id_means_the_same(number: int, upper: bool, blank: str) -> None:
    short = f"{number:X}" if upper else f"{number:x}"
    assert span_id_of(f"{blank}{short}{blank}") == f"{number:016x}"
    assert trace_id_of(f"{blank}{short}{blank}") == f"{number:032x}"


@pytest.mark.parametrize(
    "text", ["", " ", "0", "0" * 32, "x", "0x1f", "1f-2e", "１", "a b", "f" * 33, "0" + "f" * 32, "f" * 1_000]
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(
        InvalidRequest, match=r"trace_id: found '.*', allowed are 1 to 32 hex digits, not all zero"
    ) as e:
        trace_id_of(text, "trace_id")
    assert len(str(e.value)) < 200


def test_a_span_id_has_half_the_digits() -> None:
    with pytest.raises(InvalidRequest, match="allowed are 1 to 16 hex digits"):
        span_id_of("1" * 17)
