"""Functions as values: what another source has to be so that it can take the place of the declared one.

Pure, because both ends ask: the collector before a proposal can become a release, the SDK before it applies one. It is
a check of form and a lint (`otel_opto.code.lint`), no sandbox: code that passes does what it says, in the process of
whoever lets it run (`otel_opto.configure` with ``allow_code=``).
"""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from otel_opto.code import lint
from otel_opto.code.assembly import Function, Surroundings, assembled

MAX_SOURCE_LENGTH = 20_000
"""Characters of a function's source."""

_MAX_NODES, _MAX_NESTING, _MAX_DEPTH = 5_000, 60, 100
_TOO_DEEP = f"its parts are nested more than {_MAX_DEPTH} deep"
_KEPT = 256
_MODULE, _NONLOCAL = "the module ", "nonlocal "


class InvalidSource(ValueError):
    """A source that is refused: what was found, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the source of a function must be.

    Attributes:
        declaration: ``def answer(question, *, k=3)``: name, parameters, defaults; annotations left out.
        imports: Modules, with all below them, that may be imported.
        is_generator: Whether it yields.
        granted: What the declared source uses of what is not for every source (`otel_opto.code.lint.Use`).
    """

    declaration: str
    imports: frozenset[str]
    is_generator: bool
    granted: frozenset[str] = frozenset()

    def fault_of(self, text: str) -> str:
        """Why the text cannot take the function's place; empty if it can."""
        return _fault(self, text)

    def _fault(self, text: str) -> str:
        try:
            module = parsed(text)
            function = function_in(module)
        except InvalidSource as fault:
            return str(fault)
        if function.decorator_list:
            return f"line {function.decorator_list[0].lineno}: a decorator; leave it away, the declared ones stay"
        if declaration_of(function) != self.declaration:
            return f"found {declaration_of(function)}, wanted is {self.declaration}"
        if yields(function) != self.is_generator:
            return "it yields" if not self.is_generator else "it does not yield, as the declared function does"
        return next(self._faults(module), "") or _fault_of_compiling(text, self.granted)

    def _faults(self, module: ast.Module) -> Iterator[str]:
        for line, name in lint.imported(module):
            if not lint.covers(self.imports, name):
                yield f"line {line}: import of {name!r}; allowed: {', '.join(sorted(self.imports)) or 'none'}"
        for use in lint.uses(module):
            module_name = use.what.removeprefix(_MODULE) if use.what.startswith(_MODULE) else ""
            if not use.grantable or not (use.what in self.granted or lint.covers(self.imports, module_name)):
                yield f"line {use.line}: {use.what} is not allowed"

    def words(self) -> str:
        """What a source must be, for people and optimizers."""
        imports = ", ".join(sorted(self.imports)) or "none"
        return f"the Python source of one function, {self.declaration}; imports allowed: {imports}"


@lru_cache(_KEPT)
def _fault(source: Source, text: str) -> str:
    """Asked again and again: specifications are made anew from what is stored, releases come with unchanged values."""
    try:
        return source._fault(text)  # noqa: SLF001 - the same module's
    except RecursionError:
        return _TOO_DEEP


def source_of(default: str, imports: Collection[str]) -> Source:
    """What other sources have to be, by the declared one; what it imports is allowed.

    Raises:
        InvalidSource: the declared source is not one function.
    """
    return _source_of(default, tuple(imports))


@lru_cache(_KEPT)
def _source_of(default: str, imports: tuple[str, ...]) -> Source:
    module = parsed(default)
    function = function_in(module)
    if function.decorator_list:
        raise InvalidSource(f"line {function.decorator_list[0].lineno}: a decorator; declare the source without")
    allowed = frozenset(imports) | {name for _, name in lint.imported(module)}
    granted = frozenset(use.what for use in lint.uses(module) if use.grantable)
    source = Source(declaration_of(function), allowed, yields(function), granted)
    fault = source.fault_of(default)
    if fault:
        raise InvalidSource(fault)
    return source


def _fault_of_compiling(text: str, granted: Collection[str]) -> str:
    """What only shows when it is compiled: ``await`` in a plain function, ``break`` outside of a loop."""
    around = tuple(sorted(what.removeprefix(_NONLOCAL) for what in granted if what.startswith(_NONLOCAL)))
    try:
        assembled(text, "<source>", Surroundings(around))
    except SyntaxError as error:
        return f"line {error.lineno or 1}: {error.msg}"
    except (ValueError, Warning, RecursionError, MemoryError) as error:
        return f"it is no Python: {error or type(error).__name__}"
    return ""


def parsed(text: str) -> ast.Module:
    """The syntax tree of a source.

    Raises:
        InvalidSource: it is no Python, or larger than it may be.
    """
    if len(text) > MAX_SOURCE_LENGTH:
        raise InvalidSource(f"{len(text):,} characters; allowed are {MAX_SOURCE_LENGTH:,}")
    if _nesting(text) > _MAX_NESTING:
        raise InvalidSource(f"brackets nested more than {_MAX_NESTING} deep")
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        raise InvalidSource(f"line {error.lineno or 1}: {error.msg}") from None
    except (ValueError, Warning, RecursionError, MemoryError) as error:
        raise InvalidSource(f"it is no Python: {error or type(error).__name__}") from None
    level: list[ast.AST] = [module]
    count = depth = 0
    while level:
        count, depth = count + len(level), depth + 1
        if count > _MAX_NODES:
            raise InvalidSource(f"more than {_MAX_NODES:,} parts")
        if depth > _MAX_DEPTH:
            raise InvalidSource(_TOO_DEEP)
        level = [part for one in level for part in ast.iter_child_nodes(one)]
    return module


def _nesting(text: str) -> int:
    """At most how deep brackets stand in one another; those in texts count, too."""
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(depth - 1, 0)
    return deepest


def function_in(module: ast.Module) -> Function:
    """The one function of a module that holds imports beside it, and nothing else.

    Raises:
        InvalidSource: something else stands there.
    """
    functions: list[Function] = []
    for statement in module.body:
        if isinstance(statement, Function):
            functions.append(statement)
        elif not isinstance(statement, ast.Import | ast.ImportFrom):
            raise InvalidSource(f"line {statement.lineno}: only imports may stand beside the function")
    if len(functions) != 1:
        raise InvalidSource(f"it defines {len(functions)} functions at its top level, wanted is one")
    return functions[0]


def declaration_of(function: Function) -> str:
    """``def answer(question, *, k=3)``; annotations left out."""
    arguments = function.args
    bare = ast.arguments(
        posonlyargs=[ast.arg(one.arg) for one in arguments.posonlyargs],
        args=[ast.arg(one.arg) for one in arguments.args],
        vararg=arguments.vararg and ast.arg(arguments.vararg.arg),
        kwonlyargs=[ast.arg(one.arg) for one in arguments.kwonlyargs],
        kw_defaults=arguments.kw_defaults,
        kwarg=arguments.kwarg and ast.arg(arguments.kwarg.arg),
        defaults=arguments.defaults,
    )
    keyword = "async def" if isinstance(function, ast.AsyncFunctionDef) else "def"
    return f"{keyword} {function.name}({ast.unparse(bare)})"


def yields(function: Function) -> bool:
    """Whether calling it makes a generator; functions inside it do not count."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    return False
