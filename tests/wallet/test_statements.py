"""Statements of stored value as files, the letter at a month's beginning, and the report by day."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from backend.kernel import db
from backend.wallet import printing, reports, statements
from backend.wallet.commands import lots, monthly
from backend.wallet.printing import Head
from backend.wallet.statements import Line, Statement
from tests.support import refunds, value
from tests.support.members import register
from tests.support.races import codes_of

pytestmark = pytest.mark.usefixtures("books")

ZONE = "Asia/Shanghai"
HEAD = Head("惠员便利", "8800001", "王小明", ZONE, "2026-11-28 12:00")


def today(clock) -> date:
    return clock.local_date(clock.now(), ZONE)


async def some_life(client, chain, phone, admin, offers, clock) -> dict[str, int]:
    """A recharge with bonus, a sale, a part of it back, and a part of the recharge back."""
    recharge_id = await refunds.paid(client, phone, offer_id=offers.big)
    sold = (await chain.till.sell(client, (await codes_of(phone, 1))[0], fen=8_000)).json()
    back = {"amount_fen": 4_000, "reason": "退"}
    assert (await chain.till.post(client, f"/v1/pos/sales/{sold['id']}/refunds", back)).status_code == 201
    await refunds.until_state(clock, await refunds.asked(admin, recharge_id, 10_000), "done")
    stored = (await phone.wallet())["stored"]
    assert isinstance(stored, dict)
    return stored


async def test_a_statement_adds_up_to_what_the_wallet_says(client, chain, phone, admin, offers, clock):
    stored = await some_life(client, chain, phone, admin, offers, clock)

    found = await statements.read(phone.member_id, today(clock), today(clock), ZONE)

    assert (found.principal_before_fen, found.bonus_before_fen) == (0, 0)
    assert (found.principal_after_fen, found.bonus_after_fen) == (stored["principal_fen"], stored["bonus_fen"])
    assert [(line.title, line.principal_fen, line.bonus_fen) for line in found.lines] == [
        ("充值", 50_000, 5_000),
        ("消费", -3_000, -5_000),
        ("退款", 3_000, 1_000),
        ("充值退款冻结", -10_000, -1_000),
    ]
    last = found.lines[-1]
    assert (last.principal_after_fen, last.bonus_after_fen) == (40_000, 0)
    later = await statements.read(
        phone.member_id, today(clock) + timedelta(days=1), today(clock) + timedelta(days=9), ZONE
    )
    assert (later.principal_before_fen, later.lines) == (40_000, [])
    earlier = await statements.read(phone.member_id, date(2026, 1, 1), date(2026, 1, 31), ZONE)
    assert (earlier.principal_after_fen, earlier.lines) == (0, [])


async def test_it_is_downloaded_as_pdf_csv_and_xlsx_by_the_member_and_by_staff(
    client, chain, phone, admin, offers, clock
):
    await some_life(client, chain, phone, admin, offers, clock)
    days = f"from={today(clock)}&to={today(clock)}"
    own, staffs = "/v1/member/wallet/statement", f"/v1/admin/members/{phone.member_id}/stored-statement"

    pdf = await phone.call("GET", f"{own}?{days}")
    table = await phone.call("GET", f"{own}?{days}&format=csv")
    book = await admin.get(f"{staffs}?{days}&format=xlsx")
    same = await admin.get(f"{staffs}?{days}&format=csv")

    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert book.content.startswith(b"PK")
    assert table.text == same.text
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert [row[1] for row in rows[1:]] == ["期初余额", "充值", "消费", "退款", "充值退款冻结", "期末余额"]
    assert rows[2][2:6] == ["50000", "5000", "50000", "5000"]
    assert rows[-1][4:6] == ["40000", "0"]


@pytest.mark.parametrize(
    ("days", "pointer"),
    [
        ("from=2026-11-02&to=2026-11-01", "/query/to"),
        ("from=2025-01-01&to=2026-11-01", "/query/to"),
        ("from=1901-01-01&to=1901-01-02", "/query/from"),
    ],
)
async def test_a_range_that_is_none_is_refused(bystander, days, pointer):
    refused = await bystander.call("GET", f"/v1/member/wallet/statement?{days}")

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


def test_the_pdf_says_whose_it_is_and_goes_on_over_pages():
    at = datetime(2026, 11, 3, 2, tzinfo=UTC)
    lines = [Line(at, "消费", -100, -number, 5_000, 70, f"S{number}") for number in range(1, 60)]
    made = Statement(
        first=date(2026, 11, 1), last=date(2026, 11, 30), principal_before_fen=1_234_500, bonus_before_fen=0,
        lines=lines, held_fen=800,
    )  # fmt: skip

    pdf = printing.draw(made, HEAD, "", compress=False)
    table = printing.table(made, ZONE, "csv").decode("utf-8-sig")

    assert "另有 800 分因充值退款冻结" in table.splitlines()[-1]
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 3
    assert all(text in _plain(pdf) for text in ("惠员便利", "8800001", "2026-11-01", "¥12,345.00", "-¥0.59", "¥8.00"))


def _plain(pdf: bytes) -> str:
    """The texts of an uncompressed PDF of ours."""
    found = []
    for text in re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", pdf, re.DOTALL):
        raw = re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8)]), text)
        raw = re.sub(rb"\\(.)", rb"\1", raw, flags=re.DOTALL)
        found.append(raw.decode("utf-16-be", "replace"))
    return "\n".join(found)


async def test_members_whose_value_moved_last_month_hear_of_their_statement_once(client, phone, bystander, clock):
    await refunds.paid(client, phone, amount_fen=1_000)
    on = today(clock)
    next_month = datetime.combine(clock.end_of_month(on, 0) + timedelta(days=1), datetime.min.time(), UTC)

    assert await monthly.tell_of_statements(next_month + timedelta(hours=2)) >= 1
    assert await monthly.tell_of_statements(next_month + timedelta(days=1)) == 0

    rows = await db.fetch("SELECT member_id, body FROM message_letter WHERE template = 'wallet.statement'")
    told = {row["member_id"]: row["body"] for row in rows}
    assert f"{on.year}年{on.month}月" in told[phone.member_id]
    assert bystander.member_id not in told


async def test_the_report_says_what_came_went_and_is_owed(client, chain, admin, offers, clock):
    phone = await register(client)
    await reports.roll_up(ZONE)
    before = (await reports.list_days(ZONE, date(2000, 1, 1), today(clock)))[-1:]
    await some_life(client, chain, phone, admin, offers, clock)
    await value.give(phone.member_id, bonus=70, bonus_until=today(clock) - timedelta(days=1))
    await lots.expire_lots(clock.now())
    assert await reports.roll_up(ZONE) >= 1
    assert await reports.roll_up(ZONE) == 0

    days = f"from={today(clock)}&to={today(clock)}"
    found = (await admin.get(f"/v1/admin/reports/stored-value?{days}")).json()["items"][0]
    of_store = (await admin.get(f"/v1/admin/reports/stored-value?{days}&store_id=S1")).json()["items"][0]

    was = {name: getattr(before[0], name) if before else 0 for name in found if name.endswith("_fen")}
    grown = {name: found[name] - was[name] for name in was}
    assert grown == {
        "recharged_fen": 50_000, "bonus_given_fen": 5_000, "spent_principal_fen": 3_000, "spent_bonus_fen": 5_000,
        "returned_principal_fen": 3_000, "returned_bonus_fen": 1_000, "expired_fen": 70, "paid_back_fen": 10_000,
        "bonus_forfeited_fen": 1_000, "withheld_fen": 0, "other_fen": 70,
        "owed_principal_fen": 40_000, "owed_bonus_fen": 0,
    }  # fmt: skip
    owed = await db.fetchval(
        "SELECT sum(balance)::bigint FROM ledger_account WHERE kind IN ('stored', 'stored_held') AND ref = ''"
    )
    assert found["owed_principal_fen"] + found["owed_bonus_fen"] == owed
    assert (of_store["recharged_fen"], of_store["owed_principal_fen"]) == (0, None)
    assert of_store["spent_principal_fen"] >= 3_000
    chart = await admin.get(f"/v1/admin/reports/stored-value/chart?{days}")
    assert chart.text.startswith("<svg")
    file = await admin.get(f"/v1/admin/reports/stored-value/file?{days}")
    assert file.content.decode("utf-8-sig").splitlines()[0].startswith("日期,充值")
