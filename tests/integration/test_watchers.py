"""Many applications that watch one service, over real connections."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc

from otel_opto.v1 import release_pb2
from tests.integration.running import RunningCollector

_METHOD = "/otel_opto.v1.ReleaseService/WatchReleases"
_WATCHERS, _ON_A_CONNECTION = 200, 100


@contextmanager
def watching(collector: RunningCollector, **known: int) -> Iterator[list[Any]]:
    """Calls that give serialized messages, each of them begun."""
    with ExitStack() as stack:
        calls = []
        for _ in range(_WATCHERS // _ON_A_CONNECTION):
            channel = grpc.insecure_channel(collector.addresses["otlp_grpc"], [("grpc.use_local_subchannel_pool", 1)])
            watch = stack.enter_context(channel).unary_stream(_METHOD)
            for number in range(_ON_A_CONNECTION):
                request = release_pb2.WatchReleasesRequest(service="shop", instance_id=f"{number}", **known)
                calls.append(watch(request.SerializeToString(), timeout=60))
        for call in calls:
            call.initial_metadata()
        yield calls


def told(calls: list[Any]) -> release_pb2.WatchReleasesResponse:
    """The next message of all: they are the same."""
    (message,) = {next(call) for call in calls}
    return release_pb2.WatchReleasesResponse.FromString(message)


def test_two_hundred_watchers_are_told_the_same_before_and_after_a_restart(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with RunningCollector(directory) as collector:
        parameter = {"key": "k", "type": "float", "default": 0.25, "minimum": 0.0, "maximum": 1.0}
        collector.client.put("/v1/services/shop/parameters", {"parameters": [parameter]})
        with watching(collector) as calls:
            collector.client.post("/v1/services/shop/releases", {"values": {"k": 0.25}})
            first = told(calls)
            collector.client.post("/v1/releases/1/rollback", {})
            second = told(calls)
        assert (first.release.number, second.release.number) == (1, 2)
        assert second.assignment.revision == 2
        collector.kill()
    with RunningCollector(directory, collector.addresses) as collector:
        with watching(collector, applied=1, revision=1) as calls:
            assert told(calls) == second
        with watching(collector, applied=2, revision=2) as calls:
            collector.client.post("/v1/releases/1/rollback", {})
            assert told(calls).release.number == 3
