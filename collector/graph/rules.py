"""The rules by which it is known what flowed into what: each has a name, a reason, a worth, and a finder.

This is the whole engine: `collector.graph.arbiter` asks the rules in this order, and the first to find that one
operation flowed into another has the edge, if time, nesting and what is stated allow it.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from collector.core.graph import Edge, EdgeOrigin, Gap
from collector.graph.edges import Find, order, stated
from collector.graph.edges.calls import Calls
from collector.graph.edges.contents import Contents, Way
from collector.graph.spans.trace import Trace


class Evidence:
    """What finders look at: the spans of a trace, and what the rules before have found.

    Args:
        trace: The spans.
        into: By consumer, its edges so far, by the span that they come from and, where it is stated, argument.
        gaps: Gets the statements that are refused.
    """

    def __init__(self, trace: Trace, into: Mapping[str, Mapping[tuple[str, str], Edge]], gaps: list[Gap]) -> None:
        self.trace = trace
        self.into = into
        self.gaps = gaps

    @cached_property
    def calls(self) -> Calls:
        """The calls of tools that models asked for."""
        return Calls(self.trace)

    @cached_property
    def contents(self) -> Contents:
        """What of outputs stands in inputs."""
        return Contents(self.trace)


class Rule(NamedTuple):
    """A way to know of an edge.

    Attributes:
        name: Stands on each of its edges, and in ``graph.rules.off``.
        origin: Of its edges.
        confidence: In [0, 1]: how often an edge of it is right, at the least, as `benchmarks.dataflow.rules` counts on
            recordings: the lower end of Wilson's interval of 95 %. 1 where it is stated; an even guess of `result`, of
            which recordings do not say whether it was used; below what optimizers are shown where none has an edge.
        why: One sentence.
        find: Its finder; None of `result`, which is span parentage as it is (`collector.graph.arbiter.Flow.called`).
    """

    name: str
    origin: EdgeOrigin
    confidence: float
    why: str
    find: Callable[[Evidence], Iterable[Find]] | None = None


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "argument", EdgeOrigin.LINK, 1.0, "a link or an attribute names the producer of an argument",
        lambda known: stated.arguments(known.trace, known.gaps),
    ),
    Rule(
        "link", EdgeOrigin.LINK, 0.9, "a link without an argument names a cause, which hardly ever hands nothing over",
        lambda known: stated.causes(known.trace, known.gaps),
    ),
    Rule(
        "call id", EdgeOrigin.CONTENT, 0.85, "a model asked for this call of a tool, or got its result, by its id",
        lambda known: known.calls.by_id,
    ),
    Rule(
        "equal", EdgeOrigin.CONTENT, 0.9, "a text of an output is a whole text of an input",
        lambda known: known.contents.finds[Way.EQUAL],
    ),
    Rule(
        "contained", EdgeOrigin.CONTENT, 0.9, "a text of an output stands inside an input",
        lambda known: known.contents.finds[Way.CONTAINED],
    ),
    Rule(
        "short", EdgeOrigin.CONTENT, 0.7, "a short output that nobody else made is a whole input or a line of one",
        lambda known: known.contents.finds[Way.SHORT],
    ),
    Rule(
        "record", EdgeOrigin.CONTENT, 0.75, "all values of a record stand near each other, in another layout",
        lambda known: known.contents.finds[Way.RECORD],
    ),
    Rule(
        "cut result", EdgeOrigin.CONTENT, 0.85,
        "messages were cut behind a wish for this call: its result follows there", lambda known: known.calls.cut,
    ),
    Rule(
        "call name", EdgeOrigin.CONTENT, 0.65, "a model asked for this tool", lambda known: known.calls.by_name
    ),
    Rule(
        "named", EdgeOrigin.CONTROL, 0.8, "an answer is the name of the operation that ran next",
        lambda known: order.named(known.trace),
    ),
    Rule(
        "placeholder", EdgeOrigin.SEQUENCE, 0.3,
        "a model's messages show a tool's name in brackets in place of its result",
        lambda known: order.placeholders(known.trace),
    ),
    Rule(
        "step before", EdgeOrigin.SEQUENCE, 0.65, "the step before, where steps record nothing that could be found",
        lambda known: order.steps(known.trace, known.into),
    ),
    Rule(
        "result", EdgeOrigin.CALL, 0.5,
        "the caller of an operation gets its result; that it was used is an even guess",
    ),
)  # fmt: skip
"""Every rule, in the order in which they are asked: what is stated, what can be seen, what is only likely."""

BY_NAME: Final[Mapping[str, Rule]] = {rule.name: rule for rule in RULES}
RESULT: Final = BY_NAME["result"]
EQUAL: Final = BY_NAME["equal"]
