"""Declared parameters, in dictionaries."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

from collector.core.page import Page, PageRequest, cursor, key_of, page_of
from collector.core.parameter import check_amount
from otel_opto.spec import ParameterSpec


class MemoryParameters:
    """See `ParameterStore`. Not durable."""

    def __init__(self) -> None:
        self._of: defaultdict[str, dict[str, ParameterSpec]] = defaultdict(dict)

    async def declare(self, service: str, parameters: Sequence[ParameterSpec]) -> None:
        """See `ParameterStore`."""
        together = self._of[service] | {spec.key: spec for spec in parameters}
        check_amount(service, len(together), sum(map(_size, together.values())))
        self._of[service] = together

    async def of(self, service: str) -> Sequence[ParameterSpec]:
        """See `ParameterStore`."""
        return [spec for _, spec in sorted(self._of[service].items())]

    async def declared(self, service: str, page: PageRequest) -> Page[ParameterSpec]:
        """See `ParameterStore`."""
        (behind,) = key_of(page.cursor, "parameters", str) or ("",)
        rest = [spec for spec in await self.of(service) if spec.key > str(behind)]
        return page_of(rest, page.limit, lambda spec: spec, lambda spec: cursor("parameters", spec.key), _size)


def _size(spec: ParameterSpec) -> int:
    return len(json.dumps(asdict(spec), default=str))
