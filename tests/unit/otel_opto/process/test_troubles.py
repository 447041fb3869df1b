"""A collector that is not there, or is none, or wants a token: one line that says what to do, and the truth."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.instrumentation.grpc import GrpcInstrumentorClient

from otel_opto.process.counters import Count
from otel_opto.testing import FakeReleaseServer
from tests.unit.otel_opto.conftest import App


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    with socket.socket() as found:  # bound and not listening: refused, and nobody else's meanwhile
        found.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{found.getsockname()[1]}"


@contextlib.contextmanager
def http() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.RequestHandlerClass.log_message = lambda *_: None  # type: ignore[method-assign,attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def refusing(code: grpc.StatusCode | None) -> Iterator[str]:
    class Guard(grpc.ServerInterceptor):
        def intercept_service(self, continuation: Any, details: Any) -> Any:
            def refuse(_: Any, context: Any) -> Any:
                context.abort(code, "no")

            return grpc.unary_unary_rpc_method_handler(refuse)

    server = grpc.server(ThreadPoolExecutor(2), interceptors=[Guard()] if code else [])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


@contextlib.contextmanager
def unknown_host() -> Iterator[str]:
    yield "no-such-host.invalid:4317"


PLACES: list[tuple[Callable[[], contextlib.AbstractContextManager[str]], str, str]] = [
    (nobody, "http", "nothing listens at"),
    (http, "http", "speaks HTTP, not gRPC"),
    (lambda: refusing(None), "http", "speaks gRPC but is no otel-opto collector"),
    (lambda: refusing(grpc.StatusCode.UNAUTHENTICATED), "http", "wants another token"),
    (lambda: refusing(grpc.StatusCode.PERMISSION_DENIED), "http", "lacks a scope"),
    (lambda: refusing(None), "https", "speaks no TLS"),
    (unknown_host, "http", "is not known"),
]


@pytest.mark.parametrize(("place", "scheme", "words"), PLACES, ids=[words for _, _, words in PLACES])
def test_what_is_wrong_is_said_in_one_line(
    app: App, caplog: pytest.LogCaptureFixture, place: Any, scheme: str, words: str
) -> None:
    with place() as address:
        answered = app.sdk.configure(
            service_name="shop",
            endpoint=f"{scheme}://{address}",
            cache_dir=app.cache,
            tracer_provider=app.capture.tracer_provider,
            wait_seconds=1.0,
        )
        assert not answered
        for _ in range(200):
            if app.sdk.counters.of(Count.CONNECTIONS_FAILED) >= 2:
                break
            threading.Event().wait(0.1)
        status = app.sdk.status()
        app.sdk.shutdown()
    (line,) = [message for message in caplog.messages if "releases" in message]
    assert words in line
    assert "endpoint=" in line
    assert (status.connected, status.configured, status.release) == (False, True, None)
    assert status.connections_failed >= 2
    assert [trouble for trouble in status.troubles if words in trouble]


def test_a_collector_that_comes_is_said_and_the_status_tells_it(app: App) -> None:
    assert app.connect()
    app.parameter("k", 1)
    app.publish(3, k=2)
    status = app.sdk.status()
    assert (status.connected, status.release, status.confirmed, status.parameters) == (True, 3, True, 1)
    assert (status.service, status.endpoint, status.troubles) == ("shop", app.server.endpoint, ())
    app.sdk.shutdown()
    assert not app.sdk.status().configured


def test_a_release_that_does_not_fit_is_counted(app: App) -> None:
    app.parameter("k", 1, maximum=3)
    app.connect()
    app.publish(3, k=9)
    assert app.sdk.status().releases_refused == 1


def test_an_address_that_is_none_is_one_line_without_a_traceback(app: App, caplog: pytest.LogCaptureFixture) -> None:
    assert not app.sdk.configure(
        service_name="s", endpoint="http://h:port", tracer_provider=app.capture.tracer_provider
    )
    assert "allowed is http://HOST:PORT" in caplog.text
    assert "Traceback" not in caplog.text
    assert app.parameter("k", 1).value == 1


def test_a_certificate_that_is_not_there_is_one_line(
    app: App, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(tmp_path / "none.pem"))
    with FakeReleaseServer() as server:
        address = server.endpoint.replace("http:", "https:")
        app.sdk.configure(service_name="s", endpoint=address, tracer_provider=app.capture.tracer_provider)
    assert "none.pem" in caplog.text
    assert "Traceback" not in caplog.text


def test_an_instrumentation_of_grpc_sees_nothing_of_ours(app: App) -> None:
    instrumentor = GrpcInstrumentorClient()
    instrumentor.instrument(tracer_provider=app.capture.tracer_provider)
    try:
        k = app.parameter("k", 1)
        assert app.connect()
        app.publish(3, k=2)
        assert k.value == 2
        app.sdk.shutdown()
        assert app.capture.spans() == ()
    finally:
        instrumentor.uninstrument()
