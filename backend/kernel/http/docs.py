"""The API's pages at ``/docs``: our own HTML, CSS and module over ``/openapi.json``; nothing from another host."""

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
    """Add ``/docs`` and its two files to a router."""
    for path, name in (("/docs", "docs.html"), ("/docs/docs.css", "docs.css"), ("/docs/docs.js", "docs.js")):
        _register_file(router, path, name)


def _register_file(router: Router, path: str, name: str) -> None:
    content = (_FILES / name).read_bytes()
    media_type = _TYPES[Path(name).suffix]

    @router.get(path, guard=public, rate_limited=False, in_schema=False, quiet=True)
    async def file() -> Reply:
        return Reply(content, media_type, headers=_HEADERS)
