"""Parameters through OpenFeature's own client."""

import asyncio
from collections.abc import Iterator, Sequence
from queue import Queue
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.hook.opentelemetry import TracingHook
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, FlagEvaluationOptions, Reason
from openfeature.hook import Hook, HookContext, HookHints
from opentelemetry import propagate

from collector.core.span import Event
from otel_opto.assignment import Arm, Assignment, unit_of
from otel_opto.openfeature import OptoProvider
from otel_opto.parameter import Parameter, spec_of
from otel_opto.spec import Constraint
from tests.unit.collector.graph import workflows
from tests.unit.otel_opto.conftest import App
from tests.unit.otel_opto.test_pinning import assign


@pytest.fixture
def client(app: App) -> Iterator[OpenFeatureClient]:
    api.set_provider(OptoProvider(sdk=app.sdk), "tests")
    yield api.get_client("tests")
    api.clear_providers()


def test_every_type_with_the_value_in_force(app: App, client: OpenFeatureClient) -> None:
    app.parameter("k", 3, minimum=1, maximum=10)
    app.parameter("temperature", 0.5)
    app.parameter("careful", False)
    app.parameter("prompt", "Answer.")
    app.parameter("method", "bm25", choices=("bm25", "overlap"))
    app.connect()
    app.publish(1, k=5, temperature=0.1, careful=True, prompt="Answer briefly.", method="overlap")
    assert client.get_integer_value("k", 0) == 5
    assert client.get_float_value("temperature", 0.0) == 0.1
    assert client.get_boolean_value("careful", False) is True
    assert client.get_string_value("prompt", "") == "Answer briefly."
    assert client.get_string_value("method", "") == "overlap"
    found = client.get_float_details("k", 0.0)
    assert (found.value, type(found.value)) == (5.0, float)
    assert asyncio.run(client.get_integer_value_async("k", 0)) == 5


def test_reason_variant_and_metadata_say_why(app: App, client: OpenFeatureClient) -> None:
    app.parameter("k", 3)
    found = client.get_integer_details("k", 7)
    assert (found.value, found.reason, found.variant) == (7, Reason.DEFAULT, "default")
    app.connect()
    app.publish(4, k=5)
    found = client.get_integer_details("k", 7)
    assert (found.value, found.reason, found.variant) == (5, Reason.STATIC, "release-4")
    assert found.flag_metadata == {"release": 4, "version": 4}
    app.server.add(5, {"k": 6})
    assign(app, Assignment("shop", 0, 4, (Arm(5, 0, 5_000),), "salt"))
    assert client.get_integer_details("k", 7).reason == Reason.SPLIT
    app.sdk.shutdown()
    assert client.get_integer_details("k", 7).reason == Reason.DEFAULT


def test_what_the_caller_chose_is_a_match(app: App, client: OpenFeatureClient) -> None:
    app.parameter("k", 3)
    app.connect()
    app.publish(1, k=5)
    app.publish(2, k=6)
    carrier = {"traceparent": f"00-{7:032x}-{9:016x}-01", "baggage": "opto.release.shop=1"}
    tracer = app.capture.tracer_provider.get_tracer("tests")
    with tracer.start_as_current_span("request", context=propagate.extract(carrier)):
        found = client.get_integer_details("k", 7)
    assert (found.value, found.reason) == (5, Reason.TARGETING_MATCH)


def test_a_release_from_disk_is_cached(app: App, client: OpenFeatureClient) -> None:
    app.parameter("k", 3)
    app.connect()
    app.publish(1, k=5)
    app.sdk.shutdown()
    app.server.stop()
    app.connect(wait_seconds=0)
    found = client.get_integer_details("k", 7)
    assert (found.value, found.reason) == (5, Reason.CACHED)


def test_the_targeting_key_decides_for_its_trace_and_goes_with_it(app: App, client: OpenFeatureClient) -> None:
    app.parameter("k", 0)
    app.connect()
    for number in (1, 2):
        app.server.add(number, {"k": number})
    half = Assignment("shop", 0, 1, (Arm(2, 0, 5_000),), "salt")
    assign(app, half)
    for number in range(50):
        key = f"user-{number}"
        expected = half.release_for(unit_of(key))
        assert client.get_integer_value("k", 0, EvaluationContext(key)) == expected
        with app.span() as span:
            found = client.get_integer_details("k", 0, EvaluationContext(key))
            assert (found.value, found.reason) == (expected, Reason.SPLIT)
            assert client.get_integer_value("k", 0, EvaluationContext("another user")) == expected
            carrier: dict[str, str] = {}
            propagate.inject(carrier)
        assert f"opto.unit={unit_of(key)}" in carrier["baggage"]
        assert span.attributes["opto.release"] == expected


