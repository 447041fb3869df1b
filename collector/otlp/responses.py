"""Which answers of models a request holds: what its spans say under ``gen_ai.response.id``."""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.otlp.v1.raw_pb2 import RawTraces
from otel_opto import semconv

DIGEST_BYTES = 8
_KEY = semconv.RESPONSE_ID.encode()
_WRITTEN = re.compile(b"\x0a" + bytes([len(_KEY)]) + re.escape(_KEY) + b"\x12([\x02-\x7f])\x0a([\x00-\x7d])", re.DOTALL)
"""A KeyValue as encoders write it: the key, then the value, a text; both lengths in one byte."""


def digest_of(response_id: str) -> bytes:
    """Stands for a response id where room matters; two of them may have the same."""
    return hashlib.blake2b(response_id.encode(errors="replace"), digest_size=DIGEST_BYTES).digest()


def response_ids_in(body: bytes) -> set[str]:
    """Those of a request of spans, and perhaps some that stand elsewhere in it.

    They are read off the bytes where every mention of the key is written as expected, and decoded elsewhere.
    """
    if body.rfind(_KEY) < 0:  # from behind, where CPython looks twice as fast as from the front
        return set()
    written = [_text_at(body, match) for match in _WRITTEN.finditer(body)]
    if None not in written and len(written) == body.count(_KEY):
        return {text.decode(errors="replace") for text in written if text}
    return {said for _, said in _stated(body)}


def traces_answering(body: bytes, response_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
    """By answer, the traces of those spans of a request that name it, 32 hex digits each, in order."""
    found: dict[str, dict[str, None]] = {}
    for trace_id, said in _stated(body):
        if said in response_ids:
            found.setdefault(said, {})[trace_id] = None
    return {said: list(traces) for said, traces in found.items()}


def _text_at(body: bytes, match: re.Match[bytes]) -> bytes | None:
    """The value; None where the lengths around do not say that the KeyValue is this and no more."""
    value, text = match[1][0], match[2][0]
    whole = match.end() - match.start() + text
    before = bytes([whole]) if whole < 0x80 else bytes([whole & 0x7F | 0x80, whole >> 7])
    if value != text + 2 or not body.endswith(before, 0, match.start()):
        return None
    return body[match.end() : match.end() + text]


def _stated(body: bytes) -> Iterator[tuple[str, str]]:
    """Trace id and answer of every span that names one."""
    for group in RawTraces.FromString(body).resource_spans:
        for scoped in group.scope_spans:
            for raw in scoped.spans:
                if _KEY in raw:
                    span = Span.FromString(raw)
                    said = [one.value.string_value for one in span.attributes if one.key == semconv.RESPONSE_ID]
                    if said and said[-1]:
                        yield span.trace_id.hex(), said[-1]
