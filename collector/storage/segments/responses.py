"""Which requests of a segment name an answer of a model: read off their bodies when somebody asks, and kept then.

Nobody pays for it who has no feedback by response id. A sealed segment's list lies in a file beside it: a header, then
the digests in rising order, then the offsets of the bodies, each in eight bytes.
"""

import contextlib
import os
import struct
import threading
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from xxhash import xxh3_64_intdigest

from collector.otlp.responses import digest_of, response_ids_in

Requests: TypeAlias = Callable[[int], Iterable[tuple[int, bytes]]]
"""Gives the offsets and bodies of all requests of spans behind an offset, in order."""

_HEADER = struct.Struct("<8s8sQQQ")
"""Magic, identity of the segment file, its length, count, XXH3 of the rest."""

_MAGIC = b"OPTORSP1"
_NUMBER_BYTES = 8


@dataclass(frozen=True, slots=True)
class _Saved:
    """A list in a file that was whole when it was looked at."""

    path: Path
    count: int

    def offsets(self, wanted: Iterable[bytes]) -> dict[bytes, list[int]]:
        """Raises OSError where the file has gone or is shorter than it was."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return {digest: self._of(descriptor, digest) for digest in wanted}
        finally:
            os.close(descriptor)

    def _of(self, descriptor: int, wanted: bytes) -> list[int]:
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            if self._at(descriptor, middle) < wanted:
                low = middle + 1
            else:
                high = middle
        found = []
        while low < self.count and self._at(descriptor, low) == wanted:
            found.append(int.from_bytes(self._at(descriptor, self.count + low), "big"))
            low += 1
        return found

    def _at(self, descriptor: int, index: int) -> bytes:
        number = os.pread(descriptor, _NUMBER_BYTES, _HEADER.size + index * _NUMBER_BYTES)
        if len(number) < _NUMBER_BYTES:
            raise OSError("the file was cut short")
        return number


class ResponseIndex:
    """The list of one segment. Used from several threads.

    Args:
        path: Of its file.
        identity: Of the segment file.
    """

    def __init__(self, path: Path, identity: bytes) -> None:
        self.path = path
        self._identity = identity.ljust(8, b"\0")[:8]
        self._lock = threading.Lock()
        self._saved: _Saved | None = None
        self._digests, self._offsets = array("Q"), array("Q")
        self._upto = -1

    def offsets(
        self, response_ids: Collection[str], requests: Requests, sealed_bytes: int
    ) -> Mapping[str, Sequence[int]]:
        """By answer, where the bodies begin that may name it, in the order of their coming.

        Args:
            response_ids: Of the answers.
            requests: Of the segment. What it raises is raised here; what was read until then stays read.
            sealed_bytes: The length of the segment file if nothing is appended to it any more, else 0.
        """
        digests = {response_id: digest_of(response_id) for response_id in response_ids}
        with self._lock:
            found = self._found(set(digests.values()), requests, sealed_bytes)
        return {response_id: found[digest] for response_id, digest in digests.items() if digest in found}

    def _found(self, wanted: Collection[bytes], requests: Requests, sealed_bytes: int) -> dict[bytes, list[int]]:
        if self._saved is None and sealed_bytes:
            self._saved = self._load(sealed_bytes)
        if self._saved is not None:
            with contextlib.suppress(OSError):
                return self._saved.offsets(wanted)
            self._saved = None
        for offset, body in requests(self._upto):
            for named in response_ids_in(body):
                self._digests.append(int.from_bytes(digest_of(named), "big"))
                self._offsets.append(offset)
            self._upto = offset
        found: dict[bytes, list[int]] = {}
        numbers = {int.from_bytes(digest, "big"): digest for digest in wanted}
        for known, offset in zip(self._digests, self._offsets, strict=True):
            if known in numbers:
                found.setdefault(numbers[known], []).append(offset)
        if sealed_bytes:
            self._save(sealed_bytes)
        return found

    def _save(self, sealed_bytes: int) -> None:
        pairs = sorted(zip(self._digests, self._offsets, strict=True))
        numbers = [*(digest for digest, _ in pairs), *(offset for _, offset in pairs)]
        content = b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in numbers)
        header = _HEADER.pack(_MAGIC, self._identity, sealed_bytes, len(pairs), xxh3_64_intdigest(content))
        unfinished = self.path.with_suffix(".unfinished-responses")
        with contextlib.suppress(OSError):  # it stays in memory, and is made again after the next start
            unfinished.write_bytes(header + content)
            unfinished.replace(self.path)
            self._saved = self._load(sealed_bytes)
            if self._saved is not None:
                self._digests, self._offsets, self._upto = array("Q"), array("Q"), -1

    def _load(self, sealed_bytes: int) -> _Saved | None:
        """None where the file is not there, not whole or another segment's."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        if len(content) < _HEADER.size:
            return None
        magic, identity, size, count, checksum = _HEADER.unpack_from(content)
        fits = (magic, identity, size) == (_MAGIC, self._identity, sealed_bytes)
        rest = memoryview(content)[_HEADER.size :]
        if not fits or len(rest) != 2 * _NUMBER_BYTES * count or checksum != xxh3_64_intdigest(rest):
            return None
        return _Saved(self.path, count)
