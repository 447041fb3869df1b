"""Tokens on real servers."""

import asyncio
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import grpc
import pytest
from google.rpc import code_pb2, status_pb2

from collector.access.tokens import Access, Denied, Scope, Token
from collector.core.errors import ConfigError
from collector.process.config import load
from collector.process.service import Collector
from tests import samples

APP, VIEWER = "a" * 20, "v" * 20
EXTENSIONS = """subjectAltName=DNS:localhost,IP:127.0.0.1
keyUsage=digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth,clientAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SERVICES = "/jaeger.storage.v2.TraceReader/GetServices"
ROLLBACK = "/otel_opto.v1.ReleaseService/Rollback"


def test_a_token_allows_its_scopes_and_says_what_is_missing() -> None:
    access = Access([Token("app", APP, frozenset({Scope.INGEST}))])
    access.check(f"Bearer {APP}", Scope.INGEST)
    access.check(f"bearer  {APP} ", Scope.INGEST)
    for header, said, known in (
        ("", "no authorization header", False),
        ("Basic abc", "scheme 'Basic'", False),
        ("Bearer wrong", "not known", False),
        ("Bearer ü", "not known", False),
    ):
        with pytest.raises(Denied, match=said) as denied:
            access.check(header, Scope.INGEST)
        assert denied.value.authenticated is known
    with pytest.raises(Denied, match="token 'app' does not allow 'read'") as denied:
        access.check(f"Bearer {APP}", Scope.READ)
    assert denied.value.authenticated
    assert APP not in str(denied.value)
    Access([]).check("", Scope.PUBLISH)


def configured(tmp_path: Path, extra: str = "") -> Collector:
    file = tmp_path / "collector.yaml"
    file.write_text(
        f"""
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:0"}}, http: {{endpoint: "127.0.0.1:0"}}}}}}}}
api: {{endpoint: "127.0.0.1:0"}}
jaeger: {{storage: {{endpoint: "127.0.0.1:0"}}}}
storage: {{directory: "{tmp_path / "data"}"}}
auth:
  tokens:
    - {{name: app, token: "{APP}", scopes: [ingest]}}
    - {{name: viewer, token: "{VIEWER}", scopes: [read]}}
{extra}""",
        encoding="utf-8",
    )
    return Collector(load(file, {}, {}))


def http(url: str, token: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent = {
        "Content-Type": "application/x-protobuf",
        **({"Authorization": f"Bearer {token}"} if token else {}),
        **headers,
    }
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, sent), timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


async def test_every_server_asks_for_its_scope(tmp_path: Path) -> None:
    collector = configured(tmp_path)
    at = await collector.start()
    try:
        traces = samples.traces_request([samples.span(1, 1)])
        answers = {
            token: await asyncio.to_thread(http, f"http://{at.otlp_http}/v1/traces", token, traces)
            for token in ("", VIEWER, APP)
        }
        assert [answers[token][0] for token in ("", VIEWER, APP)] == [401, 403, 200]
        assert answers[""][1]["www-authenticate"].startswith("Bearer")
        assert status_pb2.Status.FromString(answers[""][2]).code == code_pb2.UNAUTHENTICATED
        api = [(await asyncio.to_thread(http, f"http://{at.api}/v1/traces", token))[0] for token in ("", APP, VIEWER)]
        assert api == [401, 403, 200]
        assert (await asyncio.to_thread(http, f"http://{at.api}/readyz", ""))[0] == 200
        for address, method, allowed, denied in (
            (at.otlp_grpc, EXPORT, APP, VIEWER),
            (at.jaeger_storage, SERVICES, VIEWER, APP),
            (at.otlp_grpc, ROLLBACK, "", VIEWER),
        ):
            async with grpc.aio.insecure_channel(address) as channel:
                codes = []
                for token in ("", denied, allowed):
                    metadata = (("authorization", f"Bearer {token}"),) if token else ()
                    try:
                        await channel.unary_unary(method)(b"", metadata=metadata)
                    except grpc.aio.AioRpcError as error:
                        codes.append(error.code().name)
                assert codes[:2] == ["UNAUTHENTICATED", "PERMISSION_DENIED"]
                assert len(codes) == (2 if allowed else 3)
    finally:
        await collector.stop()


async def test_browsers_of_allowed_origins_may_send(tmp_path: Path) -> None:
    collector = configured(tmp_path)
    cors = {"allowed_origins": ["https://*.example.org"], "allowed_headers": ["X-Extra"], "max_age": 60}
    http_section = {"endpoint": "127.0.0.1:0", "cors": cors}
    collector = Collector(
        load(
            tmp_path / "collector.yaml",
            {},
            {"receivers.otlp.protocols.http": http_section},
        )
    )
    at = await collector.start()
    try:
        url = f"http://{at.otlp_http}/v1/traces"

        def preflight(origin: str) -> tuple[int, dict[str, str]]:
            headers = {
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type,authorization,traceparent,x-extra",
            }
            request = urllib.request.Request(url, headers=headers, method="OPTIONS")
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return answer.status, dict(answer.headers)
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, dict(error.headers)

        status, headers = await asyncio.to_thread(preflight, "https://app.example.org")
        assert (status, headers["access-control-allow-origin"]) == (200, "https://app.example.org")
        assert "access-control-allow-credentials" not in headers
        assert (await asyncio.to_thread(preflight, "https://evil.org"))[0] == 400
        body = samples.traces_request([samples.span(1, 1)])
        status, headers, _ = await asyncio.to_thread(lambda: http(url, APP, body, Origin="https://app.example.org"))
        assert (status, headers["access-control-allow-origin"]) == (200, "https://app.example.org")
    finally:
        await collector.stop()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a server's certificate for localhost, and a client's."""
    directory = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-days",
        "2",
        "-subj",
        "/CN=ca",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    )
    (directory / "names").write_text(EXTENSIONS, encoding="utf-8")
    for name in ("server", "client"):
        openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
            "-subj",
            f"/CN={name}",
        )
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.pem", "-days", "2", "-extfile", "names")  # fmt: skip
    return directory


