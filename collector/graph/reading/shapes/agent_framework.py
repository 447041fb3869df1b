"""Microsoft's agent-framework: workflow executors joined by span links to the messages they process."""

from typing import Final

from collector.graph.reading.facts import Facts, Role, Source

NAMESPACES: Final = ("executor", "message", "workflow", "edge_group")
SAYS: Final = "links from `executor.process` to `message.send` and `edge_group.process` spans, `executor.id`"


def read(source: Source) -> Facts | None:
    """A link without attributes states the message that an executor works on."""
    name = source.span.name.partition(" ")[0]
    if name not in ("executor.process", "edge_group.process", "message.send"):
        return None
    linked = {link.context.span_id: link.context for link in source.span.links}
    return Facts(
        role=Role.STEP if name == "executor.process" else Role.OTHER,
        name=str(source.attributes.get("executor.id") or ""),
        relay=name != "executor.process",
        arguments={"message": tuple(linked.values())} if linked else {},
    )
