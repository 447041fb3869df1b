"""The command line's way to a running collector."""

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from collector.access.tokens import REQUEST_ID
from collector.cli.terminal import output
from collector.core.errors import ConfigError

_TIMEOUT_SECONDS = 90.0
_LONGEST_REQUEST_ID = 200


class Unreachable(Exception):
    """Nothing answers at the collector's address."""


class Refused(Exception):
    """The collector answered with an error; the text is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ApiClient:
    """Calls the collector's JSON API.

    Args:
        url: For example ``http://127.0.0.1:4319``; a bare HOST:PORT will do.
        token: A bearer token; else the environment variable OTEL_OPTO_TOKEN, else none.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = (url if "://" in url else f"http://{url}").rstrip("/")
        token = os.environ.get("OTEL_OPTO_TOKEN", "") if token is None else token
        self._headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}

    def get(self, path: str, **query: str | int) -> Any:
        """The decoded answer.

        Raises:
            Unreachable: nothing answers there.
            Refused: the answer is an error.
        """
        return json.loads(self.get_text(path, **query))

    def listed(self, path: str, name: str, limit: int = 0, **query: str | int) -> list[Any]:
        """The items of a list, page by page.

        Args:
            path: Of the list.
            name: Under which the items stand in a page.
            limit: How many at most; 0 means all.
            query: See `get`.
        """
        return list(self.each(path, name, limit, **query))

    def each(self, path: str, name: str, limit: int = 0, **query: str | int) -> Iterator[Any]:
        """The same, one item after the other: no more than a page of them is held."""
        found = 0
        cursor: dict[str, str | int] = {}
        while True:
            page = self.get(path, **query, limit=limit and limit - found, **cursor)
            yield from page[name]
            found += len(page[name])
            if page.get("partial"):
                output.warn(page["message"])
            cursor = {"cursor": page.get("next_cursor", "")}
            if not cursor["cursor"] or found >= limit > 0:
                return

    def get_text(self, path: str, **query: str | int) -> str:
        """The answer as it came; raises as `get`."""
        suffix = "?" + urllib.parse.urlencode(query) if query else ""
        return self._call("GET", path + suffix, None)

    def post(self, path: str, document: Mapping[str, object] | None = None, request_id: str = "") -> Any:
        """The decoded answer to a POST, which is done once under a request id; raises as `get`."""
        return json.loads(self._call("POST", path, document or {}, request_id) or "null")

    def put(self, path: str, document: Mapping[str, object], request_id: str = "") -> Any:
        """The decoded answer to a PUT; the same otherwise."""
        return json.loads(self._call("PUT", path, document, request_id) or "null")

    def _call(self, method: str, path: str, document: Mapping[str, object] | None, request_id: str = "") -> str:
        headers = {**self._headers, **({REQUEST_ID: request_id} if request_id else {})}
        body = None if document is None else json.dumps(document).encode()
        if not self._url.startswith(("http://", "https://")):
            raise Unreachable(f"{self._url} is no http:// or https:// address; give --collector http://HOST:PORT")
        if not (request_id.isascii() and request_id.isprintable() and len(request_id) <= _LONGEST_REQUEST_ID):
            allowed = f"up to {_LONGEST_REQUEST_ID} printable ASCII characters"
            raise ConfigError([f"--request-id: found {request_id[:50]!r}, allowed are {allowed}"])
        try:
            request = urllib.request.Request(self._url + path, body, headers, method=method)  # noqa: S310 - see above
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, _message(error.read().decode(errors="replace"))) from None
        except (http.client.InvalidURL, ValueError) as error:
            raise Unreachable(f"{self._url} is no address: {error}; give --collector http://HOST:PORT") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(
                f"no collector answers at {self._url}: {reason}; start one with `otel-opto collector` "
                "or say where it is with --collector URL"
            ) from None


def _message(body: str) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return body.strip()
    error = document.get("error", body) if isinstance(document, dict) else body
    return str(error.get("message", body)) if isinstance(error, dict) else str(error)  # Jaeger's are objects


def quoted(part: str) -> str:
    """One segment of a path, whatever characters it has; dots are quoted where a proxy might take them for its own."""
    return part.replace(".", "%2E") if part in (".", "..") else urllib.parse.quote(part, safe="")