def test_errors_give_the_caller_s_default_and_say_why(app: App, client: OpenFeatureClient) -> None:
    app.parameter("k", 3, minimum=1, maximum=10)
    app.parameter("careful", True)
    for found, code in (
        (client.get_string_details("k", "mine"), ErrorCode.TYPE_MISMATCH),
        (client.get_integer_details("careful", 2), ErrorCode.TYPE_MISMATCH),
        (client.get_float_details("careful", 2.0), ErrorCode.TYPE_MISMATCH),
        (client.get_boolean_details("k", False), ErrorCode.TYPE_MISMATCH),
        (client.get_object_details("k", [1]), ErrorCode.TYPE_MISMATCH),
        (client.get_string_details("no such key", "mine"), ErrorCode.FLAG_NOT_FOUND),
    ):
        assert (found.reason, found.error_code) == (Reason.ERROR, code)
    assert client.get_string_value("k", "mine") == "mine"
    app.connect()
    app.publish(1, late=99)
    app.parameter("late", 3, minimum=1, maximum=10)
    late = client.get_integer_details("late", 4)
    assert (late.value, late.reason, late.error_code) == (4, Reason.ERROR, ErrorCode.PARSE_ERROR)


def test_a_flag_becomes_a_parameter_by_being_asked_for(app: App, client: OpenFeatureClient) -> None:
    assert client.get_string_value("prompt", "Answer.") == "Answer."
    app.connect()
    assert app.server.wait_for_declaration("prompt").default.text == "Answer."
    app.publish(1, prompt="Answer briefly.")
    assert client.get_string_value("prompt", "Answer.") == "Answer briefly."
    api.set_provider(OptoProvider(declare=False, sdk=app.sdk), "strict")
    found = api.get_client("strict").get_integer_details("unheard_of", 1)
    assert (found.value, found.error_code) == (1, ErrorCode.FLAG_NOT_FOUND)
    assert "unheard_of" not in app.sdk.registry.specs()


def test_keys_without_end_are_not_declared_without_end(app: App, client: OpenFeatureClient) -> None:
    for number in range(1_100):
        assert client.get_integer_value(f"of-user-{number}", 1) == 1
    assert len(app.sdk.registry.specs()) == 1_000


class Noting(Hook):
    """A hook of the application's own."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    def after(self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints) -> None:
        self.seen.append((details.flag_key, details.value))


def test_a_use_is_recorded_once_with_opentelemetry_s_hook_and_others(app: App, client: OpenFeatureClient) -> None:
    app.parameter("k", 3)
    app.connect()
    app.publish(1, k=5)
    noting = Noting()
    with app.span():
        client.get_integer_value("k", 0, None, FlagEvaluationOptions(hooks=[TracingHook(), noting]))
    assert noting.seen == [("k", 5)]
    span = app.capture.span("request")
    said = dict(span.attributes or {})
    assert said["opto.param.k.version"] == 1
    (event,) = span.events
    assert (event.attributes or {})["feature_flag.result.value"] == "5"
    kept = workflows.span(1, None, "request", 0, 1, said, events=[Event(event.name, 0, dict(event.attributes or {}))])
    graph = workflows.graph_of([kept])
    assert [(one.key, one.version, list(one.used_by)) for one in graph.parameters] == [("k", 1, [kept.context.span_id])]


def test_an_object_flag_is_a_list_or_an_object(app: App, client: OpenFeatureClient) -> None:
    assert client.get_object_value("stops", ["a"]) == ["a"]
    app.connect()
    app.publish(1, stops='["the", "of"]')
    assert client.get_object_value("stops", ["a"]) == ["the", "of"]


def test_asking_for_a_flag_leaves_the_application_s_check_in_force(app: App, client: OpenFeatureClient) -> None:
    spec = spec_of("checked", 2, Constraint(), "", trainable=True)
    Parameter(spec, 2, app.sdk.pins, lambda value: value % 2 == 0)
    assert client.get_integer_value("checked", 2) == 2
    app.connect()
    app.publish(1, checked=3)
    assert "the application's check refuses it" in app.server.wait_for_acknowledgement(1).error


def test_who_listens_is_told_which_flags_have_other_values(app: App, client: OpenFeatureClient) -> None:
    told: Queue[Sequence[str]] = Queue()

    def changed(details: EventDetails) -> None:
        told.put(details.flags_changed or [])
        raise RuntimeError("a listener that fails holds nobody up")

    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, changed)
    app.parameter("k", 3)
    app.parameter("prompt", "Answer.")
    app.connect()
    app.publish(1, k=5, prompt="Answer.")
    app.publish(2, k=6, prompt="Answer.")
    assert [told.get(timeout=20), told.get(timeout=20)] == [["k", "prompt"], ["k"]]
    api.clear_providers()
    app.publish(3, k=7)
    assert (app.sdk.registry.current is not None, told.empty()) == (True, True)
