"""The tail is what makes code ugly: no module, function, class or folder grows past these bounds."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path
    for folder in ("otel_opto", "otel_opto_train", "collector", "examples")
    for path in (ROOT / folder).rglob("*.py")
    if "v1" not in path.relative_to(ROOT).parts
)


def functions() -> Iterator[tuple[str, int]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_longer_than_400_lines(path: Path) -> None:
    assert lines(path) <= 400


def test_half_of_the_modules_have_at_most_150_lines() -> None:
    assert statistics.median(lines(path) for path in MODULES) <= 150


def test_no_function_is_longer_than_60_lines() -> None:
    assert [name for name, length in functions() if length > 60] == []


def test_nine_of_ten_functions_have_at_most_35_lines() -> None:
    lengths = sorted(length for _, length in functions())
    assert lengths[len(lengths) * 9 // 10] <= 35


STILL_LARGER = {"api", "core", "otlp"}
"""Folders of the collector that wait to be divided."""


def test_a_folder_holds_a_dozen_modules() -> None:
    collector = ROOT / "collector"
    counts: dict[str, int] = {}
    for path in MODULES:
        if path.is_relative_to(collector) and path.name != "__init__.py" and "_pb2" not in path.name:
            folder = str(path.parent.relative_to(collector))
            counts[folder] = counts.get(folder, 0) + 1
    assert {folder for folder, count in counts.items() if count > 13} <= STILL_LARGER


def test_no_part_of_the_store_has_more_than_15_questions_and_orders() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": sum(
            isinstance(member, ast.AsyncFunctionDef) and not member.name.startswith("_") for member in node.body
        )
        for path in MODULES
        if path.is_relative_to(ROOT / "collector/storage") or path.is_relative_to(ROOT / "collector/core/protocols")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    assert {name: count for name, count in found.items() if count > 15} == {}
