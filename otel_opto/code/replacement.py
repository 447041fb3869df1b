"""A function with another source: among the same globals, closures and defaults, under the same name."""

import hashlib
import linecache
import traceback
import types
import weakref

from otel_opto.code import lint
from otel_opto.code.assembly import Surroundings, assembled
from otel_opto.code.source import InvalidSource, Source, parsed


def replaced(function: types.FunctionType, text: str, source: Source) -> types.FunctionType:
    """What the text makes of the function. What the text imports is imported; nothing else of it runs yet.

    Tracebacks show its lines, `inspect.getsource` gives the text: its file is ``<name@digest>``, in `linecache`.

    Raises:
        InvalidSource: it does not fit the declared source, uses a module that the declared one does not, or an import
            failed.
    """
    fault = source.fault_of(text) or _fault_of_globals(function, text, source)
    if fault:
        raise InvalidSource(fault)
    surroundings = Surroundings(function.__code__.co_freevars, _owner(function))
    file = file_of(function, text)
    try:
        code, imports = assembled(text, file, surroundings)
        closure = _closure(function, code, imports)
    except Exception as error:  # noqa: BLE001 - an import may run into anything
        raise InvalidSource(f"{type(error).__name__}: {error}") from None
    if file not in linecache.cache:
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        weakref.finalize(code, linecache.cache.pop, file, None).atexit = False
    named = code.replace(co_qualname=function.__code__.co_qualname)
    made = types.FunctionType(named, function.__globals__, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__annotations__ = function.__annotations__
    made.__module__, made.__qualname__ = function.__module__, function.__qualname__
    return made


def file_of(function: types.FunctionType, text: str) -> str:
    """The name under which tracebacks show the text."""
    place = f"{function.__module__}\n{function.__qualname__}\n{function.__code__.co_freevars}\n{text}"
    return f"<{function.__name__}@{hashlib.sha256(place.encode()).hexdigest()[:12]}>"


def _owner(function: types.FunctionType) -> str:
    """The class in whose body it was written; empty for none."""
    around = function.__qualname__.split(".")[:-1]
    return "" if not around or around[-1] == "<locals>" else around[-1]


def _fault_of_globals(function: types.FunctionType, text: str, source: Source) -> str:
    """Modules that the application's module happens to hold are no more allowed than an import of them."""
    own = set(function.__code__.co_names)
    for name, line in lint.loaded(parsed(text)).items():
        held = function.__globals__.get(name)
        if isinstance(held, types.ModuleType) and name not in own and not lint.covers(source.imports, held.__name__):
            return f"line {line}: the module {name} is not allowed"
    return ""


def _closure(
    function: types.FunctionType, code: types.CodeType, imports: types.CodeType
) -> tuple[types.CellType, ...] | None:
    """Its cells: what the source imports, else what the declared function has around it."""
    around = function.__globals__
    imported: dict[str, object] = {
        name: around[name] for name in ("__name__", "__package__", "__builtins__") if name in around
    }
    exec(imports, imported)  # noqa: S102 - statements of import that the lint has passed
    known = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    return tuple(
        types.CellType(imported[name]) if name in imported or name not in known else known[name]
        for name in code.co_freevars
    )


def modules_of(function: types.FunctionType) -> tuple[str, ...]:
    """Modules that the declared function uses as they stand in its own module: another source may import them."""
    held = (function.__globals__.get(name) for name in function.__code__.co_names)
    return tuple(sorted({one.__name__ for one in held if isinstance(one, types.ModuleType)}))


def files_of(error: BaseException) -> list[str]:
    """Of the lines that an exception came through, the innermost last."""
    return [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
