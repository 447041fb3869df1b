"""What is declared and what is in force: the state of the SDK in one object."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final

from otel_opto.assignment import Assignment
from otel_opto.checks import Check, refusal
from otel_opto.place import Place, place_of_caller
from otel_opto.release import Release
from otel_opto.spec import InvalidValue, ParameterSpec, ParameterType, ParameterValue

_KEPT_RELEASES = 32
_KEPT_VALUES = 2 * _KEPT_RELEASES

_LOG = logging.getLogger(__name__)

NO_OVERRIDE: Final = object()
"""What is no override: None and False may be values."""


class Registry:
    """Declared parameters, what is in force, and the last few releases. Thread-safe; reads take no lock.

    A trace that began with an older release goes on with it, in the next service, too: so the last 32 are held, and of
    studies that cross twice as many as are in force.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._specs: dict[str, ParameterSpec] = {}
        self._places: dict[str, Place | None] = {}
        self._checks: dict[str, Check | None] = {}
        self._agreed: dict[str, dict[tuple[type, object], ParameterValue]] = {}
        self._overrides: dict[str, ContextVar[Any]] = {}
        self._releases: OrderedDict[int, Release] = OrderedDict()
        self._on_declared: Callable[[], None] | None = None
        self._on_applied: tuple[Callable[[frozenset[str]], None], ...] = ()
        self.assignment: Assignment | None = None
        self.current: Release | None = None
        """The control's release."""
        self.confirmed = False
        """Whether the collector itself named what is in force, in this process."""
        self.allows_code = False
        """Whether another source than the declared one may run in this process (`otel_opto.code.permission`)."""

    def declare(self, spec: ParameterSpec, check: Check | None = None) -> None:
        """Makes a parameter known; the same declaration again takes its place, and a module that is loaded again.

        Args:
            check: The application's own word on new values (`otel_opto.checks`).

        Raises:
            InvalidValue: the key is declared already with another type or other constraints.
        """
        place = place_of_caller()
        with self._lock:
            known, before = self._specs.get(spec.key), self._places.get(spec.key)
            changed = known is not None and _form(known) != _form(spec)
            if known is not None and changed and not (place and before and place.replaces(before)):
                raise InvalidValue(
                    f"parameter {spec.key!r} is declared twice: {before or 'before'} says {known.describe_allowed()}, "
                    f"{place or 'now'} says {spec.describe_allowed()}; allowed: one declaration of a key in a process, "
                    "or the same one again; import the parameter where else it is read, or give one of them another key"
                )
            self._specs = {**self._specs, spec.key: spec}
            self._places[spec.key] = place
            self._checks[spec.key] = check
            self._agreed[spec.key] = {}
            told = self._on_declared
        if told is not None and known != spec:
            told()

    def override_of(self, key: str) -> "ContextVar[Any]":
        """What overrides a parameter in the current context; the same for every copy of it."""
        with self._lock:
            return self._overrides.setdefault(key, ContextVar(f"otel_opto.{key}", default=NO_OVERRIDE))

    @contextmanager
    def overriding(self, values: Mapping[str, Any]) -> Iterator[None]:
        """All these values, which fit their parameters, in this thread or task while the context lasts.

        See `otel_opto.parameter.Parameter.override`.
        """
        tokens = [
            (override, override.set(value)) for key, value in values.items() for override in [self.override_of(key)]
        ]
        try:
            yield
        finally:
            for override, token in tokens:
                with suppress(ValueError):  # ended in another task than the one that it holds for
                    override.reset(token)

    def on_declared(self, told: Callable[[], None] | None) -> None:
        """Calls back after each declaration; None ends that."""
        with self._lock:
            self._on_declared = told

    def on_applied(self, told: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Calls back with the keys of values that have changed, after each change; what is returned ends that.

        It is called by the thread that applies releases, which it must not hold up; what it raises is logged.
        """
        with self._lock:
            self._on_applied = (*self._on_applied, told)

        def end() -> None:
            with self._lock:
                self._on_applied = tuple(one for one in self._on_applied if one is not told)

        return end

    def specs(self) -> Mapping[str, ParameterSpec]:
        """The declared parameters by key; a snapshot."""
        return self._specs

    def check_of(self, key: str) -> Check | None:
        """The application's own word on values of a parameter; None where it has none."""
        return self._checks.get(key)

    def declarations(self) -> Sequence[ParameterSpec]:
        """What the collector is told: code that would not be run here is nothing to be trained."""
        return [
            replace(spec, trainable=False) if spec.type is ParameterType.CODE and not self.allows_code else spec
            for spec in self._specs.values()
        ]

    def accepted(self, spec: ParameterSpec, value: object) -> ParameterValue:
        """A value from outside in the parameter's type, once type, constraint and the application itself agree.

        Raises:
            InvalidValue: one of them does not, or it is code and this process runs none.
        """
        if spec.type is ParameterType.CODE and not self.allows_code and value != spec.default:
            raise InvalidValue(
                f"parameter {spec.key!r}: new code is not run here; configure(allow_code=…) or OTEL_OPTO_ALLOW_CODE "
                "allows it, see docs/code.md"
            )
        return self.agreed(spec, value)

    def agreed(self, spec: ParameterSpec, value: object) -> ParameterValue:
        """The same for a value that the application gives itself. What has been agreed to is not asked again."""
        known = self._agreed.setdefault(spec.key, {})
        named = type(value), value
        try:
            if named in known:
                return known[named]
        except TypeError:  # a list or an object
            named = type(value), None
        accepted = spec.validate(value)
        check = self._checks.get(spec.key)
        fault = refusal(check, accepted) if check is not None and accepted != spec.default else ""
        if fault:
            raise InvalidValue(f"parameter {spec.key!r}: {fault}")
        if named[1] is not None:
            with self._lock:
                if len(known) >= _KEPT_VALUES:
                    del known[next(iter(known))]
                known[named] = accepted
        return accepted

    def faults_of(self, release: Release) -> list[str]:
        """Every value of the release that does not fit its declared parameter, or that the application refuses."""
        faults = []
        for key, spec in self._specs.items():
            released = release.values.get(key)
            if released is not None:
                try:
                    self.accepted(spec, released.value)
                except InvalidValue as error:
                    faults.append(str(error))
        return faults

    def apply(self, assignment: Assignment, releases: Sequence[Release], *, confirmed: bool) -> None:
        """Puts an assignment with its whole releases in force, in one step.

        Args:
            releases: The control's, and those of the arms as far as they fit; units of an arm whose release is not
                held get the control.
        """
        with self._lock:
            before = self._in_force()
            held = OrderedDict(self._releases)
            for release in releases:
                held[release.number] = release
                held.move_to_end(release.number)
            while len(held) > max(_KEPT_RELEASES, 2 * len(assignment.releases)):
                held.popitem(last=False)
            self._releases = held
            self.confirmed = confirmed
            self.assignment = assignment
            self.current = held.get(assignment.control)
            after, listeners = self._in_force(), self._on_applied
        changed = frozenset(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        for told in listeners if changed else ():
            try:
                told(changed)
            except Exception:  # noqa: BLE001 - somebody else's code, in the thread that applies releases
                _LOG.exception("a listener to changed values failed")

    def _in_force(self) -> Mapping[str, Sequence[str]]:
        """By key the hashes of its values in the control's release and in those beside it, in order."""
        assignment = self.assignment
        if assignment is None:
            return {}
        found: dict[str, list[str]] = {}
        for number in assignment.releases:
            release = self._releases.get(number)
            for key, released in release.values.items() if release is not None else ():
                found.setdefault(key, []).append(released.hash)
        return found

    def release(self, number: int) -> Release | None:
        """One of the last few releases; None if it is not held any more."""
        return self._releases.get(number)

    def release_for(self, unit: str) -> Release | None:
        """What a unit that comes now gets; None before the first release."""
        assignment, current = self.assignment, self.current
        if assignment is None or not assignment.splits:
            return current
        return self._releases.get(assignment.release_for(unit), current)

    def renew(self) -> None:
        """In a forked child: another thread may have held the lock."""
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Nothing is in force any more; declarations stay."""
        with self._lock:
            self._releases = OrderedDict()
            self.assignment = self.current = None
            self.confirmed = False


def _form(spec: ParameterSpec) -> tuple[object, ...]:
    """What two declarations of one key have to share."""
    return spec.type, spec.constraint, spec.source
