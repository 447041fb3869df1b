"""The servers of a collector: which application is served where, who may call it, under which certificates."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import grpc
from google.protobuf import json_format
from google.rpc import code_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2
from starlette.types import ASGIApp, Scope

from collector.access.asgi import Guard
from collector.access.calling import Calling
from collector.access.grpc_guard import GrpcGuard
from collector.access.origins import Cors, OriginMatcher
from collector.access.same_origin import SameOrigin
from collector.access.table import Endpoint, HttpTable, RpcTable, rpcs
from collector.access.tokens import Access, Denied
from collector.api import grpc_services, http, rollout_grpc, rollout_http, rpc, service_http, study_http
from collector.api.attended import Attended
from collector.api.bodies import Bodies
from collector.api.bulletins import Bulletins
from collector.api.discoveries import Discoveries
from collector.api.doctor import Doctor
from collector.api.operations import Operations
from collector.api.rollouts import RolloutOperations
from collector.api.scopes import SCOPES
from collector.api.services import Services
from collector.core.errors import ConfigError
from collector.core.page import PageRequest
from collector.core.protocols import Clock
from collector.counters import Counter, Counters
from collector.jaeger import http as jaeger_http
from collector.jaeger import remote_storage
from collector.jaeger.reader import Reader
from collector.pipeline import Pipeline
from collector.process.config import Config, CorsConfig, TlsConfig
from collector.process.config.exposure import loopback
from collector.process.network.connections import Connections
from collector.process.network.descriptors import shared_out
from collector.process.network.grpc_gate import GrpcGate
from collector.process.network.listeners import GrpcListener, HttpListener, Tls
from collector.process.network.patience import HttpLimits
from collector.receiver import otlp_grpc, otlp_http
from collector.receiver.limits import Budget, ReceiverLimits
from collector.receiver.otlp_http import OtlpHttp
from collector.study.archive import Archive
from collector.ui import routes as page
from collector.ui.asking import Asking
from collector.ui.news import News, State
from collector.ui.sessions import Sessions, WithSession
from collector.ui.shell import Shell

_LOG = logging.getLogger(__name__)
_NEWS = (Counter.RECEIVER_ACCEPTED_SPANS, Counter.FEEDBACK_ACCEPTED, Counter.RELEASES_APPLIED, Counter.RELEASES_FAILED)
_OTLP_HEADERS = ("Content-Type", "Content-Encoding", "Authorization", "traceparent", "tracestate", "X-Requested-With")
_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]
_REFLECTION = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]
HEALTH_RPCS: RpcTable = {f"/{_HEALTH.full_name}/{method}": None for method in ("Check", "Watch")}
REFLECTION_RPCS = rpcs(_REFLECTION, {method.name: None for method in _REFLECTION.methods})
"""Both are open to everybody: they say what is served, and nothing of what is stored."""

Listener = GrpcListener | HttpListener


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a started collector listens, HOST:PORT each; empty where a server is off."""

    otlp_grpc: str
    otlp_http: str
    api: str
    jaeger_storage: str


@dataclass(frozen=True, slots=True)
class Served:
    """What the servers hand calls to."""

    pipeline: Pipeline
    operations: Operations
    rollouts: RolloutOperations
    archive: Archive
    services: Services
    doctor: Doctor
    discoveries: Discoveries
    bulletins: Bulletins
    reader: Reader
    clock: Clock
    counters: Counters
    limits: ReceiverLimits
    budget: Budget
    bodies: Bodies
    ready: Callable[[], bool]

    async def standing(self) -> State:
        """What of all that a page shows tells whether something has changed."""
        newest = (await self.rollouts.audit("", "", PageRequest(1))).items
        counts = self.operations.counters()
        return newest[0].sequence if newest else 0, tuple(counts[one.value] for one in _NEWS)


def json_endpoints(served: Served, access: Access) -> Sequence[Endpoint]:
    """All of the API that is JSON over HTTP, and who may ask for it."""
    return [
        *http.endpoints(served.operations, served.ready, served.bodies, access),
        *service_http.endpoints(served.services, served.operations, served.doctor, served.discoveries),
        *study_http.endpoints(served.operations, served.archive, access, served.bodies),
        *rollout_http.endpoints(served.rollouts, access, served.bodies),
        *jaeger_http.endpoints(served.reader, served.clock.now_unix_nano),
    ]


