"""Which scope each call needs."""

from collector.access.tokens import Scope

_OPEN_PATHS = ("/readyz", "/healthz")
_INGESTING_ENDINGS = ("/feedback", "/parameters", "/acknowledgements", "/release")
"""Of paths that applications use: they send feedback, declare parameters, acknowledge, and ask for values."""

_METHODS = {
    "DeclareParameters": Scope.INGEST,
    "WatchReleases": Scope.INGEST,
    "AcknowledgeRelease": Scope.INGEST,
    "SubmitFeedback": Scope.INGEST,
    "Rollback": Scope.PUBLISH,
    "CreateStudy": Scope.PUBLISH,
    "StopStudy": Scope.PUBLISH,
}


def otlp_http(_: str, __: str) -> Scope | None:
    """Everything there is telemetry."""
    return Scope.INGEST


def api_http(method: str, path: str) -> Scope | None:
    """Of the JSON API and the Jaeger query API."""
    if path in _OPEN_PATHS:
        return None
    ingesting = path.endswith(_INGESTING_ENDINGS)
    if method in ("GET", "HEAD"):
        return Scope.INGEST if path.endswith("/release") else Scope.READ
    return Scope.INGEST if ingesting else Scope.PUBLISH


def grpc_method(method: str) -> Scope | None:
    """Of the gRPC services, by ``/package.Service/Method``."""
    if method.startswith("/opentelemetry.proto.collector."):
        return Scope.INGEST
    if method.startswith(("/grpc.health.v1.", "/grpc.reflection.")):
        return None
    return _METHODS.get(method.rpartition("/")[2], Scope.READ)
