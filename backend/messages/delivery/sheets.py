"""Labels as a PDF: drawn by reportlab, which is loaded by the first sheet.

Without a font of the chain's own the text is set in STSong-Light, which the PDF names and does not hold: every reader
of Chinese PDF has it or puts another Song in its place. Characters beyond the basic plane, which it does not know, are
shown as 〓. With ``HUIYUAN_LABEL_FONT_FILE`` the characters used are embedded.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import labels
from .labels import Label, Layout
from .mail import one_line

MM = 72 / 25.4
PADDING = 4.0
FALLBACK = "STSong-Light"
MISSING = "〓"
_DOTS = str.maketrans(dict.fromkeys("·•‧∙⋅", "・"))
"""The dot inside names, for which Song knows the full-width sign only."""

BODY_TOP = 105.0
"""Where a letter's own text begins: below the first fold."""
BODY_SIZES = (11.0, 10.0, 9.0)
BODY_SIDE = 25.0

_one_at_a_time = threading.Lock()
"""The library's fonts are one state for the whole process."""


def draw(
    layout: Layout, wanted: Sequence[Label], *, skip: int, sender: str, font_file: str, compress: bool = True
) -> bytes:
    """The sheets; the first ``skip`` places of the first one stay empty. Takes 0.3 ms a label; run it in a thread."""
    from reportlab.pdfgen.canvas import Canvas

    with _one_at_a_time:
        pen = _Pen(
            Canvas(file := io.BytesIO(), pagesize=_points(*labels.PAGE), pageCompression=int(compress)), font_file
        )
        pen.canvas.setTitle("标签")
        pen.canvas.setCreator(sender)
        page = 0
        for index, label in enumerate(wanted):
            at = labels.place(layout, index, skip)
            if at.page != page:
                pen.canvas.showPage()
                page = at.page
            _draw_label(pen, layout, label, at.x, at.y)
            if layout.letter:
                _draw_letter(pen, label, sender)
        pen.canvas.save()
        return file.getvalue()


class _Pen:
    """A canvas measured in mm from the top left corner, with one font."""

    def __init__(self, canvas: Any, font_file: str) -> None:
        self.canvas = canvas
        self._font = _register(font_file)
        self._basic = not font_file

    def clean(self, text: str) -> str:
        """The text as this font can show it: one line, what it lacks marked."""
        line = one_line(text)
        if not self._basic:
            return line
        return "".join(MISSING if ord(sign) > 0xFFFF else sign for sign in line.translate(_DOTS))

    def measure(self, text: str, size: float) -> float:
        """The width of a text in mm."""
        return float(self.canvas.stringWidth(text, self._font, size)) / MM

    def write(self, x: float, y: float, size: float, lines: Sequence[str]) -> None:
        """Lines from an upper left corner downwards."""
        self.canvas.setFont(self._font, size)
        for number, line in enumerate(lines):
            base = (labels.PAGE[1] - y) * MM - size - number * size * labels.LEADING
            self.canvas.drawString(x * MM, base, line)


def _draw_label(pen: _Pen, layout: Layout, label: Label, x: float, y: float) -> None:
    paragraphs = [pen.clean(text) for text in (label.region, label.street, f"{label.name} 收") if text]
    width, height = layout.width - 2 * PADDING, layout.height - 2 * PADDING
    fitted = labels.fit(paragraphs, width, height, pen.measure)
    used = len(fitted.lines) * fitted.size * labels.LEADING / MM
    pen.write(x + PADDING, y + PADDING + (height - used) / 2, fitted.size, fitted.lines)


def _draw_letter(pen: _Pen, label: Label, sender: str) -> None:
    """The letter's own text, on the part of the page that the envelope hides."""
    pen.write(22.0, 20.0, 10.0, [pen.clean(sender)])
    if not label.title:
        return
    pen.write(BODY_SIDE, BODY_TOP, 14.0, [pen.clean(label.title)[:40]])
    width, height = labels.PAGE[0] - 2 * BODY_SIDE, labels.PAGE[1] - BODY_TOP - 35.0
    paragraphs = [pen.clean(line) for line in label.body.splitlines()] or [""]
    fitted = labels.fit([*paragraphs, pen.clean(sender)], width, height, pen.measure, BODY_SIZES)
    pen.write(BODY_SIDE, BODY_TOP + 10.0, fitted.size, fitted.lines)


def _register(font_file: str) -> str:
    """Make a font known to the library; its name there."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    name = f"label:{Path(font_file).resolve()}" if font_file else FALLBACK
    if name not in pdfmetrics.getRegisteredFontNames():
        made = TTFont(name, font_file, subfontIndex=0) if font_file else UnicodeCIDFont(FALLBACK)
        pdfmetrics.registerFont(made)
    return name


def _points(width: float, height: float) -> tuple[float, float]:
    return width * MM, height * MM
