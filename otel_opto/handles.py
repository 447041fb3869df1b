"""What names a judged output. A handle is a text, to be kept anywhere: in a database, in JSON, in a user's browser.

It is a ``traceparent`` (W3C Trace Context, 3.2): whoever has one from elsewhere can use it as well.
"""

import re

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from otel_opto import semconv

_HANDLE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?", re.ASCII)


def handle_of(span: SpanContext) -> str:
    """The handle of a span; empty where there is none."""
    if not span.is_valid:
        return ""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{int(span.trace_flags) & 1:02x}"


def ids_in(handle: str) -> tuple[str, str]:
    """Trace id and span id of a handle, in hexadecimal.

    Raises:
        ValueError: it is none; the text says what was found.
    """
    match = _HANDLE.fullmatch(handle.strip().lower())
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        raise ValueError(f"found {handle[:80]!r}, allowed is what otel_opto.handle() gave, or a W3C traceparent")
    return match[1], match[2]


def span_context_of(handle: str) -> SpanContext:
    """The span that a handle names; none for the empty one. Raises as `ids_in`."""
    if not handle:
        return INVALID_SPAN_CONTEXT
    trace_id, span_id = ids_in(handle)
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True)


def naming(response_id: str = "", by: tuple[str, str] | None = None) -> dict[str, str]:
    """The attributes of feedback that names what it judges otherwise than by a span.

    Raises:
        ValueError: `by` is no pair.
    """
    if by is not None and (not isinstance(by, tuple | list) or len(by) != 2):
        raise ValueError(f"by: found {by!r:.200}, allowed is a pair, for example ('session.id', 'abc')")
    named = {semconv.RESPONSE_ID: response_id} if response_id else {}
    return named | ({semconv.JUDGED_KEY: by[0], semconv.JUDGED_VALUE: str(by[1])} if by else {})
