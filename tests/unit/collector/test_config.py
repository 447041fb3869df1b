"""One precedence rule, every fault at once."""

from pathlib import Path

import pytest

from collector.config import Config, keys, load
from collector.core.errors import ConfigError


def written(directory: Path, text: str) -> Path:
    path = directory / "collector.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_listen_on_loopback_only() -> None:
    config = load(None, {}, {})
    protocols = config.receivers.otlp.protocols
    endpoints = [protocols.grpc.endpoint, protocols.http.endpoint, config.api.endpoint]
    assert endpoints == ["127.0.0.1:4317", "127.0.0.1:4318", "127.0.0.1:4319"]


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = written(tmp_path, "api: {endpoint: 'localhost:1'}\nstorage: {directory: from-file}\n")
    environment = {"OTEL_OPTO_API_ENDPOINT": "localhost:2", "OTEL_OPTO_TELEMETRY_LOG_LEVEL": "DEBUG"}
    config = load(file, environment, {"api.endpoint": "localhost:3", "storage.directory": None})
    assert config.api.endpoint == "localhost:3"
    assert load(file, environment, {}).api.endpoint == "localhost:2"
    assert load(file, {}, {}).api.endpoint == "localhost:1"
    assert str(config.storage.directory) == "from-file"
    assert config.telemetry.log_level == "DEBUG"
    assert config.feedback.ttl_seconds == 86_400


def test_every_fault_is_said_at_once_with_its_key_path(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "receivers: {otlp: {protocols: {grpc: {endpoint: nowhere}}, max_request_bytes: 1}}\n"
        "storrage: {directory: x}\n"
        "telemetry: {log_level: LOUD}\n",
    )
    with pytest.raises(ConfigError) as refused:
        load(file, {}, {})
    faults = "\n".join(refused.value.faults)
    assert "receivers.otlp.protocols.grpc.endpoint" in faults
    assert "'nowhere', allowed is HOST:PORT" in faults
    assert "receivers.otlp.max_request_bytes" in faults
    assert "storrage" in faults
    assert "telemetry.log_level" in faults
    assert len(refused.value.faults) == 4


def test_environment_references_are_replaced_and_missing_ones_named(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "api: {endpoint: '${env:HOST:-localhost}:${env:PORT}'}\nfeedback: {ttl_seconds: '${env:TTL}'}\n",
    )
    config = load(file, {"PORT": "77", "TTL": "5"}, {})
    assert config.api.endpoint == "localhost:77"
    assert config.feedback.ttl_seconds == 5
    with pytest.raises(ConfigError, match="environment variable PORT is not set"):
        load(file, {"TTL": "5"}, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [("- a list", "found list"), ("a: [", "not YAML"), ("api:\n  endpoint: 5\n", "api.endpoint")],
)
def test_a_file_that_is_no_configuration_is_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(written(tmp_path, text), {}, {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing-here\.yaml: No such file"):
        load(tmp_path / "nothing-here.yaml", {}, {})


def test_an_empty_file_and_an_empty_section_mean_the_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, ""), {}, {}) == Config()
    assert load(written(tmp_path, "receivers:\napi:\n"), {}, {}) == Config()


def test_studies_of_the_file_are_checked(tmp_path: Path) -> None:
    file = written(tmp_path, "studies: [{name: 'a b', service: s, metric: m, batch_size: 0}]\n")
    with pytest.raises(ConfigError) as refused:
        load(file, {}, {})
    assert "studies.0" in refused.value.faults[0]
    assert "name: found 'a b'" in refused.value.faults[0]
    assert "batch_size: found 0" in refused.value.faults[0]


def test_every_key_has_words_and_a_variable_of_its_own() -> None:
    listed = list(keys())
    variables = [key.environment for key in listed if key.environment]
    assert all(key.description for key in listed)
    assert len(set(variables)) == len(variables)


def test_the_documented_example_is_valid() -> None:
    example = Path(__file__).parents[3] / "docs" / "collector.yaml"
    assert load(example, {}, {}).studies[0].name == "tune-retrieval"
