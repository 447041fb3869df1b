"""What the collector says of its own steps as spans: to whom they go is not known here."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from collector.core.span import SpanContext

Said = str | int | float | bool
"""The value of an attribute."""


class Noting(Protocol):
    """A span that goes on."""

    def note(self, name: str, value: Said) -> None:
        """Says more of it."""
        ...


class Tracing(Protocol):
    """Makes spans. Never blocks, never raises."""

    def span(
        self, name: str, attributes: Mapping[str, Said] | None = None, links: Sequence[SpanContext] = ()
    ) -> AbstractContextManager[Noting]:
        """One step, from entering to leaving, a child of the one around it; an error that leaves it is its status."""
        ...

    def is_own(self, body: bytes) -> bool:
        """Whether an export request holds spans that were made here: a span of it would come back in the next."""
        ...


class _Nothing:
    def note(self, name: str, value: Said) -> None:  # as `Noting` has it
        pass


_NOTHING = nullcontext(_Nothing())


class Untraced:
    """See `Tracing`; there is nobody to tell."""

    def span(
        self,
        name: str,  # noqa: ARG002 - as the Protocol has it
        attributes: Mapping[str, Said] | None = None,  # noqa: ARG002
        links: Sequence[SpanContext] = (),  # noqa: ARG002
    ) -> AbstractContextManager[Noting]:
        """See `Tracing`."""
        return _NOTHING

    def is_own(self, body: bytes) -> bool:  # noqa: ARG002
        """See `Tracing`."""
        return False


UNTRACED = Untraced()
