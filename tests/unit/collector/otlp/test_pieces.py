"""Pieces of a request say together what the request says."""

from hypothesis import given
from hypothesis import strategies as st

from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.pieces import pieces
from tests import samples


def request(groups: list[list[int]], resource_size: int, unknown: bytes) -> bytes:
    """Requests one after the other are one; a resource may come in two parts, and unknown fields anywhere."""
    whole = b""
    for number, names in enumerate(groups):
        spans = [samples.span(1, number + 1, name="n" * size) for size in names]
        body = samples.traces_request(spans, "s" * resource_size)
        whole += body + unknown
    return whole


@given(
    groups=st.lists(st.lists(st.integers(0, 3_000), max_size=6), max_size=5),
    resource_size=st.sampled_from([0, 5, 5_000]),
    unknown=st.sampled_from([b"", b"\x98\x06\x01", b"\xa3\x06\x0b\x08\x01\x0c\xa4\x06", b"\xa2\x06\x02ab"]),
    room=st.sampled_from([1, 100, 1_000, 100_000]),
)
def test_nothing_is_lost_and_no_piece_is_large(
    groups: list[list[int]], resource_size: int, unknown: bytes, room: int
) -> None:
    body = request(groups, resource_size, unknown)
    made = list(pieces(body, room))
    assert [span for piece in made for span in spans_of(piece)] == spans_of(body)
    largest = max((size for names in groups for size in names), default=0)
    assert all(len(piece) <= 2 * max(room, resource_size + largest + 500) for piece in made)
    assert sum(map(len, made)) <= 3 * len(body) + 1_000 + len(made) * 100


def test_what_is_small_stays_as_it_is() -> None:
    body = samples.traces_request([samples.span(1, 1)])
    assert list(pieces(body)) == [body]


def test_log_records_come_in_pieces_alike() -> None:
    body = samples.logs_request([samples.evaluation(1, number) for number in range(1, 50)])
    assert [one for piece in pieces(body, 500) for one in log_records_of(piece)] == log_records_of(body)
    assert len(list(pieces(body, 500))) > 5
