"""Where in the application's code something is declared."""

import sys
import types  # noqa: TC003 - of both an annotation and nothing else
import weakref
from dataclasses import dataclass
from pathlib import Path

_OWN = str(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Place:
    """A statement.

    Attributes:
        code: Of the module whose statement it is; None within a function.
        interactive: Whether people type there: in a notebook or at a prompt.
    """

    file: str
    line: int
    code: "weakref.ref[types.CodeType] | None" = None
    interactive: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def replaces(self, before: "Place") -> bool:
        """Whether it stands for what was declared before: its module was loaded again, or its cell was run again."""
        if self.interactive:
            return before.interactive
        if self.code is None or before.code is None or self.file != before.file:
            return False
        return self.line == before.line or self.code() is not before.code()


def place_of_caller() -> Place | None:
    """The nearest statement outside of this package."""
    frame: types.FrameType | None = sys._getframe(1)  # noqa: SLF001 - the public way reads every source file on the stack
    while frame is not None and frame.f_code.co_filename.startswith(_OWN):
        frame = frame.f_back
    if frame is None:
        return None
    known = frame.f_globals
    interactive = known.get("__name__") == "__main__" and (hasattr(sys, "ps1") or "get_ipython" in known)
    module = weakref.ref(frame.f_code) if frame.f_code.co_name == "<module>" else None
    return Place(frame.f_code.co_filename, frame.f_lineno, module, interactive)
