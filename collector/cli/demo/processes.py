"""The two processes of the demo: a collector and the example application."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from collector.cli.demo.examples import APPLICATION, Question
from collector.core.errors import CollectorError

_STOP_SECONDS = 10.0
_DYING_SECONDS = 5.0


class DemoFailed(CollectorError):
    """A process of the demo did not do its part; the text names its log."""


class _Process:
    """A child process that says in one JSON line on standard output where it can be reached."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._name = name
        self._environment = {**os.environ, **environment}
        self._log = log
        self._process, self.ready = self._started(command)

    def _started(self, command: Sequence[str]) -> tuple[subprocess.Popen[str], Mapping[str, Any]]:
        with self._log.open("a", encoding="utf-8") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                text=True,
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait()
            process.stdout.close()
            raise DemoFailed(
                f"the {self._name} ended with code {process.returncode} before it was ready; see {self._log}"
            )
        return process, json.loads(line)

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        return self._process.pid

    def stop(self) -> None:
        """Asks it to end and waits; kills it if it takes too long. Safe twice."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class CollectorProcess(_Process):
    """``otel-opto collector`` on free loopback ports."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        free = dict.fromkeys(("otlp_grpc", "otlp_http", "api"), "127.0.0.1:0")
        super().__init__("collector", self._command(free), {}, directory / "collector.log")
        self.otlp_grpc: str = self.ready["otlp_grpc"]
        self.api: str = f"http://{self.ready['api']}"

    def _command(self, addresses: Mapping[str, str]) -> Sequence[str]:
        command = [sys.executable, "-m", "collector", "collector", "--data-dir", str(self._directory)]
        command += ["--otlp-grpc", addresses["otlp_grpc"], "--otlp-http", addresses["otlp_http"]]
        return [*command, "--api", addresses["api"]]

    def start_again(self) -> bool:
        """Starts it where it was, on what it kept, if it has died; False if it lives.

        Who dies closes its connections a moment before it is seen to have died.
        """
        try:
            self._process.wait(_DYING_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process, self.ready = self._started(self._command(self.ready))
        return True


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application answers, and how its evaluator judged it."""

    answer: str
    score: float
    trace_id: str
    release: int | None


class Application(_Process):
    """The example application."""

    def __init__(self, examples: Path, directory: Path, otlp_grpc: str) -> None:
        command = [sys.executable, "-m", APPLICATION, "--port", "0", "--endpoint", f"http://{otlp_grpc}"]
        command += ["--cache-dir", str(directory / "application-cache")]
        path = os.pathsep.join([str(examples), *filter(None, [os.environ.get("PYTHONPATH")])])
        super().__init__("application", command, {"PYTHONPATH": path}, directory / "application.log")
        self.address: str = self.ready["http"]
        self._connection = http.client.HTTPConnection(self.address, timeout=30)

    def stop(self) -> None:
        """Ends it; what is in its telemetry queues is sent first."""
        self._connection.close()
        super().stop()

    def ask(self, question: Question, split: str, user: str = "") -> Answer:
        """Asks a labelled question, in the name of a user if there is one."""
        named = {"user": user} if user else {}
        document = self._call("POST", "/ask", {"question_id": question.id, "split": split, **named})
        return Answer(document["answer"], document["score"], document["trace_id"], document["release"])

    def mean_score(self, questions: Sequence[Question], split: str) -> float:
        """Asks all of them; the mean of the evaluator's scores."""
        return sum(self.ask(question, split).score for question in questions) / len(questions)

    def release(self) -> int | None:
        """The release that it has in force."""
        number: int | None = self._call("GET", "/status")["release"]
        return number

    def wait_for_release(self, number: int, seconds: float = 10.0) -> None:
        """Returns once it has that release in force.

        Raises:
            DemoFailed: it has not after that time.
        """
        deadline = time.monotonic() + seconds
        while self.release() != number:
            if time.monotonic() > deadline:
                raise DemoFailed(f"the application did not apply release {number} in {seconds:g} s; see {self._log}")
            time.sleep(0.01)

    def _call(self, method: str, path: str, document: Mapping[str, object] | None = None) -> Any:
        body = None if document is None else json.dumps(document)
        with contextlib.suppress(http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            return self._once(method, path, body)
        self._connection.close()  # an idle connection that the other side has closed: once more on a new one
        return self._once(method, path, body)

    def _once(self, method: str, path: str, body: str | None) -> Any:
        self._connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != http.client.OK:
            raise DemoFailed(f"the application answered {answer.status} to {method} {path}: {text}; see {self._log}")
        return json.loads(text)
