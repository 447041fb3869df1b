"""The rules by which it is known what flowed into what: each has a name, a reason, and how often it is right."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from collector.core.graph import EdgeOrigin


class Rule(NamedTuple):
    """A way to know of an edge.

    Attributes:
        name: Stands on each of its edges, and in ``graph.rules.off``.
        origin: Of its edges.
        confidence: In [0, 1]: how often an edge of it is right, as far as `benchmarks.dataflow.rules` tells: the lower
            end of Wilson's interval of 95 %, rounded down, over what is held out if that is ten edges or more, else
            over all; 1 where a span states it. A guess where no recording has any: `CUT_RESULT`, `RESULT`, `NAMED`,
            `HANDED`, `PLACEHOLDER`.
        why: One sentence.
    """

    name: str
    origin: EdgeOrigin
    confidence: float
    why: str


ARGUMENT: Final = Rule("argument", EdgeOrigin.LINK, 1.0, "a link or an attribute names the producer of an argument")
LINK: Final = Rule(
    "link", EdgeOrigin.LINK, 0.9, "a link without an argument names a cause, which hardly ever hands nothing over"
)
CALL_ID: Final = Rule(
    "call id", EdgeOrigin.CONTENT, 1.0, "a model asked for this call of a tool, or got its result, by its id"
)
CALL_ARGUMENTS: Final = Rule(
    "call arguments", EdgeOrigin.CONTENT, 0.8, "a model asked for this tool with these arguments"
)
CALL_NAME: Final = Rule("call name", EdgeOrigin.CONTENT, 0.6, "a model asked for this tool")
EQUAL: Final = Rule("equal", EdgeOrigin.CONTENT, 0.95, "a text of an output is a whole text of an input")
CONTAINED: Final = Rule("contained", EdgeOrigin.CONTENT, 0.9, "a text of an output stands inside an input")
RECORD: Final = Rule(
    "record", EdgeOrigin.CONTENT, 0.7, "all values of a record stand near each other, in another layout"
)
SHORT: Final = Rule(
    "short", EdgeOrigin.CONTENT, 0.8, "a short output that nobody else made is a whole input or a line of one"
)
CUT_RESULT: Final = Rule(
    "cut result", EdgeOrigin.CONTENT, 0.7, "messages were cut behind a wish for this call: its result follows there"
)
RESULT: Final = Rule(
    "result", EdgeOrigin.CALL, 0.5, "the caller of an operation gets its result; that it was used is an even guess"
)
NAMED: Final = Rule("named", EdgeOrigin.CONTROL, 0.8, "an answer is the name of the operation that ran next")
HANDED: Final = Rule("handed over", EdgeOrigin.SEQUENCE, 0.3, "the span names the step before")
PLACEHOLDER: Final = Rule(
    "placeholder", EdgeOrigin.SEQUENCE, 0.3, "a model's messages show a tool's name in brackets in place of its result"
)
BEFORE: Final = Rule(
    "step before", EdgeOrigin.SEQUENCE, 0.5, "the step before, where steps record nothing that could be found"
)

RULES: Final[tuple[Rule, ...]] = (
    ARGUMENT, LINK, CALL_ID, CALL_ARGUMENTS, CALL_NAME, EQUAL, CONTAINED, RECORD, SHORT, CUT_RESULT,
    RESULT, NAMED, HANDED, PLACEHOLDER, BEFORE,
)  # fmt: skip
"""Every rule, the certain ones first."""

BY_NAME: Final[Mapping[str, Rule]] = {rule.name: rule for rule in RULES}


class Find(NamedTuple):
    """Something of a producer's output is among a consumer's inputs.

    Attributes:
        producer: Its span id.
        consumer: Likewise.
        argument: The input; empty if it is not known which.
        reason: Why, in words for people.
        sure: Factor for the rule's confidence.
    """

    producer: str
    consumer: str
    rule: Rule
    argument: str = ""
    reason: str = ""
    sure: float = 1.0

    @property
    def confidence(self) -> float:
        """In [0, 1]."""
        return round(self.rule.confidence * self.sure, 3)
