"""Rebate that was paid is spent, comes back to its lots, expires with a warning before, and is reported."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.ledger import queries as ledger
from backend.rebates import reports
from backend.rebates.commands import building, clockwork, expiring
from tests.support.levels import buy
from tests.support.members import register
from tests.support.races import codes_of
from tests.support.rebates import MINE, RUNS, again, mine, over, settle, start_scheme
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("a_month_of_its_own")


async def pay(client, till, phone, fen: int, rebate: int):
    (code,) = await codes_of(phone, 1)
    tenders = [{"type": "rebate", "amount_fen": rebate}, {"type": "cash"}]
    answer = await till.sell(client, code, fen=fen, tenders=tenders)
    await outbox.drain()
    return answer


async def test_paid_rebate_pays_and_returns_to_its_lots_and_expires_to_who_bore_it(client, office, chain, phone, books):
    admin = await again(office, chain, phone)
    scheme = await start_scheme(admin, valid_months=1)
    await buy(client, chain.till, phone, 50_000)
    admin, month = await over(office, chain, phone)
    run = await settle(admin, month)
    till = chain.tills["S2"][0]
    kernel_clock.shift(timedelta(minutes=11))

    too_much = await pay(client, till, phone, 2_000, 1_001)
    sale = await pay(client, till, phone, 2_000, 600)
    back = await till.post(client, f"/v1/pos/sales/{sale.json()['id']}/refunds", {"amount_fen": 1_000, "reason": "x"})
    await outbox.drain()
    (lot,) = await ledger.list_open_lots(phone.member_id, "rebate")
    counted = (await mine(phone))["running"]
    await clockwork.roll_up()
    used = await report(admin, month)
    last = lot.expires_on or date.min
    warn_at = last - timedelta(days=7)
    kernel_clock.shift(timedelta(days=(warn_at - today_()).days))
    warned = [await expiring.warn(kernel_clock.now()), await expiring.warn(kernel_clock.now())]
    kernel_clock.shift(timedelta(days=8))
    expired = [await expiring.expire_lots(kernel_clock.now()), await expiring.expire_lots(kernel_clock.now())]
    await clockwork.roll_up()
    admin = await again(office, chain, phone)
    gone = await report(admin, month)

    assert (run["payout_fen"], too_much.status_code, too_much.json()["code"]) == (1_000, 409, "insufficient_balance")
    assert (sale.status_code, back.status_code) == (201, 201)
    assert (lot.part, lot.issued, lot.remaining) == (f"{scheme}/S1", 1_000, 700)
    # what was paid with rebate is no net sale: of 2,000 less half of it 700 count
    assert [one["base_fen"] for one in counted] == [700]
    (row,) = used["items"]
    assert (row["store_id"], row["accrued_fen"], row["paid_fen"], row["used_fen"], row["left_fen"]) == (
        *("S1", 1_000, 1_000),
        *(300, 700),
    )
    assert used["uses"] == [{"store_id": "S1", "at_store_id": "S2", "used_fen": 300}]
    assert (last, warned, expired) == (end_of_next(month), [1, 0], [1, 0])
    assert (gone["items"][0]["expired_fen"], gone["items"][0]["left_fen"]) == (700, 0)
    assert (await mine(phone))["rebate_fen"] == 0
    cost = await db.fetchval(
        "SELECT sum(amount)::int FROM ledger_entry WHERE kind = 'house.rebate_cost' AND member_id = $1 AND ref = 'S1'",
        phone.member_id,
    )
    assert cost == -300
    titles = [one["title"] for one in (await phone.call("GET", "/v1/member/inbox")).json()["items"]]
    assert titles[:2] == ["返利即将到期", "返利到账"]


def today_() -> date:
    return kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")


def end_of_next(month: date) -> date:
    """The end of the month after the one in which a month is paid."""
    return kernel_clock.end_of_month(month + timedelta(days=32), 1)


async def report(who, month: date, more: str = ""):
    answer = await who.get(f"/v1/admin/rebates/report?from={month}&to={month}{more}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_store_sees_what_it_bears_and_a_member_their_own_statement(client, office, chain, books, monkeypatch):
    monkeypatch.setattr(building, "MOST_LINES", 1)
    phone, stranger = await register(client), await register(client)
    admin = await again(office, chain, phone, stranger)
    await start_scheme(admin)
    await buy(client, chain.till, phone, 10_000)
    kernel_clock.shift(timedelta(minutes=11))
    await buy(client, chain.tills["S2"][0], phone, 20_000)
    admin, month = await over(office, chain, phone, stranger)
    run = await settle(admin, month)
    await clockwork.roll_up()
    statement_id = (await mine(phone))["statements"][0]["id"]
    path = f"{MINE}/statements/{statement_id}"

    files = {form: await phone.call("GET", f"{path}/file?format={form}") for form in ("pdf", "csv", "xlsx")}
    theirs = [await stranger.call("GET", p) for p in (path, f"{path}/file", f"{path[:-1]}A")]
    manager = await log_in(office, chain, "manager-S2")
    own = await report(manager, month)
    foreign = await manager.get(f"/v1/admin/rebates/report?from={month}&to={month}&store_id=S1")
    finance_only = await manager.get(f"{RUNS}/{run['id']}")
    both = await report(admin, month)
    with monkeypatch.context() as small:
        small.setattr(reports, "MOST_ROWS", 1)
        too_many = [
            await admin.get(f"/v1/admin/rebates/report{what}?from={month}&to={month}") for what in ("", "/file")
        ]
        enough = await report(manager, month)
    table = await admin.get(f"/v1/admin/rebates/report/file?from={month}&to={month}&format=csv")
    chart = await admin.get(f"/v1/admin/rebates/report/chart?from={month}&to={month}")
    listed = (await admin.get(f"{RUNS}/{run['id']}/statements?limit=1")).json()
    whole = await admin.get(f"{RUNS}/{run['id']}/file?format=csv")
    for_staff = await admin.get(f"/v1/admin/rebates/statements/{statement_id}")
    staff_file = await admin.get(f"/v1/admin/rebates/statements/{statement_id}/file?format=pdf")
    of_member = await admin.get(f"/v1/admin/members/{phone.member_id}/rebates")

    assert files["pdf"].content.startswith(b"%PDF")
    rows = list(csv.reader(io.StringIO(files["csv"].content.decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["摘要", "消费", "另有 1 笔", "第1档 2%", "上期结转", "发放", "结转下期"]
    assert [row[-2] for row in rows[1:4]] == ["10000", "20000", "30000"]
    assert [row[-1] for row in rows[3:]] == ["600", "0", "600", "0"]
    assert files["xlsx"].content.startswith(b"PK")
    assert [(one.status_code, one.json()["code"]) for one in theirs] == [(404, "not_found")] * 3
    assert [(one["store_id"], one["paid_fen"]) for one in own["items"]] == [("S2", 400)]
    assert (foreign.status_code, finance_only.status_code) == (404, 403)
    assert [(one["store_id"], one["paid_fen"]) for one in both["items"]] == [("S1", 200), ("S2", 400)]
    assert [(one.status_code, one.json()["errors"][0]["pointer"]) for one in too_many] == [(422, "/query/from")] * 2
    assert enough == own
    assert table.content.decode("utf-8-sig").count("\n") == 3
    assert "已使用" in chart.text
    assert [one["member_id"] for one in listed["items"]] == [str(phone.member_id)]
    assert statement_id in whole.text
    assert for_staff.json()["payout_fen"] == 600
    assert staff_file.content.startswith(b"%PDF")
    assert of_member.json()["rebate_fen"] == 600
