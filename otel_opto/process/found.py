"""The providers of OpenTelemetry's SDK within whatever providers an application has."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final, TypeVar

from opentelemetry._logs import LoggerProvider, NoOpLoggerProvider
from opentelemetry._logs._internal import ProxyLoggerProvider
from opentelemetry.sdk._logs import LoggerProvider as SdkLoggerProvider
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.trace import TracerProvider

_DEEPEST: Final = 4
P = TypeVar("P")


def sdk_provider(provider: TracerProvider | None) -> SdkTracerProvider | None:
    """The provider itself, or the one that it wraps: logfire's and others' hold it in an attribute of theirs."""
    return _within(provider, SdkTracerProvider, TracerProvider)


def goes_nowhere(provider: LoggerProvider) -> bool:
    """Whether it is known that no log event reaches anybody by that provider."""
    inner = _within(provider, SdkLoggerProvider, LoggerProvider)
    if inner is None:
        return (
            isinstance(provider, ProxyLoggerProvider)
            or _within(provider, NoOpLoggerProvider, LoggerProvider) is not None
        )
    processors = getattr(getattr(inner, "_multi_log_record_processor", None), "_log_record_processors", None)
    return processors == ()


def _within(provider: object, wanted: type[P], wrapping: type) -> P | None:
    """Nothing of a wrapper is called: only what it holds is looked at."""
    seen: set[int] = set()
    level: list[object] = [provider]
    for _ in range(_DEEPEST):
        inner: list[object] = []
        for one in level:
            if isinstance(one, wanted):
                return one
            if id(one) not in seen:
                seen.add(id(one))
                inner += [held for held in _held(one) if isinstance(held, wanted | wrapping)]
        level = inner
    return None


def _held(wrapper: object) -> Iterator[object]:
    """What an object keeps in its dictionary, in its slots, and as ``__wrapped__`` (wrapt's proxies)."""
    with suppress(AttributeError):
        yield from tuple(object.__getattribute__(wrapper, "__dict__").values())
    for kind in type(wrapper).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            try:
                yield object.__getattribute__(wrapper, name)
            except AttributeError:
                continue
    yield getattr(wrapper, "__wrapped__", None)
