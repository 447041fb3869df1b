"""Optimizers by name, from installed packages."""

import subprocess
import sys
from pathlib import Path

import pytest

from collector.core.errors import OptimizerError
from collector.optimizer.generators.search import Search
from collector.optimizer.registry import OptimizerRegistry


def test_it_loads_once() -> None:
    registry = OptimizerRegistry()
    assert isinstance(registry.load("search"), Search)
    assert registry.load("search") is registry.load("search")


def test_an_unknown_optimizer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        OptimizerError, match="unknown 'serch'; available: bandit, gepa, hybrid, opro, optoprime, search, textgrad"
    ) as refused:
        OptimizerRegistry().load("serch")
    assert refused.value.permanent


def loading(folder: Path, entry_points: str, name: str) -> str:
    """What comes of loading with one more distribution installed."""
    metadata = folder / "outsider-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: outsider\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[otel_opto.optimizers]\n{entry_points}\n")
    (folder / "outsider.py").write_text("class Outsider:\n    pass\n")
    script = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "from collector.optimizer.registry import OptimizerRegistry\n"
        "try:\n"
        f"    print(type(OptimizerRegistry().load({name!r})).__name__)\n"
        "except Exception as error:\n"
        "    print(error.permanent, error)\n"
    )
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def test_an_installed_optimizer_is_found(tmp_path: Path) -> None:
    assert loading(tmp_path, "outside = outsider:Outsider", "outside") == "Outsider"


def test_one_that_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    said = loading(tmp_path, "broken = outsider:Nobody", "broken")
    assert said.startswith("True optimizer 'broken' cannot be loaded: module 'outsider' has no attribute 'Nobody'")


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    said = loading(tmp_path, "search = outsider:Outsider", "search")
    assert said == (
        "True optimizer 'search' is installed twice: collector.optimizer.generators.search:build and "
        "outsider:Outsider; uninstall or rename one"
    )
