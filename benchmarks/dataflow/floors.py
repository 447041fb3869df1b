"""What the graphs of the recorded workflows are known to miss, and how good they are on the whole.

The tests hold both: a score that falls is a fault, one that rises belongs in here.
"""

from collections.abc import Mapping
from typing import Final

FLOORS: Final[Mapping[tuple[str, str], int]] = {
    # An edge group takes the message that the next executor gets; the truth has the executors only.
    ("agent_framework_critic", "precision"): 2,
    # One of two records says what models were asked and not what they said: its edges come from the other one's models.
    ("agents_doubled", "hard"): 2,
    ("agents_doubled", "precision"): 2,
    # What an agent's container has kept from earlier messages: the edges come from the model that said it. The first
    # message has no text of its own.
    ("autogen_team", "flow"): 12,
    ("autogen_team", "precision"): 3,
    # Six parsers hand on a model's answer unchanged and are a part of that answer. Two records of everything.
    ("langchain_doubled", "flow"): 6,
    # Cut before what flowed; nothing is left of it, but for one text that the output of the operation repeats.
    ("langgraph_cut", "flow"): 1,
    ("langgraph_cut", "hard"): 10,
    # The attribute limit took the beginning of the history.
    ("openinference_limited", "hard"): 6,
    # A parser hands on a model's answer and is a part of that answer; a condition looks at values and hands none on.
    ("langgraph_js_openinference", "flow"): 4,
    # "Find a hotel in {city} below 80 euros.": too few words, and the city is too short a text.
    ("langgraph_js_openinference", "parameters"): 1,
    # The last thing that was said is a verdict in a sentence; no span records what was returned.
    ("langtrace", "final"): 1,
    # No span records a result.
    ("logfire_inputs_only", "hard"): 7,
    # Numbers of one or two digits, and the best of several offers that is sent.
    ("logfire_kwargs", "flow"): 3,
    ("logfire_kwargs", "hard"): 1,
    # The price in the letter that is sent is joined to the quote that it is of, too.
    ("logfire_kwargs", "precision"): 1,
    # A chunk that says what the tool before it said, and nothing of what it was given.
    ("mastra", "flow"): 1,
    ("mastra", "precision"): 1,
    # A category of seven letters inside a prompt and inside a name.
    ("mlflow_support", "flow"): 2,
    # A word under a name among several in a record says too little: in other recordings it was a constant.
    ("plain_batch", "flow"): 3,
    ("plain_coincidences", "flow"): 1,
    # The answer is an id, and the name of its attribute says so.
    ("plain_coincidences", "final"): 1,
    # Two parallel calls look the same rule up.
    ("plain_etl", "precision"): 1,
    # Three calls within one millisecond of a clock that counts no finer: their order is not known.
    ("plain_express_js", "flow"): 2,
    # Spring AI records neither prompts nor answers.
    ("spring_ai", "hard"): 2,
    # Cut before what flowed; nothing is left of it.
    ("traceloop_cut", "hard"): 2,
    # A prompt of fewer than five words around a value.
    ("vercel_agents", "parameters"): 1,
    # The nearest note was chosen by cosine outside of any span.
    ("vercel_turns", "hard"): 1,
    # One span around all rounds of a model, with its first messages and no answer: that it asked for the tool, too,
    # would be a circle.
    ("voltagent", "hard"): 1,
}
"""By workflow and column, how many are missed."""

MEANS: Final[Mapping[str, float]] = {
    "flow": 0.98, "hard": 0.71, "across": 0.99, "back": 0.99, "precision": 0.99, "parameters": 0.99, "final": 0.97,
    "exceptions": 0.99,
}  # fmt: skip
"""By column, the least mean over the workflows."""

DAMAGED: Final[Mapping[str, float]] = {
    "values cut at 300 characters": 0.95, "32 attributes a span": 0.97, "attributes in order of names": 0.97,
    # Operations of one millisecond have no order.
    "times in milliseconds": 0.91,
}  # fmt: skip
"""By damage (`benchmarks.dataflow.damage`), the least mean of the flows that are still recorded."""
