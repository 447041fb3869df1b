"""Small structures as texts that can be recognised, where none of the values in them could be alone."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from collector.core.span import AnyValue

NO_CONTENT: Final = frozenset((
    "lc", "mime_type", "response_metadata", "additional_kwargs", "usage_metadata", "usage", "token_usage", "tags",
    "metadata", "logprobs", "model", "model_name", "system_fingerprint", "service_tier", "created", "created_at",
    "object", "finish_reason", "id", "uuid", "run_id", "thread_id", "role", "type", "invalid_tool_calls",
    "tool_call_id", "call_id", "_type", "generation_info", "llm_output", "status", "langgraph_step", "score",
    "index", "block_type", "tool_choice", "parallel_tool_calls", "stream",
    "usage", "usage_metadata", "token_usage",
))  # fmt: skip
"""Keys whose values are about a message, and not in it."""

MAX_RECORD: Final = 400
"""Characters of a record's texts."""

MAX_LEAVES: Final = 32
"""Values in a record, those of inner structures included."""

MIN_ITEMS: Final = 3
"""Of a list of short texts."""

MIN_FIELD: Final = 3
MAX_FIELD: Final = 60
"""Characters of a field's value. A longer text is recognised by itself."""


def record(item: Mapping[str, AnyValue]) -> str:
    """Several small values under their names as one text, the same for every order and layout; empty if it is none."""
    kept = {key: value for key, value in item.items() if key not in NO_CONTENT}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False) if len(kept) > 1 and _is_small(kept) else ""


def listing(items: Sequence[AnyValue]) -> str:
    """Several short texts in a list as one text, empty if it is none: words to search for, names."""
    short = MIN_ITEMS <= len(items) <= MAX_LEAVES and all(
        isinstance(item, str) and MIN_FIELD <= len(item) <= MAX_FIELD for item in items
    )
    return json.dumps(items, ensure_ascii=False) if short else ""


def _is_small(item: Mapping[str, AnyValue]) -> bool:
    """Whether it has few values, little text, and at least one value that is more than a flag."""
    room, leaves, says = MAX_RECORD, MAX_LEAVES, False
    stack: list[AnyValue] = [item]
    while stack:
        value = stack.pop()
        if isinstance(value, Mapping):
            room -= sum(map(len, value))
            stack.extend(value.values())
        elif isinstance(value, list | tuple):
            stack.extend(value)
        elif isinstance(value, bytes):
            return False
        elif isinstance(value, str):
            room -= len(value)
            says = says or len(value) >= MIN_FIELD
        else:
            says = says or (isinstance(value, int | float) and not isinstance(value, bool))
        leaves -= 1
        if room < 0 or leaves < 0 or len(stack) > MAX_LEAVES:
            return False
    return says
