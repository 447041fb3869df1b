"""What is deployed says what the code says. Without a container engine and a cluster more cannot be proven here."""

import asyncio
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.api.measures import Measures
from collector.counters import Counters
from collector.process.config import load
from collector.storage.memory.store import MemoryStore
from tests.clocks import TickingClock
from tests.control import control_of

DEPLOY = Path(__file__).parents[3] / "deploy"
TOKENS = {"OPTO_INGEST_TOKEN": "ingest-ingest-ingest", "OPTO_PEOPLE_TOKEN": "people-people-people"}


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def metrics() -> dict[str, set[str]]:
    """The labels' values of every metric that a collector has, by its name."""

    async def exposed() -> str:
        store = MemoryStore(TickingClock())
        control = control_of(store)
        measures = Measures(store, control.studies, control.rollouts, lambda: 10**9)
        return Counters().exposition() + await measures.exposition()

    found: dict[str, set[str]] = {}
    for line in asyncio.run(exposed()).splitlines():
        if not line.startswith("#"):
            name, _, label = line.rpartition(" ")[0].partition("{")
            found.setdefault(name, set()).update(re.findall(r'="(\w+)"', label))
    return found


def expressions() -> Iterator[str]:
    dashboard = json.loads((DEPLOY / "grafana/collector.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    (rules,) = documents("prometheus/alerts.yaml")
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def test_every_metric_that_is_drawn_or_watched_is_there(metrics: dict[str, set[str]]) -> None:
    named = {name for expression in expressions() for name in re.findall(r"otel_opto_\w+", expression)}
    assert len(named) > 15
    assert sorted(named - metrics.keys()) == []
    for expression in expressions():
        assert expression.count("(") == expression.count(")")
        for name, states in re.findall(r'(otel_opto_\w+)\{state=~?"([\w|]+)"\}', expression):
            assert set(states.split("|")) <= metrics[name]


def test_the_dashboard_is_one_that_grafana_loads() -> None:
    dashboard = json.loads((DEPLOY / "grafana/collector.json").read_text(encoding="utf-8"))
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= dashboard.keys()
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]}
    assert len(places) == len(dashboard["panels"])


def test_every_alert_says_what_it_means() -> None:
    (rules,) = documents("prometheus/alerts.yaml")
    for rule in rules["groups"][0]["rules"]:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert len(rule["annotations"]["summary"]) > 40


def test_the_image_is_built_of_all_that_the_distribution_has() -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    needed |= {*wheel["packages"], *wheel["force-include"]}
    assert needed <= {name for names in copied for name in names.split()}


def test_the_configuration_of_the_image_starts_and_asks_for_tokens() -> None:
    config = load(DEPLOY / "collector.yaml", TOKENS, {})
    assert [token.name for token in config.auth.tokens] == ["applications", "people"]
    assert config.storage.directory.parent == Path("/data")
    assert (DEPLOY / "kubernetes/collector.yaml").read_bytes() == (DEPLOY / "collector.yaml").read_bytes()


def test_manifests_fit_together() -> None:
    stateful, service, budget = documents("kubernetes/gateway.yaml")
    (policy,) = documents("kubernetes/network.yaml")
    pod = stateful["spec"]["template"]
    labels = pod["metadata"]["labels"]
    selectors = [stateful["spec"]["selector"]["matchLabels"], service["spec"]["selector"]]
    selectors += [budget["spec"]["selector"]["matchLabels"], policy["spec"]["podSelector"]["matchLabels"]]
    assert selectors == [labels] * 4
    (container,) = pod["spec"]["containers"]
    assert {port["targetPort"] for port in service["spec"]["ports"]} == {port["name"] for port in container["ports"]}
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    claimed = {claim["metadata"]["name"] for claim in stateful["spec"]["volumeClaimTemplates"]}
    assert mounted == claimed | {volume["name"] for volume in pod["spec"]["volumes"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    (kustomization,) = documents("kubernetes/kustomization.yaml")
    for file in (*kustomization["resources"], *kustomization["configMapGenerator"][0]["files"], "sidecar.yaml"):
        assert documents(f"kubernetes/{file}")


def test_the_image_and_compose_serve_the_ports_of_the_configuration() -> None:
    config = load(DEPLOY / "collector.yaml", TOKENS, {})
    protocols = config.receivers.otlp.protocols
    endpoints = (protocols.grpc.endpoint, protocols.http.endpoint, config.api.endpoint, config.jaeger.storage.endpoint)
    ports = [endpoint.rpartition(":")[2] for endpoint in endpoints]
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert f"EXPOSE {' '.join(ports)}" in dockerfile
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    assert [name for line in copied for name in line.split() if not (DEPLOY.parent / name).exists()] == []
    (compose,) = documents("compose.yaml")
    published = [port.split(":") for port in compose["services"]["otel-opto"]["ports"]]
    assert [port for host, port, _ in published] == ports[:3]
    assert {host for host, *_ in published} == {"127.0.0.1"}
    jaeger = yaml.safe_load(compose["configs"]["jaeger"]["content"])
    assert jaeger["extensions"]["jaeger_storage"]["backends"]["opto"]["grpc"]["endpoint"] == f"otel-opto:{ports[3]}"
