"""The list of a segment's answers: made when it is asked for, kept, and made again where it was damaged."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.storage.segments.responses import Requests, ResponseIndex
from tests import samples

IDENTITY = b"12345678"
BODIES = {
    10 * number: samples.traces_request([samples.span(number, 1, values={"gen_ai.response.id": f"r{number % 3}"})])
    for number in range(1, 8)
}


def of(index: ResponseIndex, response_id: str, requests: Requests, sealed_bytes: int) -> list[int]:
    return list(index.offsets([response_id, "another"], requests, sealed_bytes).get(response_id, ()))


class Reading:
    """The requests of a segment, and which of them were read."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def requests(self, behind: int) -> Iterator[tuple[int, bytes]]:
        for offset, body in BODIES.items():
            if offset > behind:
                self.read.append(offset)
                yield offset, body


def test_a_growing_segment_is_read_on_and_never_twice(tmp_path: Path) -> None:
    index, reading = ResponseIndex(tmp_path / "list", IDENTITY), Reading()
    assert of(index, "r1", reading.requests, 0) == [10, 40, 70]
    assert of(index, "r0", reading.requests, 0) == [30, 60]
    assert of(index, "none", reading.requests, 0) == []
    assert reading.read == list(BODIES)
    assert not (tmp_path / "list").exists()


def test_a_sealed_segment_keeps_its_list_in_a_file(tmp_path: Path) -> None:
    first, reading = ResponseIndex(tmp_path / "list", IDENTITY), Reading()
    for index in (first, first, ResponseIndex(tmp_path / "list", IDENTITY)):
        assert [of(index, f"r{n}", reading.requests, 99) for n in (0, 1, 2, 3)] == [
            [30, 60],
            [10, 40, 70],
            [20, 50],
            [],
        ]
    assert reading.read == list(BODIES)


def test_what_was_read_when_time_was_over_stays_read(tmp_path: Path) -> None:
    index, reading = ResponseIndex(tmp_path / "list", IDENTITY), Reading()

    def impatient(behind: int) -> Iterator[tuple[int, bytes]]:
        for offset, body in reading.requests(behind):
            if offset > 30 and not reading.read.count(offset) > 1:
                raise TimeoutError
            yield offset, body

    for _ in range(4):
        with pytest.raises(TimeoutError):
            of(index, "r1", impatient, 99)
    assert of(index, "r1", impatient, 99) == [10, 40, 70]
    assert reading.read.count(10) == 1


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "empty", "foreign"])
def test_a_damaged_list_is_made_again(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "list"
    of(ResponseIndex(path, IDENTITY), "r1", Reading().requests, 99)
    whole = path.read_bytes()
    if damage == "flip":
        path.write_bytes(whole[:45] + bytes([whole[45] ^ 1]) + whole[46:])
    elif damage in ("cut", "empty"):
        path.write_bytes(whole[:50] if damage == "cut" else b"")
    elif damage == "gone":
        path.unlink()
    reading = Reading()
    identity, size = (b"another", 99) if damage == "foreign" else (IDENTITY, 99)
    assert of(ResponseIndex(path, identity), "r1", reading.requests, size) == [10, 40, 70]
    assert reading.read == list(BODIES)


def test_a_list_that_is_lost_while_it_is_used_is_made_again(tmp_path: Path) -> None:
    index, reading = ResponseIndex(tmp_path / "list", IDENTITY), Reading()
    assert of(index, "r1", reading.requests, 99) == [10, 40, 70]
    (tmp_path / "list").write_bytes((tmp_path / "list").read_bytes()[:44])
    assert of(index, "r1", reading.requests, 99) == [10, 40, 70]
    (tmp_path / "list").unlink()
    assert of(index, "r2", reading.requests, 99) == [20, 50]
    assert reading.read == list(BODIES) * 3
