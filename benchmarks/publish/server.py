"""The collector that is measured: a process of its own on loopback, which can be killed and brought back."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from collector.cli.client import ApiClient

_TICKS = os.sysconf("SC_CLK_TCK")
_STOP_SECONDS = 30


class Server:
    """``otel-opto collector`` with room for so many watchers.

    Args:
        directory: Its data; the log stands beside it.
        connections: How many watchers may be there at once.
    """

    def __init__(self, directory: Path, connections: int) -> None:
        self._directory = directory
        self._environment = {
            **os.environ,
            "OTEL_OPTO_RECEIVERS_OTLP_PROTOCOLS_GRPC_MAX_CONNECTIONS": str(connections),
        }
        self._addresses = dict.fromkeys(("otlp_grpc", "otlp_http", "api"), "127.0.0.1:0")
        self.start()

    def start(self) -> None:
        """Returns once it is ready; where it was before, if it was."""
        command = [sys.executable, "-m", "collector", "collector", "--data-dir", str(self._directory)]
        command += ["--jaeger-storage", ""]
        for name, address in self._addresses.items():
            command += [f"--{name.replace('_', '-')}", address]
        with self._directory.with_suffix(".log").open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=self._environment
            )
        assert self._process.stdout is not None
        ready = json.loads(self._process.stdout.readline())
        self._addresses = {name: ready[name] for name in self._addresses}
        self.api = ApiClient(f"http://{ready['api']}", token="")

    @property
    def grpc(self) -> str:
        """HOST:PORT of the watch."""
        return self._addresses["otlp_grpc"]

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait(_STOP_SECONDS)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that takes too long."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def cpu_seconds(self) -> float:
        """So far."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mib(self) -> float:
        """Now."""
        (line,) = (line for line in self._proc("status").splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text(encoding="utf-8")
