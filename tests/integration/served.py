"""Two replicas of one service behind each other, in one framework: ``python served.py FRAMEWORK SAMPLED``.

GET / reads k, has a release published that makes it another, calls the other replica, and reads k again. Both reads and
those of the other replica are answered; only the official instrumentations of frameworks and clients carry the trace.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

import otel_opto
from otel_opto.testing import FakeReleaseServer, SpanCapture

FRAMEWORK, SAMPLED = sys.argv[1], sys.argv[2] == "sampled"
REQUESTS = 5

captured = SpanCapture(
    TracerProvider(resource=Resource({"service.name": "web"}), sampler=ALWAYS_ON if SAMPLED else ALWAYS_OFF)
)
trace.set_tracer_provider(captured.tracer_provider)
HTTPXClientInstrumentor().instrument()
releases = FakeReleaseServer()
releases.publish(1, {"k": 1})
otel_opto.configure(endpoint=releases.endpoint, cache_dir=sys.argv[3], wait_seconds=20.0)
k = otel_opto.parameter("k", default=0)
numbers = iter(range(2, 1_000))
KEPT: list[Any] = []


def publish() -> None:
    """Another release is in force when it returns."""
    number = next(numbers)
    releases.publish(number, {"k": number})
    releases.wait_for_acknowledgement(number)
    while (current := otel_opto._sdk.registry.current) is None or current.number != number:
        time.sleep(0.005)


def one_request(ask: Callable[[], list[int]] | None) -> list[int]:
    """What is read in a request, and behind it."""
    if ask is None:
        return [k.value]
    if next(orders):  # the other replica reads first, every second time
        before = [k.value]
        publish()
        return [*before, *ask(), k.value]
    publish()
    return [*ask(), k.value]


orders = iter([True, False] * 1_000)


def wsgi(made: Any) -> str:
    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Threaded(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    server = make_server("127.0.0.1", 0, made, server_class=Threaded, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def get(address: str) -> list[int]:
    found: list[int] = httpx.get(address, timeout=60).json()
    return found


def flask() -> Callable[[], list[int]]:
    from flask import Flask
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    app = Flask("web")
    FlaskInstrumentor().instrument_app(app)
    app.add_url_rule("/", "first", lambda: json.dumps(one_request(lambda: get(f"{address}/second"))))
    app.add_url_rule("/second", "second", lambda: json.dumps(one_request(None)))
    address = wsgi(app)
    return lambda: asked(address)


def django() -> Callable[[], list[int]]:
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpRequest, JsonResponse
    from django.urls import path
    from opentelemetry.instrumentation.django import DjangoInstrumentor

    def first(request: HttpRequest) -> JsonResponse:
        return JsonResponse(one_request(lambda: get(f"{address}/second")), safe=False)

    def second(request: HttpRequest) -> JsonResponse:
        return JsonResponse(one_request(None), safe=False)

    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="for nobody", USE_TZ=True)
    globals()["urlpatterns"] = [path("", first), path("second", second)]
    DjangoInstrumentor().instrument()
    address = wsgi(get_wsgi_application())
    return lambda: asked(address)


def fastapi() -> Callable[[], list[int]]:
    import uvicorn
    from fastapi import FastAPI
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    app = FastAPI()
    FastAPIInstrumentor.instrument_app(app)

    @app.get("/")
    def first() -> list[int]:
        return one_request(lambda: get(f"{address}/second"))

    @app.get("/second")
    async def second() -> list[int]:
        return one_request(None)

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    return lambda: asked(address)


def grpc() -> Callable[[], list[int]]:
    import grpc as wire
    from opentelemetry.instrumentation.grpc import client_interceptor, server_interceptor
    from opentelemetry.instrumentation.grpc.grpcext import intercept_channel

    def served(ask: Callable[[], list[int]] | None) -> Any:
        handler = wire.unary_unary_rpc_method_handler(lambda _request, _context: json.dumps(one_request(ask)).encode())
        return wire.method_handlers_generic_handler("web", {"Ask": handler})

    def server(ask: Callable[[], list[int]] | None) -> Any:
        made = wire.server(ThreadPoolExecutor(4), handlers=[served(ask)], interceptors=[server_interceptor()])
        port = made.add_insecure_port("127.0.0.1:0")
        made.start()
        KEPT.append(made)
        channel = wire.insecure_channel(f"127.0.0.1:{port}")
        KEPT.append(channel)
        return channel

    def call(channel: Any) -> list[int]:
        found: list[int] = json.loads(channel.unary_unary("/web/Ask")(b"", timeout=60))
        return found

    second = server(None)
    first = server(lambda: call(intercept_channel(second, client_interceptor())))
    return lambda: call(first)


def celery() -> Callable[[], list[int]]:
    from celery import Celery
    from celery.contrib.testing.worker import start_worker
    from opentelemetry.instrumentation.celery import CeleryInstrumentor

    app = Celery("web", broker="memory://", backend="cache+memory://")
    CeleryInstrumentor().instrument()

    @app.task(name="second")
    def second() -> list[int]:
        return one_request(None)

    def first() -> list[int]:
        with trace.get_tracer("the producer").start_as_current_span("order"):
            return one_request(lambda: second.delay().get(timeout=20))

    worker = start_worker(app, pool="solo", perform_ping_check=False, loglevel="ERROR")
    worker.__enter__()
    KEPT.append(worker)
    return first


def asked(address: str) -> list[int]:
    """From outside, by a client that knows nothing of traces."""
    import urllib.request

    with urllib.request.urlopen(address, timeout=60) as answer:
        found: list[int] = json.loads(answer.read())
        return found


ask = {"flask": flask, "django": django, "fastapi": fastapi, "grpc": grpc, "celery": celery}[FRAMEWORK]()
read = [ask() for _ in range(REQUESTS)]
on_spans = [
    {span.attributes.get("opto.release") for span in captured.spans() if span.context.trace_id == trace_id}
    for trace_id in dict.fromkeys(span.context.trace_id for span in captured.spans())
]
sys.stdout.write(json.dumps({"read": read, "on_spans": [sorted(map(str, one)) for one in on_spans]}) + "\n")
sys.stdout.flush()
os._exit(0)  # servers and workers are not waited for
