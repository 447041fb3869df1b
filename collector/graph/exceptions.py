"""What went wrong in a trace: where, and whether somebody dealt with it."""

import re
from collections.abc import Mapping
from typing import Final

from collector.core.graph import ExceptionRecord, SourcePosition
from collector.core.span import Attributes
from collector.graph.reading.facts import Failure
from collector.graph.spans.forest import Forest
from collector.graph.spans.trace import Trace
from otel_opto import semconv

_FRAMES: Final = (
    re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>\S+)'),  # Python, innermost last
    re.compile(r"\bat (?P<function>[^\s(]+) \((?P<file>[^()\s]+?):(?P<line>\d+)(?::\d+)?\)"),  # JavaScript, Java
    re.compile(  # .NET; one beginning per line, and nothing to go back to: a stack trace comes from anybody
        r"^[^\S\n]*+at (?P<function>(?:(?! in )[^\n])++) in (?P<file>(?:(?!:line )[^\n])++):line (?P<line>\d+)",
        re.MULTILINE,
    ),
    re.compile(r"^[^\S\n]++(?P<file>/[^\s:]+\.go):(?P<line>\d+)(?P<function>)", re.MULTILINE),  # Go
)


def exceptions_of(trace: Trace) -> tuple[ExceptionRecord, ...]:
    """One for each span with an ``exception`` event or log record, the status ERROR or an ``error.type``, by start.

    Of several exception events the last one counts: it is the nearest to how the operation ended.
    """
    failed, events = trace.failed, trace.events
    raised = {
        span_id: found[-1].attributes
        for span_id, span in trace.forest.spans.items()
        if (span.events or span_id in events)
        and (found := [one for one in (*span.events, *events.get(span_id, ())) if one.name == semconv.EXCEPTION_EVENT])
    }
    if not raised and not failed:
        return ()
    handled, last = _handled(trace.forest, failed), _last_starts(trace)
    records = []
    for span_id, span in trace.forest.spans.items():
        if span_id not in failed and span_id not in raised:
            continue
        said, failure = raised.get(span_id, {}), trace.facts[span_id].failure or Failure()
        stack = str(said.get(semconv.EXCEPTION_STACKTRACE) or _stack(span.status_message))
        kind = said.get(semconv.EXCEPTION_TYPE) or failure.type or span.attributes.get("error.type") or ""
        message = said.get(semconv.EXCEPTION_MESSAGE) or failure.message or _message(span.status_message)
        again = last.get((trace.forest.parent(span_id), trace.facts[span_id].name), 0)
        records.append(
            ExceptionRecord(
                span_id=span_id,
                type=str(kind),
                message=str(message),
                stacktrace=stack,
                handled=span_id in handled,
                retried=span_id in failed and again >= span.end_time_unix_nano,
                position=_position(stack, span.attributes),
            )
        )
    return tuple(records)


def _handled(forest: Forest, failed: frozenset[str]) -> frozenset[str]:
    """Operations that ended without an error, and all within them: what went wrong there was dealt with."""
    found: set[str] = set()
    for span_id in forest.preorder:
        if span_id not in failed or forest.parent(span_id) in found:
            found.add(span_id)
    return frozenset(found)


def _last_starts(trace: Trace) -> Mapping[tuple[str | None, str], int]:
    """By caller and name, when the operation was started there for the last time."""
    found: dict[tuple[str | None, str], int] = {}
    for parent, children in trace.forest.children.items():
        for child in children:
            place = (parent, trace.facts[child].name)
            found[place] = max(trace.forest.spans[child].start_time_unix_nano, found.get(place, 0))
    return found


def _stack(status_message: str) -> str:
    """Some instrumentations put the whole stack trace into the status."""
    return status_message if "\n" in status_message and any(frame.search(status_message) for frame in _FRAMES) else ""


def _message(status_message: str) -> str:
    """The last line of a stack trace, the first one where the language puts the message first."""
    if not _stack(status_message):
        return status_message
    lines = [line.strip() for line in status_message.strip().splitlines() if line.strip()]
    return lines[-1] if _FRAMES[0].search(status_message) else lines[0]


def _position(stack: str, attributes: Attributes) -> SourcePosition | None:
    """The innermost frame outside of installed packages; without a stack what the span says of its code."""
    for frame in _FRAMES:
        found = list(frame.finditer(stack))
        if found:
            innermost_first = found[::-1] if frame is _FRAMES[0] else found
            own = [
                one
                for one in innermost_first
                if not re.search(r"site-packages|dist-packages|node_modules", one["file"])
            ]
            best = (own or innermost_first)[0]
            return SourcePosition(best["file"], int(best["line"]), best["function"])
    return code_position(attributes)


def code_position(attributes: Attributes) -> SourcePosition | None:
    """``code.*``, the names before they became stable included."""
    file = attributes.get(semconv.CODE_FILE_PATH) or attributes.get("code.filepath")
    line = attributes.get(semconv.CODE_LINE_NUMBER) or attributes.get("code.lineno")
    function = attributes.get(semconv.CODE_FUNCTION_NAME) or attributes.get("code.function")
    if not file and not function:
        return None
    number = int(line) if isinstance(line, int) or (isinstance(line, str) and line.isdigit()) else 0
    return SourcePosition(str(file or ""), number, str(function or ""))
