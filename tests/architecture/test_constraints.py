"""What the scripts install was resolved beforehand: no resolver begins with nothing."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INSTALLED = ("all", "dev", "experiments")


def named(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def wanted(extra: str) -> set[str]:
    """The packages of an extra and of those that it names."""
    names = set()
    for requirement in PROJECT["optional-dependencies"][extra]:
        if named(requirement) == PROJECT["name"]:
            inner = requirement[requirement.index("[") + 1 : requirement.index("]")]
            names |= {name for one in inner.split(",") for name in wanted(one.strip())}
        else:
            names.add(named(requirement))
    return names


@pytest.mark.parametrize("extra", INSTALLED)
def test_every_dependency_has_a_version(extra: str) -> None:
    lines = (ROOT / "scripts/constraints.txt").read_text(encoding="utf-8").splitlines()
    resolved = {named(line) for line in lines}
    direct = {named(one) for one in PROJECT["dependencies"]}
    assert (wanted(extra) | direct) - resolved == set(), "run scripts/constraints and commit what it wrote"
