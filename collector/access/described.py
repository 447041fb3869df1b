"""What is said of an endpoint to who writes a client: questions, bodies and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

JSON = "application/json"
_NO_CONTENT: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Query:
    """One name in the query of a URL.

    Attributes:
        schema: Of its value, in JSON Schema.
    """

    name: str
    says: str
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Described:
    """One endpoint.

    Attributes:
        says: What it is for, in one sentence.
        answer: By media type: the type of the document, or None for a text or a picture.
        body: The type of the document that it takes; None where it takes none.
        listed: The body is ``{NAME: [document, …]}``; empty: it is the document itself.
        status: Of an answer that is no refusal.
        once: Whether it is done once under an ``Idempotency-Key``.
        refusal: The type of the document of a refusal; None: that of the API's own.
    """

    says: str
    answer: Mapping[str, Any] = field(default_factory=lambda: _NO_CONTENT)
    query: tuple[Query, ...] = ()
    body: Any = None
    listed: str = ""
    status: HTTPStatus = HTTPStatus.OK
    once: bool = False
    refusal: Any = None


def json_of(document: Any) -> Mapping[str, Any]:
    """An answer that is a JSON document of that type."""
    return {JSON: document}


def path_of(path: str) -> str:
    """A route's path without the types of its names: ``/v1/releases/{number:int}`` is ``/v1/releases/{number}``."""
    return path.replace(":int}", "}")
