"""Pictures as PNG."""

import shutil
import struct
from pathlib import Path

import pytest

from collector.cli.terminal.png import NoConverter, write_png
from collector.render.svg import graph_svg
from tests.unit.collector.render.graphs import chain, example

installed = pytest.mark.skipif(shutil.which("rsvg-convert") is None, reason="rsvg-convert is not installed")


def size(path: Path) -> tuple[int, int]:
    """The width and height in a PNG's header (ISO/IEC 15948, 11.2.2)."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


@installed
def test_a_picture_is_twice_as_sharp_as_its_svg(tmp_path: Path) -> None:
    svg = graph_svg(example())
    write_png(svg, tmp_path / "g.png")
    width, height = size(tmp_path / "g.png")
    assert f'width="{width / 2:.0f}" height="{height / 2:.0f}"' in svg


@installed
def test_a_very_long_picture_is_made_smaller(tmp_path: Path) -> None:
    write_png(graph_svg(chain(399)), tmp_path / "g.png")
    assert 15_900 < size(tmp_path / "g.png")[1] <= 16_001


@installed
def test_a_failure_is_told_in_the_programs_words(tmp_path: Path) -> None:
    with pytest.raises(NoConverter, match="rsvg-convert failed: "):
        write_png("no picture", tmp_path / "g.png")


def test_without_the_program_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoConverter, match=r"librsvg.*--svg writes a picture"):
        write_png(graph_svg(example()), tmp_path / "g.png")
