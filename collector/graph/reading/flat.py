"""Attributes whose keys spell out a structure: ``llm.input_messages.0.message.role``."""

from collections.abc import Mapping
from typing import Any

from collector.core.span import AnyValue, Attributes


def under(attributes: Attributes, prefix: str) -> dict[str, AnyValue]:
    """The attributes whose keys begin with the prefix and go on, by the rest of the key."""
    if prefix not in "\0".join(attributes):  # mostly none does, and this looks at all keys at once
        return {}
    size = len(prefix)
    return {key[size:]: attributes[key] for key in attributes if key.startswith(prefix) and len(key) > size}


def items(attributes: Attributes, prefix: str) -> list[AnyValue]:
    """The list whose items are spelled ``<prefix><index>.<path>``, in order of index; gaps close up."""
    spelled = under(attributes, prefix)
    if not spelled:
        return []
    root: dict[str, Any] = {}
    for path, value in spelled.items():
        place = root
        *parents, last = path.split(".")
        for part in parents:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                inner = place[part] = {"": inner}
            place = inner
        place[last] = value
    listed = _listed(root)
    return listed if isinstance(listed, list) else []


def _listed(value: Any) -> Any:
    """Dicts whose keys are all indexes as lists. The depth is that of the keys, which attribute limits bound."""
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(item) for key, item in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def lifted(item: AnyValue, key: str) -> AnyValue:
    """The one thing an item wraps (``{"message": {…}}``), or the item itself."""
    return item[key] if isinstance(item, Mapping) and key in item else item
