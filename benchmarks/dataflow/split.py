"""Which recordings rules were made for, and which tell whether they hold elsewhere.

A family is a framework with all its languages, versions and instrumentations, or, where spans were written by hand, a
convention. It is never in both parts. The families that are held out were set apart when the rules got their names:
nothing was tuned on them since, though rules before that had seen them, and of two of them (Spring AI, VoltAgent) it
was looked at why the order of steps was missed.
"""

from collections.abc import Mapping
from typing import Final

TUNED: Final[Mapping[str, tuple[str, ...]]] = {
    "agent-framework": ("agent_framework", "agent_framework_critic"),
    "AutoGen": ("autogen_team",),
    "CrewAI": ("crewai",),
    "GenAI conventions": (
        "genai_eval_events", "genai_pool", "go_genai", "openai_v2_chain_log_events", "openai_v2_turns",
    ),
    "Google ADK": ("google_adk", "google_adk_genai"),
    "Haystack": ("haystack_rag_openinference", "haystack_tracer"),
    "LangChain": (
        "langchain_doubled", "langchain_js", "langgraph_cut", "langgraph_js_openinference",
        "langgraph_rag_openinference", "langgraph_rag_openllmetry", "langgraph_tool_exception_openllmetry",
        "langsmith", "opentrace_real_bridge",
    ),
    "Langfuse": ("langfuse", "langfuse_claim"),
    "LiteLLM": ("litellm",),
    "LlamaIndex": ("llamaindex",),
    "Logfire": ("logfire", "logfire_async_stream", "logfire_inputs_only", "logfire_kwargs"),
    "MCP": ("mcp_two_processes",),
    "no convention": (
        "fastapi_httpx_two_services", "go_plain", "plain_batch", "plain_coincidences", "plain_etl", "plain_express_js",
        "plain_java", "plain_lost_context", "plain_parallel", "plain_podcast", "plain_queue_links",
        "plain_stage_links",
    ),
    "OpenAI Agents": (
        "agents_doubled", "logfire_agents", "openai_agents_handoff_openinference", "openai_agents_js",
    ),
    "OpenInference by hand": (
        "async_fanout_openinference", "doubled_openai", "openfeature_flag_events", "openinference_js_rag",
        "openinference_limited", "openinference_lost_context", "openinference_session",
        "streaming_openinference_json",
    ),
    "OpenTrace": ("opentrace_style_params",),
    "pydantic-ai": ("pydantic_ai_agent", "pydantic_ai_session", "small_batches_delegation"),
    "smolagents": ("smolagents_tool_calling",),
    "Traceloop": ("traceloop_batch20", "traceloop_cut", "traceloop_js", "traceloop_js_sdk"),
    "Vercel AI SDK": ("vercel_agents", "vercel_otel", "vercel_stream_object", "vercel_tools", "vercel_turns"),
}  # fmt: skip
"""By family, names of recordings."""

HELD_OUT: Final[Mapping[str, tuple[str, ...]]] = {
    "AgentOps": ("agentops",),
    "Agno": ("agno",),
    "BeeAI": ("beeai",),
    "Burr": ("burr",),
    "DSPy": ("dspy",),
    "Genkit": ("genkit_js",),
    "Instructor": ("instructor",),
    "Laminar": ("laminar",),
    "LangChain4j": ("langchain4j",),
    "Langtrace": ("langtrace",),
    "LangWatch": ("langwatch",),
    "LiveKit": ("livekit",),
    "Mastra": ("mastra",),
    "MLflow": ("mlflow", "mlflow_fanout", "mlflow_support"),
    "OpenLIT": ("openlit",),
    "Semantic Kernel": ("semantic_kernel",),
    "Spring AI": ("spring_ai",),
    "Strands": ("strands",),
    "VoltAgent": ("voltagent",),
}
"""The same of those that are held out."""

FAMILY: Final[Mapping[str, str]] = {
    recording: family for families in (TUNED, HELD_OUT) for family, found in families.items() for recording in found
}
"""By recording."""


def is_held_out(recording: str) -> bool:
    """Whether no rule was tuned on it."""
    return FAMILY[recording] in HELD_OUT
