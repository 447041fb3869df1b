"""A source, compiled as if it stood where the declared function stands. Compiled only: nothing of it runs here."""

import ast
import types
from dataclasses import dataclass
from functools import lru_cache

Function = ast.FunctionDef | ast.AsyncFunctionDef
_KEPT = 128


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a function stands.

    Attributes:
        free: Names that it takes from functions around it; ``__class__`` where it uses ``super()``.
        owner: The class whose method it is: names with two underscores are its own.
    """

    free: tuple[str, ...] = ()
    owner: str = ""


@lru_cache(_KEPT)
def assembled(text: str, file: str, surroundings: Surroundings) -> tuple[types.CodeType, types.CodeType]:
    """The code of the function, and that of the imports beside it.

    Annotations and defaults are left away: the declared function's stay.

    Raises:
        SyntaxError: it cannot stand there.
    """
    module = ast.parse(text)
    function = next(one for one in module.body if isinstance(one, Function))
    imports: list[ast.stmt] = [one for one in module.body if one is not function]
    owner = surroundings.owner
    inner: ast.stmt = _bare(function)
    if owner:
        inner = ast.ClassDef(name=owner, bases=[], keywords=[], body=[inner], decorator_list=[])
    # The function's name, or its class's, is to be found where the declared one finds it, and not in here.
    outside: list[ast.stmt] = [] if _name(inner) in surroundings.free else [ast.Global(names=[_name(inner)])]
    around = ast.FunctionDef(
        name="around",
        args=ast.arguments(
            posonlyargs=[],
            args=[ast.arg(name) for name in surroundings.free],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[],
        ),
        body=[*outside, *imports, inner],
        decorator_list=[],
    )
    made = ast.fix_missing_locations(ast.Module([around], []))
    code = compile(made, file, "exec", dont_inherit=True)
    return _within(code, ["around", owner, function.name]), compile(
        ast.Module(imports, []), file, "exec", dont_inherit=True
    )


def _name(statement: ast.stmt) -> str:
    assert isinstance(statement, Function | ast.ClassDef)
    return statement.name


def _bare(function: Function) -> Function:
    said = function.args
    arguments = ast.arguments(
        posonlyargs=[ast.arg(one.arg) for one in said.posonlyargs],
        args=[ast.arg(one.arg) for one in said.args],
        vararg=said.vararg and ast.arg(said.vararg.arg),
        kwonlyargs=[ast.arg(one.arg) for one in said.kwonlyargs],
        kw_defaults=[one and ast.Constant(None) for one in said.kw_defaults],
        kwarg=said.kwarg and ast.arg(said.kwarg.arg),
        defaults=[ast.Constant(None) for _ in said.defaults],
    )
    made = type(function)(name=function.name, args=arguments, body=function.body, decorator_list=[])
    return ast.copy_location(made, function)


def _within(code: types.CodeType, names: list[str]) -> types.CodeType:
    for name in filter(None, names):
        code = next(one for one in code.co_consts if isinstance(one, types.CodeType) and one.co_name == name)
    return code
