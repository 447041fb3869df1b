"""What is served and who may ask for it, in one place: routes of HTTP and methods of gRPC with their scopes.

The servers are made from these tables, and the guards in front of them ask the same ones: what stands in none of them
is refused.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope as AsgiScope

from collector.access.paths import NameRoute
from collector.access.tokens import Scope
from collector.core.errors import InvalidRequest

Handler = Callable[[Request], Awaitable[Response]]
RpcTable = Mapping[str, Scope | None]
"""By ``/package.Service/Method``: the scope that it needs, None where it is open to everybody."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path. What is served to GET is served to HEAD.

    Attributes:
        method: GET, POST, PUT.
        path: With ``{names}``, each of which is one segment.
        handler: Answers.
        scope: What a token has to allow; None: it is open to everybody.
    """

    method: str
    path: str
    handler: Handler
    scope: Scope | None


@dataclass(frozen=True, slots=True)
class Listed:
    """That something stands in a table, and the scope that it needs; None: it is open to everybody."""

    scope: Scope | None


ListedFor = Callable[[AsgiScope], Listed | None]
"""What a request of HTTP needs; None where nothing serves it."""


class HttpTable:
    """The routes of one server."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self.endpoints = tuple(endpoints)
        self.routes = tuple(NameRoute(one.path, one.handler, methods=[one.method]) for one in endpoints)

    def listed(self, scope: AsgiScope) -> Listed | None:
        """The scope of the endpoint that will serve a request; None for paths and methods that nothing serves."""
        try:
            for endpoint, route in zip(self.endpoints, self.routes, strict=True):
                if route.matches(scope)[0] is Match.FULL:
                    return Listed(endpoint.scope)
        except InvalidRequest:  # a segment that is no name: whoever may ask is told
            return None
        return None


def rpcs(service: ServiceDescriptor, scopes: Mapping[str, Scope | None]) -> RpcTable:
    """The rows of one service.

    Raises:
        ValueError: a method of the service has no row, or a row no method.
    """
    named = {method.name for method in service.methods}
    if named != scopes.keys():
        raise ValueError(f"{service.full_name}: methods {sorted(named)}, but scopes for {sorted(scopes)}")
    return {f"/{service.full_name}/{method}": scope for method, scope in scopes.items()}
