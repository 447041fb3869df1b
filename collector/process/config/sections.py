"""The sections of the configuration: one declaration per key gives type, default, bounds and documentation."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FilePath, SecretStr, field_validator, model_validator

from collector.access.tokens import Scope as AccessScope
from collector.api.documents import StudyDocument
from collector.graph.rules import BY_NAME

_ENDPOINT = re.compile(r"(?:(\[[0-9A-Fa-f:.]+\])|([^\s\x00-\x1f\x7f:/\[\]]+)):([0-9]{1,5})")


def _endpoint(text: str) -> str:
    match = _ENDPOINT.fullmatch(text)
    if not match or int(match[3]) > 65535:
        raise ValueError("allowed is HOST:PORT, for example 127.0.0.1:4317 (port 0: a free one)")
    return text


def _sendable(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text != text.strip() or not (text.isascii() and text.isprintable()):
        raise ValueError(
            "a header cannot carry it: allowed are printable ASCII characters, no blank or line break at either end"
        )
    return secret


Endpoint = Annotated[str, AfterValidator(_endpoint)]
EndpointOrOff = Annotated[str, AfterValidator(lambda text: text and _endpoint(text))]

_CONNECTIONS = "Open at once; fewer where `ulimit -n` does not suffice for all."


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class TlsConfig(_Section):
    """TLS of a server; off without a certificate."""

    cert_file: FilePath | None = Field(None, description="The server's certificate chain, PEM. Turns TLS on.")
    key_file: FilePath | None = Field(None, description="The certificate's private key, PEM.")
    client_ca_file: FilePath | None = Field(
        None, description="Authorities of client certificates, PEM. Clients have to show one then (mTLS)."
    )

    @model_validator(mode="after")
    def _whole(self) -> "TlsConfig":
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together: give both or neither")
        if self.client_ca_file is not None and self.cert_file is None:
            raise ValueError("client_ca_file needs cert_file and key_file")
        return self


class CorsConfig(_Section):
    """Browsers that send telemetry from pages of other origins; off without an origin."""

    allowed_origins: list[str] = Field([], description="Origins, for example https://app.example; `*` in them matches.")
    allowed_headers: list[str] = Field([], description="Request headers beyond those that OTLP exporters send.")
    max_age: int = Field(7200, ge=0, description="Seconds for which a browser may remember the answer.")


class GrpcConfig(_Section):
    """OTLP over gRPC, and the SDK's own services beside it."""

    endpoint: Endpoint = Field("127.0.0.1:4317", description="Where OTLP/gRPC and the SDK's release watch are served.")
    tls: TlsConfig = TlsConfig()
    max_message_bytes: int = Field(
        16 * 2**20,
        ge=2**16,
        le=2**30,
        description="Largest gRPC message, before and after decompression. As many are received at once as fit into "
        "`receivers.otlp.max_in_flight_bytes`; the others wait.",
    )
    max_connections: int = Field(2048, ge=1, le=10**6, description=_CONNECTIONS)


class HttpConfig(_Section):
    """OTLP over HTTP."""

    endpoint: Endpoint = Field("127.0.0.1:4318", description="Where OTLP/HTTP is served.")
    tls: TlsConfig = TlsConfig()
    max_connections: int = Field(1024, ge=1, le=10**6, description=_CONNECTIONS)
    cors: CorsConfig = CorsConfig()


class ProtocolsConfig(_Section):
    """The protocols of the OTLP receiver."""

    grpc: GrpcConfig = GrpcConfig()
    http: HttpConfig = HttpConfig()


class OtlpConfig(_Section):
    """The OTLP receiver."""

    protocols: ProtocolsConfig = ProtocolsConfig()
    max_request_bytes: int = Field(
        64 * 2**20, ge=1024, le=2**30, description="Largest export request over HTTP, before and after decompression."
    )
    max_in_flight_bytes: int = Field(
        64 * 2**20,
        ge=2**20,
        le=2**32,
        description="Of all requests being received and not yet stored; beyond it exporters are told to try again.",
    )


class ReceiversConfig(_Section):
    """What comes in."""

    otlp: OtlpConfig = OtlpConfig()


