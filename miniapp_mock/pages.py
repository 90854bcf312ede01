"""Serves the pages: the phone page at ``/``, the POS page at ``/pos``, the console at ``/admin``; and their files.

The pages are plain files beside this module; only the chain's name and colour are put in here. Every answer carries an
ETag, so a browser asks each time and gets 304; the content policy allows nothing inline and nothing from another host.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniapp_mock.colors import brand_css

STATIC = Path(__file__).parent / "static"

CONSOLE = {"/admin": "admin/index.html"}
DOCUMENTS = {"/": "index.html", "/pos": "pos/index.html", **CONSOLE}
CONSOLE_FILES = re.compile(r"(icon\.svg|shared/[^/]+|admin/.+)")
"""What of the files the console needs."""

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-cache",
}


def build(chain_name: str, brand_color: str, *, console_only: bool = False) -> Starlette:
    """Make the application that serves the pages for this chain, or only the staff console of them.

    Refuses a colour that is not ``#rrggbb``.
    """
    css = brand_css(brand_color).encode()
    manifest = _manifest(chain_name, brand_color)

    async def document(request: Request) -> Response:
        page = _read(DOCUMENTS[request.url.path])
        return _answer(request, _with_name(page, chain_name), ".html")

    async def static(request: Request) -> Response:
        name = request.path_params["path"]
        if console_only and not CONSOLE_FILES.fullmatch(name):
            raise HTTPException(404)
        return _answer(request, _read(name), Path(name).suffix)

    async def brand(request: Request) -> Response:
        return _answer(request, css, ".css")

    async def web_manifest(request: Request) -> Response:
        return _answer(request, manifest, ".webmanifest")

    async def service_worker(request: Request) -> Response:
        return _answer(request, _service_worker(css), ".js")

    async def favicon(request: Request) -> Response:
        return _answer(request, _read("icon.svg"), ".svg")

    always = [
        Route("/static/brand.css", brand),
        Route("/static/{path:path}", static),
        Route("/favicon.ico", favicon),
    ]
    if console_only:
        return Starlette(routes=[*(Route(path, document) for path in CONSOLE), *always])
    of_phones = [Route("/manifest.webmanifest", web_manifest), Route("/sw.js", service_worker)]
    return Starlette(routes=[*(Route(path, document) for path in DOCUMENTS), *always, *of_phones])


def _read(name: str) -> bytes:
    """The bytes of a file below ``static``; 404 for anything else, links out of it too."""
    if "\x00" in name:
        raise HTTPException(404)
    path = (STATIC / name).resolve()
    if path.suffix not in MEDIA_TYPES or not path.is_relative_to(STATIC.resolve()) or not path.is_file():
        raise HTTPException(404)
    return path.read_bytes()


def _answer(request: Request, content: bytes, suffix: str) -> Response:
    etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {**HEADERS, "ETag": etag}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=MEDIA_TYPES[suffix])


def _with_name(page: bytes, chain_name: str) -> bytes:
    escaped = chain_name.translate({ord(c): f"&#{ord(c)};" for c in "&<>\"'"})
    return page.replace(b"{{chain_name}}", escaped.encode())


def _manifest(chain_name: str, brand_color: str) -> bytes:
    document = {
        "name": chain_name,
        "short_name": chain_name[:12],
        "lang": "zh-CN",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#F6F7F8",
        "theme_color": brand_color,
        "icons": [{"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _service_worker(css: bytes) -> bytes:
    """The worker's file with the list of what the phone page needs, and a version that changes when any of it does."""
    names = sorted(
        path.relative_to(STATIC).as_posix()
        for path in STATIC.rglob("*")
        if path.is_file() and re.match(r"(icon\.svg|wx\.js|wx/|shared/|phone/)", path.relative_to(STATIC).as_posix())
    )
    digest = hashlib.sha256(css + _read("index.html"))
    for name in names:
        digest.update(name.encode() + _read(name))
    files = ["/", "/manifest.webmanifest", "/static/brand.css", *(f"/static/{name}" for name in names)]
    head = f"const VERSION = {json.dumps(digest.hexdigest()[:16])};\nconst FILES = {json.dumps(files)};\n"
    return head.encode() + _read("sw.js")