async def test_tls_and_client_certificates(tmp_path: Path, certificates: Path) -> None:
    tls = {"cert_file": str(certificates / "server.pem"), "key_file": str(certificates / "server.key")}
    mutual = {**tls, "client_ca_file": str(certificates / "ca.pem")}
    configured(tmp_path)
    collector = Collector(
        load(
            tmp_path / "collector.yaml",
            {},
            {
                "receivers.otlp.protocols.http": {"endpoint": "127.0.0.1:0", "tls": tls},
                "receivers.otlp.protocols.grpc": {"endpoint": "127.0.0.1:0", "tls": mutual},
            },
        )
    )
    at = await collector.start()
    try:
        import ssl

        context = ssl.create_default_context(cafile=certificates / "ca.pem")
        request = urllib.request.Request(
            f"https://{at.otlp_http}/v1/traces",
            samples.traces_request([samples.span(1, 1)]),
            {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {APP}"},
        )

        def send() -> int:
            with urllib.request.urlopen(request, context=context, timeout=10) as answer:
                return int(answer.status)

        assert await asyncio.to_thread(send) == 200
        roots = (certificates / "ca.pem").read_bytes()
        shown = grpc.ssl_channel_credentials(
            roots, (certificates / "client.key").read_bytes(), (certificates / "client.pem").read_bytes()
        )
        for credentials, works in ((shown, True), (grpc.ssl_channel_credentials(roots), False)):
            async with grpc.aio.secure_channel(at.otlp_grpc.replace("127.0.0.1", "localhost"), credentials) as channel:
                metadata = (("authorization", f"Bearer {APP}"),)
                call = channel.unary_unary(EXPORT)(b"", metadata=metadata, timeout=5)
                if works:
                    assert await call == b""
                else:
                    with pytest.raises(grpc.aio.AioRpcError) as refused:
                        await call
                    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    finally:
        await collector.stop()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            {"cert_file": "/nowhere.pem", "key_file": "/nowhere.key"},
            "cert_file: path does not point to a file; found '/nowhere.pem'",
        ),
        ({"cert_file": __file__}, "cert_file and key_file go together"),
        ({"client_ca_file": __file__}, "client_ca_file needs cert_file"),
    ],
)
def test_wrong_certificates_are_said_with_their_key(section: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        load(None, {}, {"receivers.otlp.protocols.http.tls": section})
    assert "receivers.otlp.protocols.http.tls" in str(error.value)


async def test_a_file_that_is_no_certificate_is_said(tmp_path: Path) -> None:
    configured(tmp_path)
    tls = {"cert_file": __file__, "key_file": __file__}
    config = load(tmp_path / "collector.yaml", {}, {"api": {"endpoint": "127.0.0.1:0", "tls": tls}})
    with pytest.raises(ConfigError, match=r"api\.endpoint: the certificate cannot be used"):
        await Collector(config).start()
