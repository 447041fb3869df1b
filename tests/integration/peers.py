"""The peers of the conformance tests, built by scripts/peers outside the tree."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def built() -> Path:
    """Where they are; skips the test where they are not."""
    done = subprocess.run([str(ROOT / "scripts" / "peers"), "--check"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(done.stderr.strip())
    return Path(done.stdout.strip())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def jaeger(config: str, directory: Path) -> Iterator[None]:
    """Jaeger, or the OpenTelemetry Collector that it is, with a configuration."""
    binary = built() / "bin" / "jaeger"
    file = directory / "jaeger.yaml"
    file.write_text(config, encoding="utf-8")
    with (directory / "jaeger.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen([str(binary), "--config", str(file)], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def telemetrygen(*arguments: str) -> None:
    """Runs it to its end."""
    subprocess.run(
        [str(built() / "bin" / "telemetrygen"), *arguments, "--rate", "0"], check=True, capture_output=True, timeout=60
    )


def javascript(protocol: str, url: str, compression: str, directory: Path) -> Mapping[str, Any]:
    """Exports a span and a log record with the official JavaScript exporters; returns the span's ids."""
    script = directory / "export.mjs"
    shutil.copy(ROOT / "tests" / "peers" / "javascript" / "export.mjs", script)
    modules = directory / "node_modules"
    if not modules.exists():
        modules.symlink_to(built() / "javascript" / "node_modules")
    done = subprocess.run(
        ["node", str(script), protocol, url, compression], capture_output=True, text=True, check=True, timeout=60
    )
    printed: Mapping[str, Any] = json.loads(done.stdout)
    return printed
