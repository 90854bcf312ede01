"""Spot codes as they are printed and cut out: one page of HTML with its own style, every text escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape

from backend.kernel import qr

STYLE = """
body { font: 16px/1.4 system-ui, "PingFang SC", "Noto Sans CJK SC", sans-serif; margin: 10mm; color: #1c1c1e }
ul { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(3, 1fr); gap: 6mm }
li { border: 1px dashed #c7c7cc; padding: 4mm; text-align: center; break-inside: avoid }
svg { width: 46mm; height: 46mm } strong { display: block; font-size: 24px } small { color: #6b6b70 }
"""
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)
"""Lets the page have this one style, and nothing else at all."""


def sheet(store_name: str, codes: Sequence[tuple[str, str]]) -> str:
    """The codes of a store: (name of the spot, link) each."""
    cards = "".join(
        f"<li>{_picture(link)}<strong>{escape(name)}</strong><small>{escape(store_name)} · 扫码点单</small></li>"
        for name, link in codes
    )
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f"<title>{escape(store_name)} 桌码与货架码</title><style>{STYLE}</style></head>"
        f"<body><ul>{cards}</ul></body></html>"
    )


def _picture(link: str) -> str:
    svg = qr.draw(link, "svg").decode()
    return svg[svg.index("<svg") :]
