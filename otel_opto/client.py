"""The way to the collector: declares parameters, watches releases, acknowledges them. All in background threads."""

import atexit
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from otel_opto.cache import ReleaseCache
from otel_opto.registry import Registry
from otel_opto.release import Release
from otel_opto.signing import Unverified, Verifier
from otel_opto.spec import InvalidValue
from otel_opto.v1 import parameter_pb2, parameter_pb2_grpc, release_pb2, release_pb2_grpc
from otel_opto.wire import assignment_of, spec_to_proto

_LOG = logging.getLogger("otel_opto")
_FIRST_BACKOFF_SECONDS, _LAST_BACKOFF_SECONDS = 0.2, 10.0
_CALL_SECONDS = 5.0
_GATHER_SECONDS = 0.02
_AT_EXIT_SECONDS = 0.5
_MOST_ANSWERS = 1_000
CHANNEL_OPTIONS = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # gRPC's own reconnects wait longer and longer; ours decide.
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    # Otherwise every release is followed by a ping that measures the line, which costs a collector with a thousand
    # applications a quarter of all that a release costs it.
    ("grpc.http2.bdp_probe", 0),
)
"""Of the connection to the collector."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the collector is, and who asks.

    Attributes:
        address: HOST:PORT.
        secure: With TLS, checked against the authorities of `certificate`, else against the system's.
        headers: Sent with every call, for example ``authorization``.
    """

    address: str
    secure: bool
    service: str
    instance_id: str
    certificate: Path | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Client:
    """Keeps the registry at the collector's release while it lives. No method raises; only `wait` and `stop` block.

    Args:
        rng: Gives a number in [0, 1) for the jitter of reconnects.
        verifier: Where given, only what it verifies is applied.
    """

    def __init__(
        self,
        registry: Registry,
        target: Target,
        cache: ReleaseCache,
        rng: Callable[[], float] = random.random,
        verifier: Verifier | None = None,
    ) -> None:
        self._registry = registry
        self._target = target
        self._cache = cache
        self._rng = rng
        self._verifier = verifier
        self._stopping = threading.Event()
        self._answered = threading.Event()
        self._told = threading.Event()
        self._declared = threading.Event()
        self._undeclared = threading.Event()
        self._channel = self._connect()
        self._parameters = parameter_pb2_grpc.ParameterServiceStub(self._channel)
        self._releases = release_pb2_grpc.ReleaseServiceStub(self._channel)
        self._connected = False
        self._said: dict[int, str] = {}
        self._stream: Any = None  # a call that is an iterator too; grpc's types have no word for it
        self._threads = [
            threading.Thread(target=self._watch, name="otel-opto-watch", daemon=True),
            threading.Thread(target=self._declare, name="otel-opto-declare", daemon=True),
        ]

    def _connect(self) -> grpc.Channel:
        if self._target.secure:
            certificate = self._target.certificate
            credentials = grpc.ssl_channel_credentials(certificate.read_bytes() if certificate else None)
            return grpc.secure_channel(self._target.address, credentials, CHANNEL_OPTIONS)
        return grpc.insecure_channel(self._target.address, CHANNEL_OPTIONS)

    def start(self) -> None:
        """Takes what is on disk into force and begins; returns at once."""
        kept = self._cache.load()
        if kept is not None and not self._faults_of(kept.control):
            arms = [arm for arm in kept.arms if not self._faults_of(arm)]
            self._registry.apply(kept.assignment, [kept.control, *arms], confirmed=False)
            self._note_applied(kept.control)
        self._registry.on_declared(self._declare_anew)
        self._undeclared.set()
        atexit.register(self._end)
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> bool:
        """Returns once what the collector has in force is applied, or after that time; whether it has answered.

        What is declared by now has been declared by then.
        """
        deadline = time.monotonic() + seconds
        if not self._answered.wait(seconds):
            return False
        self._declared.wait(deadline - time.monotonic())
        rest = max(deadline - time.monotonic(), 0.0)
        asked = release_pb2.GetAssignmentRequest(service=self._target.service)
        try:
            found = self._releases.GetAssignment(asked, timeout=rest, metadata=self._target.headers)
        except grpc.RpcError:
            return True
        if found.HasField("assignment"):  # else nothing is released yet, and nothing comes
            self._told.wait(deadline - time.monotonic())
        return True

    def stop(self, seconds: float) -> None:
        """Ends the watch. What is in force stays in force."""
        atexit.unregister(self._end)
        self._registry.on_declared(None)
        self._stopping.set()
        self._undeclared.set()
        if self._stream is not None:
            self._stream.cancel()
        self._channel.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(seconds)

    def _watch(self) -> None:
        backoff, complained = _FIRST_BACKOFF_SECONDS, False
        while not self._stopping.is_set():
            try:
                self._follow()
            except grpc.RpcError as error:
                if self._connected:
                    complained, backoff = False, _FIRST_BACKOFF_SECONDS
                if not complained and not self._stopping.is_set():
                    _LOG.warning("no releases from %s, it is tried again: %s", self._target.address, _words(error))
                    complained = True
            except Exception:  # noqa: BLE001 - the thread must outlive whatever happens
                if self._stopping.is_set():
                    return
                _LOG.exception("watching releases failed, it is tried again")
            self._connected = False
            self._stopping.wait(backoff * (0.5 + self._rng()))
            backoff = min(backoff * 2, _LAST_BACKOFF_SECONDS)

    def _follow(self) -> None:
        """One stream to its end. A release from disk is not confirmed, so it is asked for again."""
        current = self._registry.current
        assignment = self._registry.assignment
        known = self._registry.confirmed and current is not None and assignment is not None
        request = release_pb2.WatchReleasesRequest(
            service=self._target.service,
            instance_id=self._target.instance_id,
            applied=current.number if known and current is not None else 0,
            revision=assignment.revision if known and assignment is not None else 0,
        )
        stream = self._releases.WatchReleases(request, metadata=self._target.headers)
        self._stream = stream
        if self._stopping.is_set():
            stream.cancel()
        stream.initial_metadata()  # waits for the answer
        self._connected = True
        self._undeclared.set()
        self._answered.set()
        for message in stream:
            self._apply(message)
            self._told.set()

    def _apply(self, message: release_pb2.WatchReleasesResponse) -> None:
        """The whole of what is in force or nothing of it; of an arm whose release does not fit, the control."""
        control = self._fitting(message.release)
        if control is None:
            return
        arms = [fitting for arm in message.arms if (fitting := self._fitting(arm)) is not None]
        self._registry.apply(assignment_of(message), [control, *arms], confirmed=True)
        self._note_applied(control)
        self._cache.store(message)
        for release in (control, *arms):
            self._acknowledge(release.number, "")

    def _fitting(self, message: release_pb2.Release) -> Release | None:
        """The release; None where it does not fit what is declared, which is answered and said."""
        try:
            release = Release.from_proto(message)
            faults = self._faults_of(release)
        except InvalidValue as error:
            faults = [str(error)]
        if not faults:
            return release
        if self._said.get(message.number) != "; ".join(faults):
            _LOG.error("release %d is refused and nothing of it applied: %s", message.number, "; ".join(faults))
        self._acknowledge(message.number, "; ".join(faults))
        return None

    def _faults_of(self, release: Release) -> list[str]:
        """Whoever is not entitled gets nothing looked at, and no check of the application run."""
        return self._unverified(release) or self._registry.faults_of(release)

    def _note_applied(self, control: Release) -> None:
        """From now on no control is applied that was signed before this one."""
        if self._verifier is not None:
            self._verifier.applied(self._verifier.check(control, control.envelope))

    def _unverified(self, release: Release) -> list[str]:
        """Why a release may not be applied where a public key is configured."""
        if self._verifier is None:
            return []
        try:
            self._verifier.check(release, release.envelope)
        except Unverified as error:
            return [f"release {release.number}: {error}"]
        return []

    def _acknowledge(self, number: int, error: str) -> None:
        """Answers once, however often an assignment names the release; but a refusal each time."""
        if not error and self._said.get(number) == error:
            return
        status = release_pb2.RELEASE_STATUS_FAILED if error else release_pb2.RELEASE_STATUS_APPLIED
        word = release_pb2.AcknowledgeReleaseRequest(
            service=self._target.service,
            instance_id=self._target.instance_id,
            release=number,
            status=status,
            error=error,
        )
        try:
            self._releases.AcknowledgeRelease(word, timeout=_CALL_SECONDS, metadata=self._target.headers)
        except grpc.RpcError as failure:
            _LOG.warning("release %d could not be acknowledged: %s", number, _words(failure))
            return
        self._said[number] = error
        if len(self._said) > _MOST_ANSWERS:
            del self._said[next(iter(self._said))]

    def _declare_anew(self) -> None:
        self._declared.clear()
        self._undeclared.set()

    def _end(self) -> None:
        """A program that ends at once has said what it declared, where there is a collector to hear it."""
        if self._connected:
            self._declared.wait(_AT_EXIT_SECONDS)

    def _declare(self) -> None:
        """Declares everything whenever something new was declared, or a collector was found."""
        while True:
            self._undeclared.wait()
            if self._stopping.wait(_GATHER_SECONDS):  # modules declare several parameters in a row
                return
            self._undeclared.clear()
            request = parameter_pb2.DeclareParametersRequest(
                service=self._target.service,
                instance_id=self._target.instance_id,
                parameters=[spec_to_proto(spec) for spec in self._registry.declarations()],
            )
            try:
                self._parameters.DeclareParameters(request, timeout=_CALL_SECONDS, metadata=self._target.headers)
                if not self._undeclared.is_set():
                    self._declared.set()
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                    self._declared.set()
                    _LOG.error("the collector refuses the declared parameters: %s", _words(error))
                elif self._connected and not self._stopping.wait(_FIRST_BACKOFF_SECONDS):
                    self._undeclared.set()
                # Otherwise there is no collector; the watch sets the event when it finds one.
            except ValueError:
                return  # the channel is closed


def _words(error: grpc.RpcError) -> str:
    code, details = getattr(error, "code", None), getattr(error, "details", None)
    return f"{code().name}: {details()}" if callable(code) and callable(details) else str(error)
