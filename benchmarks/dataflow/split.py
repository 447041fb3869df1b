"""Which recordings rules were made for, and which tell whether they hold elsewhere.

A family is a framework or an instrumentation with all its languages; it is never in both. What is held out is
reported and not gated at exact values. The families below were set apart when the rules got their names: nothing was
tuned on them since, though rules before that had seen them.
"""

from typing import Final

HELD_OUT: Final = frozenset((
    "agentops", "agno", "beeai", "burr", "dspy", "genai_pool", "genkit_js", "instructor", "langchain4j", "langtrace",
    "langwatch", "laminar", "livekit", "mlflow", "mlflow_fanout", "mlflow_support", "mastra", "openlit",
    "semantic_kernel", "spring_ai", "strands", "voltagent", "plain_java", "plain_podcast", "plain_queue_links",
    "plain_express_js",
))  # fmt: skip
"""Names of recordings."""


def family_of(recording: str) -> str:
    """By the first word of its name."""
    return recording.partition("_")[0]
