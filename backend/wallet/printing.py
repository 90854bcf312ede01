"""A statement as files: PDF, drawn by reportlab, which the first one loads; CSV and XLSX.

Without a font of the chain's own the PDF names STSong-Light, which every reader of Chinese PDF has or replaces; with
``HUIYUAN_LABEL_FONT_FILE`` the characters used are embedded.
"""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import msgspec

from backend.kernel import clock, sheets
from backend.kernel.cells import text_cell

from .statements import Line, Statement

HEADING = ("时间", "摘要", "本金变动", "赠送变动", "本金余额", "赠送余额", "单号")
FALLBACK = "STSong-Light"
MM = 72 / 25.4
LEFT, RIGHT, TOP, BOTTOM = 18.0, 192.0, 18.0, 277.0
ROW = 6.2
COLUMNS = (18.0, 52.0, 104.0, 126.0, 148.0, 170.0, 192.0)
"""Where time and title begin, and where the four amounts end; the last is the page's edge."""

_one_at_a_time = threading.Lock()
"""The library's fonts are one state for the whole process."""


class Head(msgspec.Struct, frozen=True):
    """What stands above a statement: whose it is, of which chain, and when it was made (as text)."""

    chain: str
    member_no: str
    name: str
    zone: str
    made: str


def table(statement: Statement, zone: str, form: sheets.Format) -> bytes:
    """The lines in fen, between a line of what was there before and one of what is there afterwards."""
    before = ("", "期初余额", None, None, statement.principal_before_fen, statement.bonus_before_fen, None)
    after = ("", "期末余额", None, None, statement.principal_after_fen, statement.bonus_after_fen, None)
    rows = [
        (
            _time(line, zone),
            line.title,
            line.principal_fen,
            line.bonus_fen,
            line.principal_after_fen,
            line.bonus_after_fen,
            None if line.reference is None else text_cell(line.reference),
        )
        for line in statement.lines
    ]
    heading = [*HEADING[:2], *(f"{name}（分）" for name in HEADING[2:6]), HEADING[6]]
    return sheets.write(form, "储值对账单", heading, [before, *rows, after])


def draw(statement: Statement, head: Head, font_file: str, *, compress: bool = True) -> bytes:
    """The statement as PDF, A4. Takes some milliseconds a page; run it in a thread."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    with _one_at_a_time:
        file = io.BytesIO()
        canvas = Canvas(file, pagesize=A4, pageCompression=int(compress))
        canvas.setTitle(f"储值对账单 {statement.first}–{statement.last}")
        canvas.setCreator(head.chain)
        _Pages(canvas, _register(font_file), embedded=bool(font_file)).draw(statement, head)
        canvas.save()
        return file.getvalue()


class _Pages:
    """Pages measured in mm from the top left corner; the table goes on below its heading on each."""

    def __init__(self, canvas: Any, font: str, *, embedded: bool) -> None:
        self.canvas = canvas
        self.font = font
        self.embedded = embedded
        self.y = TOP
        self.page = 1

    def draw(self, statement: Statement, head: Head) -> None:
        """All of it."""
        self._write(LEFT, 16, head.chain)
        self.y += 9
        self._write(LEFT, 12, "储值对账单")
        self.y += 7
        for text in (
            f"会员号 {head.member_no}　　{head.name}",
            f"期间 {statement.first} 至 {statement.last}　　生成时间 {head.made}",
        ):
            self._write(LEFT, 9, text, grey=True)
            self.y += 5
        self.y += 3
        self._balances("期初余额", statement.principal_before_fen, statement.bonus_before_fen)
        self._balances("期末余额", statement.principal_after_fen, statement.bonus_after_fen)
        if statement.held_fen:
            self._write(LEFT, 9, f"另有 {_money(statement.held_fen)} 因充值退款冻结，不在以上余额内。")
            self.y += 6
        self.y += 3
        self._heading()
        for line in statement.lines:
            self._line(line, head.zone)
        if not statement.lines:
            self._write(LEFT, 9, "本期没有变动。", grey=True)
        self._foot()

    def _balances(self, name: str, principal_fen: int, bonus_fen: int) -> None:
        total = _money(principal_fen + bonus_fen)
        self._write(LEFT, 10, f"{name}　{total}　（本金 {_money(principal_fen)}，赠送 {_money(bonus_fen)}）")
        self.y += 6

    def _heading(self) -> None:
        self._write(COLUMNS[0], 9, HEADING[0], grey=True)
        self._write(COLUMNS[1], 9, HEADING[1], grey=True)
        for x, name in zip(COLUMNS[2:6], HEADING[2:6], strict=True):
            self._write(x, 9, name, right=True, grey=True)
        self.y += 2.2 + ROW / 2
        self._rule()

    def _line(self, line: Line, zone: str) -> None:
        if self.y + 2 * ROW > BOTTOM:
            self._foot()
            self.canvas.showPage()
            self.page += 1
            self.y = TOP
            self._heading()
        self._write(COLUMNS[0], 8.5, _time(line, zone))
        self._write(COLUMNS[1], 8.5, line.title)
        amounts = line.principal_fen, line.bonus_fen, line.principal_after_fen, line.bonus_after_fen
        for x, fen in zip(COLUMNS[2:6], amounts, strict=True):
            self._write(x, 8.5, _money(fen), right=True)
        if line.reference:
            self.y += 3.4
            self._write(COLUMNS[1], 6.5, line.reference, grey=True)
            self.y -= 3.4
        self.y += ROW + 2.4
        self._rule()

    def _foot(self) -> None:
        self.y, y = BOTTOM + 6, self.y
        self._write(RIGHT, 8, f"第 {self.page} 页", right=True, grey=True)
        self.y = y

    def _rule(self) -> None:
        base = (297 - self.y + 1.4) * MM
        self.canvas.setStrokeGray(0.85)
        self.canvas.setLineWidth(0.4)
        self.canvas.line(LEFT * MM, base, RIGHT * MM, base)

    def _write(self, x: float, size: float, text: str, *, right: bool = False, grey: bool = False) -> None:
        self.canvas.setFont(self.font, size)
        self.canvas.setFillGray(0.4 if grey else 0.0)
        shown = text if self.embedded else "".join("〓" if ord(sign) > 0xFFFF else sign for sign in text)
        base = (297 - self.y) * MM - size
        (self.canvas.drawRightString if right else self.canvas.drawString)(x * MM, base, shown)


def _money(fen: int) -> str:
    sign, (whole, rest) = "-" if fen < 0 else "", divmod(abs(fen), 100)
    return f"{sign}¥{whole:,}.{rest:02d}"


def _time(line: Line, zone: str) -> str:
    return line.at.astimezone(clock.zone(zone)).strftime("%Y-%m-%d %H:%M")


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
