"""What a browser is given beside pages: scripts and the style sheet, our own and other people's."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_FOLDER = Path(__file__).parent / "static"
_TYPES: Mapping[str, str] = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    media_type: str
    version: str


class Assets:
    """Read once. A file's address names its content, so that a browser need never ask again."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._assets = {
            path.name: _Asset(content, _TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:16])
            for path in sorted(folder.rglob("*"))
            if path.suffix in _TYPES
            for content in (path.read_bytes(),)
        }

    def address(self, name: str) -> str:
        """Where a file is."""
        return f"/static/{self._assets[name].version}/{name}"

    async def answer(self, request: Request) -> Response:
        """One file."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None or asset.version != request.path_params["version"]:
            return PlainTextResponse("there is no such file\n", HTTPStatus.NOT_FOUND)
        headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
        return Response(asset.content, headers=headers, media_type=asset.media_type)