class RetentionConfig(_Section):
    """How much telemetry is kept. What is older or more goes, the oldest first, 128 MiB at a time."""

    max_age_seconds: float | None = Field(None, gt=0, description="Older spans and log records go; empty: none do.")
    max_bytes: int | None = Field(
        None, ge=2**28, description="The whole store is kept below it (256 MiB at least); empty: no limit."
    )


class StorageConfig(_Section):
    """What is kept."""

    directory: Path = Field(Path("otel-opto-data"), description="Holds everything; made if it is not there.")
    retention: RetentionConfig = RetentionConfig()


class QueriesConfig(_Section):
    """What searches may cost."""

    max_seconds: float = Field(
        3.0, gt=0, le=300, description="A search that takes longer is ended; its answer says that it is a part."
    )
    max_spans: int = Field(
        200_000, ge=1, le=10_000_000, description="Of a trace that is shown to Jaeger; larger ones are refused."
    )
    max_bytes: int = Field(
        64 * 2**20, ge=1024, le=2**30, description="Of these spans, and of an answer that holds several traces."
    )


class GraphRulesConfig(_Section):
    """The rules by which dataflow is found; `docs/graph.md` says what each is worth."""

    off: list[str] = Field([], description="Names of rules that are not asked, for example `step before`.")

    @field_validator("off")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        if unknown := sorted(set(names) - BY_NAME.keys()):
            raise ValueError(f"no rule {', '.join(map(repr, unknown))}; there is: {', '.join(BY_NAME)}")
        return names


class GraphConfig(_Section):
    """Graphs of traces, and the processes in which large ones are computed."""

    max_spans: int = Field(
        50_000, ge=1, le=10_000_000, description="Of the traces that one graph is made of; larger ones are refused."
    )
    max_bytes: int = Field(
        64 * 2**20, ge=1024, le=2**30, description="Of their spans, and of their log records; larger ones are refused."
    )
    max_seconds: float = Field(60.0, gt=0, le=3600, description="The computation of a graph is ended after it.")
    processes: int = Field(2, ge=1, le=64, description="Large graphs and documents are computed in so many at once.")
    max_process_bytes: int = Field(2 * 2**30, ge=2**28, description="Memory that each of these processes may have.")
    min_confidence: float = Field(
        0.4, ge=0, le=1, description="Of the edges that an optimizer is shown, where its study does not say it."
    )
    rules: GraphRulesConfig = GraphRulesConfig()


class ApiConfig(_Section):
    """The JSON API for the command line, scripts and applications without the SDK, and Jaeger's query API."""

    endpoint: Endpoint = Field(
        "127.0.0.1:4319",
        description="Where the page, the JSON API, Jaeger's query API, /metrics, /readyz and /healthz are served.",
    )
    tls: TlsConfig = TlsConfig()
    max_connections: int = Field(1024, ge=1, le=10**6, description=_CONNECTIONS)
    max_request_bytes: int = Field(
        4 * 2**20,
        ge=1024,
        le=8 * 2**20,
        description="Largest body of a request to the API, over HTTP and gRPC. JSON has 50,000 values at most beside.",
    )


class JaegerStorageConfig(_Section):
    """Jaeger's remote storage API v2: a stock Jaeger reads what is stored here."""

    endpoint: EndpointOrOff = Field(
        "127.0.0.1:17271",
        description="Where it is served; empty turns it off. The default is passed over where the port is taken.",
    )
    tls: TlsConfig = TlsConfig()
    max_connections: int = Field(256, ge=1, le=10**6, description=_CONNECTIONS)


class JaegerConfig(_Section):
    """What is served to Jaeger."""

    storage: JaegerStorageConfig = JaegerStorageConfig()
    trace_url: str = Field(
        "",
        pattern=r"^(https?://[^\s<>\"']+)?$",
        description="Where the page's link to a trace in another viewer leads, for example "
        "http://localhost:16686/trace/{trace_id}; empty: there is none.",
    )


