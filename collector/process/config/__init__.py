"""The configuration: one declaration per key gives type, default, bounds, environment variable and documentation.

One precedence rule: command-line flag, then environment variable, then file, then default. The file is YAML in the
OpenTelemetry Collector's manner, ``${env:NAME}`` and ``${env:NAME:-default}`` included. Everything is validated before
anything starts, and every fault is reported at once with its key path.
"""

from collector.process.config.loading import ENVIRONMENT_PREFIX, Key, keys, load
from collector.process.config.sections import (
    Config,
    CorsConfig,
    ExporterConfig,
    GraphConfig,
    OwnTracesConfig,
    SigningConfig,
    TlsConfig,
)

__all__ = [
    "ENVIRONMENT_PREFIX",
    "Config",
    "CorsConfig",
    "ExporterConfig",
    "GraphConfig",
    "Key",
    "OwnTracesConfig",
    "SigningConfig",
    "TlsConfig",
    "keys",
    "load",
]
