"""What the span of a node says when released code failed in it."""

import linecache
import traceback
from collections.abc import Iterator

from opentelemetry import trace

from otel_opto import semconv
from otel_opto.capture import without_halves
from otel_opto.code.listing import listing
from otel_opto.node import record_exception


def record(error: BaseException, file: str, *, handled: bool) -> None:
    """The failing line among its neighbours on the current span, and where it goes no further the exception, too."""
    span = trace.get_current_span()
    if not span.is_recording():
        return
    span.set_attribute(semconv.CODE_FAILURE, without_halves(shown(error, file)))
    if handled:
        record_exception(span, error)


def shown(error: BaseException, file: str) -> str:
    """The lines of the source around the one that failed, numbered, the exception behind that one."""
    said = f"{type(error).__name__}: {_message(error)}"
    number = next((frame.lineno for frame in _frames(error) if frame.filename == file and frame.lineno), 0)
    return listing("".join(linecache.getlines(file)), number, said)


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    """The innermost first."""
    summary = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
    return reversed(summary)


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - somebody else's __str__
        return ""
