"""The way to the collector: declares parameters, watches releases, acknowledges them. All in background threads."""

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import grpc

from otel_opto.cache import ReleaseCache
from otel_opto.process.counters import Count, Counters
from otel_opto.process.line import Line, Target
from otel_opto.process.notices import Notices
from otel_opto.process.trouble import explained
from otel_opto.registry import Registry
from otel_opto.release import Release
from otel_opto.signing import Unverified, Verifier
from otel_opto.spec import InvalidValue
from otel_opto.v1 import parameter_pb2, release_pb2
from otel_opto.wire import assignment_of, spec_to_proto

_LOG = logging.getLogger("otel_opto")
_FIRST_BACKOFF_SECONDS, _LAST_BACKOFF_SECONDS = 0.2, 10.0
_CALL_SECONDS = 5.0
_GATHER_SECONDS = 0.02
_BEFORE_FORK_SECONDS = 2.0
_AFTER_FORK_SECONDS = 0.2
_MOST_ANSWERS = 1_000


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
        *,
        counters: Counters | None = None,
        notices: Notices | None = None,
    ) -> None:
        self._registry = registry
        self._target = target
        self._cache = cache
        self._rng = rng
        self._verifier = verifier
        self._counters = counters or Counters()
        self._notices = notices or Notices()
        self._line: Line | None = None
        self._of_parents: list[Line | None] = []
        self._forks = 0
        self._renew()

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._answered = threading.Event()
        self._told = threading.Event()
        self._declared = threading.Event()
        self._undeclared = threading.Event()
        self._undeclared.set()
        self._said: dict[int, str] = {}
        self.connected = False
        """Whether the collector is there now."""

    def start(self) -> None:
        """Takes what is on disk into force and begins; returns at once."""
        kept = self._cache.load()
        if kept is not None and not self._faults_of(kept.control):
            arms = [arm for arm in kept.arms if not self._faults_of(arm)]
            self._registry.apply(kept.assignment, [kept.control, *arms], confirmed=False)
            self._note_applied(kept.control)
        self._registry.on_declared(self._declare_anew)
        self._open()

    def _open(self) -> None:
        with self._lock:
            if self._line is None and not self._stopped.is_set():
                line = self._line = Line(self._target)
                line.begin(
                    threading.Thread(target=self._watch, args=(line,), name="otel-opto-watch", daemon=True),
                    threading.Thread(target=self._declare, args=(line,), name="otel-opto-declare", daemon=True),
                )

    def _close(self, seconds: float) -> None:
        with self._lock:
            line, self._line = self._line, None
        self.connected = False
        if line is not None:
            line.stop()
            self._undeclared.set()
            line.join(seconds)

    def before_fork(self) -> None:
        """Ends the connection: nothing of gRPC may run while the process is forked, and nothing may be shared."""
        self._close(_BEFORE_FORK_SECONDS)

    def after_fork(self, *, child: bool) -> None:
        """Connects again, a moment after the last fork: who forks one child often forks more, and a child may become
        another program first. A child is an instance of its own."""
        if self._stopped.is_set():
            return
        self._forks += 1
        if not child:
            self._undeclared.set()
            self._begin_soon()
            return
        self._of_parents.append(self._line)  # a fork in C left it open; whoever collects it closes the parent's
        self._line = None
        self._target = replace(self._target, instance_id=str(uuid.uuid4()))
        self._renew()
        self._begin_soon()

    def _begin_soon(self) -> None:
        waiting = threading.Thread(
            target=self._open_soon, args=(self._stopped, self._forks), name="otel-opto-fork", daemon=True
        )
        waiting.start()

    def _open_soon(self, stopped: threading.Event, forks: int) -> None:
        if not stopped.wait(_AFTER_FORK_SECONDS) and forks == self._forks:
            with suppress(RuntimeError):  # the process ends: no thread can begin any more
                self._open()

    def wait(self, seconds: float) -> bool:
        """Returns once what the collector has in force is applied, or after that time; whether it has answered.

        What is declared by now has been declared by then.
        """
        deadline = time.monotonic() + seconds
        if not self._answered.wait(seconds):
            return False
        self._declared.wait(deadline - time.monotonic())
        rest = max(deadline - time.monotonic(), 0.0)
        asked, line = release_pb2.GetAssignmentRequest(service=self._target.service), self._line
        try:
            if line is None:
                return True
            found = line.releases.GetAssignment(asked, timeout=rest, metadata=self._target.headers)
        except (grpc.RpcError, ValueError):  # the latter from a channel that is closed meanwhile
            return True
        if found.HasField("assignment"):  # else nothing is released yet, and nothing comes
            self._told.wait(deadline - time.monotonic())
        return True

    def stop(self, seconds: float) -> None:
        """Ends the watch. What is in force stays in force."""
        self._registry.on_declared(None)
        self._stopped.set()
        self._close(seconds)

    def _watch(self, line: Line) -> None:
        backoff = _FIRST_BACKOFF_SECONDS
        while not line.stopping.is_set():
            try:
                self._follow(line)
            except grpc.RpcError as error:
                if self.connected:
                    backoff = _FIRST_BACKOFF_SECONDS
                if not line.stopping.is_set():
                    self._complain(error)
            except Exception:  # noqa: BLE001 - the thread must outlive whatever happens
                if line.stopping.is_set():
                    return
                _LOG.exception("watching releases failed, it is tried again")
            self.connected = False
            line.stopping.wait(backoff * (0.5 + self._rng()))
            backoff = min(backoff * 2, _LAST_BACKOFF_SECONDS)

    def _complain(self, error: grpc.RpcError) -> None:
        self._counters.add(Count.CONNECTIONS_FAILED)
        words = explained(error, self._target.address)
        self._notices.say("releases", f"no releases ({self._target.origin}), it is tried again: {words}")

    def _follow(self, line: Line) -> None:
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
        stream = line.releases.WatchReleases(request, metadata=self._target.headers)
        line.stream = stream
        if line.stopping.is_set():
            stream.cancel()
        stream.initial_metadata()  # waits for the answer, and returns where there is none, too
        if stream.is_active():
            self._found()
        for message in stream:
            self._found()
            self._apply(line, message)
            self._told.set()

    def _found(self) -> None:
        """The collector has answered."""
        if not self.connected:
            self.connected = True
            self._undeclared.set()
            self._answered.set()
            self._notices.over("releases", f"{self._target.address} answers: releases come again")

    def _apply(self, line: Line, message: release_pb2.WatchReleasesResponse) -> None:
        """The whole of what is in force or nothing of it; of an arm whose release does not fit, the control."""
        control = self._fitting(line, message.release)
        if control is None:
            return
        arms = [fitting for arm in message.arms if (fitting := self._fitting(line, arm)) is not None]
        self._registry.apply(assignment_of(message), [control, *arms], confirmed=True)
        self._note_applied(control)
        self._cache.store(message)
        for release in (control, *arms):
            self._acknowledge(line, release.number, "")

    def _fitting(self, line: Line, message: release_pb2.Release) -> Release | None:
        """The release; None where it does not fit what is declared, which is answered and said."""
        try:
            release = Release.from_proto(message)
            faults = self._faults_of(release)
        except InvalidValue as error:
            faults = [str(error)]
        if not faults:
            return release
        if self._said.get(message.number) != "; ".join(faults):
            self._counters.add(Count.RELEASES_REFUSED)
            _LOG.error("release %d is refused and nothing of it applied: %s", message.number, "; ".join(faults))
        self._acknowledge(line, message.number, "; ".join(faults))
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

    def _acknowledge(self, line: Line, number: int, error: str) -> None:
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
            line.releases.AcknowledgeRelease(word, timeout=_CALL_SECONDS, metadata=self._target.headers)
        except grpc.RpcError as failure:
            if not line.stopping.is_set():
                words = explained(failure, self._target.address)
                self._notices.say("acknowledgement", f"release {number} could not be acknowledged: {words}")
            return
        self._said[number] = error
        if len(self._said) > _MOST_ANSWERS:
            del self._said[next(iter(self._said))]

    def _declare_anew(self) -> None:
        self._declared.clear()
        self._undeclared.set()

    def settle(self, seconds: float) -> None:
        """Waits so long at most until what is declared has been said, where there is a collector to hear it."""
        if self.connected:
            self._declared.wait(seconds)

    def _declare(self, line: Line) -> None:
        """Declares everything whenever something new was declared, or a collector was found."""
        while True:
            self._undeclared.wait()
            if line.stopping.wait(_GATHER_SECONDS):  # modules declare several parameters in a row
                return
            self._undeclared.clear()
            request = parameter_pb2.DeclareParametersRequest(
                service=self._target.service,
                instance_id=self._target.instance_id,
                parameters=[spec_to_proto(spec) for spec in self._registry.declarations()],
            )
            try:
                line.parameters.DeclareParameters(request, timeout=_CALL_SECONDS, metadata=self._target.headers)
                self._notices.over("declaration", "the collector takes the declared parameters")
                if not self._undeclared.is_set():
                    self._declared.set()
            except grpc.RpcError as error:
                self._undeclared_for(line, error)
            except ValueError:
                return  # the channel is closed

    def _undeclared_for(self, line: Line, error: grpc.RpcError) -> None:
        """Without a collector nothing is tried: the watch sets the event when it finds one."""
        if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
            self._declared.set()
            words = explained(error, self._target.address)
            self._notices.say("declaration", f"the collector refuses the declared parameters: {words}", logging.ERROR)
        elif self.connected and not line.stopping.wait(_FIRST_BACKOFF_SECONDS):
            self._undeclared.set()
