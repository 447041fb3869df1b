"""Pictures as PNG, through librsvg's ``rsvg-convert`` where it is installed.

Drawing text into pixels needs fonts and a rasteriser; none is worth a dependency (docs/adr/008). Every browser shows
the SVG as it is.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from collector.core.errors import CollectorError

_PROGRAM: Final = "rsvg-convert"
_SHARPNESS: Final = 2.0
_MOST_PIXELS: Final = 16_000
"""In one direction; cairo, which rsvg-convert draws with, ends at 32,767."""


class NoConverter(CollectorError):
    """The picture cannot be made here; the text says what would help."""


def write_png(svg: str, path: Path) -> None:
    """Writes one of our SVG pictures, twice as large as it says where that is not too large.

    Raises:
        NoConverter: rsvg-convert is not installed, or failed.
    """
    program = shutil.which(_PROGRAM)
    if program is None:
        raise NoConverter(
            f"--png needs {_PROGRAM} (package librsvg2-bin or librsvg) and it is not on the PATH; "
            "--svg writes a picture that any browser shows and saves"
        )
    lengths = [float(length) for length in re.findall(r'(?:width|height)="([\d.]+)"', svg[: svg.find(">") + 1])]
    zoom = min(_SHARPNESS, _MOST_PIXELS / max(lengths, default=1.0))
    command = [program, "--format", "png", "--zoom", f"{zoom:.4f}", "--output", str(path)]
    done = subprocess.run(command, input=svg.encode(), capture_output=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        raise NoConverter(f"{_PROGRAM} failed: {done.stderr.decode(errors='replace').strip()}")
