"""An OpenAPI document (3.1.1), made of the routes that are served and of what is said of each."""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from collector.access.described import JSON, Described, path_of
from collector.access.table import Endpoint
from collector.access.tokens import REQUEST_ID
from collector.api.openapi.answers import Refusal

_NAME = re.compile(r"\{(\w+)(:int)?\}")
_REFERENCES = "#/components/schemas/{model}"
_ABOUT = """\
Lists come a page at a time: where more follow, an answer has a `next_cursor`. A token needs the scope that stands \
beside an endpoint; a collector without tokens asks for none. docs/api.md tells the bounds."""
_Key = tuple[Any, JsonSchemaMode]


def openapi_document(
    endpoints: Sequence[Endpoint], described: Mapping[str, Described], version: str
) -> dict[str, object]:
    """The document of all that is served.

    Args:
        described: By method and path.
        version: Of the collector.

    Raises:
        ValueError: something is served and not described, or described and not served.
    """
    served = {f"{one.method} {path_of(one.path)}" for one in endpoints}
    if served != described.keys():
        raise ValueError(
            f"served and not described: {sorted(served - described.keys())}; "
            f"described and not served: {sorted(described.keys() - served)}"
        )
    schemas = _Schemas(described.values())
    paths: dict[str, dict[str, object]] = {}
    for one in endpoints:
        path = path_of(one.path)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one, described[f"{one.method} {path}"], schemas)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "otel-opto",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:4319", "description": "The default of api.endpoint."}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas.definitions,
        },
    }


class _Schemas:
    """The JSON Schemas of all documents, each under one name."""

    def __init__(self, described: Iterable[Described]) -> None:
        wanted: dict[_Key, None] = {(Refusal, "serialization"): None}
        for one in described:
            for document in (*one.answer.values(), one.refusal):
                if document is not None:
                    wanted[document, "serialization"] = None
            if one.body is not None:
                wanted[one.body, "validation"] = None
        inputs = [(str(number), mode, TypeAdapter(kind)) for number, (kind, mode) in enumerate(wanted)]
        found, whole = TypeAdapter.json_schemas(inputs, ref_template=_REFERENCES)
        self._found = {key: found[str(number), key[1]] for number, key in enumerate(wanted)}
        self.definitions = dict(sorted(whole["$defs"].items()))

    def of(self, kind: Any, mode: JsonSchemaMode) -> object:
        """Of one document."""
        return self._found[kind, mode]


def _operation(endpoint: Endpoint, described: Described, schemas: _Schemas) -> dict[str, object]:
    segments = [_NAME.sub(r"\1", segment) for segment in endpoint.path.split("/") if segment]
    operation: dict[str, object] = {
        "operationId": "_".join((endpoint.method.lower(), *segments)).replace("-", "_"),
        "summary": described.says,
        "tags": [_tag(segments)],
        "parameters": [*_in_path(endpoint.path), *_in_query(described), *_in_headers(described)],
        "responses": _responses(described, schemas, guarded=endpoint.scope is not None),
        "security": [{"token": [endpoint.scope.value]}] if endpoint.scope is not None else [],
    }
    if described.body is not None:
        schema = schemas.of(described.body, "validation")
        if described.listed:
            listed = {described.listed: {"type": "array", "items": schema}}
            schema = {
                "type": "object", "properties": listed, "required": [described.listed], "additionalProperties": False
            }  # fmt: skip
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return operation


def _tag(segments: Sequence[str]) -> str:
    if segments[0] == "api":
        return "jaeger"
    return segments[1] if segments[0] == "v1" else "process"


def _in_path(path: str) -> list[dict[str, object]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer" if whole else "string"}}
        for name, whole in _NAME.findall(path)
    ]


def _in_query(described: Described) -> list[dict[str, object]]:
    return [
        {"name": one.name, "in": "query", "description": one.says, "schema": dict(one.schema)}
        for one in described.query
    ]


def _in_headers(described: Described) -> list[dict[str, object]]:
    if not described.once:
        return []
    says = "What has the same id is done once, and every further try gets the answer of the first."
    return [{"name": REQUEST_ID, "in": "header", "description": says, "schema": {"type": "string", "maxLength": 200}}]


def _responses(described: Described, schemas: _Schemas, *, guarded: bool) -> dict[str, object]:
    done: dict[str, object] = {"description": described.status.phrase}
    if described.answer:
        done["content"] = {
            media: {"schema": {"type": "string"} if kind is None else schemas.of(kind, "serialization")}
            for media, kind in described.answer.items()
        }
    responses: dict[str, object] = {str(described.status.value): done}
    if guarded:
        own, refused = (
            {JSON: {"schema": schemas.of(kind, "serialization")}} for kind in (Refusal, described.refusal or Refusal)
        )
        for status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            responses[str(status.value)] = {"description": status.phrase, "content": own}
        responses["default"] = {"description": "Refused, with the reason.", "content": refused}
    return responses
