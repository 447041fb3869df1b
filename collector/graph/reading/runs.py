"""Conventions that write what went into a run and what came out of it as one value each."""

from collections.abc import Mapping

from collector.core.span import AnyValue
from collector.graph.reading.chats import answered, asked
from collector.graph.reading.messages import messages
from collector.graph.reading.statement import NOTHING, Message, Nothing, Role, Statement


def run(role: Role, taken_in: AnyValue, came_out: "AnyValue | Nothing") -> Statement:
    """A model's values are a request and a response where they have such a form; others' are arguments and a result.

    Args:
        role: Of the operation.
        taken_in: Decoded; arguments by their names, or one value; None where there is none.
        came_out: Decoded; `NOTHING` where the span states no result.
    """
    taken: tuple[Message, ...] = ()
    given: tuple[Message, ...] = ()
    if role is Role.MODEL:
        taken = asked(taken_in) or messages(taken_in)
        given = () if came_out is NOTHING else answered(came_out) or messages(came_out)
    inputs = taken_in if isinstance(taken_in, Mapping) else {"input": taken_in}
    return Statement(
        role=role,
        inputs={} if taken or taken_in is None else inputs,
        taken=taken,
        output=NOTHING if given else came_out,
        given=given,
    )
