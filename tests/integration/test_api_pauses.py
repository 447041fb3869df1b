"""No request to the API holds the event loop up, whoever sends it. Another hostile input is another row."""

import contextlib
import http.client
import json
import urllib.parse
from collections.abc import Callable, Iterator

import grpc
import pytest

from collector.otlp.fields import len_field
from tests import samples
from tests.integration.running import RunningCollector, eventually
from tests.integration.test_loop_pauses import ATTEMPTS, MIB, pauses

TRACE = samples.trace_id(1)
FEEDBACK_ON_ONE_TRACE, AT_ONCE = 60_000, 5_000
Ask = Callable[[RunningCollector], int]


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    with RunningCollector(tmp_path_factory.mktemp("pauses") / "data") as running:
        yield running


def asked(method: str, path: str, body: bytes | None = None) -> Ask:
    """Larger bodies than the collector takes are answered before they are sent."""

    def ask(collector: RunningCollector) -> int:
        host, _, port = collector.ready["api"].rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=600)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    return ask


def declared(*parameters: dict[str, object]) -> Ask:
    return asked("PUT", "/v1/services/hostile/parameters", json.dumps({"parameters": parameters}).encode())


def text(pattern: str, default: str, **more: object) -> dict[str, object]:
    return {"key": "k", "type": "text", "default": default, "pattern": pattern, **more}


def judged(count: int) -> bytes:
    one = {"trace_id": TRACE, "name": "q", "score": 0.5, "source": "someone"}
    return json.dumps({"feedback": [{**one, "text": f"{number}"} for number in range(count)]}).encode()


def study(**more: object) -> Ask:
    document = {"name": "s", "service": "hostile", "metric": "q", **more}
    return asked("POST", "/v1/studies", json.dumps(document).encode())


def called(method: str, body: bytes) -> Ask:
    def call(collector: RunningCollector) -> int:
        with grpc.insecure_channel(collector.ready["otlp_grpc"]) as channel:
            try:
                channel.unary_unary(method)(body, timeout=600)
            except grpc.RpcError as error:
                code: int = error.code().value[0]  # type: ignore[attr-defined]
                return code
        return 0

    return call


INVALID, EXHAUSTED = grpc.StatusCode.INVALID_ARGUMENT.value[0], grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
DECLARE = "/otel_opto.v1.ParameterService/DeclareParameters"
SUBMIT = "/otel_opto.v1.FeedbackService/SubmitFeedback"
INTEGERS = [{"key": f"k{number}", "type": "integer", "default": 1} for number in range(20_000)]
SLOWEST = [text(rf"(?:.*a.{{0,200}}b{number})*", "a" * 100_000, key=f"k{number}") for number in range(30)]

