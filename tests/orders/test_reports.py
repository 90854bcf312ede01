"""Reports of a store, added up a second time by hand from what the test itself bought, returned and paid."""

from __future__ import annotations

import csv
import io
import uuid
from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any

import openpyxl
import pytest

from backend.kernel import clock, db, outbox, sheets
from backend.orders import reports
from backend.stock import service as stock
from backend.stock.commands import till_sales
from backend.stock.types import MovementKind, Receipt
from tests.orders.test_after_sales import OFF_500, SENT, ask, step
from tests.orders.test_fulfilment import buy
from tests.support.coupons import give_coupon
from tests.support.mall import checkout, order, put, shelf
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"


async def report(staff: Any, name: str, *, form: str = "csv", **more: str) -> list[dict[str, Any]]:
    """The rows of today's report."""
    today = clock.local_date(clock.now(), "Asia/Shanghai").isoformat()
    query = "&".join(f"{key}={value}" for key, value in ({"from": today, "to": today, "format": form} | more).items())
    answer = await staff.get(f"/v1/admin/reports/{name}?{query}")
    assert answer.status_code == 200, answer.text
    if form == "csv":
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    heading, *rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    return [dict(zip(heading, row, strict=True)) for row in rows]


def sums(rows: list[dict[str, Any]], *columns: str) -> Counter[str]:
    """The columns' sums, without the last row, which says the same."""
    assert rows[-1][next(iter(rows[-1]))] == "合计"
    found = Counter({name: sum(int(row[name]) for row in rows[:-1]) for name in columns})
    assert found == Counter({name: int(rows[-1][name]) for name in columns})
    return found


async def test_sales_margin_and_stock_say_what_was_bought_returned_and_left(phone, admin, manager, chain):
    await give(phone.member_id, principal=50_000, points=1_000)
    await put("S1", APPLE, 10, 7_501)
    on_hand, _, value = await shelf("S1", APPLE)
    before = {name: await report(manager, name) for name in ("sales", "margin", "stock")}
    coupon_id = await give_coupon(admin, phone, OFF_500)
    tenders = [{"type": "points", "points": 250}, {"type": "stored"}]
    body = checkout(coupon_ids=(coupon_id,), a6902=3) | {"tenders": tenders}
    order_id = (await order(phone, body, 3_750)).json()["checkout_id"]
    other_id = await buy(phone, 2)
    back = await step(manager, (await ask(phone, other_id, "refund")).json()["id"], "approve")
    sale = {
        "order_no": uuid.uuid4().hex,
        "code": phone.code(),
        "lines": [{"sku": APPLE, "qty": 1, "unit_price_fen": 1_250}],
        "tenders": [{"type": "cash"}],
    }
    sold = await chain.till.post(phone.client, "/v1/pos/sales", sale)
    await outbox.drain()
    await till_sales.move_due()

    sales, margin, lying = [await report(manager, name) for name in ("sales", "margin", "stock")]
    left, _, left_value = await shelf("S1", APPLE)

    assert (sold.status_code, back.json()["refund"]["refund_fen"]) == (201, 1_250)
    money = ("sales", "pieces", "payable_fen", "coupon_fen", "points_fen", "stored_fen", "cash_fen", "net_fen")
    made = sums(sales, *money, "refunds", "refunded_fen")
    if before["sales"]:
        made.subtract(sums(before["sales"], *money, "refunds", "refunded_fen"))
    assert dict(made) == {
        "sales": 3,
        "pieces": 6,
        "payable_fen": 3_750 + 2_500 + 1_250,
        "coupon_fen": 500,
        "points_fen": 250,
        "stored_fen": 3_000 + 2_500,
        "cash_fen": 1_250,
        "refunds": 1,
        "refunded_fen": 1_250,
        "net_fen": 3_750 - 500 + 2_500 + 1_250 - 1_250,
    }
    earned = sums(margin, "sold", "returned", "moved", "cost_fen", "margin_fen")
    if before["margin"]:
        earned.subtract(sums(before["margin"], "sold", "returned", "moved", "cost_fen", "margin_fen"))
    assert all(row["name"] for row in margin[:-1])
    assert (earned["sold"], earned["returned"], earned["moved"]) == (6, 1, 5)
    assert earned["cost_fen"] == value - left_value
    assert earned["margin_fen"] == made["net_fen"] - (value - left_value)
    (apple,) = [row for row in lying if row["sku"] == APPLE]
    assert (int(apple["after"]), int(apple["after_fen"]), int(apple["on_hand_now"])) == (left, left_value, left)
    assert left == on_hand - 5
    flow = sum(int(apple[kind]) for kind in ("receipt", "sale", "sale_return", "stocktake"))
    assert int(apple["before"]) + flow == left
    assert order_id != other_id


async def in_the_books() -> tuple[int, int]:
    """What S1 kept of its sales by the ledger, and what that cost by the journal of stock."""
    kept = await db.fetchval("SELECT sum(amount)::bigint FROM ledger_entry WHERE kind = 'house.sales' AND ref = 'S1'")
    cost = await db.fetchval(
        "SELECT -sum(cost_fen)::bigint FROM stock_movement WHERE place_id = 'S1' AND kind IN ('sale', 'sale_return')"
    )
    return kept or 0, cost or 0


