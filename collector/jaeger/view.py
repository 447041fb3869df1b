"""What is made of one trace for who looks at it, wherever it is made: it asks for what it needs."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from collector.core.feedback import StoredFeedback
from collector.core.release import Release
from collector.jaeger.decoration import decorated, named_releases
from collector.jaeger.summary import summary_document, summary_message
from collector.jaeger.terms import Term
from collector.jaeger.untangled import untangled
from collector.jaeger.v1_document import trace_document
from collector.otlp.decode import spans_of
from collector.otlp.json_traces import resource_spans

Document: TypeAlias = Callable[[bytes], bytes]
"""Of a module's top level; makes of a serialized ``TracesData``, not empty, what goes out."""


@dataclass(frozen=True, slots=True)
class Releases:
    """Asks for releases by their numbers."""

    numbers: frozenset[int]


View: TypeAlias = Generator[Releases | None, bytes | Mapping[int, Release], bytes]


def viewed(document: Document, feedback: Sequence[StoredFeedback] | None) -> View:
    """What `document` makes of a trace with what is known beside it; empty where there is no trace.

    Asks with None for the trace, a serialized ``TracesData``.

    Args:
        document: See there.
        feedback: On the trace; None shows the trace as it came.
    """
    data = yield None
    assert isinstance(data, bytes)
    if data and feedback is not None:
        named = named_releases(data)
        releases = (yield Releases(named)) if named else {}
        assert not isinstance(releases, bytes)
        data = decorated(data, feedback, releases)
    return document(data) if data else b""


def as_it_is(data: bytes) -> bytes:
    """The serialized ``TracesData`` itself."""
    return data


def v1_json(data: bytes) -> bytes:
    """One trace of Jaeger's API version 1."""
    return dumped(trace_document(data))


def v3_json(data: bytes) -> bytes:
    """The items of ``resourceSpans`` of OTLP/JSON, with commas between them."""
    return b",".join(map(dumped, resource_spans(data)))


def v3_untangled_json(data: bytes) -> bytes:
    """The same of a trace as it is shown: see `untangled`."""
    return v3_json(untangled(data))


def held(terms: Sequence[Term], data: bytes) -> bytes:
    """Something where each of the terms is met on a span of the trace, else nothing."""
    if not all(term.may_be_said_in(data) for term in terms):
        return b""
    spans = spans_of(data)
    return b"met" if all(any(term.met_on(span) for span in spans) for term in terms) else b""


def summary_json(data: bytes) -> bytes:
    """One summary of Jaeger's API version 3."""
    return dumped(summary_document(data))


def summary_bytes(data: bytes) -> bytes:
    """The same as a message of Jaeger's remote storage."""
    return summary_message(data).SerializeToString()


def dumped(document: object) -> bytes:
    """As JSON."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str).encode()
