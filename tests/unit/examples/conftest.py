"""Puts the folder of the examples on the path, as the demo does for the application's process."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))