class Servers:
    """Binds on construction, so that a taken address is said before anything starts.

    Raises:
        ConfigError: an address cannot be bound, or a certificate cannot be used.
    """

    def __init__(self, config: Config, access: Access, served: Served) -> None:
        self._config = config
        self._access = access
        self._served = served
        self._listeners: list[Listener] = []
        self._news = News(served.standing, served.clock)
        limits = served.limits
        self._gate = GrpcGate(max(1, limits.max_in_flight_bytes // limits.max_message_bytes), served.counters)
        self._places = shared_out(
            {
                "otlp_grpc": config.receivers.otlp.protocols.grpc.max_connections,
                "otlp_http": config.receivers.otlp.protocols.http.max_connections,
                "api": config.api.max_connections,
                "jaeger_storage": config.jaeger.storage.max_connections if config.jaeger.storage.endpoint else 0,
            }
        )
        try:
            self.addresses = Addresses(
                self._otlp_over_grpc(), self._otlp_over_http(), self._api(), self._jaeger_storage()
            )
        except BaseException:
            for listener in self._listeners:
                listener.release()
            raise

    async def start(self) -> None:
        """Returns once all accept connections."""
        for listener in self._listeners:
            await listener.start()

    async def stop(self) -> None:
        """Finishes what is under way, on all ports at the same time."""
        self._news.close()
        await asyncio.gather(*(listener.stop() for listener in self._listeners))

    def _grpc_server(self, key: str, table: RpcTable) -> grpc.aio.Server:
        guard = GrpcGuard(self._access, {**table, **HEALTH_RPCS}, self._served.counters)
        options = otlp_grpc.server_options(self._served.limits, self._places[key])
        server = grpc.aio.server(options=options, interceptors=(guard, self._gate))
        serving = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(serving, server)
        return server

    def _otlp_over_grpc(self) -> str:
        served = self._served
        own = grpc_services.table(served.operations, served.rollouts, served.bulletins, self._access)
        api = [*own, *rollout_grpc.table(served.rollouts, self._access)]
        server = self._grpc_server("otlp_grpc", {**otlp_grpc.RPCS, **rpc.scopes(api)})
        server.add_generic_rpc_handlers(otlp_grpc.handlers(served.pipeline, served.counters, served.budget))
        server.add_generic_rpc_handlers(rpc.handlers(api, served.bodies))
        protocol = self._config.receivers.otlp.protocols.grpc
        return self._serve_grpc(server, protocol.endpoint, "receivers.otlp.protocols.grpc", protocol.tls)

    def _otlp_over_http(self) -> str:
        served = self._served
        protocol = self._config.receivers.otlp.protocols.http
        receiver: ASGIApp = OtlpHttp(served.pipeline, served.counters, served.limits, served.budget)
        at_once: Callable[[Scope], bool] = _every
        if not self._access.open:
            receiver = guard = Guard(receiver, self._access, otlp_http.listed, _otlp_refusal, served.counters)
            at_once = guard.allows
        receiver = _with_cors(receiver, protocol.cors)
        bounds = self._connections("otlp_http", at_once)
        return self._serve_http(receiver, protocol.endpoint, "receivers.otlp.protocols.http", protocol.tls, bounds)

    def _api(self) -> str:
        served, config = self._served, self._config
        table = HttpTable(json_endpoints(served, self._access))
        asking = Asking(self._guarded(http.app(table), table))
        sessions = Sessions(self._access, served.clock.now_unix_nano)
        shell = Shell(asking, self._access, sessions, SCOPES, config.jaeger.trace_url)
        whole = HttpTable([*table.endpoints, *page.endpoints(shell, self._news)])
        app: ASGIApp = self._guarded(Attended(http.app(whole)), whole)
        open_to_this_machine = self._access.open and loopback(config.api.endpoint.rpartition(":")[0])
        app = Calling(SameOrigin(WithSession(app, sessions), served.counters, loopback=open_to_this_machine))
        return self._serve_http(app, config.api.endpoint, "api", config.api.tls, self._connections("api", _none))

    def _guarded(self, app: ASGIApp, table: HttpTable) -> ASGIApp:
        if self._access.open:
            return app
        return Guard(app, self._access, table.listed, _api_refusal, self._served.counters)

    def _jaeger_storage(self) -> str:
        settings = self._config.jaeger.storage
        if not settings.endpoint:
            return ""
        server = self._grpc_server("jaeger_storage", {**remote_storage.RPCS, **REFLECTION_RPCS})
        remote_storage.add_to(server, self._served.reader)
        names = (*remote_storage.SERVICES, _HEALTH.full_name)
        reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
        try:
            return self._serve_grpc(server, settings.endpoint, "jaeger.storage", settings.tls)
        except ConfigError as error:
            if "endpoint" in settings.model_fields_set:
                raise
            _LOG.warning("Jaeger's remote storage API is not served: %s", error)
            return ""

    def _serve_grpc(self, server: grpc.aio.Server, endpoint: str, key: str, tls: TlsConfig) -> str:
        listener = GrpcListener(server, endpoint, f"{key}.endpoint", _tls(tls))
        self._listeners.append(listener)
        return listener.address

    def _connections(self, key: str, at_once: Callable[[Scope], bool]) -> Connections:
        limits = HttpLimits(max_connections=self._places[key])
        return Connections(limits, self._served.counters, self._served.budget, at_once)

    def _serve_http(self, app: ASGIApp, endpoint: str, key: str, tls: TlsConfig, connections: Connections) -> str:
        listener = HttpListener(app, endpoint, f"{key}.endpoint", connections, _tls(tls))
        self._listeners.append(listener)
        return listener.address


def _every(_: Scope) -> bool:
    return True


def _none(_: Scope) -> bool:
    return False


def _tls(config: TlsConfig) -> Tls | None:
    if config.cert_file is None or config.key_file is None:
        return None
    return Tls(config.cert_file, config.key_file, config.client_ca_file)


def _with_cors(app: ASGIApp, config: CorsConfig) -> ASGIApp:
    if not config.allowed_origins:
        return app
    headers = (*_OTLP_HEADERS, *config.allowed_headers)
    return Cors(app, OriginMatcher(config.allowed_origins), headers, config.max_age)


def _otlp_refusal(scope: Scope, denied: Denied) -> tuple[bytes, bytes]:
    """A ``google.rpc.Status`` in the request's encoding."""
    code = code_pb2.PERMISSION_DENIED if denied.authenticated else code_pb2.UNAUTHENTICATED
    status = status_pb2.Status(code=code, message=str(denied))
    as_json = any(name == b"content-type" and b"json" in value for name, value in scope["headers"])
    if as_json:
        return b"application/json", json_format.MessageToJson(status, indent=None).encode()
    return b"application/x-protobuf", status.SerializeToString()


def _api_refusal(_: Scope, denied: Denied) -> tuple[bytes, bytes]:
    return b"application/json", json.dumps({"error": str(denied)}).encode()
