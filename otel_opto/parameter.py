"""A trainable parameter as the application's code sees it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from opentelemetry import trace

from otel_opto import semconv
from otel_opto.checks import Check
from otel_opto.pinning import Pins
from otel_opto.process import clean
from otel_opto.registry import NO_OVERRIDE
from otel_opto.release import ReleasedValue
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType

T = TypeVar("T", bool, int, float, str, list[Any], dict[str, Any])


@dataclass(frozen=True, slots=True)
class Resolved(Generic[T]):
    """A value and why it won.

    Attributes:
        reason: ``released`` by the collector, ``cached`` from disk and not confirmed yet, ``default`` of the code, or
            ``override`` in a test.
        release: The number of the release in force for this trace; None where there is none.
        version: The number of the release that brought the value; None for a default and an override.
        error: Why the released value did not win, where it did not.
    """

    value: T
    reason: str
    release: int | None = None
    version: int | None = None
    error: str | None = None


class Parameter(Generic[T]):
    """A value that a study may improve. Reading it never raises and never blocks.

    Copies are the parameter itself; one that is pickled is, in the process that reads it, that process's own.

    Args:
        check: The application's own word on new values.
    """

    def __init__(self, spec: ParameterSpec, default: T, pins: Pins, check: Check | None = None) -> None:
        self.spec = spec
        self._default: T = default
        self._pins = pins
        self._overriding = pins.registry.override_of(spec.key)
        self._last: tuple[trace.SpanContext, T] | None = None
        self._checked: tuple[ReleasedValue, T] | None = None
        self._names = tuple(
            f"{semconv.PARAM_PREFIX}{spec.key}{suffix}"
            for suffix in (semconv.PARAM_VERSION_SUFFIX, semconv.PARAM_HASH_SUFFIX, semconv.PARAM_VALUE_SUFFIX)
        )
        pins.registry.declare(spec, check)

    @property
    def value(self) -> T:
        """The value in force for the current trace; its use is recorded on the current span."""
        span = trace.get_current_span()
        current, last = span.get_span_context(), self._last
        overridden = self._overriding.get() is not NO_OVERRIDE
        if last is not None and last[0] is current and not overridden:
            return last[1]  # a trace stays with the first value that was read in it, and this span says so already
        if not (current.trace_id or overridden):
            return self._unrecorded()
        value = self._resolve(record=True).value
        self._last = None if overridden or not current.trace_id else (current, value)
        return value

    def use(self) -> Resolved[T]:
        """The value in force and why; its use is recorded on the current span."""
        return self._resolve(record=True)

    def _unrecorded(self) -> T:
        """Outside of a trace there is nothing to record, and no reason to give."""
        release, checked = self._pins.release_now(), self._checked
        released = release.values.get(self.spec.key) if release is not None else None
        if released is None:
            return self._default
        return checked[1] if checked is not None and checked[0] is released else self._resolve(record=False).value

    def resolve(self) -> Resolved[T]:
        """The value in force and why; nothing is recorded."""
        return self._resolve(record=False)

    @contextmanager
    def override(self, value: T) -> Iterator[None]:
        """Another value while the context lasts, for tests and experiments.

        It holds for this thread or task, and for what is started in its context: tasks, `asyncio.to_thread`, and
        `otel_opto.carried` in other threads; never for others.

        Raises:
            InvalidValue: the value does not fit the parameter.
        """
        token = self._overriding.set(self._pins.registry.agreed(self.spec, value))
        try:
            yield
        finally:
            with suppress(ValueError):  # ended in another task than the one that it holds for
                self._overriding.reset(token)

    def __copy__(self) -> "Parameter[T]":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parameter[T]":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        spec = self.spec
        declared = spec.key, spec.type, spec.default, spec.constraint, spec.description, spec.trainable
        return _restored, (type(self), declared, self._default)

    def _resolve(self, *, record: bool) -> Resolved[T]:
        override: Any = self._overriding.get()
        release = self._pins.release_now()
        number = release.number if release else None
        if override is not NO_OVERRIDE:
            resolved: Resolved[T] = Resolved(override, "override", number)
            released = None
        else:
            released = release.values.get(self.spec.key) if release else None
            resolved = self._chosen(released, number)
        if record:
            self._record(resolved, released)
        return resolved

    def _chosen(self, released: ReleasedValue | None, number: int | None) -> Resolved[T]:
        if released is None:
            return Resolved(self._default, "default", number)
        checked = self._checked
        if checked is None or checked[0] is not released:
            try:
                value: Any = self._pins.registry.accepted(self.spec, released.value)
            except InvalidValue as error:  # declared after the release was applied
                return Resolved(self._default, "default", number, error=str(error))
            checked = self._checked = (released, value)
        reason = "released" if self._pins.registry.confirmed else "cached"
        return Resolved(checked[1], reason, number, released.version)

    def _record(self, resolved: Resolved[T], released: ReleasedValue | None) -> None:
        span = trace.get_current_span()
        if not span.is_recording():
            return
        version, digest, inline = self._names
        if released is not None and resolved.version is not None:
            said: dict[str, str | int | float] = {version: resolved.version, digest: released.hash}
        else:
            value: Any = resolved.value  # the JSON text of a list or an object, whose `value` is made of it afterwards
            said = {inline: clean.text(value) if isinstance(value, str) else value}
        span.set_attributes(said)
        self._pins.kept.add(span, said)


def _restored(kind: type[Parameter[Any]], declared: tuple[Any, ...], default: Any) -> Parameter[Any]:
    """A parameter that was pickled, as the process that reads it has it; declared there if it was not."""
    from otel_opto import _sdk  # noqa: PLC0415 - the one instance of the process, which imports this module

    spec, registry = ParameterSpec(*declared), _sdk.registry
    return kind(registry.specs().get(spec.key, spec), default, _sdk.pins, registry.check_of(spec.key))


def spec_of(key: str, default: object, constraint: Constraint, description: str, *, trainable: bool) -> ParameterSpec:
    """The specification whose type follows from the default and the constraint.

    Raises:
        InvalidValue: the default is of no parameter type, or the specification contradicts itself.
    """
    if isinstance(default, bool):
        kind = ParameterType.BOOLEAN
    elif isinstance(default, int):
        kind = ParameterType.INTEGER
    elif isinstance(default, float):
        kind = ParameterType.FLOAT
    elif isinstance(default, str):
        kind = ParameterType.CHOICE if constraint.choices else ParameterType.TEXT
    elif isinstance(default, list | dict):
        kind = ParameterType.JSON
    else:
        raise InvalidValue(
            f"parameter {key!r}: default: found {type(default).__name__}, allowed: bool, int, float, str, list, dict"
        )
    return ParameterSpec(key, kind, default, constraint, description, trainable)  # type: ignore[arg-type] # kept as text