class ExporterConfig(_Section):
    """An OTLP endpoint to which everything that comes is forwarded, as it came."""

    endpoint: str = Field(pattern=r"^https?://[^\s/@]+(/\S*)?$", description="http://HOST:PORT or https://HOST:PORT.")
    protocol: Literal["grpc", "http"] = Field("grpc", description="OTLP/gRPC, or OTLP/HTTP with protobuf bodies.")
    headers: dict[str, SecretStr] = Field({}, description="Sent along, for example authorization.")
    compression: Literal["gzip", "none"] = Field("gzip", description="Of requests.")
    ca_file: FilePath | None = Field(
        None, description="Authorities of the endpoint's certificate, PEM; else the system's."
    )
    timeout_seconds: float = Field(10.0, gt=0, le=300, description="Of one request.")
    from_beginning: bool = Field(False, description="Whether a new exporter forwards what is stored already.")


class TokenConfig(_Section):
    """A bearer token."""

    name: str = Field(min_length=1, description="For logs.")
    token: Annotated[SecretStr, AfterValidator(_sendable)] = Field(
        min_length=16, description="The secret; write ${env:NAME} to keep it out of the file."
    )
    scopes: list[AccessScope] = Field(min_length=1, description="ingest, read, propose, publish, approve, admin.")


class AuthConfig(_Section):
    """Who may do what. Without tokens everybody who reaches the collector may do everything."""

    tokens: list[TokenConfig] = Field([], description="Bearer tokens; each allows its scopes.")
    insecure: bool = Field(
        False,
        description="Whether servers that other machines reach may do without tokens and without client certificates.",
    )


class SigningConfig(_Section):
    """A key of the collector's own; off by default, because signing keeps the collector from changing applications."""

    key_file: FilePath | None = Field(
        None,
        description="An Ed25519 private key, PEM, with which releases of studies and rollbacks are signed. Whoever "
        "takes over the collector can then make applications run any values that their parameters allow "
        "(docs/signing.md).",
    )


class FeedbackConfig(_Section):
    """Feedback on its way to its span."""

    ttl_seconds: float = Field(
        86_400.0, gt=0, le=3.2e7, description="Feedback that waits longer for its spans is given up and counted."
    )
    parent_grace_seconds: float = Field(
        2.0,
        ge=0,
        le=3600,
        description="Feedback on a whole trace whose topmost span names a parent waits so long for that parent.",
    )


class OwnTracesConfig(_Section):
    """Where the collector's own spans go: receive, store, assemble, optimize, publish. They are no application's."""

    endpoint: str = Field(
        "",
        pattern=r"^(https?://[^\s/@]+(/\S*)?)?$",
        description="http://HOST:PORT or https://HOST:PORT; empty: nowhere.",
    )
    protocol: Literal["grpc", "http"] = Field("grpc", description="OTLP/gRPC, or OTLP/HTTP with protobuf bodies.")
    headers: dict[str, SecretStr] = Field({}, description="Sent along, for example authorization.")
    compression: Literal["gzip", "none"] = Field("gzip", description="Of requests.")
    ca_file: FilePath | None = Field(
        None, description="Authorities of the endpoint's certificate, PEM; else the system's."
    )
    timeout_seconds: float = Field(10.0, gt=0, le=300, description="Of one request.")
    service_name: str = Field("otel-opto-collector", min_length=1, description="Their service.name.")
    share: float = Field(1.0, gt=0, le=1, description="Of what is traced, with all that is in it.")


class TelemetryConfig(_Section):
    """What the collector says of itself."""

    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="One of DEBUG, INFO, WARNING, ERROR."
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        description="`json`: one object a line, with the ids of the caller's trace where a request to the API has "
        "a `traceparent`.",
    )
    traces: OwnTracesConfig = OwnTracesConfig()


class Config(_Section):
    """The whole configuration."""

    receivers: ReceiversConfig = ReceiversConfig()
    storage: StorageConfig = StorageConfig()
    queries: QueriesConfig = QueriesConfig()
    graph: GraphConfig = GraphConfig()
    api: ApiConfig = ApiConfig()
    jaeger: JaegerConfig = JaegerConfig()
    exporters: dict[str, ExporterConfig] = Field({}, description="OTLP endpoints to forward to, by name.")
    auth: AuthConfig = AuthConfig()
    signing: SigningConfig = SigningConfig()
    feedback: FeedbackConfig = FeedbackConfig()
    telemetry: TelemetryConfig = TelemetryConfig()
    studies: list[StudyDocument] = Field(
        [], description="Studies that begin with the collector; one whose name is known already goes on."
    )
