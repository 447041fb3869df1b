"""The notebook runs, cell by cell, and shows what it promises to show.

Its cells are plain Python: they are run here in one namespace, and the last expression of each is shown as Jupyter
shows it, within a running event loop, as there. A kernel would test Jupyter.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
NOTEBOOK = ROOT / "examples" / "train" / "step.ipynb"

RUNNER = """
import ast, asyncio, json, pathlib, sys

async def main():
    notebook, names = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")), {"__name__": "__main__"}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), names)
        if last is not None:
            shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
            draw = getattr(shown, "_repr_html_", None)
            print(draw() if draw else repr(shown) if shown is not None else "")

asyncio.run(main())
"""


def test_its_cells_run_and_show_pictures() -> None:
    command = [sys.executable, "-W", "error", "-c", RUNNER, str(NOTEBOOK)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "kept; next: greeting.language = " in done.stdout
    assert "<figure><svg" in done.stdout
    assert "#Variables\ngreeting.language = " in done.stdout
    assert "Hola, Ana!!" in done.stdout
    assert done.stdout.rstrip().endswith("'Hello, Ana'")


def test_it_is_kept_without_outputs_and_its_code_is_formatted() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []
    assert all(ast.parse("".join(cell["source"])) for cell in code)
