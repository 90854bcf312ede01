"""A statement as files: PDF on A4 pages; CSV and XLSX."""

from __future__ import annotations

import msgspec

from backend.kernel import clock, papers, sheets
from backend.kernel.cells import text_cell
from backend.kernel.papers import BOTTOM, LEFT, ROW, money

from .statements import Line, Statement

HEADING = ("时间", "摘要", "本金变动", "赠送变动", "本金余额", "赠送余额", "单号")
COLUMNS = (18.0, 52.0, 104.0, 126.0, 148.0, 170.0, 192.0)
"""Where time and title begin, and where the four amounts end; the last is the page's edge."""


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
    said = f"另有 {statement.held_fen} 分因充值退款冻结，不在以上余额内"
    held = [("", said, None, None, None, None, None)] if statement.held_fen else []
    heading = [*HEADING[:2], *(f"{name}（分）" for name in HEADING[2:6]), HEADING[6]]
    return sheets.write(form, "储值对账单", heading, [before, *rows, after, *held])


def draw(statement: Statement, head: Head, font_file: str, *, compress: bool = True) -> bytes:
    """The statement as PDF, A4. Takes some milliseconds a page; run it in a thread."""
    title = f"储值对账单 {statement.first}–{statement.last}"
    return papers.draw(
        _Pages,
        lambda pages: pages.fill(statement, head),
        title=title,
        chain=head.chain,
        font_file=font_file,
        compress=compress,
    )


class _Pages(papers.Paper):
    """The table goes on below its heading on each page."""

    def fill(self, statement: Statement, head: Head) -> None:
        """All of it."""
        self.write(LEFT, 16, head.chain)
        self.y += 9
        self.write(LEFT, 12, "储值对账单")
        self.y += 7
        for text in (
            f"会员号 {head.member_no}　　{head.name}",
            f"期间 {statement.first} 至 {statement.last}　　生成时间 {head.made}",
        ):
            self.write(LEFT, 9, text, grey=True)
            self.y += 5
        self.y += 3
        self._balances("期初余额", statement.principal_before_fen, statement.bonus_before_fen)
        self._balances("期末余额", statement.principal_after_fen, statement.bonus_after_fen)
        if statement.held_fen:
            self.write(LEFT, 9, f"另有 {money(statement.held_fen)} 因充值退款冻结，不在以上余额内。")
            self.y += 6
        self.y += 3
        self._heading()
        for line in statement.lines:
            self._line(line, head.zone)
        if not statement.lines:
            self.write(LEFT, 9, "本期没有变动。", grey=True)

    def _balances(self, name: str, principal_fen: int, bonus_fen: int) -> None:
        total = money(principal_fen + bonus_fen)
        self.write(LEFT, 10, f"{name}　{total}　（本金 {money(principal_fen)}，赠送 {money(bonus_fen)}）")
        self.y += 6

    def _heading(self) -> None:
        self.write(COLUMNS[0], 9, HEADING[0], grey=True)
        self.write(COLUMNS[1], 9, HEADING[1], grey=True)
        for x, name in zip(COLUMNS[2:6], HEADING[2:6], strict=True):
            self.write(x, 9, name, right=True, grey=True)
        self.y += 2.2 + ROW / 2
        self.rule()

    def _line(self, line: Line, zone: str) -> None:
        if self.y + 2 * ROW > BOTTOM:
            self.turn()
            self._heading()
        self.write(COLUMNS[0], 8.5, _time(line, zone))
        self.write(COLUMNS[1], 8.5, line.title)
        amounts = line.principal_fen, line.bonus_fen, line.principal_after_fen, line.bonus_after_fen
        for x, fen in zip(COLUMNS[2:6], amounts, strict=True):
            self.write(x, 8.5, money(fen), right=True)
        if line.reference:
            self.y += 3.4
            self.write(COLUMNS[1], 6.5, line.reference, grey=True)
            self.y -= 3.4
        self.y += ROW + 2.4
        self.rule()


def _time(line: Line, zone: str) -> str:
    return line.at.astimezone(clock.zone(zone)).strftime("%Y-%m-%d %H:%M")
