"""Lists over the network and on the command line: whole however they are asked for, and never more than a page."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from collector.cli.client import Refused
from otel_opto.v1 import (
    feedback_pb2,
    feedback_pb2_grpc,
    parameter_pb2,
    parameter_pb2_grpc,
    release_pb2,
    release_pb2_grpc,
    study_pb2,
    study_pb2_grpc,
)
from tests import samples
from tests.integration.running import RunningCollector, eventually
from tests.integration.test_cli import opto

MANY = 1_100


def send(collector: RunningCollector, method: str, path: str, document: object) -> None:
    request = urllib.request.Request(f"{collector.api}{path}", json.dumps(document).encode(), method=method)
    with urllib.request.urlopen(request) as answer:
        assert answer.status in (200, 201)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    """A collector with more of everything than a page has, and three studies."""
    with RunningCollector(tmp_path_factory.mktemp("pages") / "data") as collector:
        for first in range(0, MANY, 100):
            spans = [samples.span(first + number, 1) for number in range(1, 101)]
            request = urllib.request.Request(
                f"{collector.http}/v1/traces", samples.traces_request(spans), {"Content-Type": "application/x-protobuf"}
            )
            urllib.request.urlopen(request).close()
        judged = [{"trace_id": samples.trace_id(n), "name": "q", "score": n / MANY} for n in range(1, MANY + 1)]
        send(collector, "POST", "/v1/feedback", {"feedback": judged})
        parameters = [{"key": f"k{n:04}", "type": "integer", "default": 1, "minimum": 0} for n in range(MANY)]
        send(collector, "PUT", "/v1/services/shop/parameters", {"parameters": parameters})
        for name in ("one", "two", "three"):
            send(collector, "PUT", f"/v1/services/{name}/parameters", {"parameters": [{**parameters[0], "maximum": 9}]})
            send(collector, "POST", "/v1/studies", {"name": name, "service": name, "metric": "q"})
        eventually(
            lambda: all(one["state"] != "waiting" for one in collector.client.listed("/v1/feedback", "feedback"))
        )
        yield collector


LISTS = [
    ("/v1/traces", "traces", MANY),
    ("/v1/feedback", "feedback", MANY),
    ("/v1/services/shop/parameters", "parameters", MANY),
    ("/v1/studies", "studies", 3),
]


@pytest.mark.parametrize(("path", "name", "count"), LISTS)
def test_a_list_is_whole_page_by_page(filled: RunningCollector, path: str, name: str, count: int) -> None:
    largest = filled.client.get(path, limit=0)
    assert len(largest[name]) == min(count, 1_000)
    assert ("next_cursor" in largest) is (count > 1_000)
    assert len(filled.client.get(path, limit=999_999)[name]) == min(count, 1_000)
    for limit in (1_000, 400, 2):
        items, cursor = [], {}
        for _ in range(3):
            page = filled.client.get(path, limit=limit, **cursor)
            items += page[name]
            cursor = {"cursor": page.get("next_cursor", "")}
            if not cursor["cursor"]:
                break
        whole = [json.dumps(one) for one in filled.client.listed(path, name)]
        assert len(whole) == count == len(set(whole))
        assert [json.dumps(one) for one in items] == whole[: len(items)]


@pytest.mark.parametrize(("path", "name", "count"), LISTS)
def test_a_wrong_page_is_said(filled: RunningCollector, path: str, name: str, count: int) -> None:
    wrong: list[dict[str, Any]] = [
        {"limit": "many"},
        {"limit": -1},
        {"limit": "1e3"},
        {"limit": "٣"},
        {"limit": "9" * 5_000},
    ]
    for query in [*wrong, {"cursor": "nonsense"}, {"cursor": "é"}, {"cursor": "A" * 9_000}]:
        with pytest.raises(Refused) as refused:
            filled.client.get(path, **query)
        assert refused.value.status == 400
        assert next(iter(query)) in str(refused.value)
        assert "allowed" in str(refused.value)


def test_an_empty_list_has_no_cursor(filled: RunningCollector) -> None:
    assert filled.client.get("/v1/services/nobody/parameters", limit=5) == {"parameters": []}


def test_the_command_line_follows_up_to_its_limit(filled: RunningCollector) -> None:
    for command, count in (
        (("traces", "--limit", "0"), MANY),
        (("traces", "--limit", "1050"), 1_050),
        (("traces",), 1_000),
        (("feedback", "list", "--limit", "1001"), 1_001),
        (("studies", "list", "--limit", "2"), 2),
        (("studies",), 3),
        (("releases", "list", "--limit", "1"), 1),
    ):
        done = opto(*command, "--json", collector=filled)
        assert (done.returncode, len(json.loads(done.stdout))) == (0, count), (command, done.stderr)


def test_pages_over_grpc(filled: RunningCollector) -> None:
    with grpc.insecure_channel(filled.ready["otlp_grpc"]) as channel:
        parameters = parameter_pb2_grpc.ParameterServiceStub(channel)
        releases = release_pb2_grpc.ReleaseServiceStub(channel)
        feedback = feedback_pb2_grpc.FeedbackServiceStub(channel)
        studies = study_pb2_grpc.StudyServiceStub(channel)
        for ask, request, name, count, default in (
            (parameters.ListParameters, parameter_pb2.ListParametersRequest(service="shop"), "parameters", MANY, 1_000),
            (feedback.ListFeedback, feedback_pb2.ListFeedbackRequest(), "feedback", MANY, 100),
            (releases.ListReleases, release_pb2.ListReleasesRequest(), "releases", 3, 3),
            (studies.ListStudies, study_pb2.ListStudiesRequest(), "studies", 3, 3),
        ):
            assert len(getattr(ask(request), name)) == default
            request.page_size = 2 if count == 3 else 900
            first = ask(request)
            request.page_token = first.next_page_token
            second = ask(request)
            assert (len(getattr(first, name)), len(getattr(second, name))) == (
                request.page_size,
                count - request.page_size,
            )
            assert second.next_page_token == ""
            request.page_token = "nonsense"
            with pytest.raises(grpc.RpcError, match="cursor: found 'nonsense'") as refused:
                ask(request)
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_an_answer_has_another_tag_when_a_default_has_another_value(filled: RunningCollector) -> None:
    def tag(**headers: str) -> str:
        request = urllib.request.Request(f"{filled.api}/v1/services/tagged/release", headers=headers)
        with urllib.request.urlopen(request) as answer:
            found: str = answer.headers["ETag"]
            return found

    tags = []
    for default in (1, 2, 1):
        spec = {"parameters": [{"key": "k", "type": "integer", "default": default}]}
        send(filled, "PUT", "/v1/services/tagged/parameters", spec)
        tags.append(tag(**{"If-None-Match": tags[-1]} if tags else {}))
    assert tags[0] == tags[2] != tags[1]
    for known in (tags[0], f"W/{tags[0]}", f'"other", W/{tags[0]}', "*"):
        with pytest.raises(urllib.error.HTTPError) as unchanged:
            tag(**{"If-None-Match": known})
        assert (unchanged.value.code, unchanged.value.headers["ETag"]) == (304, tags[0])
        unchanged.value.close()
