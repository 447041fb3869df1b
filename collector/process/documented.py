"""The JSON API as documents tell it: its routes, with nobody behind them, and what is said of each."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from collector.access.described import Described
from collector.access.table import Endpoint
from collector.access.tokens import Access
from collector.api import http, rollout_http, service_http, study_http
from collector.api.openapi import described
from collector.api.openapi.document import openapi_document
from collector.api.rollouts import RolloutOperations
from collector.jaeger import described as jaeger_described
from collector.jaeger import http as jaeger_http

DESCRIBED: Mapping[str, Described] = {**described.DESCRIBED, **jaeger_described.DESCRIBED}


def routes() -> Sequence[Endpoint]:
    """What `collector.process.servers` serves, for who wants to know what there is. Nothing may be called."""
    nobody: Any = None
    operations: Any = RolloutOperations
    access = Access([])
    return [
        *http.endpoints(nobody, bool, nobody, access),
        *service_http.endpoints(nobody, nobody, nobody, nobody),
        *study_http.endpoints(nobody, nobody, access, nobody),
        *rollout_http.endpoints(operations, access, nobody),
        *jaeger_http.endpoints(nobody, int),
    ]


def api_document() -> Mapping[str, object]:
    """The OpenAPI document of this version."""
    return openapi_document(routes(), DESCRIBED, version("otel-opto"))
