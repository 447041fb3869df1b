"""``otel-opto collector``: runs the collector in the foreground."""

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from collector.cli.terminal import output
from collector.cli.terminal.json_log import JsonFormatter
from collector.heartbeat import share_fairly
from collector.process.allocator import collect_seldom, keep_freed_memory
from collector.process.config import Config, load
from collector.process.network.descriptors import raise_limit
from collector.process.service import Collector

_HELP = """\
Receives OTLP, rebuilds the OPTO graph, attaches feedback, runs studies and publishes releases.

Prints one JSON line with its addresses once it accepts data, and runs until SIGTERM or SIGINT. A port 0 takes a free
one. Precedence of settings: flag, then environment variable (OTEL_OPTO_STORAGE_DIRECTORY, …), then --config file,
then default; docs/config.md lists every key.

examples:
  otel-opto collector
  otel-opto collector --data-dir ./data --otlp-grpc 127.0.0.1:0 --otlp-http 127.0.0.1:0 --api 127.0.0.1:0
  otel-opto collector --config collector.yaml
  otel-opto collector --config collector.yaml --validate
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", _: argparse.ArgumentParser) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "collector",
        help="run the collector",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML configuration")
    parser.add_argument("--data-dir", metavar="DIR", help="where everything is kept (storage.directory)")
    parser.add_argument("--otlp-grpc", metavar="HOST:PORT", help="OTLP/gRPC and the SDK's services")
    parser.add_argument("--otlp-http", metavar="HOST:PORT", help="OTLP/HTTP")
    parser.add_argument("--api", metavar="HOST:PORT", help="JSON API, Jaeger's query API, /metrics, /readyz, /healthz")
    parser.add_argument(
        "--jaeger-storage", metavar="HOST:PORT", help="Jaeger's remote storage API v2; an empty value turns it off"
    )
    parser.add_argument(
        "--insecure", action="store_const", const=True, help="let other machines in without tokens (auth.insecure)"
    )
    parser.add_argument("--log-format", choices=("text", "json"), help="of the log (telemetry.log_format)")
    parser.add_argument("--validate", action="store_true", help="check the configuration, print it, start nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs until a signal. Exit code 0; 2 for a wrong configuration (raised as ConfigError)."""
    flags = {
        "storage.directory": arguments.data_dir,
        "receivers.otlp.protocols.grpc.endpoint": arguments.otlp_grpc,
        "receivers.otlp.protocols.http.endpoint": arguments.otlp_http,
        "api.endpoint": arguments.api,
        "jaeger.storage.endpoint": arguments.jaeger_storage,
        "auth.insecure": arguments.insecure,
        "telemetry.log_format": arguments.log_format,
    }
    config = load(arguments.config, os.environ, flags)
    if arguments.validate:
        output.show_json(config.model_dump(mode="json"))
        return 0
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if config.telemetry.log_format == "json" else output.LogFormatter())
    logging.basicConfig(handlers=[handler], level=config.telemetry.log_level)
    logging.captureWarnings(True)
    raise_limit()
    keep_freed_memory()
    collect_seldom()
    share_fairly()
    import uvloop  # noqa: PLC0415 - here and not above: only this command needs it

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config))
    return 0


async def _serve(config: Config) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    collector = Collector(config)
    addresses = await collector.start()
    gc.freeze()  # what was made up to here stays; looking through it again and again would cost every request
    document = {**asdict(addresses), "data_dir": str(config.storage.directory.resolve()), "pid": os.getpid()}
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()
    await stopping.wait()
    await collector.stop()
