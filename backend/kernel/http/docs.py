"""The API's pages at ``/docs``: our own HTML, CSS and modules over ``/openapi.json``; nothing from another host."""

from __future__ import annotations

from pathlib import Path

from .guards import public
from .routing import Router
from .types import Reply

_FILES = Path(__file__).parent / "pages"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-cache",
}


def register(router: Router) -> None:
    """Add ``/docs`` and its files to a router."""
    for file in sorted(_FILES.iterdir()):
        if file.suffix in _TYPES:
            _register_file(router, "/docs" if file.suffix == ".html" else f"/docs/{file.name}", file)


def _register_file(router: Router, path: str, file: Path) -> None:
    content = file.read_bytes()

    @router.get(path, guard=public, rate_limited=False, in_schema=False, quiet=True)
    async def page() -> Reply:
        return Reply(content, _TYPES[file.suffix], headers=_HEADERS)
