"""One precedence rule, every fault at once, where it stands, and no secret in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.errors import ConfigError
from collector.process.config import Config, keys, load


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
    assert "collector.yaml:1: receivers.otlp.protocols.grpc.endpoint: allowed is HOST:PORT" in faults
    assert "found 'nowhere'" in faults
    assert "collector.yaml:2: storrage: no such key; did you mean storage?" in faults
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
    [("- a list", "found a list"), ("a: [", "not YAML"), ("api:\n  endpoint: 5\n", "api.endpoint")],
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
    example = Path(__file__).parents[4] / "docs" / "collector.yaml"
    assert load(example, {}, {}).studies[0].name == "tune-retrieval"


def of(directory: Path, text: str | bytes, **environment: str) -> Config:
    path = directory / "collector.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path, environment, {})


def faults_in(directory: Path, text: str | bytes, **environment: str) -> str:
    with pytest.raises(ConfigError) as refused:
        of(directory, text, **environment)
    return "\n".join(refused.value.faults)


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=16, max_size=60)


@given(PRINTABLE.filter(lambda text: text == text.strip()))
def test_what_a_variable_holds_is_the_text_itself(tmp_path_factory: pytest.TempPathFactory, secret: str) -> None:
    tmp_path = tmp_path_factory.mktemp("any")
    for quotes in ("", "'", '"'):
        written = f"auth:\n  tokens:\n  - name: a\n    scopes: [ingest]\n    token: {quotes}${{env:T}}{quotes}\n"
        (token,) = of(tmp_path, written, T=secret).auth.tokens
        assert token.token.get_secret_value() == secret
        assert secret not in repr(token)


def test_digits_stay_a_text_where_a_text_belongs_and_become_a_number_where_one_does(tmp_path: Path) -> None:
    config = of(
        tmp_path,
        """
receivers: {otlp: {max_request_bytes: "${env:BYTES}"}}
feedback:
  ttl_seconds: ${env:BYTES}
