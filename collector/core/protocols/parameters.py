"""Declared parameters, and what applications say of releases."""

from collections.abc import Sequence
from typing import Protocol

from collector.core.page import Page, PageRequest
from collector.core.release import Acknowledgement
from otel_opto.spec import ParameterSpec


class ParameterStore(Protocol):
    """What the parameters of each service are, as its applications declared them last."""

    async def declare(self, service: str, parameters: Sequence[ParameterSpec]) -> None:
        """An upsert by key, all or none: a key that is missing stays as it is. Idempotent, durable on return.

        Raises:
            InvalidRequest: the service would have too many (`collector.core.parameter.check_amount`); none is kept.
        """
        ...

    async def of(self, service: str) -> Sequence[ParameterSpec]:
        """All, by key; () for an unknown service. No more than `check_amount` lets in."""
        ...

    async def declared(self, service: str, page: PageRequest) -> Page[ParameterSpec]:
        """The same a page at a time. Raises `InvalidRequest` for a cursor that is none."""
        ...


class AcknowledgementStore(Protocol):
    """What each instance of an application made of each release."""

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Keeps the last word of an instance (service and instance id) on a release. Idempotent, durable on return."""
        ...

    async def of(self, release: int, page: PageRequest) -> Page[Acknowledgement]:
        """On a release, by service and instance. Raises `InvalidRequest` for a cursor that is none."""
        ...
