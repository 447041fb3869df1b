"""How other instrumentations name an operation's input and output, and a parameter.

`opto.*` comes first; a dialect is asked only where an operation says nothing of its input (or output) in ours. A
further instrumentation is a further row.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """One pair of span attributes.

    Attributes:
        input: The attribute that holds the whole input, text or JSON.
        argument: The name the input gets in the graph.
        output: The attribute that holds the whole output, text or JSON.
    """

    input: str
    argument: str
    output: str


DIALECTS: Final = (
    Dialect("gen_ai.tool.call.arguments", "arguments", "gen_ai.tool.call.result"),  # GenAI conventions, execute_tool
    Dialect("input.value", "input", "output.value"),  # OpenInference
    Dialect("traceloop.entity.input", "input", "traceloop.entity.output"),  # OpenLLMetry
)
"""In order of preference: the first row whose attribute is there wins."""

OPENTRACE_PREFIX: Final = "param."
"""OpenTrace: ``param.<key>`` is the value itself."""

OPENTRACE_TRAINABLE_SUFFIX: Final = ".trainable"
"""OpenTrace: ``param.<key>.trainable``, a bool or its name as text."""
