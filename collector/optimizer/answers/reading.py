"""What a language model answered: found, read, and brought into the parameters' types where that is plain."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from collector.core.study import Cost, Proposal
from collector.optimizer.answers import lenient
from collector.optimizer.answers.tagged import tagged
from collector.optimizer.answers.typing import key_of, text, values_of
from otel_opto.spec import ParameterSpec

_FRAMES = ("suggestion", "suggestions", "variables", "values", "parameters", "answer", "proposal", "updates", "update")
_REASONS = ("reasoning", "reason", "reasons", "explanation", "thought")
_NESTED = 3
_LONGEST_REASONING = 2_000
_THOUGHT = re.compile(r"\s*<(think|thinking|thought|thoughts)>", re.IGNORECASE)
THOUGHT_OVER = re.compile(r"</(?:think|thinking|thought|thoughts)>", re.IGNORECASE)
"""The end of a thought."""


class UnreadableAnswer(ValueError):
    """The answer holds no suggestion; the text says what was found."""


class _Read(NamedTuple):
    suggestion: Mapping[str, Any]
    reasoning: str
    end: int


def read_answer(said: str, parameters: Sequence[ParameterSpec], cost: Cost, *, cut_off: bool = False) -> Proposal:
    """The proposal in an answer: the last suggestion in it, as an object, in tags, or as lines ``name = value``.

    Keys that are unknown stay in the proposal: validation names them as faults, so that the next call sees them.

    Args:
        said: The whole answer.
        parameters: What it can be about.
        cost: Comes along with the proposal.
        cut_off: The answer ended at its limit: only what was closed counts.

    Raises:
        UnreadableAnswer: there is none.
    """
    specs = {spec.key: spec for spec in parameters}
    read = _last_suggestion(behind_thoughts(said), specs, cut_off=cut_off)
    if read is None:
        shown = text(said.strip()[:200])
        raise UnreadableAnswer(f'found {shown!r}; wanted is {{"reasoning": "...", "suggestion": {{...}}}}')
    return Proposal(values_of(read.suggestion, specs), text(read.reasoning)[:_LONGEST_REASONING], cost)


def behind_thoughts(said: str) -> str:
    """What follows a thought; nothing where it never ended. Some servers leave its opening tag away."""
    if opened := _THOUGHT.match(said):
        over = THOUGHT_OVER.search(said, opened.end())
        return behind_thoughts(said[over.end() :]) if over else ""
    over = THOUGHT_OVER.search(said)
    return said[over.end() :] if over and "{" in said[over.end() :] else said


def _last_suggestion(said: str, specs: Mapping[str, ParameterSpec], *, cut_off: bool) -> _Read | None:
    found = _in_objects(said, specs, cut_off=cut_off)
    in_tags = tagged(said, specs)
    if in_tags is not None and (found is None or in_tags.end > found.end):
        return _Read(in_tags.values, in_tags.reasoning, in_tags.end)
    if found is not None:
        # A later one was begun and cannot be read: what stands before it is a draft.
        return None if re.search(r"[\"'“]?suggestion[\"'”]?\s*:", said[found.end :]) else found
    assigned = {} if cut_off or "{" in said else _assigned(said, specs)
    return _Read(assigned, "", len(said)) if assigned else None


def _in_objects(said: str, specs: Mapping[str, ParameterSpec], *, cut_off: bool) -> _Read | None:
    last: _Read | None = None
    try:
        for found in lenient.objects(said):
            suggestion = _suggestion(found.value, specs, 0)
            if suggestion and (found.whole or not cut_off):
                last = _Read(suggestion, _reasoning(found.value), found.end)
    except lenient.Tangled:
        return None
    return last


def _suggestion(found: object, specs: Mapping[str, ParameterSpec], depth: int) -> Mapping[str, Any] | None:
    """As asked for; else under another name, as a list of names and values, or the object itself without a frame."""
    if isinstance(found, list):
        return _listed(found)
    if not isinstance(found, dict):
        return None
    for name in _FRAMES:
        framed = _framed(found.get(name), specs) if name in found and name not in specs else None
        if framed:
            return framed
    if any(key_of(str(key), specs) in specs for key in found):
        return {key: value for key, value in found.items() if key in specs or key not in _REASONS}
    if depth < _NESTED:
        for value in found.values():
            inner = _suggestion(value, specs, depth + 1) if isinstance(value, dict) else None
            if inner:
                return inner
    return _listed([found])


def _framed(framed: object, specs: Mapping[str, ParameterSpec]) -> Mapping[str, Any] | None:
    if isinstance(framed, str):
        inner = next((found.value for found in _tried(framed)), None)
        return _framed(inner, specs) if isinstance(inner, dict | list) else None
    if isinstance(framed, list):
        return _listed(framed) or _merged(framed, specs)
    if not isinstance(framed, dict):
        return None
    inside = next(
        (framed[name] for name in _FRAMES if isinstance(framed.get(name), dict) and name not in specs), framed
    )
    return inside or None


def _tried(said: str) -> Iterator[lenient.Found]:
    try:
        yield from lenient.objects(said)
    except lenient.Tangled:
        return


def _listed(items: Sequence[object]) -> Mapping[str, Any] | None:
    """``[{"name": "p", "value": 1}, …]``."""
    named: dict[str, Any] = {}
    for item in items:
        if not isinstance(item, dict) or "value" not in item:
            return None
        name = next((item[key] for key in ("name", "variable", "key", "parameter") if key in item), None)
        if not isinstance(name, str):
            return None
        named[name] = item["value"]
    return named or None


def _merged(items: Sequence[object], specs: Mapping[str, ParameterSpec]) -> Mapping[str, Any] | None:
    """``[{"p": 1}, {"q": 2}]``."""
    merged: dict[str, Any] = {}
    for item in items:
        if not isinstance(item, dict) or not all(key_of(str(key), specs) in specs for key in item):
            return None
        merged |= item
    return merged or None


def _reasoning(found: object) -> str:
    said = next((found[key] for key in _REASONS if key in found), "") if isinstance(found, dict) else ""
    return said if isinstance(said, str) else json.dumps(said, default=str)


def _assigned(said: str, specs: Mapping[str, ParameterSpec]) -> Mapping[str, Any]:
    """Lines ``p = "new"`` with a whole value."""
    values = {}
    for line in said.splitlines():
        name, equals, rest = line.partition("=")
        key = key_of(name.strip().lstrip("-* "), specs)
        if not equals or key not in specs:
            continue
        try:
            values[key] = lenient.value_in(rest)
        except ValueError:
            continue
    return values