async def test_after_returns_and_exchanges_reports_say_what_ledger_and_journal_say(phone, manager):
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 12, 9_001)
    columns = "sold", "returned", "moved", "cost_fen", "margin_fen"
    before, books = await report(manager, "margin"), await in_the_books()
    sales_before = await report(manager, "sales")
    order_id = await buy(phone, 4, express=True)
    await manager.post(f"/v1/admin/orders/{order_id}/parcels", SENT)
    for kind, ending, restock in (
        ("return", "refund", True),
        ("return", "refund", False),
        ("exchange", "exchange", False),
    ):
        request = (await ask(phone, order_id, kind)).json()["id"]
        await step(manager, request, "approve", {"fault": "shop"})
        await step(manager, request, "goods", {"restock": restock})
        parcel = {"carrier": "SF", "tracking_no": "SF2000001"} if kind == "exchange" else {}
        assert (await step(manager, request, ending, parcel)).status_code == 200

    margin, sales, now = await report(manager, "margin"), await report(manager, "sales"), await in_the_books()

    made = sums(margin, *columns)
    made.subtract(sums(before, *columns) if before else {})
    net = sums(sales, "net_fen")["net_fen"] - (sums(sales_before, "net_fen")["net_fen"] if sales_before else 0)
    kept, cost = now[0] - books[0], now[1] - books[1]
    # Four sold, one of them came back fit to be sold; one that did not cost a piece, the exchange another one.
    assert (made["sold"], made["returned"], made["moved"]) == (4, 2, 4)
    assert (net, kept) == (4 * 1_250 - 2 * 1_250, 4 * 1_250 - 2 * 1_250)
    assert (made["cost_fen"], made["margin_fen"]) == (cost, kept - cost)


async def test_orders_are_exported_with_amounts_by_tender_and_no_formula(phone, manager, stranger):
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 10, 7_501)
    body = checkout(a6902=2)
    body["orders"][0]["note"] = "=HYPERLINK(1)"
    order_id = (await order(phone, body, 2_500)).json()["checkout_id"]

    (row,) = [one for one in await report(manager, "orders", form="xlsx", status="paid") if one["order_id"] == order_id]
    elsewhere = await report(stranger, "orders")

    assert (row["payable_fen"], row["stored_fen"], row["pieces"], row["status"]) == (2_500, 2_500, 2, "paid")
    assert (row["note"], row["member_no"]) == ("'=HYPERLINK(1)", phone.member["member_no"])
    assert elsewhere == []


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("name", ["orders", "stock"])
async def test_an_export_is_the_same_however_many_rows_are_read_at_once(phone, manager, monkeypatch, form, name):
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 10, 7_501)
    for _ in range(3):
        await buy(phone, 1)
    await put("S1", "6901", 2, 100)
    await put("S1", "6903", 3, 100)
    at_once = await report(manager, name, form=form)

    for number in (1, 2, len(at_once) - 1):
        monkeypatch.setattr(reports, "AT_ONCE", number)
        assert await report(manager, name, form=form) == at_once, number

    assert len(at_once) >= 4
    assert sums(at_once, "pieces" if name == "orders" else "receipt")


async def test_the_stock_report_adds_up_where_two_moved_at_midnight(manager):
    """The later one was noted at an earlier instant: each of them was asked for before it had the shelf."""
    midnight = datetime.combine(clock.local_date(clock.now(), "Asia/Shanghai"), time.min, clock.zone("Asia/Shanghai"))
    for number, at in enumerate((midnight + timedelta(milliseconds=1), midnight - timedelta(milliseconds=1))):
        async with db.transaction() as tx:
            receipts = [Receipt("S1", "6904", number + 1, 10)]
            await stock.receive(tx, MovementKind.RECEIPT, f"MIDNIGHT-{number}", receipts, at=at, staff_id=None)

    rows = await report(manager, "stock")

    (row,) = [row for row in rows if row["sku"] == "6904"]
    assert int(row["before"]) + int(row["receipt"]) == int(row["after"]) == int(row["on_hand_now"]) == 3


@pytest.mark.parametrize(
    "query",
    ["from=2026-11-02&to=2026-11-01", "from=2026-01-01&to=2026-11-01", "from=x&to=y", "from=0001-01-01&to=0001-01-02"],
)
async def test_days_that_are_none_or_too_many_are_refused(manager, query):
    assert (await manager.get(f"/v1/admin/reports/sales?{query}")).status_code == 422


async def test_days_with_too_much_to_add_up_are_refused(phone, manager, monkeypatch):
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 10, 7_501)
    await buy(phone, 1)
    monkeypatch.setattr(reports, "MOST_READ", 0)
    today = clock.local_date(clock.now(), "Asia/Shanghai").isoformat()

    for name in ("sales", "margin"):
        answer = await manager.get(f"/v1/admin/reports/{name}?from={today}&to={today}")
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), answer.text


async def test_head_office_names_a_store(admin):
    answer = await admin.get("/v1/admin/reports/sales?from=2026-11-01&to=2026-11-02")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/store_id")


def test_both_forms_hold_the_same_cells():
    rows: list[list[str | int | None]] = [["苹果", 3, None], ["+1", -2, "x"]]

    text = sheets.write("csv", "t", ("a", "b", "c"), rows).decode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO(sheets.write("xlsx", "t", ("a", "b", "c"), rows)))

    assert list(csv.reader(io.StringIO(text))) == [["a", "b", "c"], ["苹果", "3", ""], ["'+1", "-2", "x"]]
    assert [list(row) for row in book.worksheets[0].values] == [["a", "b", "c"], ["苹果", 3, None], ["'+1", -2, "x"]]
