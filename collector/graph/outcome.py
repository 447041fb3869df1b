"""How a trace ended: its final output, which need not be that of its last span."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from collector.core.graph import Output
from collector.core.span import AnyValue
from collector.graph.clock import Times
from collector.graph.content.corpus import END
from collector.graph.content.recognition import MIN_LEAF
from collector.graph.content.texts import texts
from collector.graph.forest import Forest
from collector.graph.reading.span_reading import SpanReading
from collector.graph.reading.statement import Role

_VERDICT_KEYS: Final = frozenset((
    "score", "label", "verdict", "grade", "rating", "approved", "passed", "pass", "is_correct", "correct", "valid",
    "relevance", "feedback_score",
))  # fmt: skip
_VERDICT: Final = re.compile(
    r"\W*(approved?|accepted?|rejected?|pass(ed)?|fail(ed)?|ok(ay)?|good|done|yes|no|true|false|lgtm|correct|incorrect|valid|supported|unsupported|"
    r"invalid|terminate|finish(ed)?|score:? *[\d./%]+|[\d.]+ */ *\d+)\W*",
    re.IGNORECASE,
)
_LONGEST_VERDICT: Final = 200


_LABEL: Final = re.compile(r"[a-z]+([_-][a-z]+)*", re.IGNORECASE)


def outputs_of(
    forest: Forest,
    readings: Mapping[str, SpanReading],
    times: Times,
    flows: Mapping[str, Collection[str]],
    failed: frozenset[str],
    tops: Sequence[str],
) -> tuple[Output, ...]:
    """The final outputs, one of each top span; where what ran around them is missing, that of the last to end first.

    A top that states its output is believed. Where it states none, or a structure that was cut: of its descendants that
    state one, the last that is no evaluation, has not failed and is nearest to the top. A verdict on an earlier answer
    (``APPROVED``, a score) is no answer: what it judges is.

    Args:
        forest: The spans.
        readings: What they say.
        times: When they ran.
        flows: By span, those whose output flowed into it.
        failed: Spans that ended with an error.
        tops: Of the trace whose outputs are asked for.
    """
    found = [(top, one) for top in tops if (one := _chosen(forest, readings, times, flows, failed, top)) is not None]
    if any(forest.spans[top].parent_span_id for top in tops):
        found.sort(key=lambda pair: (is_verdict(readings[pair[1]].output), -times.ends[pair[0]], pair))
    return tuple(Output(f"span:{one}", readings[one].output) for _, one in found)


def _chosen(
    forest: Forest,
    readings: Mapping[str, SpanReading],
    times: Times,
    flows: Mapping[str, Collection[str]],
    failed: frozenset[str],
    top: str,
) -> str | None:
    stated = readings[top].output
    whole = readings[top].has_output and _says(stated) and not _is_cut(readings[top])
    if whole and not _guessed(forest, readings, top):
        return top
    if top in failed:
        return None
    stating = [
        span_id
        for span_id in forest.descendants(top)[1:]
        if readings[span_id].has_output
        and _says(readings[span_id].output)
        and readings[span_id].role is not Role.EVALUATOR
        and not (readings[span_id].both and _labels(readings[span_id]))
        and span_id not in failed
    ]
    if not stating:
        return top if readings[top].has_output else None
    last = max(stating, key=lambda one: (times.ends[one], -forest.position[one], one))
    if _is_cut(readings[last]):
        inside = [one for one in stating if forest.encloses(last, one) and not _is_cut(readings[one])]
        last = max(inside, key=lambda one: (times.ends[one], -forest.position[one], one), default=last)
    return _judged(readings, times, flows, last)


def _is_cut(reading: SpanReading) -> bool:
    """Whether a part of a structure was lost, and so perhaps what mattered; of a text the beginning is there."""
    return reading.incomplete and isinstance(reading.output, Mapping | list)


def _guessed(forest: Forest, readings: Mapping[str, SpanReading], top: str) -> bool:
    """Whether its one value may as well have gone in, or all are single words, and none of its calls made any of it."""
    reading = readings[top]
    if not reading.both or (len(reading.both) > 1 and not _labels(reading)):
        return False
    said = " ".join(texts(reading.output))
    made = (text for one in forest.descendants(top)[1:] for text in texts(readings[one].output))
    return not any(len(text) >= MIN_LEAF and text in said for text in made)


def _labels(reading: SpanReading) -> bool:
    """Whether all that it may have made are single words: a state, a reason."""
    said = (one for value in reading.both.values() for one in (value if isinstance(value, list) else [value]))
    return all(isinstance(one, str) and _LABEL.fullmatch(one) for one in said)


def _judged(readings: Mapping[str, SpanReading], times: Times, flows: Mapping[str, Collection[str]], last: str) -> str:
    """Back from verdicts to what they judge."""
    seen = {last}
    while readings[last].role is not Role.TOOL and is_verdict(readings[last].output):
        before = [one for one in flows.get(last, ()) if one not in seen and readings[one].has_output]
        if not before:
            break
        last = max(before, key=lambda one: (times.ends[one], one))
        seen.add(last)
    return last


def is_verdict(value: AnyValue) -> bool:
    """A score, a label, a word of approval."""
    if isinstance(value, Mapping):
        return bool(_VERDICT_KEYS & {str(key).lower() for key in value}) and len(value) <= 6
    if isinstance(value, str) and value.strip()[:1] == "{":
        return bool(re.search(r'"(' + "|".join(sorted(_VERDICT_KEYS)) + r')"\s*:', value)) and len(value) < 2_000
    return isinstance(value, str) and len(value) <= _LONGEST_VERDICT and _VERDICT.fullmatch(value) is not None


def _says(value: AnyValue) -> bool:
    return value not in (None, "", [], {}, *END)
