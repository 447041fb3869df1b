"""``python -m examples.experiments.page``: makes docs/experiments.md of what is kept; ``--check`` only compares."""

import sys
from pathlib import Path

from examples.experiments.frame.page import Page

_ROOT = Path(__file__).parents[2]
_RESULTS = Path(__file__).with_name("results")


def main(arguments: list[str]) -> int:
    """The command."""
    page = Page(_RESULTS, _ROOT / "docs")
    if arguments == ["--check"]:
        stale = page.stale()
        if stale:
            sys.stderr.write(f"{', '.join(stale)}: not what the results say; run python -m examples.experiments.page\n")
        return 1 if stale else 0
    for name in page.write():
        sys.stdout.write(f"wrote {name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
