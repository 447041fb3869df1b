"""What of a request could not be kept as it came: counted, and the first of it in words."""

from dataclasses import dataclass

_MAX_SHOWN = 500


@dataclass(slots=True)
class Faults:
    """Of one request.

    Attributes:
        rejected: Spans or log records that are not kept. A stretch of bytes that is no item counts as one.
        repaired: Items, resources and scopes that are kept with a text replaced or a part left out.
        unreadable: Of those rejected, stretches that are no item.
        first: What was found first; it came from outside and may be long.
    """

    rejected: int = 0
    repaired: int = 0
    unreadable: int = 0
    first: str = ""

    def reject(self, what: str) -> None:
        """An item is not kept."""
        self.rejected += 1
        self.first = self.first or what[:_MAX_SHOWN]

    def skip(self, what: str) -> None:
        """Something that is no item, and may have held any number of them, is not kept."""
        self.unreadable += 1
        self.reject(what)

    def repair(self, what: str) -> None:
        """An item, a resource or a scope is kept, not quite as it came."""
        self.repaired += 1
        self.first = self.first or what[:_MAX_SHOWN]

    def add(self, other: "Faults") -> None:
        """Those of a further part of the request."""
        self.rejected += other.rejected
        self.repaired += other.repaired
        self.unreadable += other.unreadable
        self.first = self.first or other.first

    @property
    def message(self) -> str:
        """How many, and the first as the example; empty if there are none."""
        counts = [
            f"{count} {word}" for count, word in ((self.rejected, "rejected"), (self.repaired, "repaired")) if count
        ]
        return f"{', '.join(counts)}, the first: {self.first}" if counts else ""
