"""An optimization as a JSON document: to go on with it in another process."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from collector.core.errors import CollectorError
from collector.core.feedback import Feedback
from collector.core.graph import TraceFeedback
from collector.core.record import record_of, tree_of
from collector.core.span import SpanContext
from collector.core.study import Cost, Proposal, RejectedProposal, Remarks
from otel_opto_train.course import Attempt, Course
from otel_opto_train.traced import traced

VERSION = 1


class Shown:
    """The spans behind judged runs, as they came: graphs are made of them again.

    Args:
        most: So many runs are remembered, the latest.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._spans: dict[str, tuple[bytes, str]] = {}

    def add(self, trace_id: str, otlp: bytes, root: str) -> None:
        """Remembers a run."""
        self._spans[trace_id] = (otlp, root)
        while len(self._spans) > self._most:
            del self._spans[next(iter(self._spans))]

    def tree_of(self, told: TraceFeedback) -> dict[str, Any] | None:
        """Feedback with the spans behind it; None where they are forgotten."""
        found = self._spans.get(told.feedback.target.trace_id)
        if found is None:
            return None
        feedback = told.feedback
        return {
            "spans": base64.b64encode(found[0]).decode(),
            "trace_id": feedback.target.trace_id,
            "root": found[1],
            "judged": feedback.target.span_id,
            "metric": feedback.name,
            "score": feedback.score,
            "label": feedback.label,
            "text": feedback.text,
        }

    def told(self, tree: Mapping[str, Any], course: Course) -> TraceFeedback:
        """Feedback with its minimal subgraph, made of the spans again."""
        body, trace_id = base64.b64decode(tree["spans"]), tree["trace_id"]
        self.add(trace_id, body, tree["root"])
        specs = {spec.key: spec for spec in course.parameters}
        target = SpanContext(trace_id, tree["judged"])
        feedback = Feedback(target, tree["metric"], tree["score"], tree["label"], tree["text"], "guide")
        return traced(body, (trace_id, tree["root"]), specs).leading_to(feedback, sorted(specs))


def document_of(course: Course, cost: Cost, shown: Shown) -> dict[str, Any]:
    """All that is needed to go on."""
    batch = [tree for told in course.batch if (tree := shown.tree_of(told)) is not None]
    return {
        "format": "otel-opto-course",
        "version": VERSION,
        "metric": course.study.metric,
        "optimizer": course.study.optimizer,
        "attempts": [tree_of(one) for one in course.attempts],
        "best": course.best,
        "now": course.now,
        "rejected": [tree_of(one) for one in course.rejected],
        "cost": tree_of(cost),
        "runs": batch,
    }


def course_in(path: Path, course: Course, shown: Shown) -> tuple[Course, Cost]:
    """The same as `course_of`, of a file.

    Raises:
        OSError: there is none that can be read.
        ValueError: it is none; says which file, and why.
    """
    content = path.read_bytes()
    try:
        return course_of(json.loads(content, parse_constant=_no_number), course, shown)
    except (ValueError, CollectorError) as error:
        raise ValueError(f"{path}: {error}") from error
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: it is not what save() wrote: {type(error).__name__}: {error}") from error


def _no_number(constant: str) -> float:
    raise ValueError(f"found {constant}, allowed are finite numbers")


def course_of(document: Mapping[str, Any], course: Course, shown: Shown) -> tuple[Course, Cost]:
    """The optimization in a document, for the parameters of another one that has just begun.

    Raises:
        ValueError: it is none, or its values do not fit today's parameters; says which.
    """
    if document.get("format") != "otel-opto-course" or document.get("version") != VERSION:
        found = f"{document.get('format')!r}, version {document.get('version')!r}"
        raise ValueError(f"found {found}, allowed is what save() wrote: 'otel-opto-course', version {VERSION}")
    attempts = tuple(_attempt(tree, course) for tree in document["attempts"])
    if not attempts or not all(0 <= document[place] < len(attempts) for place in ("best", "now")):
        raise ValueError("the document names a best attempt that is not among its attempts; it was changed by hand")
    known = Course(
        course.study,
        course.parameters,
        attempts,
        document["best"],
        document["now"],
        rejected=tuple(
            RejectedProposal(_proposal(tree["proposal"]), tuple(tree["errors"]), tree["trial"])
            for tree in document["rejected"]
        ),
    )
    batch = tuple(shown.told(tree, known) for tree in document["runs"])
    return replace(known, batch=batch), record_of(Cost, document["cost"])


def _proposal(tree: Mapping[str, Any]) -> Proposal:
    return Proposal(tree["values"], tree["reasoning"], record_of(Cost, tree["cost"]))


def _attempt(tree: Mapping[str, Any], course: Course) -> Attempt:
    specs = {spec.key: spec for spec in course.parameters}
    given = tree["values"]
    if given.keys() != specs.keys():
        raise ValueError(
            f"the document's parameters are {', '.join(sorted(given))}; this optimizer's are {', '.join(sorted(specs))}"
        )
    return Attempt(
        {key: specs[key].validate(value) for key, value in given.items()},
        tree["reasoning"],
        record_of(Cost, tree["cost"]),
        tuple(tree["scores"]),
        tree["failures"],
        tree["words"],
        record_of(Remarks, tree["remarks"]),
    )