exporters: {far: {endpoint: "http://${env:HOST:-localhost}:${env:BYTES}", from_beginning: "${env:YES}"}}
studies: [{name: "${env:BYTES}", service: s, metric: m, max_trials: "${env:BYTES}"}]
""",
        BYTES="4096",
        YES="true",
    )
    assert config.receivers.otlp.max_request_bytes == 4096
    assert config.feedback.ttl_seconds == 4096.0
    assert (config.exporters["far"].endpoint, config.exporters["far"].from_beginning) == ("http://localhost:4096", True)
    assert (config.studies[0].name, config.studies[0].max_trials) == ("4096", 4096)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("$${env:X}", "${env:X}"),
        ("a $$ b $ c", "a $$ b $ c"),
        ("${env:X}${env:Y}", "xy"),
        ("<${env:NONE:-}>", "<>"),
        ("${env:EMPTY:-instead}", "instead"),
        ("<${env:EMPTY}>", "<>"),
        ("${env:CALLS}", "${env:X}"),
        ("${env:NONE:-a b: #{c}", "a b: #{c"),
    ],
)
def test_references_and_what_only_looks_like_one(tmp_path: Path, written: str, meant: str) -> None:
    text = f"studies: [{{name: n, service: s, metric: m, instruction: '{written}'}}]"
    (study,) = of(tmp_path, text, X="x", Y="y", EMPTY="", CALLS="${env:X}").studies
    assert study.instruction == meant


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("auth: {tokens: []}\napi: {}\nauth: {}\n", 3, "auth: given twice, in line 1 and here"),
        ("auth:\n  tokens:\n    - {name: a, name: b}\n", 3, "auth.tokens.0.name: given twice"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", 3, "<< is not taken"),
        ("api:\n\tendpoint: x\n", 2, "not YAML"),
        ("api: {}\n---\napi: {}\n", 2, "not YAML"),
        ("api: [\n", 2, "not YAML"),
        ("api: *none\n", 1, "not YAML"),
        ("api: {}\n# \x00\n", 2, "U+0000"),
        (b"api: {}\n# \xff\n", 2, "not UTF-8: byte 0xff"),
        ("- a list\n", 1, "found a list, allowed is a mapping"),
        ("text\n", 1, "found a single value"),
        ("? [a]\n: b\n", 1, "a key that is no text"),
        ("~: b\n", 1, "a key that is no text"),
        ("api: !!python/name:os.system\n", 1, "a YAML tag that is not taken"),
        ("api: {endpoint: !!int x}\n", 1, "not what its YAML tag says"),
        ("\n${env:X}: b\n", 2, "a reference in a key"),
        ("api: {endpoint: '${X}'}\n", 1, "allowed are ${env:NAME}"),
        ("api: {endpoint: '${env:X'}\n", 1, "allowed are ${env:NAME}"),
        ("api: {endpoint: '${file:/etc/passwd}'}\n", 1, "allowed are ${env:NAME}"),
    ],
)
def test_what_yaml_lets_pass_is_refused_where_it_stands(
    tmp_path: Path, text: str | bytes, line: int, said: str
) -> None:
    fault = faults_in(tmp_path, text)
    assert f"collector.yaml:{line}:" in fault
    assert said in fault


def test_a_file_cannot_grow_without_bound(tmp_path: Path) -> None:
    laughs = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    assert "an alias counts as what it stands for" in faults_in(tmp_path, laughs)
    assert "levels" in faults_in(tmp_path, "a: &a [*a]\n")
    assert "deep" in faults_in(tmp_path, "a: " + "[" * 50_000)
    assert "longer than" in faults_in(tmp_path, "#" * 2**21)
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path, {}, {})


def test_an_alias_and_words_that_other_yaml_takes_for_numbers_are_taken(tmp_path: Path) -> None:
    key = tmp_path / "server.pem"
    key.touch()
    config = of(
        tmp_path,
        f"api: {{tls: &tls {{cert_file: {key}, key_file: {key}}}}}\n"
        "jaeger: {storage: {tls: *tls}}\n"
        "studies: [{name: 2024-01-01, service: 10:20, metric: m}]\n",
    )
    assert config.jaeger.storage.tls == config.api.tls
    assert (config.studies[0].name, config.studies[0].service) == ("2024-01-01", "10:20")


SECRET = "s3cret\"'#{}:*&-0123456789"


@pytest.mark.parametrize(
    "text",
    [
        "auth: {tokens: [{name: a, token: SHORT, scopes: [ingest]}]}",
        "auth: {tokens: [{name: a, tokn: SECRET, scopes: [ingest]}]}",
        "auth: {tokens: [{name: a, token: [SECRET], scopes: [ingest]}]}",
        "auth: {tokens: [{name: a, token: SECRET, scopes: [SECRET]}]}",
        "auth: {tokens: SECRET}",
        "auth: SECRET",
        "auth: [SECRET]",
        "auth: {token: SECRET}",
        "token: SECRET",
        "SECTION: {token: SECRET}",
        "exporters: {a: {endpoint: SECRET}}",
        "exporters: {a: {endpoint: 'http://x', headers: SECRET}}",
        "exporters: {a: {endpoint: 'http://x', headers: {a: [SECRET]}}}",
        "exporters: {a: SECRET}",
        "api: {endpoint: SECRET}",
        "telemetry: {log_level: SECRET}",
        "feedback: {ttl_seconds: SECRET}",
        "api: {tls: {cert_file: SECRET, key_file: SECRET}}",
        "studies: [{name: 'x SECRET', service: s, metric: m}]",
        "studies: [{name: n, service: s, metric: m, seed: SECRET}]",
        "studies: SECRET",
    ],
)
def test_no_fault_repeats_a_secret(tmp_path: Path, text: str) -> None:
    for secret in (SECRET, "12345678901234567890", "[key: s3cret"):
        given = secret[:9] if "SHORT" in text else secret
        referring = text.replace("SECRET", '"${env:S}"').replace("SHORT", '"${env:S}"')
        assert secret[:9] not in faults_in(tmp_path, referring, S=given)
    if text.startswith(("auth", "token", "SECTION", "exporters")):  # written out, and wrong as YAML, too
        for literal in (json.dumps(SECRET), "*s3cretsecret", "!s3cretsecret x", "@s3cretsecret", '"s3cretsecret'):
            assert "s3cret" not in faults_in(tmp_path, text.replace("SECRET", literal).replace("SHORT", literal[:12]))


def test_a_printed_configuration_hides_secrets(tmp_path: Path) -> None:
    config = of(
        tmp_path,
        f"auth: {{tokens: [{{name: a, token: {'t' * 16}, scopes: [ingest]}}]}}\n"
        f"exporters: {{a: {{endpoint: 'http://x:1', headers: {{authorization: {'h' * 16}}}}}}}\n",
    )
    printed = json.dumps(config.model_dump(mode="json")) + repr(config)
    assert "t" * 16 not in printed
    assert "h" * 16 not in printed


@pytest.mark.parametrize("token", ["t" * 16 + "\n", " " + "t" * 16, "t" * 16 + "ü", "t" * 8 + "\x1b" + "t" * 8])
def test_a_token_that_no_header_can_carry_is_refused(tmp_path: Path, token: str) -> None:
    text = "auth: {tokens: [{name: a, token: '${env:T}', scopes: [ingest]}]}"
    assert "a header cannot carry it" in faults_in(tmp_path, text, T=token)


SERVERS = ("receivers.otlp.protocols.grpc", "receivers.otlp.protocols.http", "api", "jaeger.storage")


@pytest.mark.parametrize("server", SERVERS)
def test_other_machines_are_let_in_only_with_tokens_or_where_it_is_said(tmp_path: Path, server: str) -> None:
    key = f"{server}.endpoint"
    for host in ("0.0.0.0", "[::]", "192.0.2.7", "[2001:db8::1]", "no-such-host.invalid", "0", "[::ffff:192.0.2.7]"):
        with pytest.raises(ConfigError, match=rf"{key}: .*can be reached from other machines.*--insecure"):
            load(None, {}, {key: f"{host}:1"})
        assert load(None, {}, {key: f"{host}:1", "auth.insecure": True})
        assert load(None, {"OTEL_OPTO_AUTH_INSECURE": "true"}, {key: f"{host}:1"})
    for host in ("127.0.0.1", "[::1]", "localhost", "127.9.9.9", "127.1", "[::ffff:127.0.0.1]"):
        assert load(None, {}, {key: f"{host}:1"})
    tokens = f"auth: {{tokens: [{{name: a, token: {'t' * 16}, scopes: [ingest]}}]}}"
    assert load(written(tmp_path, tokens), {}, {key: "0.0.0.0:1"})


def test_clients_with_certificates_count_as_known(tmp_path: Path) -> None:
    pem = tmp_path / "a.pem"
    pem.touch()
    tls: dict[str, Any] = {"cert_file": pem, "key_file": pem}
    with pytest.raises(ConfigError, match=r"api\.endpoint"):
        load(None, {}, {"api.endpoint": "0.0.0.0:1", "api.tls": tls})
    assert load(None, {}, {"api.endpoint": "0.0.0.0:1", "api.tls": {**tls, "client_ca_file": pem}})


@pytest.mark.parametrize("endpoint", [":4317", "localhost", "localhost:", "localhost:70000", "a b:1", "", "::1:4317"])
def test_an_address_is_a_host_and_a_port(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="allowed is HOST:PORT"):
        load(None, {}, {"api.endpoint": endpoint})


@pytest.mark.parametrize("endpoint", ["127.0.0.1\0:1", "127.0.0.1\0.example.org:1", "a\x1b:1", "127.0.0.1:\u0663"])
def test_an_endpoint_is_what_every_reader_takes_it_for(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="allowed is HOST:PORT"):
        load(None, {}, {"api.endpoint": endpoint})
