"""The sources of one function that came with releases, each as a function, and which of them runs now."""

import logging
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from otel_opto.checks import Check, refusal
from otel_opto.code import failure
from otel_opto.code.replacement import files_of, replaced
from otel_opto.code.source import InvalidSource, Source

if TYPE_CHECKING:
    from otel_opto.parameter import Parameter

_LOG = logging.getLogger("otel_opto")
_KEPT: Final = 64
_RELEASED: Final = "released"
_DECLARED: Final = "declared"


class Versions:
    """What stands in the place of a declared function. Thread-safe; a call takes no lock.

    Args:
        function: The declared one.
        text: Its source.
        source: What another source has to be.
        constraint: The application's own word, said of the function that a new source makes.
        fallback: Whether the declared function answers where another source fails.
    """

    def __init__(
        self,
        function: types.FunctionType,
        text: str,
        source: Source,
        constraint: Check | None,
        *,
        fallback: bool = True,
    ) -> None:
        self._function = function
        self._text = text
        self._source = source
        self._constraint = constraint
        self._fallback = fallback
        self._lock = threading.Lock()
        self._made: dict[str, types.FunctionType | None] = {text: None}
        self._complained: set[str] = set()
        self.parameter: Parameter[str] | None = None
        self._running: ContextVar[str] = ContextVar(f"otel_opto.running.{function.__qualname__}", default="")

    @contextmanager
    def released(self) -> Iterator[bool]:
        """Within it released code runs; whether this is the outermost such call of the current context."""
        outermost = not self._running.get()
        token = self._running.set(_RELEASED)
        try:
            yield outermost
        finally:
            self._running.reset(token)

    @contextmanager
    def declared(self) -> Iterator[bool]:
        """Within it the declared function runs in the place of one that failed, and so does what it calls itself."""
        token = self._running.set(_DECLARED)
        try:
            yield False
        finally:
            self._running.reset(token)

    def check(self, text: str) -> str:
        """Why the source may not run; empty if it may. What may is made and kept."""
        try:
            made = replaced(self._function, text, self._source)
        except InvalidSource as fault:
            return str(fault)
        fault_of_application = refusal(self._constraint, made) if self._constraint is not None else ""
        if not fault_of_application:
            self._keep(text, made)
        return fault_of_application

    def chosen(self) -> types.FunctionType | None:
        """What runs in the current trace; None for the declared function. Its use is recorded on the current span."""
        if self.parameter is None:
            return None
        text = self.parameter.value
        if text is self._text or self._running.get() is _DECLARED:
            return None
        try:
            return self._made[text]
        except KeyError:
            return self._late(text)

    def failed(self, error: BaseException, function: types.FunctionType, *, begun: bool = False) -> bool:
        """Whether the declared function is to answer: it is a failure of released code, and not somebody's last word.

        A failure is on the current span, and in the log once for each source.

        Args:
            begun: Whether the caller has seen a part of the answer, so that there is no way back.
        """
        file = function.__code__.co_filename
        files = files_of(error)
        if file not in files or (isinstance(error, SystemExit) and files[-1] != file):
            return False  # a call that does not fit the signature, the application's own end
        falls_back = self._fallback and not begun
        try:
            failure.record(error, file, handled=falls_back)
            if file not in self._complained:
                self._complained.add(file)
                then = "the declared one runs" if falls_back else "which its caller sees"
                shown = failure.shown(error, file)
                _LOG.warning("released code of %s failed, %s:\n%s", self._function.__qualname__, then, shown)
        except Exception:  # noqa: BLE001 - the stack may be at its end
            _LOG.debug("a failure of released code could not be recorded", exc_info=True)
        return falls_back

    def _late(self, text: str) -> types.FunctionType | None:
        """Of a function that was declared after the release came, once more or inside another one."""
        made: types.FunctionType | None = None
        try:
            made = replaced(self._function, text, self._source)
        except InvalidSource as fault:
            _LOG.error("released code of %s is not run: %s", self._function.__qualname__, fault)
        self._keep(text, made)
        return made

    def _keep(self, text: str, made: types.FunctionType | None) -> None:
        with self._lock:
            if len(self._made) >= _KEPT:
                del self._made[next(one for one in self._made if one != self._text)]
            self._made[text] = made
