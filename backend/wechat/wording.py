"""How WeChat's pushes and the answers to them are written: XML or JSON, as the mini-program is configured."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

import msgspec

XML, JSON = "xml", "json"


def form_of(body: bytes) -> str:
    """Which of the two a body is, by its first letter; what is neither is read as JSON, and refused there."""
    return XML if body[:64].lstrip()[:1] == b"<" else JSON


def write(fields: Mapping[str, str | int], form: str) -> bytes:
    """Flat fields in that form; texts are escaped, so that none of them ends an element."""
    if form == JSON:
        return msgspec.json.encode(fields)
    elements = (f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
    return f"<xml>{''.join(elements)}</xml>".encode()


def media_type(form: str) -> str:
    """Its media type."""
    return "application/json; charset=utf-8" if form == JSON else "text/xml; charset=utf-8"
