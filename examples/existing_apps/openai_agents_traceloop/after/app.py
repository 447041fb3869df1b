"""An agent of the OpenAI Agents SDK, traced by traceloop (OpenLLMetry).

python app.py "How tall is the lighthouse?"
"""

import sys

from agents import Agent, Runner, set_default_openai_api, set_trace_processors
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import workflow

import otel_opto

set_trace_processors([])  # nothing to OpenAI
Traceloop.init(app_name="agents-qa", telemetry_enabled=False)
set_default_openai_api("chat_completions")
otel_opto.configure(wait_seconds=2)

INSTRUCTIONS = otel_opto.parameter("instructions", default="Answer in one sentence.")
writer = Agent(name="writer", model="gpt-5-mini", instructions=lambda _context, _agent: INSTRUCTIONS.value)


@workflow(name="ask")
def ask(question: str) -> str:
    """The answer to a question."""
    found = str(Runner.run_sync(writer, question).final_output)
    otel_opto.feedback(score=float("31" in found), name="names_the_height")
    return found


if __name__ == "__main__":
    print(ask(sys.argv[1]))
