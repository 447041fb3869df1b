"""A collector in a process of its own, for tests."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from collector.cli.client import ApiClient, quoted

_TRIES = 20


class RunningCollector:
    """``otel-opto collector`` on a directory. `addresses` of an earlier one brings it back where it was."""

    def __init__(self, directory: Path, addresses: Mapping[str, str] | None = None, *extra: str) -> None:
        given = addresses or dict.fromkeys(("otlp_grpc", "otlp_http", "api"), "127.0.0.1:0")
        command = [sys.executable, "-m", "collector", "collector", "--data-dir", str(directory)]
        command += ["--otlp-grpc", given["otlp_grpc"], "--otlp-http", given["otlp_http"], "--api", given["api"]]
        command += ["--jaeger-storage", given.get("jaeger_storage", "127.0.0.1:0"), *extra]
        log = directory.parent / f"{directory.name}.log"
        self._errors = log.open("a", encoding="utf-8")
        # A port that was free a moment ago may be the near end of somebody's connection now; that passes.
        for _ in range(_TRIES if addresses else 1):
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._errors, text=True)
            assert self.process.stdout is not None
            said = self.process.stdout.readline()
            if said:
                break
            self.process.wait(20)
            self.process.stdout.close()
            time.sleep(0.5)
        else:
            self._errors.close()
            raise AssertionError(f"the collector does not start: {log.read_text(encoding='utf-8')[-2_000:]}")
        self.ready = json.loads(said)
        self.addresses = {name: self.ready[name] for name in ("otlp_grpc", "otlp_http", "api", "jaeger_storage")}
        self.grpc = f"http://{self.ready['otlp_grpc']}"
        self.http = f"http://{self.ready['otlp_http']}"
        self.api = f"http://{self.ready['api']}"
        self.client = ApiClient(self.api)

    def give_everybody(self, service: str, values: Mapping[str, object]) -> int:
        """A release that is everybody's at once, by a person's word; returns its number."""
        proposed = self.client.post(f"/v1/services/{quoted(service)}/releases", {"values": values})["number"]
        number: int = self.client.post(f"/v1/releases/{proposed}/rollback", {})["number"]
        return number

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is flushed."""
        self.process.kill()
        self._ended()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._errors.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def eventually(look: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `look` gives once it is true; fails after that time."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
