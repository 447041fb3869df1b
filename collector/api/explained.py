"""An explanation as one JSON-ready object, and in words for the terminal."""

from collections.abc import Iterator

from collector.core.explanation import Explanation, ReasonedEdge, Statement
from collector.core.printable import printable
from collector.render.document import plain
from collector.render.words import columns, short

_WIDTH = 110
_VALUE_COLUMNS = 48


def explanation_document(explanation: Explanation) -> dict[str, object]:
    """Statements with keys and convention, edges with rule and reason; values whole."""
    return {
        "trace_id": explanation.trace_id,
        "span_id": explanation.span_id,
        "node": explanation.node,
        "name": explanation.name,
        "statements": [
            {"fact": one.fact, "value": plain(one.value), "keys": list(one.keys), "convention": one.convention}
            for one in explanation.statements
        ],
        "edges": [
            {
                "source": one.edge.source,
                "source_name": one.source,
                "target": one.edge.target,
                "target_name": one.target,
                "origin": one.edge.origin.value,
                "confidence": one.edge.confidence,
                "argument": one.edge.argument,
                "reason": one.edge.reason,
                "rule": one.edge.rule,
                "why": one.why,
            }
            for one in explanation.edges
        ],
    }


def explanation_text(explanation: Explanation) -> str:
    """Each fact with its convention and its keys, then each edge of the span's node with its rule."""
    return "\n".join(_lines(explanation)) + "\n"


def _lines(explanation: Explanation) -> Iterator[str]:
    yield f"span {printable(explanation.span_id)}  {short(explanation.name, _WIDTH // 2)}"
    if explanation.node != f"span:{explanation.span_id}":
        yield f"one call with {explanation.node}, which stands for it in the graph"
    yield "read" if explanation.statements else "nothing was read: no convention knows its keys"
    facts = [_fact(one) for one in explanation.statements]
    wide = max((columns(one) for one in facts), default=0)
    for fact, one in zip(facts, explanation.statements, strict=True):
        pad = " " * (wide - columns(fact))
        yield f"  {fact}{pad}  {short(one.value, _VALUE_COLUMNS)}"
        yield f"  {' ' * wide}  by {printable(one.convention)} from {short(', '.join(one.keys) or 'nothing', _WIDTH)}"
    yield "edges" if explanation.edges else "no edges"
    for edge in explanation.edges:
        yield from _edge(explanation.node, edge)


def _fact(statement: Statement) -> str:
    return short(statement.fact, _VALUE_COLUMNS)


def _edge(node: str, one: ReasonedEdge) -> Iterator[str]:
    edge, into = one.edge, one.edge.target == node
    argument = f"{printable(edge.argument)} " if edge.argument else ""
    other = short(one.source if into else one.target, _VALUE_COLUMNS)
    brought = "a parameter that it used" if edge.source.startswith("param:") else "recorded by the span"
    rule = f"rule {edge.rule!r}, {edge.confidence:.0%}: {one.why}" if edge.rule else brought
    yield f"  {'←' if into else '→'} {argument}{'from' if into else 'to'} {other}  {rule}"
    if edge.reason and edge.reason != one.why:
        yield f"      {short(edge.reason, _WIDTH)}"
