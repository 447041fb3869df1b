"""The texts that optimizers send; `$name` marks what is filled in."""

from importlib.resources import files
from string import Template


def prompt(name: str, **filled: str) -> str:
    """The text ``<name>.md`` with everything filled in."""
    text = files("collector.optimizer.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8")
    return Template(text).substitute(filled)
