"""Compressed bodies, however they are made and cut."""

import gzip
import random
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.errors import InvalidRequest, TooLarge
from collector.receiver.inflate import MOST_MEMBERS, Inflater

LIMIT = 8 * 2**20
COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 1), "deflate": lambda data: zlib.compress(data, 1),
    "identity": lambda data: data,
}  # fmt: skip


def inflated(body: bytes, encoding: str = "gzip", size: int = 2**16, limit: int = LIMIT) -> tuple[bytes, list[int]]:
    inflater = Inflater(encoding, limit)
    steps = [grown for at in range(0, len(body) or 1, size) for grown in inflater.feed(body[at : at + size])]
    return inflater.body(), steps


@pytest.mark.parametrize("encoding", COMPRESSED)
@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(1, 30))
def test_a_body_is_what_was_sent_however_it_is_cut(encoding: str, texts: list[bytes], size: int) -> None:
    data = b"".join(texts)
    assert inflated(COMPRESSED[encoding](data), encoding, size)[0] == data
    assert inflated(b"".join(gzip.compress(text, 1) for text in texts), "gzip", size)[0] == data


@pytest.mark.parametrize("made", [bytes, random.Random(1).randbytes], ids=["zeros", "noise"])
@pytest.mark.parametrize("length", [2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20, LIMIT])
def test_a_large_body_comes_in_steps(made: Callable[[int], bytes], length: int) -> None:
    data = made(length)
    for size in (2**16, 2**23):
        whole, steps = inflated(gzip.compress(data, 1), size=size)
        assert whole == data
        assert max(steps) <= 2**20


def test_a_body_of_many_members_is_refused_without_looking_at_them_all() -> None:
    members = b"".join(gzip.compress(b"%d," % number, 1) for number in range(MOST_MEMBERS))
    assert inflated(members)[0].startswith(b"0,1,2,")
    with pytest.raises(InvalidRequest, match="members; compress it as one"):
        inflated(members + gzip.compress(b""))


def test_no_body_grows_beyond_the_limit() -> None:
    for body in (gzip.compress(bytes(LIMIT + 1)), gzip.compress(bytes(LIMIT)) + gzip.compress(b"1")):
        with pytest.raises(TooLarge):
            inflated(body)
    assert len(inflated(gzip.compress(bytes(LIMIT)))[0]) == LIMIT


@pytest.mark.parametrize("body", [b"plain", gzip.compress(b"a", mtime=0)[:-1], gzip.compress(b"a", mtime=0) + b"junk"])
def test_what_is_no_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        inflated(body)
