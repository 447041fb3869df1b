"""An agent of pydantic-ai with one tool, traced by logfire.

python app.py "How tall is the lighthouse?"
"""

import sys

import logfire
from pydantic_ai import Agent

import otel_opto

logfire.configure(service_name="pydantic-ai-qa", send_to_logfire=False, console=False)
logfire.instrument_pydantic_ai()
otel_opto.configure(service_name="pydantic-ai-qa", wait_seconds=2)

INSTRUCTIONS = otel_opto.parameter("instructions", default="Answer in one sentence.")
agent = Agent("openai-chat:gpt-5-mini", instructions=lambda: INSTRUCTIONS.value)


@agent.tool_plain
def look_up(word: str) -> str:
    """The passage of the handbook about a word."""
    return {"lighthouse": "The lighthouse is 31 metres tall."}.get(word, "Nothing is known.")


def ask(question: str) -> str:
    """The answer to a question."""
    with logfire.span("ask", question=question):
        found = agent.run_sync(question).output
        otel_opto.feedback(score=float("31" in found), name="names_the_height")
        return found


if __name__ == "__main__":
    print(ask(sys.argv[1]))
    logfire.shutdown()
