"""Shifts on paper: tables as PDF, drawn by reportlab, which the first one loads.

Without a font of the chain's own the PDF names STSong-Light, which every reader of Chinese PDF has or replaces.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.kernel import clock

from .types import DifferenceState, Figures, Row, Shift

COLUMNS = (
    *("门店", "班次数", "销售笔数", "销售（分）", "折扣（分）", "退款（分）", "充值（分）", "售卡（分）"),
    *("应有现金（分）", "实点现金（分）", "差异（分）", "待处理差异"),
)
TENDERS = {
    "cash": "现金",
    "external": "外部支付",
    "stored": "储值",
    "points": "积分",
    "rebate": "返利",
    "coupon": "优惠券",
    "gift_card": "礼品卡",
    "unnamed": "未说明",
}
DIFFERENCES = {
    DifferenceState.NONE: "无差异",
    DifferenceState.OPEN: "待处理",
    DifferenceState.EXPLAINED: "已说明",
    DifferenceState.WAITING: "待审批",
    DifferenceState.APPROVED: "已审批",
}
FALLBACK = "STSong-Light"
MM = 72 / 25.4
LEFT, RIGHT, TOP, BOTTOM, ROW = 14.0, 196.0, 18.0, 277.0, 6.4

_one_at_a_time = threading.Lock()
"""The library's fonts are one state for the whole process."""


def heading(by: str) -> tuple[str, ...]:
    """What stands above the rows of a report on paper."""
    return (by, "班次", "销售", "退款", "充值", "应有现金", "实点现金", "差异")


