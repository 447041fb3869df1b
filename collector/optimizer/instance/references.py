"""Values that were written out once already, as references: «name», «name[0]», «name.content»."""

import json
from collections.abc import Mapping, Sequence

from collector.core.span import AnyValue
from collector.optimizer.instance.filled import Filling, filling_of
from collector.optimizer.instance.quoting import identifier, quoted, shortened

_WHOLE, _PART = 16, 24
"""Characters from which on a whole value, and a part of one, is worth a reference."""

_DEPTH = 8
_MOST_SEARCHED = 200
"""Texts that are looked for inside of others: the longest ones."""

_OPEN, _CLOSE = "«", "»"
_ROLES = ("system", "user", "assistant", "tool")
_MESSAGES = ({"role", "content"}, {"role", "tool_calls"}, {"role", "content", "tool_calls"})
_LANGCHAIN = {"lc", "type", "id", "kwargs"}


class References:
    """Writes values, each once. Nothing is lost: a reference names a whole value, or an element of one."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._fillings: list[Filling] = []

    def written(self, name: str, value: AnyValue, width: int) -> str:
        """A value on one line, about `width` characters of it, with references to what was written before.

        Args:
            name: What later values call it.
            value: As it was recorded.
            width: Of each text in it, and of the whole.
        """
        text = shortened(self._rendered(name, value, width, 0), 2 * width)
        self.remember(name, value)
        return text

    def name_of(self, value: AnyValue) -> str:
        """What a value is called that was written already; empty if it was not."""
        return self._names.get(quoted(value, 10**9), "")

    def _rendered(self, name: str, value: AnyValue, width: int, depth: int) -> str:
        whole = quoted(value, 10**9)
        if known := self._names.get(whole):
            return f"{_OPEN}{known}{_CLOSE}"
        if isinstance(value, str):
            text = self._text(value, width)
        elif depth < _DEPTH and isinstance(value, Mapping):
            text = self._notation(name, value, width, depth + 1)
        elif depth < _DEPTH and isinstance(value, Sequence) and not isinstance(value, bytes):
            inside = [self._rendered(f"{name}[{place}]", one, width, depth + 1) for place, one in enumerate(value)]
            text = f"[{', '.join(inside)}]"
        else:
            text = shortened(whole, width)
        if depth:  # the same may stand in this value once more
            self._note(name, value, whole, _PART)
        return text

    def _notation(self, name: str, value: Mapping[str, AnyValue], width: int, depth: int) -> str:
        """A message as ``user: "…"``; what LangChain writes of an object as ``Class({…})``; else JSON."""

        def shown(part: AnyValue, *path: str) -> str:
            return self._rendered("".join([name, *path]), part, width, depth)

        role, calls = value.get("role"), _calls(value.get("tool_calls", ()))
        if role in _ROLES and value.keys() in _MESSAGES and calls is not None:
            said = [shown(value["content"], ".content")] if "content" in value else []
            for place, (called, given) in enumerate(calls):
                said.append(f"calls {called}({shown(given, f'.tool_calls[{place}].arguments')})")
            return f"{role}: {', '.join(said)}"
        made = value.get("id")
        last = made[-1] if isinstance(made, list | tuple) and made else None
        if value.keys() == _LANGCHAIN and isinstance(last, str) and last == identifier(last):
            return f"{last}({shown(value['kwargs'], '.kwargs')})"
        kept = {key: one for key, one in value.items() if one is not None or depth == 1}
        members = [f"{quoted(key, width)}: {shown(one, _member(key))}" for key, one in kept.items()]
        return f"{{{', '.join([*members, *(['…'] if len(kept) < len(value) else [])])}}}"

    def _text(self, value: str, width: int) -> str:
        """With references in place of texts that stand in it."""
        for filling in self._fillings:
            if values := filling.values_in(value):
                return f"{_OPEN}{filling.name}{_CLOSE} with {', '.join(self._text(one, width) for one in values)}"
        pieces: list[str | tuple[str]] = [value.replace(_OPEN, "\u2039").replace(_CLOSE, "\u203a")]
        for known in sorted(self._texts, key=len, reverse=True)[:_MOST_SEARCHED]:
            if len(known) <= len(value):
                pieces = [part for piece in pieces for part in self._replaced(piece, known)]
        # What was recorded is quoted piece by piece, so that no reference can be forged by it or be cut.
        each = max(width // max(sum(isinstance(piece, str) for piece in pieces), 1), 40)
        written = [
            quoted(piece, each)[1:-1] if isinstance(piece, str) else f"{_OPEN}{piece[0]}{_CLOSE}" for piece in pieces
        ]
        return f'"{"".join(written)}"'

    def _replaced(self, piece: str | tuple[str], known: str) -> list[str | tuple[str]]:
        if not isinstance(piece, str) or known not in piece:
            return [piece]
        found: list[str | tuple[str]] = []
        for number, part in enumerate(piece.split(known)):
            found += [(self._texts[known],)] if number else []
            found += [part] if part else []
        return found

    def fill(self, name: str, value: AnyValue) -> None:
        """Takes a variable's text as one whose fields may be filled."""
        filling = filling_of(name, value) if isinstance(value, str) else None
        if filling is not None:
            self._fillings.append(filling)

    def remember(self, name: str, value: AnyValue, depth: int = 0) -> None:
        """Takes a value as written out elsewhere. `depth`: in how many others it stands."""
        if value is None or isinstance(value, bool | int | float | bytes):
            return
        whole = quoted(value, 10**9)
        if not self._note(name, value, whole, _PART if depth else _WHOLE) or depth >= _DEPTH or isinstance(value, str):
            return
        if isinstance(value, Mapping):
            for key, one in value.items():
                self.remember(name + _member(key), one, depth + 1)
        else:
            for number, one in enumerate(value):
                self.remember(f"{name}[{number}]", one, depth + 1)

    def _note(self, name: str, value: AnyValue, whole: str, least: int) -> bool:
        """Whether it is worth a name."""
        if value is None or isinstance(value, bool | int | float | bytes):
            return False
        if len(value if isinstance(value, str) else whole) < least:
            return False
        if isinstance(value, str):
            self._texts.setdefault(value, name)
        self._names.setdefault(whole, name)
        return True


def _member(key: str) -> str:
    return f".{json.dumps(key)[1:-1]}"


def _calls(said: AnyValue) -> Sequence[tuple[str, AnyValue]] | None:
    """Calls of tools as the graph shows them, each with its arguments; None where they are written in another way."""
    if not isinstance(said, list | tuple):
        return None
    found = []
    for one in said:
        name = one.get("name") if isinstance(one, Mapping) and one.keys() == {"name", "arguments"} else None
        if not isinstance(one, Mapping) or not isinstance(name, str) or name != identifier(name):
            return None
        found.append((name, one["arguments"]))
    return found
