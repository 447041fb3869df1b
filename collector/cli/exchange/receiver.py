"""The command line's way to a collector's OTLP receiver."""

import http.client
import os
import urllib.error
import urllib.parse
import urllib.request

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.cli.client import Refused, Unreachable
from collector.otlp.pieces import pieces

_PORT = 4318
_TIMEOUT_SECONDS = 90.0
_PIECE_BYTES = 4 * 2**20


def receiver_of(collector: str) -> str:
    """OTLP/HTTP's address at the host of a collector's API."""
    parts = urllib.parse.urlsplit(collector if "://" in collector else f"http://{collector}")
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{_PORT}"


class OtlpClient:
    """Sends spans over OTLP/HTTP, with the token of the environment variable OTEL_OPTO_TOKEN.

    Args:
        url: For example ``http://127.0.0.1:4318``.
    """

    def __init__(self, url: str) -> None:
        self._url = (url if "://" in url else f"http://{url}").rstrip("/") + "/v1/traces"
        token = os.environ.get("OTEL_OPTO_TOKEN", "")
        self._headers = {
            "Content-Type": "application/x-protobuf",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }

    def send(self, request: bytes) -> str:
        """Sends a serialized request, in pieces; they are durable when it returns.

        Returns what the collector said of items that it did not keep; empty if it kept all.

        Raises:
            Unreachable: nothing answers there.
            Refused: the answer is an error.
        """
        said = [self._sent(piece) for piece in pieces(request, _PIECE_BYTES)]
        return "; ".join(filter(None, said))

    def _sent(self, body: bytes) -> str:
        try:
            request = urllib.request.Request(self._url, body, self._headers, method="POST")  # noqa: S310 - by a person
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return ExportTraceServiceResponse.FromString(answer.read()).partial_success.error_message
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, f"{self._url} answers {error.code} {error.reason}") from None
        except (OSError, http.client.HTTPException, ValueError, DecodeError) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(
                f"no OTLP receiver answers at {self._url}: {reason}; say where it is with --otlp URL"
            ) from None
