"""Calls of language models as spans, so that a study's own thinking can be looked at like any other program's.

Each call is a trace of one span in the words of OpenTelemetry's GenAI conventions, in the collector's own store: the
study is its conversation, and it links to the outputs that the call was about.
"""

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from collector.core.calls import CallBook, ModelCall
from collector.core.errors import CollectorError
from collector.core.protocols import Clock, Ingestor
from collector.core.study import Cost, Study
from collector.core.telemetry import Signal
from otel_opto import semconv

_LOG = logging.getLogger(__name__)

SERVICE = "otel-opto.optimizer"
"""The service that these spans are of."""

_MOST_LINKS = 128
_SECOND = 1_000_000_000


class SeenCalls:
    """A `CallBook` whose calls are spans, too.

    A study of the optimizer's own service makes none: what it looks at would grow by its looking.

    Args:
        book: Keeps the calls; it is asked first, and alone decides about the caps.
        study: Whose calls.
        ingestor: Takes the spans.
        clock: Says when a call was over.
        random_bytes: For ids.
    """

    def __init__(
        self,
        book: CallBook,
        study: Study,
        ingestor: Ingestor,
        clock: Clock,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._book, self._study, self._ingestor = book, study, ingestor
        self._clock, self._random_bytes = clock, random_bytes

    async def record(self, call: ModelCall) -> None:
        """See `CallBook`. A span that cannot be kept is said, and costs nothing else."""
        await self._book.record(call)
        if self._study.service == SERVICE:
            return
        span = self._span(call)
        scope = ScopeSpans(scope=InstrumentationScope(name="otel_opto.optimizer"), spans=[span])
        resource = Resource(attributes=_key_values({"service.name": SERVICE}))
        body = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])])
        try:
            await self._ingestor.ingest(Signal.TRACES, body.SerializeToString())
        except CollectorError as error:
            _LOG.warning("study %s: a call is on the bill and not among the traces: %s", self._study.name, error)

    async def spent(self) -> Cost:
        """See `CallBook`."""
        return await self._book.spent()

    def _span(self, call: ModelCall) -> Span:
        ended = self._clock.now_unix_nano()
        links = [
            Span.Link(trace_id=bytes.fromhex(one.trace_id), span_id=bytes.fromhex(one.span_id))
            for one in dict.fromkeys(call.about)
            if one.trace_id and one.span_id
        ]
        span = Span(
            trace_id=self._random_bytes(16),
            span_id=self._random_bytes(8),
            name=f"chat {call.model}",
            kind=Span.SPAN_KIND_CLIENT,
            start_time_unix_nano=max(ended - int(call.cost.seconds * _SECOND), 0),
            end_time_unix_nano=ended,
            attributes=_key_values(self._attributes(call)),
            links=links[:_MOST_LINKS],
            dropped_links_count=max(len(links) - _MOST_LINKS, 0),
        )
        if call.failure:
            span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=call.failure[:500]))
        return span

    def _attributes(self, call: ModelCall) -> Mapping[str, object]:
        said: dict[str, object] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": call.model,
            **{f"gen_ai.request.{name}": value for name, value in call.asked_for.items()},
            "gen_ai.usage.input_tokens": call.cost.input_tokens,
            "gen_ai.usage.output_tokens": call.cost.output_tokens,
            "gen_ai.input.messages": json.dumps([_message(one["role"], one["content"]) for one in call.messages]),
            semconv.CONVERSATION_ID: f"study/{self._study.name}",
            semconv.STUDY: self._study.name,
        }
        if call.purpose:
            said[semconv.NODE_NAME] = call.purpose
        if not call.failure:
            said["gen_ai.response.finish_reasons"] = [call.finish_reason]
            said["gen_ai.output.messages"] = json.dumps(
                [{**_message("assistant", call.answer), "finish_reason": call.finish_reason}]
            )
        return said


def _message(role: str, content: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def _key_values(attributes: Mapping[str, object]) -> Sequence[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in attributes.items()]


def _any(value: object) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_any(one) for one in value]))
    return AnyValue(string_value=str(value).encode("utf-8", "replace").decode())
