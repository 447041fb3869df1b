"""New code runs only where the application said so, and from whom."""

import logging
from pathlib import Path
from typing import Any

import pytest

import otel_opto
from otel_opto.code.permission import permitted
from otel_opto.code.trainable import Trainable
from otel_opto.spec import InvalidValue
from otel_opto.v1 import release_pb2
from tests.unit.otel_opto.conftest import App

NEW = "def shout(x):\n    return x.upper()\n"


def declared(app: App, checked: list[Any] | None = None) -> Any:
    asked: list[Any] = [] if checked is None else checked

    def shout(x: str) -> str:
        return f"{x}!"

    return app.sdk.nodes.decorate(trainable=Trainable(key="shout", constraint=asked.append))(shout)


def connect(app: App, **said: Any) -> None:
    app.sdk.configure(
        service_name="shop",
        endpoint=app.server.endpoint,
        cache_dir=app.cache,
        tracer_provider=app.capture.tracer_provider,
        logger_provider=app.capture.logger_provider,
        wait_seconds=5.0,
        **said,
    )


@pytest.mark.parametrize(
    ("said", "variable", "signed", "allowed", "word"),
    [
        (None, "", True, False, ""),
        (False, "unsigned", True, False, ""),
        (True, "", True, True, ""),
        (True, "", False, False, "without a public key"),
        ("unsigned", "", False, True, ""),
        (None, "1", True, True, ""),
        (None, "true", False, False, "without a public key"),
        (None, " Unsigned ", False, True, ""),
        (None, "maybe", True, False, "found 'maybe', allowed: true, false, unsigned"),
    ],
)
def test_only_a_plain_yes_is_one(
    said: Any, variable: str, signed: bool, allowed: bool, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="otel_opto"):
        assert permitted(said, variable, signed=signed) is allowed
    assert word in caplog.text
    assert bool(word) == bool(caplog.records)


def test_code_is_off_unless_it_is_allowed_and_the_release_fails_with_the_reason(app: App) -> None:
    checked: list[Any] = []
    shout, k = declared(app, checked), app.parameter("k", 3)
    connect(app)
    assert app.server.wait_for_declaration("shout").trainable is False
    assert app.server.wait_for_declaration("k").trainable is True
    app.publish(1, shout=NEW, k=5)
    word = app.server.wait_for_acknowledgement(1)
    assert word.status == release_pb2.RELEASE_STATUS_FAILED
    assert "parameter 'shout': new code is not run here; configure(allow_code=…)" in word.error
    assert (shout("a"), k.value, checked) == ("a!", 3, [])
    app.publish(2, k=5, shout=otel_opto.code_of(shout).spec.default)
    assert (shout("a"), k.value) == ("a!", 5)


def test_allowed_unsigned_it_runs_and_is_trainable(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    shout = declared(app)
    monkeypatch.setenv("OTEL_OPTO_ALLOW_CODE", "unsigned")
    connect(app)
    assert app.server.wait_for_declaration("shout").trainable is True
    app.publish(1, shout=NEW)
    assert shout("a") == "A"
    app.publish(2, shout="def shout(y):\n    return y\n")
    assert "found def shout(y), wanted is def shout(x)" in app.server.wait_for_acknowledgement(2).error
    assert shout("a") == "A"


def test_with_a_public_key_nothing_unsigned_is_even_looked_at(app: App, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    from collector.publisher.signing import make_keys

    make_keys(tmp_path / "release.key", tmp_path / "release.pub")
    checked: list[Any] = []
    shout = declared(app, checked)
    connect(app, public_key=tmp_path / "release.pub", allow_code=True)
    app.publish(1, shout=NEW)
    assert "it is not signed" in app.server.wait_for_acknowledgement(1).error
    assert (shout("a"), checked) == ("a!", [])


def test_what_is_allowed_ends_with_what_allowed_it(app: App) -> None:
    shout = declared(app)
    connect(app, allow_code="unsigned")
    app.publish(1, shout=NEW)
    assert shout("a") == "A"
    connect(app)
    assert "new code is not run here" in app.server.wait_for_acknowledgement(1).error
    assert shout("a") == "a!"


def test_the_applications_own_override_needs_no_permission(app: App) -> None:
    shout = declared(app)
    parameter = otel_opto.code_of(shout)
    with parameter.override(NEW):
        assert shout("a") == "A"
    with pytest.raises(InvalidValue, match="wanted is def shout"), parameter.override("def other(x): ..."):
        pass
