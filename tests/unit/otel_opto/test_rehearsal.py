"""The fixture ``opto``: an application's own tests, as its authors write them."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry import trace

import otel_opto
from otel_opto.testing import Rehearsal
from tests.unit.otel_opto.conftest import App

top_k = otel_opto.parameter("rehearsal.top_k", default=3, minimum=1, maximum=10)
greeting = otel_opto.parameter("rehearsal.greeting", default="Hello {name}")


@otel_opto.node
def greet(name: str) -> str:
    return greeting.value.format(name=name) * top_k.value


def test_values_hold_for_one_test_and_are_recorded_where_they_are_read(opto: Rehearsal) -> None:
    opto.set("rehearsal.top_k", 1)
    opto.set("rehearsal.greeting", "Hi {name}")
    assert greet("Ada") == "Hi Ada"
    assert opto.used("rehearsal.top_k") == ["greet"]
    assert (opto.span("greet").attributes or {})["opto.param.rehearsal.top_k.version"] == 2
    assert (opto.span("greet").attributes or {})["opto.release"] == 2


def test_the_test_before_left_nothing(opto: Rehearsal) -> None:
    assert greet("Ada") == "Hello Ada" * 3
    assert [span.name for span in opto.spans()] == ["greet"]


def test_what_does_not_fit_is_said_where_it_is_set(opto: Rehearsal) -> None:
    with pytest.raises(otel_opto.InvalidValue, match="from 1 to 10"):
        opto.set("rehearsal.top_k", 11)
    with pytest.raises(
        otel_opto.InvalidValue, match=r"'rehearsal.topk' is not declared; declared are: .*rehearsal\.top_k"
    ):
        opto.set("rehearsal.topk", 1)


def test_feedback_is_shown_as_log_event_and_as_span_event(opto: Rehearsal) -> None:
    with otel_opto.start_node("request") as node:
        otel_opto.feedback(0.5, "short", source="user", attributes={"split": "train"})
        node.span.add_event(
            "gen_ai.evaluation.result", {"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.label": "warm"}
        )
    (given,) = opto.feedback("quality")
    assert (given.score, given.text, dict(given.attributes)) == (0.5, "short", {"source": "user", "split": "train"})
    context = node.span.get_span_context()
    assert {(one.trace_id, one.span_id) for one in opto.feedback()} == {(context.trace_id, context.span_id)}
    assert [one.label for one in opto.feedback("tone")] == ["warm"]


def test_an_application_may_connect_and_disconnect_meanwhile(opto: Rehearsal) -> None:
    opto.set("rehearsal.top_k", 2)
    assert otel_opto.configure(service_name="shop", endpoint="http://127.0.0.1:9", wait_seconds=60)
    otel_opto.shutdown()
    assert greet("Ada") == "Hello Ada" * 2
    assert otel_opto._sdk._client is None


def test_spans_of_the_application_s_own_tracer_are_seen(opto: Rehearsal) -> None:
    with trace.get_tracer("shop").start_as_current_span("checkout"):
        assert top_k.value == 3
    assert opto.used("rehearsal.top_k") == ["checkout"]


def test_a_span_that_is_not_there_is_said_with_what_is(opto: Rehearsal) -> None:
    greet("Ada")
    with pytest.raises(LookupError, match="0 spans called 'greed' have ended, not one; ended: greet"):
        opto.span("greed")


def test_a_connected_application_is_disconnected_first(app: App) -> None:
    assert app.connect()
    app.publish(7, limit=5)
    limit = app.parameter("limit", 3)
    with Rehearsal(app.sdk, app.capture).running() as rehearsal:
        assert limit.value == 3
        rehearsal.set("limit", 4)
        assert limit.value == 4
    assert limit.value == 3


def test_pytest_starts_without_opentelemetry_for_who_does_not_use_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_nothing():\n"
        "    assert 'pytest_otel_opto' in sys.modules\n"
        "    roots = {name.split('.')[0] for name in sys.modules}\n"
        "    assert roots & {'otel_opto', 'opentelemetry', 'grpc'} == set()\n"
    )
    others = ["-p", "no:cacheprovider", "-p", "no:langsmith_plugin"]  # the latter imports OpenTelemetry
    command = [sys.executable, "-m", "pytest", "-q", *others, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
