"""What the source of a function may use, read off its syntax tree.

A lint and no sandbox: it stops what a language model writes by accident and what is plainly meant to get around it.
Whoever wants to get around it can. What the declared source uses itself, another one may use, too.
"""

import ast
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_NEVER = frozenset({"__import__", "compile", "eval", "exec"})
"""Builtins that make code of data."""

_REACHING = frozenset({
    "breakpoint", "delattr", "exit", "getattr", "globals", "help", "input", "locals", "open", "quit", "setattr", "vars",
})  # fmt: skip
"""Builtins that reach out of the function."""

_ENDING = frozenset({"BaseException", "BaseExceptionGroup", "GeneratorExit", "KeyboardInterrupt", "SystemExit"})
"""Exceptions that are not the function's to raise or to catch: the application's end, and cancellation."""

_PLAIN = frozenset({
    "__call__", "__class__", "__contains__", "__doc__", "__enter__", "__exit__", "__getitem__", "__init__", "__iter__",
    "__len__", "__name__", "__next__", "__qualname__",
})  # fmt: skip
"""Attributes with two underscores that lead nowhere."""

_FRAMES = re.compile(r"(?:gi|cr|ag|tb)_(?:frame|code|await|next)|f_(?:back|builtins|code|globals|locals)")
_DUNDER = re.compile(r"__\w+__")
_NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar
_RECEIVERS = frozenset({"self", "cls", "super"})


@dataclass(frozen=True, slots=True)
class Use:
    """Something that a source uses and that not every source may use.

    Attributes:
        what: The same for the same thing elsewhere; a source that is declared grants it.
        grantable: Whether declaring it is enough.
    """

    line: int
    what: str
    grantable: bool = True


def uses(module: ast.Module) -> Iterator[Use]:
    """What would need to be granted, in the order of the tree."""
    bound, docstrings = bindings(module), _docstrings(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Name):
            yield from _of_name(node, bound)
        elif isinstance(node, ast.Attribute):
            yield from _of_attribute(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield from (Use(node.lineno, f"the text {word!r}") for word in _DUNDER.findall(node.value))
        elif isinstance(node, ast.Global):
            yield from (Use(node.lineno, f"global {name}") for name in node.names)
        elif isinstance(node, ast.Nonlocal) and node in _own(module):
            yield from (Use(node.lineno, f"nonlocal {name}") for name in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield Use(node.lineno, "an except that names no exception")
        elif isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield Use(node.lineno, "import *", grantable=False)


def imported(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Each imported module with its line; a relative one with its dots."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def covers(imports: Collection[str], name: str) -> bool:
    """Whether a module is one of those, or below one of those."""
    return any(name == allowed or name.startswith(f"{allowed}.") for allowed in imports)


def loaded(module: ast.Module) -> dict[str, int]:
    """Names that are read and bound nowhere in the source, each with its first line: globals, builtins, closures."""
    bound = bindings(module)
    found: dict[str, int] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in bound:
            found[node.id] = min(node.lineno, found.get(node.id, node.lineno))
    return found


def bindings(module: ast.Module) -> frozenset[str]:
    """Names that the source binds somewhere."""
    found: set[str | None] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, _NAMED):
            found.add(node.name)
        elif isinstance(node, ast.MatchMapping):
            found.add(node.rest)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.partition(".")[0])
    return frozenset(name for name in found if name)


def _of_name(node: ast.Name, bound: Collection[str]) -> Iterator[Use]:
    name = node.id
    if name in _NEVER:
        yield Use(node.lineno, name, grantable=False)
    elif name in _REACHING or name in _ENDING or name == "super" or (_DUNDER.fullmatch(name) and name != "__name__"):
        yield Use(node.lineno, name)
    elif name in sys.stdlib_module_names and name not in bound:
        yield Use(node.lineno, f"the module {name}")


def _of_attribute(node: ast.Attribute) -> Iterator[Use]:
    name = node.attr
    inside = _DUNDER.fullmatch(name) and name not in _PLAIN
    if (
        inside
        or _FRAMES.fullmatch(name)
        or (name.startswith("_") and not _DUNDER.fullmatch(name) and not _is_own(node.value))
    ):
        yield Use(node.lineno, f".{name}")


def _is_own(value: ast.expr) -> bool:
    """``self``, ``cls``, ``super()``."""
    value = value.func if isinstance(value, ast.Call) else value
    return isinstance(value, ast.Name) and value.id in _RECEIVERS


def _own(module: ast.Module) -> Collection[ast.AST]:
    """The statements of the function itself, without those of functions inside it."""
    waiting: list[ast.AST] = [
        part for one in module.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) for part in one.body
    ]
    found: list[ast.AST] = []
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    return found


def _docstrings(module: ast.Module) -> Collection[int]:
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr):
                found.append(id(first.value))
    return frozenset(found)
