"""The source of a function that runs: as its file has it, without decorators, at the left margin."""

import ast
import inspect
import types
from collections.abc import Iterator

from otel_opto.code.assembly import Function


class NoSource(ValueError):
    """The source of a function is not to be had: what was looked for, and why not."""


def source_text(function: types.FunctionType) -> str:
    """``def …`` to its last line, decorators left away. Texts of several lines in it stay what they are.

    Raises:
        NoSource: there is no file, or another function stands in it by now.
    """
    try:
        lines, _ = inspect.getsourcelines(function)
    except (OSError, TypeError, SyntaxError, IndexError) as error:
        raise NoSource(f"the source of {function.__qualname__} is not to be had: {error}") from None
    margin = len(lines[0]) - len(lines[0].lstrip())
    try:
        found = _first(ast.parse("".join(["if True:\n", *lines]) if margin else "".join(lines)))
    except (SyntaxError, ValueError):
        found = None
    if found is None or found.name != function.__name__ or _names(found) != _taken(function):
        raise NoSource(
            f"the source of {function.__qualname__} is not to be had: at line {function.__code__.co_firstlineno} of "
            f"{function.__code__.co_filename} stands something else"
        )
    shift, fixed = 1 if margin else 0, _within_texts(found)
    assert found.end_lineno is not None
    kept = []
    for number in range(found.lineno, found.end_lineno + 1):
        line = lines[number - 1 - shift]
        blank = len(line) - len(line.lstrip(" \t"))
        kept.append(line if number in fixed else line[min(margin, blank) :])
    return "".join(kept).rstrip() + "\n"


def _first(module: ast.Module) -> Function | None:
    statement: ast.stmt | None = next(iter(module.body), None)
    if isinstance(statement, ast.If):
        statement = next(iter(statement.body), None)
    return statement if isinstance(statement, Function) else None


def _names(function: Function) -> list[str]:
    said = function.args
    rest = [one.arg for one in (said.vararg, said.kwarg) if one]
    return [one.arg for one in (*said.posonlyargs, *said.args, *said.kwonlyargs)] + rest


def _taken(function: types.FunctionType) -> list[str]:
    """The names of its arguments as it was compiled."""
    code = function.__code__
    flags = (inspect.CO_VARARGS, inspect.CO_VARKEYWORDS)
    count = code.co_argcount + code.co_kwonlyargcount + sum(bool(code.co_flags & flag) for flag in flags)
    return list(code.co_varnames[:count])


def _within_texts(function: Function) -> frozenset[int]:
    """Lines that begin inside a text; a docstring is moved with the rest."""
    first = function.body[0]
    docstring = first.value if isinstance(first, ast.Expr) else None
    return frozenset(line for node in ast.walk(function) for line in _continued(node) if node is not docstring)


def _continued(node: ast.AST) -> Iterator[int]:
    text = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
    if text and isinstance(node, ast.expr) and node.end_lineno is not None:
        yield from range(node.lineno + 1, node.end_lineno + 1)
