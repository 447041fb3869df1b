"""What is declared and what is in force: the state of the SDK in one object."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping

from opentelemetry.trace import Span  # noqa: TC002 - one line less than a block for it

from otel_opto.release import Release
from otel_opto.spec import InvalidValue, ParameterSpec

_KEPT_RELEASES = 8


class Registry:
    """Declared parameters and the last few releases. Thread-safe; reads take no lock.

    A trace that began with an older release goes on with it, so the last eight are held.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._specs: dict[str, ParameterSpec] = {}
        self._releases: OrderedDict[int, Release] = OrderedDict()
        self._on_declared: Callable[[], None] | None = None
        self.spans_without_release: weakref.WeakSet[Span] = weakref.WeakSet()
        """Open spans of traces that began before the first release."""
        self.current: Release | None = None
        self.confirmed = False
        """Whether the collector itself named the current release, in this process."""

    def declare(self, spec: ParameterSpec) -> None:
        """Makes a parameter known; a later declaration of the same key takes its place."""
        with self._lock:
            self._specs = {**self._specs, spec.key: spec}
            told = self._on_declared
        if told is not None:
            told()

    def on_declared(self, told: Callable[[], None] | None) -> None:
        """Calls back after each declaration; None ends that."""
        with self._lock:
            self._on_declared = told

    def specs(self) -> Mapping[str, ParameterSpec]:
        """The declared parameters by key; a snapshot."""
        return self._specs

    def faults_of(self, release: Release) -> list[str]:
        """Every value of the release that does not fit its declared parameter."""
        faults = []
        for key, spec in self._specs.items():
            released = release.values.get(key)
            if released is not None:
                try:
                    spec.validate(released.value)
                except InvalidValue as error:
                    faults.append(str(error))
        return faults

    def apply(self, release: Release, *, confirmed: bool) -> None:
        """Puts a whole release in force, in one step."""
        with self._lock:
            releases = OrderedDict(self._releases)
            releases[release.number] = release
            releases.move_to_end(release.number)
            while len(releases) > _KEPT_RELEASES:
                releases.popitem(last=False)
            self._releases = releases
            self.confirmed = confirmed
            self.current = release

    def release(self, number: int) -> Release | None:
        """One of the last few releases; None if it is not held any more."""
        return self._releases.get(number)

    def forget(self) -> None:
        """Nothing is in force any more; declarations stay."""
        with self._lock:
            self._releases = OrderedDict()
            self.current = None
            self.confirmed = False
