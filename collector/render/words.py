"""Values in a few words, for people."""

import json

from collector.core.span import AnyValue
from collector.render.document import plain


def short(value: AnyValue, width: int) -> str:
    """The value on one line of at most `width` characters."""
    text = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"