def rows_shown(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """A report's rows on paper."""
    return [
        (
            row.key,
            str(row.shifts),
            *(
                money(fen)
                for fen in (
                    row.sales_fen,
                    row.refunds_fen,
                    row.recharges_fen,
                    row.cash_expected_fen,
                    row.cash_counted_fen,
                )
            ),
            signed(row.difference_fen),
        )
        for row in rows
    ]


def facts(shift: Shift, store: str, zone: str) -> list[tuple[str, str]]:
    """What stands above a shift's figures."""
    return [
        ("门店", store),
        ("收银台", shift.terminal_id),
        ("收银员", shift.cashier),
        ("开班", _time(shift.opened_at, zone)),
        ("结班", _time(shift.closed_at, zone) if shift.closed_at else "未结"),
        ("差异", DIFFERENCES[shift.difference]),
    ]


def figures_table(found: Figures) -> list[tuple[str, ...]]:
    """A shift's figures, a row for each: what, how many, how much."""
    rows: list[tuple[str, ...]] = [
        ("销售", str(found.sales.count), money(found.sales.fen)),
        ("折扣", "", money(found.discount_fen)),
        ("退款", str(found.refunds.count), money(found.refunds.fen)),
        ("储值充值", str(found.recharges.count), money(found.recharges.fen)),
        ("充值冲正", str(found.recharge_reversals.count), money(found.recharge_reversals.fen)),
        ("售礼品卡", str(found.gift_cards.count), money(found.gift_cards.fen)),
        ("撤销售卡", str(found.gift_cards_undone.count), money(found.gift_cards_undone.fen)),
        ("交付积分礼品（已付储值）", str(found.gifts.count), money(found.gifts.fen)),
        ("会员卡押金、工本费", str(found.member_cards.count), money(found.member_cards.fen)),
        ("退会员卡押金", str(found.member_cards_back.count), money(found.member_cards_back.fen)),
        ("备用金", "", money(found.float_fen)),
        ("存入", "", money(found.pay_in_fen)),
        ("取出", "", money(found.pay_out_fen)),
    ]
    if found.others.count:
        rows.append(("其他", str(found.others.count), money(found.others.fen)))
    rows += [
        (f"非会员 {TENDERS.get(one.tender, one.tender)}", str(one.count), money(one.amount_fen))
        for one in found.outside
    ]
    for tender in found.tenders:
        name = TENDERS.get(tender.tender, tender.tender)
        rows.append((f"{name} 收 / 退", "", f"{money(tender.in_fen)} / {money(tender.out_fen)}"))
        if tender.expected_fen is not None:
            rows.append((f"{name} 应有", "", money(tender.expected_fen)))
        if tender.counted_fen is not None and tender.difference_fen is not None:
            rows.append((f"{name} 实点", "", money(tender.counted_fen)))
            rows.append((f"{name} 差异", "", signed(tender.difference_fen)))
    return rows


def draw(
    chain: str,
    title: str,
    told: Sequence[tuple[str, str]],
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    font_file: str,
    *,
    compress: bool = True,
) -> bytes:
    """A table as PDF, A4. Takes some milliseconds a page; run it in a thread."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    with _one_at_a_time:
        file = io.BytesIO()
        canvas = Canvas(file, pagesize=A4, pageCompression=int(compress))
        canvas.setTitle(title)
        canvas.setCreator(chain)
        _Pages(canvas, _register(font_file), columns, embedded=bool(font_file)).draw(chain, title, told, rows)
        canvas.save()
        return file.getvalue()


class _Pages:
    """Pages measured in mm from the top left corner; the first column begins left, the others end right."""

    def __init__(self, canvas: Any, font: str, columns: Sequence[str], *, embedded: bool) -> None:
        self.canvas, self.font, self.columns, self.embedded = canvas, font, columns, embedded
        self.y, self.page = TOP, 1
        first = 46.0
        step = (RIGHT - LEFT - first) / max(1, len(columns) - 1)
        self.ends = [LEFT + first + step * number for number in range(1, len(columns))]

    def draw(self, chain: str, title: str, told: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
        """All of it."""
        self._write(LEFT, 16, chain)
        self.y += 9
        self._write(LEFT, 12, title)
        self.y += 7
        for name, text in told:
            self._write(LEFT, 9, f"{name}　{text}", grey=True)
            self.y += 5
        self.y += 3
        self._row(self.columns, grey=True)
        for row in rows:
            if self.y + 2 * ROW > BOTTOM:
                self._foot()
                self.canvas.showPage()
                self.page, self.y = self.page + 1, TOP
                self._row(self.columns, grey=True)
            self._row(row)
        self._foot()

    def _row(self, cells: Sequence[str], *, grey: bool = False) -> None:
        self._write(LEFT, 8.5, cells[0], grey=grey)
        for x, text in zip(self.ends, cells[1:], strict=True):
            self._write(x, 8.5, text, right=True, grey=grey)
        self.y += ROW
        base = (297 - self.y + 1.8) * MM
        self.canvas.setStrokeGray(0.85)
        self.canvas.setLineWidth(0.4)
        self.canvas.line(LEFT * MM, base, RIGHT * MM, base)

    def _foot(self) -> None:
        self.y, y = BOTTOM + 6, self.y
        self._write(RIGHT, 8, f"第 {self.page} 页", right=True, grey=True)
        self.y = y

    def _write(self, x: float, size: float, text: str, *, right: bool = False, grey: bool = False) -> None:
        self.canvas.setFont(self.font, size)
        self.canvas.setFillGray(0.4 if grey else 0.0)
        shown = text if self.embedded else "".join("〓" if ord(sign) > 0xFFFF else sign for sign in text)
        base = (297 - self.y) * MM - size
        (self.canvas.drawRightString if right else self.canvas.drawString)(x * MM, base, shown)


def money(fen: int) -> str:
    """An amount as it is read."""
    sign, (whole, rest) = "-" if fen < 0 else "", divmod(abs(fen), 100)
    return f"{sign}¥{whole:,}.{rest:02d}"


def signed(fen: int) -> str:
    """The same with a plus for what is over."""
    return f"+{money(fen)}" if fen > 0 else money(fen)


def _time(at: datetime, zone: str) -> str:
    return at.astimezone(clock.zone(zone)).strftime("%Y-%m-%d %H:%M")


def _register(font_file: str) -> str:
    """Make a font known to the library; its name there."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    name = f"shifts:{Path(font_file).resolve()}" if font_file else FALLBACK
    if name not in pdfmetrics.getRegisteredFontNames():
        made = TTFont(name, font_file, subfontIndex=0) if font_file else UnicodeCIDFont(FALLBACK)
        pdfmetrics.registerFont(made)
    return name
