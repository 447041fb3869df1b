"""One precedence rule; OpenTelemetry's variables mean what they mean to OpenTelemetry."""

from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource

from otel_opto.process.settings import settings_of

RESOURCE = Resource({"service.name": "from-resource", "service.instance.id": "i-1"})


def test_argument_beats_environment_beats_default(tmp_path: Path) -> None:
    environment = {
        "OTEL_OPTO_ENDPOINT": "http://env:1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otlp:2",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_SERVICE_NAME": "from-env",
        "OTEL_OPTO_CACHE_DIR": str(tmp_path),
    }
    given = settings_of({"endpoint": "http://given:3", "service_name": "given"}, environment, RESOURCE)
    assert (given.endpoint, given.service, given.cache_directory) == ("http://given:3", "given", tmp_path)
    from_environment = settings_of({}, environment, RESOURCE)
    assert (from_environment.endpoint, from_environment.service) == ("http://env:1", "from-env")
    del environment["OTEL_OPTO_ENDPOINT"], environment["OTEL_SERVICE_NAME"]
    otlp = settings_of({}, environment, RESOURCE)
    assert (otlp.endpoint, otlp.service, otlp.instance_id) == ("http://otlp:2", "from-resource", "i-1")
    default = settings_of({}, {}, None)
    assert (default.endpoint, default.service, default.disabled) == ("http://127.0.0.1:4317", "unknown_service", False)
    assert settings_of({}, {"OTEL_OPTO_DISABLED": "true"}, None).disabled


@pytest.mark.parametrize(
    ("environment", "endpoint", "address", "otlp"),
    [
        ({}, "http://127.0.0.1:4317", "127.0.0.1:4317", False),
        ({"ENDPOINT": "http://c:4318"}, "http://c:4317", "c:4317", True),
        ({"ENDPOINT": "https://c/otlp", "PROTOCOL": "http/protobuf"}, "https://c:4317", "c:4317", True),
        ({"ENDPOINT": "http://[::1]:4318"}, "http://[::1]:4317", "[::1]:4317", True),
        ({"ENDPOINT": "http://c:9", "PROTOCOL": "grpc"}, "http://c:9", "c:9", True),
        ({"ENDPOINT": "http://c", "PROTOCOL": "GRPC"}, "http://c", "c:4317", True),
        ({"ENDPOINT": "c:9", "PROTOCOL": "grpc"}, "https://c:9", "c:9", True),
        ({"ENDPOINT": "c:9", "PROTOCOL": "grpc", "INSECURE": "true"}, "http://c:9", "c:9", True),
        ({"ENDPOINT": "a", "TRACES_ENDPOINT": "http://b:2", "TRACES_PROTOCOL": "grpc"}, "http://b:2", "b:2", True),
        ({"ENDPOINT": "http://a:1", "PROTOCOL": "grpc", "TRACES_PROTOCOL": "http"}, "http://a:4317", "a:4317", True),
        ({"PROTOCOL": "http/protobuf"}, "http://127.0.0.1:4317", "127.0.0.1:4317", True),
        ({"PROTOCOL": "grpc"}, "http://127.0.0.1:4317", "127.0.0.1:4317", False),
        ({"LOGS_ENDPOINT": "http://logs:1"}, "http://127.0.0.1:4317", "127.0.0.1:4317", False),
    ],
)  # fmt: skip
def test_the_collector_is_where_opentelemetrys_variables_say(
    environment: dict[str, str], endpoint: str, address: str, otlp: bool
) -> None:
    said = settings_of({}, {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in environment.items()}, None)
    assert (said.endpoint, said.address, said.otlp) == (endpoint, address, otlp)


def test_what_is_said_of_ours_goes_before_and_names_where_it_was_said() -> None:
    otlp = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://spans:4318"}
    both = settings_of({}, {**otlp, "OTEL_OPTO_ENDPOINT": "releases:1"}, None)
    assert (both.endpoint, both.origin, both.otlp) == ("http://releases:1", "OTEL_OPTO_ENDPOINT", True)
    given = settings_of({"endpoint": "http://given:1"}, otlp, None)
    assert (given.endpoint, given.origin, given.otlp) == ("http://given:1", "endpoint=", False)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in settings_of({}, otlp, None).origin


def test_headers_and_certificates_are_those_of_the_traces() -> None:
    names = ("HEADERS", "CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
    environment = {f"OTEL_EXPORTER_OTLP_{name}": f"a={name}" for name in names}
    said = settings_of({}, environment, None)
    assert said.headers == (("a", "HEADERS"),)
    assert said.certificate == Path("a=CERTIFICATE")
    assert (said.client_certificate, said.client_key) == (Path("a=CLIENT_CERTIFICATE"), Path("a=CLIENT_KEY"))
    said = settings_of({}, {**environment, "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "b=t,c=d%20e"}, None)
    assert said.headers == (("b", "t"), ("c", "d e"))
    assert "HEADERS" not in repr(settings_of({}, environment, None))


def test_other_targets_of_grpc_are_its_own_to_understand() -> None:
    assert settings_of({"endpoint": "unix:/run/opto.sock"}, {}, None).address == "unix:/run/opto.sock"
    with pytest.raises(ValueError, match=r"found the address 'http://h:port', allowed is http://HOST:PORT"):
        _ = settings_of({"endpoint": "http://h:port"}, {}, None).address
