"""A4 pages of text as PDF, drawn by reportlab, which the first one loads.

Without a font of the chain's own the PDF names STSong-Light, which every reader of Chinese PDF has or replaces; with
``HUIYUAN_LABEL_FONT_FILE`` the characters used are embedded.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

FALLBACK = "STSong-Light"
MM = 72 / 25.4
LEFT, RIGHT, TOP, BOTTOM = 18.0, 192.0, 18.0, 277.0
ROW = 6.2

_one_at_a_time = threading.Lock()
"""The library's fonts are one state for the whole process."""


class Paper:
    """Pages measured in mm from the top left corner; ``y`` is where the next text goes."""

    def __init__(self, canvas: Any, font: str, *, embedded: bool) -> None:
        self.canvas = canvas
        self.font = font
        self.embedded = embedded
        self.y = TOP
        self.page = 1

    def turn(self) -> None:
        """End this page and begin the next."""
        self.foot()
        self.canvas.showPage()
        self.page += 1
        self.y = TOP

    def foot(self) -> None:
        """Write the page's number."""
        self.y, y = BOTTOM + 6, self.y
        self.write(RIGHT, 8, f"第 {self.page} 页", right=True, grey=True)
        self.y = y

    def rule(self) -> None:
        """A line across, just above where the next text goes."""
        base = (297 - self.y + 1.4) * MM
        self.canvas.setStrokeGray(0.85)
        self.canvas.setLineWidth(0.4)
        self.canvas.line(LEFT * MM, base, RIGHT * MM, base)

    def write(self, x: float, size: float, text: str, *, right: bool = False, grey: bool = False) -> None:
        """A text that begins at ``x`` (or ends there) in this line."""
        self.canvas.setFont(self.font, size)
        self.canvas.setFillGray(0.4 if grey else 0.0)
        shown = text if self.embedded else "".join("〓" if ord(sign) > 0xFFFF else sign for sign in text)
        base = (297 - self.y) * MM - size
        (self.canvas.drawRightString if right else self.canvas.drawString)(x * MM, base, shown)


P = TypeVar("P", bound=Paper)


def draw(
    of: Callable[..., P], fill: Callable[[P], None], *, title: str, chain: str, font_file: str, compress: bool = True
) -> bytes:
    """What ``fill`` draws on paper of that kind, as PDF. Takes some milliseconds a page; run it in a thread."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    with _one_at_a_time:
        file = io.BytesIO()
        canvas = Canvas(file, pagesize=A4, pageCompression=int(compress))
        canvas.setTitle(title)
        canvas.setCreator(chain)
        paper = of(canvas, _register(font_file), embedded=bool(font_file))
        fill(paper)
        paper.foot()
        canvas.save()
        return file.getvalue()


def money(fen: int) -> str:
    """An amount as it stands on paper."""
    sign, (whole, rest) = "-" if fen < 0 else "", divmod(abs(fen), 100)
    return f"{sign}¥{whole:,}.{rest:02d}"


def _register(font_file: str) -> str:
    """Make a font known to the library; its name there."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    name = f"statement:{Path(font_file).resolve()}" if font_file else FALLBACK
    if name not in pdfmetrics.getRegisteredFontNames():
        made = TTFont(name, font_file, subfontIndex=0) if font_file else UnicodeCIDFont(FALLBACK)
        pdfmetrics.registerFont(made)
    return name
