"""Export requests taken apart into their items and put together again, whatever is between them.

Both signals have one shape (trace.proto, logs.proto): in field 1 groups of one resource each, in them scopes in field
2, in them spans or log records in field 2. What else a group or a scope holds stays as it came, in its order.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from collector.core.errors import TooLarge
from collector.otlp.faults import Faults
from collector.otlp.fields import LEN, Bytes, Malformed, fields, len_field

MOST_PARTS = 2_000_000
"""Fields of requests, groups and scopes together. 64 MiB hold 1.3 million of the smallest real spans; what has more is
made of emptiness, and would cost minutes."""

_GROUPS, _SCOPES, _ITEMS = 1, 2, 2


class Part(NamedTuple):
    """Items under one resource and one scope.

    Attributes:
        group: The fields of the group beside its scopes; the same object for all scopes of a group.
        scope: The fields of the scope beside its items.
        items: Spans or log records.
    """

    group: bytes
    scope: bytes
    items: Sequence[bytes]


class _Walk:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._seen = 0

    def children(self, data: Bytes, number: int, what: str) -> tuple[bytes, list[Bytes]]:
        """The other fields of a message as they came, and the contents of one field; up to where they end or break."""
        others: list[Bytes] = []
        found: list[Bytes] = []
        wanted = number << 3 | LEN
        try:
            for tag, begin, content, end in fields(data):
                if tag == wanted:
                    found.append(data[content:end])
                else:
                    others.append(data[begin:end])
                self._seen += 1
                if self._seen > MOST_PARTS:
                    raise TooLarge(f"the request has more than {MOST_PARTS:,} groups and items; send smaller batches")
        except Malformed as error:
            self._faults.skip(f"{what}: {error}")
        return b"".join(others), found


def parts_of(body: bytes, faults: Faults) -> Iterator[Part]:
    """The items of a serialized request, in their order; those without any are passed over.

    Args:
        body: The request.
        faults: Takes the stretches that are no fields. What stands before one is given out.

    Raises:
        TooLarge: it has more parts than any real request.
    """
    walk = _Walk(faults)
    _, groups = walk.children(memoryview(body), _GROUPS, "the request")
    for number, group in enumerate(groups):
        head, scopes = walk.children(group, _SCOPES, f"resource group {number}")
        for scope in scopes:
            under, items = walk.children(scope, _ITEMS, f"a scope of resource group {number}")
            if items:
                yield Part(head, under, list(map(bytes, items)))


def request_of(parts: Iterable[Part]) -> bytes:
    """The serialized request of parts; those of one group come together in it."""
    return b"".join(
        len_field(_GROUPS, scopes[0].group + b"".join(len_field(_SCOPES, _scope_of(one)) for one in scopes))
        for _, of_group in groupby(parts, key=lambda one: id(one.group))
        for scopes in [list(of_group)]
    )


def _scope_of(part: Part) -> bytes:
    return part.scope + b"".join([len_field(_ITEMS, item) for item in part.items])


def split(parts: Iterable[Part], max_bytes: int, max_items: int) -> Iterator[list[Part]]:
    """The parts in lots of about that size, in order; an item larger than it comes in a lot of its own.

    A resource or scope whose items come in several lots is in each of them. Where it is large itself the lots are as
    large, so that all of them together are at most twice what came.
    """
    lot: list[Part] = []
    heads = size = count = 0
    for part in parts:
        known = bool(lot) and lot[-1].group is part.group
        head = len(part.scope) + (0 if known else len(part.group))
        if count and not known and heads + head > max_bytes:
            yield lot
            lot, heads, size, count = [], 0, 0, 0
        heads += head
        taken: list[bytes] = []
        for item in part.items:
            if count and (count >= max_items or size + len(item) > max(max_bytes, heads)):
                yield [*lot, part._replace(items=taken)] if taken else lot
                lot, heads, size, count, taken = [], len(part.group) + len(part.scope), 0, 0, []
            taken.append(item)
            size += len(item)
            count += 1
        lot.append(part._replace(items=taken))
    if lot:
        yield lot
