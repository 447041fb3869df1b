"""Against overfitting: a text that copies what it was shown is good for nothing but what it was shown."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from collector.core.graph import NodeKind
from collector.core.protocols import OptimizationRequest
from collector.optimizer.drafting.examples import Worked, leaked
from collector.optimizer.instance.problem import allowed
from otel_opto.spec import ParameterSpec, ParameterType, ParameterValue

_COPIED_WORDS = 6
"""So many words in a row, taken over from a recorded value, are no accident."""

_TELLING_WORDS = 4
"""Fewer words of a description may stand in a text by chance."""

_GROWTH, _FREE_CHARS = 4, 1_000
"""A text may become that many times as long as it is, or that long in any case."""

_WRITTEN = (ParameterType.TEXT, ParameterType.CODE)


class Guard:
    """Looks at a candidate's texts beside what the generator was shown.

    Args:
        request: Its runs, and what its texts are now.
        examples: The worked ones that were shown.
    """

    def __init__(self, request: OptimizationRequest, examples: Sequence[Worked]) -> None:
        self._request = request
        self._examples = examples

    def fault_of(self, values: Mapping[str, ParameterValue]) -> str:
        """What is wrong with allowed values, in words for the generator; empty if nothing is."""
        faults = [
            fault
            for spec in self._request.parameters
            if spec.type in _WRITTEN and spec.key in values
            for fault in self._faults(spec, str(values[spec.key]))
        ]
        return "; ".join(faults)

    def _faults(self, spec: ParameterSpec, text: str) -> Iterator[str]:
        own = [str(self._request.current[spec.key]), *map(str, spec.constraint.candidates), str(spec.default)]
        if text in own:
            return
        if copied := self._copied(text, own):
            yield f"parameter {spec.key!r}: copies recorded data ({copied!r}); say in general what is wanted"
        if said := _annotation(spec, text, own):
            yield f"parameter {spec.key!r}: copies what is said about it ({said!r}); suggest the value alone"
        longest = max(_FREE_CHARS, _GROWTH * max(map(len, own)))
        if len(text) > longest:
            yield f"parameter {spec.key!r}: found {len(text)} characters, allowed are {longest} in one step; be brief"
        if words := leaked(text, self._known, self._examples):
            yield f"parameter {spec.key!r}: {', '.join(words)} belongs to an example, not to this program"

    def _copied(self, text: str, own: Sequence[str]) -> str:
        """The first words in a row that were taken over; empty if there are none."""
        said, mine = _grams(text), {gram for one in own for gram in _grams(one)}
        taken = [gram for gram in said if gram in self._recorded and gram not in mine]
        return " ".join(taken[0]) if taken else ""

    @cached_property
    def _recorded(self) -> frozenset[tuple[str, ...]]:
        return frozenset(gram for text in self._values() for gram in _grams(text))

    def _values(self) -> Iterator[str]:
        """Inputs and outputs: feedback may say in words what a prompt should."""
        for item in self._request.batch:
            for node in item.graph.nodes:
                if node.kind is not NodeKind.PARAMETER and node.value is not None:
                    yield node.value if isinstance(node.value, str) else json.dumps(node.value, default=str)

    @cached_property
    def _known(self) -> str:
        """All that the task itself says."""
        request = self._request
        texts = [request.study.instruction, *map(str, request.current.values()), *self._values()]
        texts += [spec.description for spec in request.parameters]
        texts += [f"{item.feedback.text} {item.feedback.label}" for item in request.batch]
        texts += [f"{remarks.worst} {remarks.best}" for remarks in request.remarks.values()]
        return "\n".join(texts)


def _annotation(spec: ParameterSpec, text: str, own: Sequence[str]) -> str:
    """What stands beside the variable's value in the prompt, word for word with its mark; empty if it is not there."""
    said = (allowed(spec), f"({allowed(spec)})"), (spec.description, f"-- {spec.description}")
    marks = [mark for words, mark in said if len(words.split()) >= _TELLING_WORDS]
    return next((mark for mark in marks if mark in text and not any(mark in one for one in own)), "")


def _grams(text: str) -> list[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return [tuple(words[at : at + _COPIED_WORDS]) for at in range(len(words) - _COPIED_WORDS + 1)]
