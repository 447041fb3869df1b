"""An SDK of its own for each test, on captured spans and a real gRPC server."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from otel_opto.parameter import Parameter, spec_of
from otel_opto.setup import Sdk
from otel_opto.spec import Constraint
from otel_opto.testing import FakeReleaseServer, SpanCapture


@dataclass
class App:
    """An application under test."""

    sdk: Sdk
    capture: SpanCapture
    server: FakeReleaseServer
    cache: Path

    def connect(self, server: FakeReleaseServer | None = None, wait_seconds: float = 5.0) -> bool:
        return self.sdk.configure(
            service_name="shop",
            endpoint=(server or self.server).endpoint,
            cache_dir=self.cache,
            tracer_provider=self.capture.tracer_provider,
            logger_provider=self.capture.logger_provider,
            wait_seconds=wait_seconds,
        )

    def parameter(self, key: str, default: Any, **limits: Any) -> Parameter[Any]:
        return Parameter(spec_of(key, default, Constraint(**limits), "", trainable=True), default, self.sdk.pins)

    def publish(self, number: int, **values: Any) -> None:
        self.server.publish(number, {key.replace("__", "."): value for key, value in values.items()})
        self.server.wait_for_acknowledgement(number)

    def span(self, name: str = "request") -> Any:
        return self.capture.tracer_provider.get_tracer("tests").start_as_current_span(name)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with FakeReleaseServer() as server:
        made = App(Sdk(), SpanCapture(), server, tmp_path / "cache")
        yield made
        made.sdk.shutdown()
        made.capture.shutdown()
