"""A statement as files: PDF on A4 pages, CSV and XLSX; a run's statements as one table."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from backend.kernel import papers, sheets
from backend.kernel.cells import text_cell
from backend.kernel.http import Reply
from backend.kernel.papers import BOTTOM, LEFT, RIGHT, ROW, money
from backend.members import queries as members

from .queries import statements
from .rules import periods
from .types import Body, Part, Statement

HEADING = ("摘要", "方案", "单号", "日期", "门店", "计返金额（分）", "返利（分）")
RUN_HEADING = (
    "对账单号",
    "会员号",
    "应返（分）",
    "更正（分）",
    "上期结转（分）",
    "发放（分）",
    "结转下期（分）",
    "状态",
)
PAGE = 500


class Head(msgspec.Struct, frozen=True):
    """What stands above a statement: whose it is, of which chain, and when it was made (as text)."""

    chain: str
    member_no: str
    name: str
    made: str


def reply(body: bytes | AsyncIterator[bytes], media_type: str, name: str) -> Reply:
    """A file to be kept by whoever asked, and by nobody on the way."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Reply(body, media_type, 200, headers)


def table(one: Statement, body: Body, form: sheets.Format) -> bytes:
    """What a statement says, line by line, in fen."""
    rows: list[tuple[str | int | None, ...]] = []
    for part in body.parts:
        title = text_cell(part.title)
        rows += [
            ("消费", title, text_cell(line.sale_id), line.on.isoformat(), text_cell(line.store_id), line.fen, None)
            for line in part.lines
        ]
        if part.purchases > len(part.lines):
            rest = part.base_fen - sum(line.fen for line in part.lines)
            rows.append((f"另有 {part.purchases - len(part.lines)} 笔", title, None, None, None, rest, None))
        rows.append((_tier(part), title, None, None, None, part.base_fen, part.given_fen))
    for correction in body.corrections:
        span = periods.span(correction.first, correction.last)
        rows.append((f"{span}更正", None, None, None, None, None, correction.now_fen - correction.was_fen))
    for name, fen in (("上期结转", one.brought_fen), ("发放", one.payout_fen), ("结转下期", one.carried_fen)):
        rows.append((name, None, None, None, None, None, fen))
    return sheets.write(form, "返利对账单", HEADING, rows)


def _tier(part: Part) -> str:
    if part.tier < 0:
        return "未达标"
    said = f"第{part.tier + 1}档 {part.rate_bp / 100:g}%"
    if not part.won:
        return f"{said}，不与其他方案叠加"
    return f"{said}，已封顶" if part.capped else said


async def run_pages(run_id: str) -> AsyncIterator[list[tuple[str | int | None, ...]]]:
    """A run's statements, a page of rows at a time."""
    after = 0
    while found := await statements.list_of_run(run_id, after, PAGE):
        names = await members.list_numbers([one.holder_id for one in found])
        yield [
            (
                one.id,
                names.get(one.holder_id, ""),
                one.amount_fen,
                one.corrected_fen,
                one.brought_fen,
                one.payout_fen,
                one.carried_fen,
                one.state.value,
            )
            for one in found
        ]
        after = found[-1].member_id


def draw(one: Statement, body: Body, head: Head, font_file: str, *, compress: bool = True) -> bytes:
    """The statement as PDF, A4. Takes some milliseconds a page; run it in a thread."""
    title = f"返利对账单 {periods.title(one.period)}"
    return papers.draw(
        _Pages,
        lambda pages: pages.fill(one, body, head),
        title=title,
        chain=head.chain,
        font_file=font_file,
        compress=compress,
    )


class _Pages(papers.Paper):
    """Purchases by scheme, corrections, and what it comes to."""

    def fill(self, one: Statement, body: Body, head: Head) -> None:
        """All of it."""
        self.write(LEFT, 16, head.chain)
        self.y += 9
        self.write(LEFT, 12, "返利对账单")
        self.y += 7
        for text in (
            f"会员号 {head.member_no}　　{head.name}",
            f"期间 {periods.title(one.period)}（{one.period.first} 至 {one.period.last}）　　生成时间 {head.made}",
            f"对账单号 {one.id}",
        ):
            self.write(LEFT, 9, text, grey=True)
            self.y += 5
        self.y += 3
        for part in body.parts:
            self._part(part)
        for correction in body.corrections:
            fen = correction.now_fen - correction.was_fen
            self._row(f"{periods.span(correction.first, correction.last)}更正（结算后有退货或补登）", money(fen))
        self.y += 2
        for name, fen in (
            ("本期应返", one.amount_fen),
            ("更正", one.corrected_fen),
            ("上期结转", one.brought_fen),
            ("本期发放", one.payout_fen),
            ("结转下期", one.carried_fen),
        ):
            self._row(name, money(fen), size=10)

    def _part(self, part: Part) -> None:
        self._row(f"{part.title}　{_tier(part)}", money(part.given_fen), size=10)
        for line in part.lines:
            self._row(f"　{line.on}　{line.store_id}　{line.sale_id}", money(line.fen), size=8, grey=True)
        if part.purchases > len(part.lines):
            self._row(f"　另有 {part.purchases - len(part.lines)} 笔", "", size=8, grey=True)
        self._row("　计返金额合计", money(part.base_fen), size=8)

    def _row(self, name: str, amount: str, *, size: float = 9, grey: bool = False) -> None:
        if self.y + ROW > BOTTOM:
            self.turn()
        self.write(LEFT, size, name, grey=grey)
        self.write(RIGHT, size, amount, right=True, grey=grey)
        self.y += ROW
        self.rule()
