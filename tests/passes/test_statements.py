"""What passes deferred and earned, by month, product and store: every fen is somewhere."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from backend.kernel import db, outbox
from backend.passes.commands import ageing
from tests.support.passes import PARKING, WASHES, buy, line_of, make_pass_product, passes_of, scan, undo, use
from tests.support.staff import StaffSession, log_in

PATH = "/v1/admin/pass-statements"


@pytest.fixture(autouse=True)
def _in_march(clock) -> None:
    clock.freeze(datetime(2027, 3, 20, 4, tzinfo=UTC))


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain, _in_march) -> StaffSession:
    return await log_in(client, chain, "admin")


async def test_the_statement_is_what_happened_and_adds_up(client, chain, admin, phone, clock, books):
    washes, parking = await make_pass_product(admin, WASHES | {"days": 20}), await make_pass_product(admin, PARKING)
    token = (await scan(client, chain.till, phone))["scan_token"]
    sale = await buy(client, chain.till, token, line_of(washes, qty=2), line_of(parking, fen=30_000))
    first = next(card for card in await passes_of(phone) if card["kind"] == "counted")
    await use(client, chain.till, token, first["id"])
    mistaken = await use(client, chain.till, token, first["id"])
    await undo(client, chain.till, mistaken.json()["id"])
    refund = {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}
    assert (await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", refund)).status_code == 201
    await outbox.drain()
    clock.freeze(datetime(2027, 4, 10, 4, tzinfo=UTC))
    await ageing.recognise_days(datetime(2027, 4, 10, 4, tzinfo=UTC))
    await ageing.expire_passes(datetime(2027, 4, 10, 4, tzinfo=UTC))
    await outbox.drain()
    admin = await log_in(client, chain, "admin")

    whole = (await admin.get(f"{PATH}?from=2027-03-01&to=2027-04-30")).json()
    march = (await admin.get(f"{PATH}?from=2027-03-01&to=2027-03-31")).json()

    lines = {(line["month"], line["product_id"]): line for line in whole["items"]}
    assert lines.pop(("2027-03", washes["id"])) == {
        "month": "2027-03",
        "product_id": washes["id"],
        "title": "洗车三次卡",
        "store_id": "S1",
        "sold": 2,
        "deferred_fen": 20_000,
        "recognised_fen": 3_333,
        "breakage_fen": 0,
        "refunded_fen": 10_000,
    }
    assert lines["2027-03", parking["id"]]["deferred_fen"] == 30_000
    assert lines["2027-04", parking["id"]]["recognised_fen"] == 12_000
    assert sum(line["breakage_fen"] for line in whole["items"]) == 6_667
    total = whole["total"]
    spent = total["recognised_fen"] + total["breakage_fen"] + total["refunded_fen"]
    assert total["deferred_fen"] - spent == total["open_fen"] == 18_000
    assert march["total"]["open_fen"] == 20_000 - 3_333 - 10_000 + 30_000
    assert {item["product_id"]: item["open_fen"] for item in whole["open"]} == {parking["id"]: 18_000}
    income = await db.fetchval("SELECT sum(amount)::bigint FROM ledger_entry WHERE kind = 'house.service_income'")
    assert income == total["recognised_fen"]

    manager = await log_in(client, chain, "manager-S2")
    assert (await manager.get(f"{PATH}?from=2027-03-01&to=2027-04-30")).json()["items"] == []
    file = (await admin.get(f"{PATH}.csv?from=2027-03-01&to=2027-04-30")).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(file)))
    assert sum(int(row["recognised_fen"]) for row in rows) == total["recognised_fen"]


@pytest.mark.parametrize("days", ["from=2027-03-02&to=2027-03-01", "from=2026-01-01&to=2027-03-01", "from=2027-03-01"])
async def test_refuses_a_range_that_is_none(admin, days):
    answer = await admin.get(f"{PATH}?{days}")

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
