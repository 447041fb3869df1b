"""What is deployed is what the schemas of Kubernetes and of compose files allow (`scripts/schemas` fetched them)."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

DEPLOY = Path(__file__).parents[3] / "deploy"
SCHEMAS = Path(__file__).parent / "schemas"
_NO_OBJECT = "Kustomization"
"""Is read by kubectl and has no schema of the API."""


def manifests() -> Iterator[tuple[str, Any]]:
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if isinstance(document, dict) and "kind" in document and document["kind"] != _NO_OBJECT:
                yield f"{path.name}: {document['kind']}", document


@pytest.fixture(scope="module")
def kubernetes() -> Any:
    return json.loads((SCHEMAS / "kubernetes.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def compose() -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / "compose.json").read_text(encoding="utf-8")))


def faults(schemas: Any, document: Any) -> list[str]:
    kind = schemas["kinds"][f"{document['apiVersion']} {document['kind']}"]
    validator = Draft202012Validator({**kind, "$defs": schemas["$defs"]})
    return [f"{'.'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in validator.iter_errors(document)]


def test_every_manifest_is_what_its_kind_allows(kubernetes: Any) -> None:
    found = dict(manifests())
    assert len(found) == 5
    assert {name: faults(kubernetes, document) for name, document in found.items()} == {name: [] for name in found}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "replica"), 1),
        (("spec", "replicas"), "one"),
        (("spec", "template", "spec", "containers", 0, "readinessProbe", "httpGet", "port"), None),
        (("spec", "template", "spec", "containers", 0, "securityContext", "readOnlyRootFileSystem"), True),
    ],
)
def test_a_slip_of_the_pen_is_found(kubernetes: Any, path: tuple[Any, ...], value: object) -> None:
    (stateful,) = (copy.deepcopy(one) for name, one in manifests() if name.endswith("StatefulSet"))
    within = stateful
    for key in path[:-1]:
        within = within.setdefault(key, {}) if isinstance(within, dict) else within[key]
    within[path[-1]] = value
    assert faults(kubernetes, stateful) != []


def test_the_compose_file_is_one(compose: Draft202012Validator) -> None:
    document = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert [one.message for one in compose.iter_errors(document)] == []
    next(iter(document["services"].values()))["prots"] = ["4319:4319"]
    assert [one.message for one in compose.iter_errors(document)] != []