HOSTILE: dict[str, tuple[Ask, set[int]]] = {
    "20,000 parameters": (declared(*INTEGERS), {400, 413}),
    "10,000 parameters": (declared(*INTEGERS[:10_000]), {200}),
    "10,000 parameters without anything": (declared(*[{}] * 10_000), {400}),
    "10,000 texts of 300 characters": (
        declared(*({"key": f"t{n}", "type": "text", "default": "x" * 300} for n in range(9_000))),
        {200, 400, 413},
    ),
    "(a+)+ and 30 letters": (declared(text("(a+)+", "a" * 30 + "!")), {400}),
    "(.*a){20} and 100,000 letters": (declared(text("(.*a){20}", "a" * 99_999 + "!")), {400}),
    "30 of the slowest patterns that are allowed": (declared(*SLOWEST), {400}),
    "empty lists": (asked("PUT", "/v1/services/hostile/parameters", b'{"parameters":[' + b"[]," * MIB + b"1]}"), {413}),
    "a body of 4 MB, all of it one text": (
        asked("PUT", "/v1/services/hostile/parameters", b'{"parameters":"' + b"\\u00e9" * (4 * MIB // 6 - 9) + b'"}'),
        {400},
    ),
    "quotes": (asked("POST", "/v1/feedback", b'"' * (4 * MIB - 1)), {400}),
    "a body of 60 MB": (asked("POST", "/v1/feedback", b" " * (60 * MIB)), {413}),
    "10,000 wrong feedbacks": (asked("POST", "/v1/feedback", b'{"feedback":[' + b'{"x":1},' * 9_999 + b"1]}"), {400}),
    "a study with 24,000 options": (study(optimizer_options={f"{n}": [] for n in range(24_000)}), {400}),
    "a study with 49,000 parameters": (study(parameters=["k"] * 49_000), {400}),
    "a study with 49,000 labels": (study(labels={f"{n}": 1 for n in range(49_000)}), {400}),
    "a long path": (asked("GET", "/v1/services/" + "%2F" * 15_000 + "/parameters"), {200, 400, 414, 431}),
    "a cursor of 30,000 characters": (asked("GET", "/v1/feedback?cursor=" + "A" * 30_000), {400}),
    "a duration of 30,000 digits": (asked("GET", "/api/traces?service=s&minDuration=" + "1" * 30_000), {400}),
    "tags of 30,000 brackets": (asked("GET", "/api/traces?service=s&tags=" + urllib.parse.quote("[" * 9_000)), {400}),
    "200,000 empty parameters over gRPC": (called(DECLARE, len_field(1, b"s") + b"\x1a\x00" * 200_000), {EXHAUSTED}),
    "10,000 empty parameters over gRPC": (called(DECLARE, len_field(1, b"s") + b"\x1a\x00" * 10_000), {INVALID}),
    "500,000 candidates over gRPC": (
        called(DECLARE, len_field(3, len_field(1, b"k") + len_field(4, b"\x3a\x00" * 500_000))),
        {INVALID},
    ),
    "250,000 attributes over gRPC": (called(SUBMIT, len_field(1, len_field(8, b"\x0a\x00") * 250_000)), {INVALID}),
    "unknown fields over gRPC": (called(SUBMIT, b"\x28\x00" * (MIB + MIB // 2)), {EXHAUSTED}),
    "a message of 20 MB over gRPC": (called(SUBMIT, len_field(1, b"x" * (20 * MIB))), {EXHAUSTED}),
}  # fmt: skip


def measured(collector: RunningCollector, ask: Ask, statuses: set[int], longest: float) -> None:
    """By what the process computed meanwhile: a machine that is busy with other things is not the collector's fault."""
    found = []
    for _ in range(ATTEMPTS):
        pauses(collector)
        status = ask(collector)
        assert status in statuses
        found.append(pauses(collector))
        if min(busy for _, busy in found) <= longest:
            return
    pytest.fail(f"the loop stood still, by the clock and while the collector computed, for {found} seconds")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_request_to_the_api_holds_the_event_loop_up(
    name: str, collector: RunningCollector, longest_pause: float
) -> None:
    measured(collector, *HOSTILE[name], longest=longest_pause)


SCORED = urllib.parse.quote('{"opto.feedback.q":">0.1"}')
READING = [
    "/v1/feedback?limit=0", f"/v1/feedback?limit=0&trace_id={TRACE}", "/v1/traces?limit=0", "/v1/studies?limit=0",
    "/v1/releases?limit=0", "/v1/services/many/parameters?limit=0", "/v1/services/many/release", "/v1/stats",
    f"/v1/traces/{TRACE}/graph", f"/v1/traces/{TRACE}/graph?format=svg", f"/api/traces/{TRACE}",
    f"/api/v3/traces/{TRACE}", "/api/traces?service=shop&limit=1500", f"/api/traces?service=shop&tags={SCORED}",
]  # fmt: skip


@pytest.fixture(scope="module")
def judged_often(collector: RunningCollector) -> RunningCollector:
    """A trace with tens of thousands of judgements, a service with as many parameters as it can have."""
    traces = samples.traces_request([samples.span(number, 1) for number in range(1, 2_000)])
    connection = http.client.HTTPConnection(collector.ready["otlp_http"], timeout=600)
    connection.request("POST", "/v1/traces", traces, {"Content-Type": "application/x-protobuf"})
    assert connection.getresponse().status == 200
    connection.close()
    many = json.dumps({"parameters": INTEGERS[:10_000]}).encode()
    assert asked("PUT", "/v1/services/many/parameters", many)(collector) == 200
    return collector


def test_tens_of_thousands_of_judgements_on_one_trace_hold_nothing_up(
    judged_often: RunningCollector, longest_pause: float
) -> None:
    for _ in range(FEEDBACK_ON_ONE_TRACE // AT_ONCE):
        measured(judged_often, asked("POST", "/v1/feedback", judged(AT_ONCE)), {201}, longest=longest_pause)
    study_of_them = {"name": "often", "service": "shop", "metric": "q", "parameters": ["k"], "batch_size": 100_000}
    asked("POST", "/v1/studies", json.dumps(study_of_them).encode())(judged_often)
    pauses(judged_often)
    eventually(lambda: judged_often.client.get("/v1/stats")["feedback"]["waiting"] == 0, 120)
    assert min(pauses(judged_often)) <= longest_pause


@pytest.mark.parametrize("path", READING)
def test_no_list_and_no_view_holds_the_event_loop_up(
    path: str, judged_often: RunningCollector, longest_pause: float
) -> None:
    measured(judged_often, asked("GET", path), {200, 413}, longest=longest_pause)
