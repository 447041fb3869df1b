"""Who is measured: the collector, and what others offer. Each is a process of its own on loopback."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from string import Template

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Peer:
    """A running server.

    Attributes:
        addresses: By protocol: ``http`` and ``grpc``; the collector also has ``api``.
        directory: What it writes to; None if it keeps nothing.
    """

    name: str
    process: "subprocess.Popen[str]"
    addresses: Mapping[str, str]
    directory: Path | None = None

    def cpu_seconds(self) -> float:
        """Of the process and its children so far."""
        total = 0
        for pid in _family(self.process.pid):
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            total += sum(int(fields[index]) for index in (11, 12))
        return total / _TICKS

    def peak_rss_bytes(self) -> int:
        """The largest resident set so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def stored_bytes(self) -> int:
        """On disk; 0 if it keeps nothing."""
        if self.directory is None:
            return 0
        return sum(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [pid, *(member for child in children for member in _family(int(child)))]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a peer is started; `config` is written beside it, with its addresses filled in."""

    name: str
    command: tuple[str, ...]
    config: str = ""
    keeps: bool = False


_COLLECTOR = """
receivers: {otlp: {protocols: {grpc: {endpoint: "$grpc"}, http: {endpoint: "$http"}}}}
processors: {batch: {}}
exporters: {nop: }
service:
  telemetry: {logs: {level: error}, metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [nop]}}
"""
_JAEGER = """
receivers: {otlp: {protocols: {grpc: {endpoint: "$grpc"}, http: {endpoint: "$http"}}}}
processors: {batch: {}}
exporters: {jaeger_storage_exporter: {trace_storage: store}}
extensions: {jaeger_storage: {backends: {store: BACKEND}}}
service:
  extensions: [jaeger_storage]
  telemetry: {logs: {level: error}, metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter]}}
"""
_MEMORY = "{memory: {max_traces: 10000000}}"
_BADGER = '{badger: {directories: {keys: "$directory/keys", values: "$directory/values"}, ephemeral: false}}'


def recipes(jaeger: Path | None) -> Iterator[Recipe]:
    """Every peer that can be had here. `jaeger`: the binary, which is an OpenTelemetry Collector, too."""
    yield Recipe("otel-opto", (sys.executable, "-m", "collector", "collector"), keeps=True)
    rotel = find_spec("rotel")
    if rotel is not None and rotel.submodule_search_locations:
        agent = Path(rotel.submodule_search_locations[0]) / "rotel-agent"
        yield Recipe("rotel, blackhole", (str(agent), "start", "--exporter", "blackhole"))
    if jaeger is not None:
        yield Recipe("Collector, nop", (str(jaeger),), _COLLECTOR)
        yield Recipe("Jaeger, memory", (str(jaeger),), _JAEGER.replace("BACKEND", _MEMORY))
        yield Recipe("Jaeger, badger", (str(jaeger),), _JAEGER.replace("BACKEND", _BADGER), keeps=True)


@contextmanager
def running(recipe: Recipe, directory: Path) -> Iterator[Peer]:
    """A started peer; killed at the end, and what it kept deleted."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    at = {name: f"127.0.0.1:{_free_port()}" for name in ("grpc", "http", "api")}
    command = [*recipe.command]
    if recipe.name == "otel-opto":
        command += ["--data-dir", str(directory), "--otlp-grpc", at["grpc"], "--otlp-http", at["http"]]
        command += ["--api", at["api"], "--jaeger-storage", ""]
    elif recipe.config:
        config = directory.with_suffix(".yaml")
        config.write_text(Template(recipe.config).substitute(at, directory=directory), encoding="utf-8")
        command += ["--config", str(config)]
    else:
        command += ["--otlp-grpc-endpoint", at["grpc"], "--otlp-http-endpoint", at["http"]]
    with directory.with_suffix(".log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, text=True)
    try:
        for name in ("grpc", "http"):
            _wait_for(at[name], process)
        yield Peer(recipe.name, process, at, directory if recipe.keeps else None)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, process: "subprocess.Popen[str]") -> None:
    host, port = address.split(":")
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode} before it listened at {address}")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nothing listens at {address}")


def load(peer: Peer, protocol: str, **options: int) -> Mapping[str, float]:
    """Runs the load against a peer and returns what it printed."""
    arguments = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "benchmarks.ingest.load", protocol, peer.addresses[protocol], *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    printed: Mapping[str, float] = json.loads(done.stdout)
    return printed
