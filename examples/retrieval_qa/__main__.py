"""``python -m retrieval_qa`` with the folder above on the path, or ``python .../retrieval_qa`` from anywhere."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    if __package__:
        from .process import main

        main()
    else:  # started as a folder, which is no package yet
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        runpy.run_module("retrieval_qa", run_name="__main__", alter_sys=True)
