"""Our static files: their addresses carry their hash, so browsers may keep them for ever."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ROOT = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"


def versions(root: Path = ROOT) -> Mapping[str, str]:
    """Return path -> short hash of every static file."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


class Assets(StaticFiles):
    """Static files; those asked for by their hash are immutable."""

    def __init__(self) -> None:
        super().__init__(directory=ROOT)
        self.versions = versions()

    def address(self, path: str) -> str:
        """Return the address of one file; KeyError if there is none."""
        return f"/static/{path}?v={self.versions[path]}"

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve one file with the right age."""
        response = await super().get_response(path, scope)
        wanted = f"v={self.versions.get(path)}".encode()
        response.headers["Cache-Control"] = FOREVER if scope["query_string"] == wanted else A_DAY
        if not Headers(raw=response.raw_headers).get("content-type"):
            response.headers["Content-Type"] = "application/octet-stream"
        return response
