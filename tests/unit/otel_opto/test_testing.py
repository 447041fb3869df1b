"""The doubles behave as a collector does, where applications can tell."""

import socket
import struct

from otel_opto.testing import FakeReleaseServer

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS, _PING, _GOAWAY = 4, 6, 7
_PINGS = 20


def frame(kind: int, payload: bytes = b"") -> bytes:
    """RFC 9113, 4.1: length, type, flags and stream of a frame, and its payload."""
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, 0, 0) + payload


def test_an_idle_client_may_ask_again_and_again_whether_the_line_holds() -> None:
    with FakeReleaseServer() as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        reader = line.makefile("rb")
        line.sendall(_PREFACE + frame(_SETTINGS))
        answered = 0
        while answered < _PINGS:
            line.sendall(frame(_PING, answered.to_bytes(8, "big")))
            while True:
                head = reader.read(9)
                assert len(head) == 9, f"hung up after {answered} pings"
                payload = reader.read(int.from_bytes(head[:3], "big"))
                assert head[3] != _GOAWAY, payload
                if head[3] == _PING and head[4] & 1:
                    break
            answered += 1
