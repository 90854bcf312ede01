"""Who owes whom for value that was recharged at one store and spent at another."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.reconciliation.commands import clearing
from tests.support import recharge
from tests.support.gifts import GOODS, MINE, make_gift, redeemed
from tests.support.mall import put
from tests.support.members import Phone
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books", "clock")

BASE = "/v1/admin/clearing"


@pytest_asyncio.fixture(loop_scope="session")
async def guest(client, phone: Phone) -> Phone:
    """A member of the first store, with ¥50 recharged there and ¥10 bonus that came another way."""
    await _move(phone, "S1")
    order = await recharge.begin(phone, amount_fen=5_000)
    await recharge.pay(client, order["id"])
    await recharge.in_state(phone, order["id"], "paid")
    await outbox.drain()
    return phone


async def _move(phone: Phone, store_id: str) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE member SET store_id = $2 WHERE id = $1", phone.member_id, store_id)


async def _count() -> None:
    await outbox.drain()
    await clearing.count_due()


async def sell(client, phone: Phone, till, fen: int) -> dict[str, Any]:
    """A sale, paid with stored value."""
    code = (await phone.call("GET", "/v1/member/code")).json()["code"]
    sold = await till.sell(client, code, fen=fen)
    assert sold.status_code == 201, sold.text
    kernel_clock.shift(timedelta(seconds=15))  # to the next code
    answer: dict[str, Any] = sold.json()
    return answer


async def flows(staff, **query: str) -> dict[str, Any]:
    """Today's clearing."""
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")
    texts = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await staff.get(f"{BASE}/flows?from={today - timedelta(days=1)}&to={today}&{texts}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def between(found: dict[str, Any], giver: str | None, taker: str | None) -> tuple[int, int]:
    """Principal and bonus of a flow."""
    rows = [one for one in found["flows"] if (one["from_store"], one["to_store"]) == (giver, taker)]
    return sum(one["principal_fen"] for one in rows), sum(one["bonus_fen"] for one in rows)


async def test_what_is_spent_elsewhere_is_owed_and_what_comes_back_is_not(client, guest, chain, admin):
    before = between(await flows(admin), "S1", "S2")
    own = between(await flows(admin), "S1", "S1")
    sold = await sell(client, guest, chain.tills["S2"][0], 1_200)
    kernel_clock.shift(timedelta(minutes=11))  # sooner than that at another store, the phone is asked
    await sell(client, guest, chain.till, 300)
    await _count()

    spent = between(await flows(admin), "S1", "S2")
    assert (spent[0] - before[0], spent[1] - before[1]) == (1_200, 0)
    assert between(await flows(admin), "S1", "S1")[0] - own[0] == 300

    back = await chain.tills["S2"][0].post(
        client, f"/v1/pos/sales/{sold['id']}/refunds", {"amount_fen": 500, "reason": "退货"}
    )
    assert back.status_code == 201, back.text
    await _count()
    await _count()

    kept = between(await flows(admin), "S1", "S2")
    assert kept[0] - before[0] == 700
    nets = {one["store_id"]: one["net_fen"] for one in (await flows(admin))["balances"]}
    assert sum(nets.values()) == 0
    assert nets["S2"] == kept[0] == -nets["S1"]
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")
    chart = await admin.get(f"/v1/admin/clearing/flows/chart?from={today - timedelta(days=1)}&to={today}")
    assert chart.headers["content-type"] == "image/svg+xml"
    assert all(text in chart.text for text in ("S1", "S2", "应收", "应付"))


async def test_money_of_a_gift_is_owed_to_where_it_is_fetched_and_stands_in_its_sales(client, guest, chain, admin):
    gift = await _gift(guest, admin)
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")
    path = f"/v1/admin/reports/sales?store_id=S2&from={today}&to={today}&format=csv"
    before = between(await flows(admin), "S1", "S2")[0]

    await redeemed(guest, gift, store_id="S2", quantity=2)
    undone = await redeemed(guest, gift, store_id="S2")
    await _count()
    spent = between(await flows(admin), "S1", "S2")[0]
    assert (await guest.call("POST", f"{MINE}/{undone['id']}/cancel")).status_code == 200
    await _count()
    await _count()

    assert spent - before == 900
    assert between(await flows(admin), "S1", "S2")[0] - before == 600
    heading, *found = (await admin.get(path)).text.lstrip("\ufeff").splitlines()
    (row,) = [line for line in found if ",gift," in line]
    said = dict(zip(heading.split(","), row.split(","), strict=True))
    assert [said[name] for name in ("sales", "pieces", "payable_fen", "stored_fen", "refunds", "net_fen")] == [
        *("2", "3", "900", "900", "1", "600")
    ]


async def _gift(phone: Phone, admin) -> dict[str, Any]:
    """A gift for points and ¥3."""
    await put("S2", "6902", 5, 3_750)
    await give(phone.member_id, points=500)
    return await make_gift(admin, GOODS, pay_fen=300)


async def test_value_belongs_to_the_store_of_its_recharge_also_when_its_member_moves(client, guest, chain, admin):
    before = between(await flows(admin), "S1", "S2")[0]
    await _move(guest, "S2")
    await sell(client, guest, chain.tills["S2"][0], 900)
    await _count()

    assert between(await flows(admin), "S1", "S2")[0] - before == 900


async def test_bonus_is_shown_apart_and_counts_only_where_it_is_asked_for(client, phone, chain, admin):
    await _move(phone, "S1")
    await give(phone.member_id, bonus=800)
    before = between(await flows(admin), "S1", "S2")
    net = {one["store_id"]: one["net_fen"] for one in (await flows(admin, with_bonus="true"))["balances"]}.get("S2", 0)
    await sell(client, phone, chain.tills["S2"][0], 800)
    await _count()

    after = await flows(admin, with_bonus="true")
    assert between(after, "S1", "S2") == (before[0], before[1] + 800)
    assert {one["store_id"]: one["net_fen"] for one in after["balances"]}["S2"] - net == 800


async def test_what_was_bought_before_anybody_counted_is_counted_once(client, guest, chain, admin):
    await sell(client, guest, chain.tills["S2"][0], 1_100)
    await _count()
    whole = (await flows(admin))["flows"]
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM clearing_line")
        await db.raw(tx).execute("UPDATE clearing_backfill SET member_id = 0, document_id = '', done = false")

    for _ in range(2):
        await clearing.look_back()

    assert (await flows(admin))["flows"] == whole


async def test_an_order_that_only_holds_value_owes_nothing(guest, admin):
    whole = (await flows(admin))["flows"]
    async with db.transaction() as tx:
        await clearing.note(tx, guest.member_id, f"D{uuid.uuid4().hex[:26]}".upper())
    await _count()

    assert (await flows(admin))["flows"] == whole


async def test_a_manager_sees_what_concerns_the_store_and_nobody_elses(client, guest, chain, admin, manager):
    sold = await sell(client, guest, chain.tills["S2"][0], 400)
    await _count()
    mine = await flows(manager)

    assert {"S1"} <= {side for one in mine["flows"] for side in (one["from_store"], one["to_store"])}
    assert all("S1" in (one["from_store"], one["to_store"]) for one in mine["flows"])
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")
    span = f"from={today}&to={today}"
    lines = (await manager.get(f"{BASE}/lines?{span}&from_store=S1&to_store=S2")).json()["items"]
    assert (sold["id"], 400) in {(one["document_id"], one["fen"]) for one in lines}
    for path in (f"flows?{span}&store_id=S2", f"lines?{span}&from_store=S2", f"lines?{span}"):
        refused = await manager.get(f"{BASE}/{path}")
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    file = await admin.get(f"{BASE}/flows/file?{span}&format=csv")
    assert file.text.lstrip("\ufeff").splitlines()[0] == "充值门店,消费门店,本金（分）,赠送（分）,消费笔数"


async def _spend_days_ago(client, phone: Phone, chain, days: int, fen: int) -> None:
    """A purchase of some days ago at the second store."""
    kernel_clock.shift(timedelta(days=-days))
    await sell(client, phone, chain.tills["S2"][0], fen)
    kernel_clock.reset()
    await _count()


async def test_two_people_settle_what_is_owed_once_and_what_comes_later_next_time(client, guest, chain, admin, finance):
    await _spend_days_ago(client, guest, chain, 2, 600)
    gift = await _gift(guest, admin)
    kernel_clock.shift(timedelta(days=-2))
    fetched = await redeemed(guest, gift, store_id="S2")
    kernel_clock.reset()
    await _count()
    await clearing.look_back()
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")
    yesterday = str(today - timedelta(days=1))
    wish = {"to": yesterday, "reason": "十一月"}

    early = await admin.post(f"{BASE}/settlements", wish | {"to": str(today)}, key="early")
    asked = await admin.post(f"{BASE}/settlements", wish, key="one")
    other = await admin.post(f"{BASE}/settlements", wish, key="two")
    own = await admin.post(f"/v1/admin/approvals/{asked.json()['approval_id']}/approve", {"note": ""})
    done = await finance.post(f"/v1/admin/approvals/{asked.json()['approval_id']}/approve", {"note": ""})
    late = await finance.post(f"/v1/admin/approvals/{other.json()['approval_id']}/approve", {"note": ""})
    nothing = await admin.post(f"{BASE}/settlements", wish, key="three")

    assert (early.status_code, early.json()["code"]) == (409, "settlement_too_early")
    assert (asked.status_code, own.status_code, own.json()["code"]) == (202, 409, "approval_own")
    assert done.status_code == 200, done.text
    assert (late.status_code, late.json()["code"]) == (409, "settlement_changed")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_settle")

    (settled,) = (await admin.get(f"{BASE}/settlements")).json()["items"]
    assert (settled["asked_by"], settled["approved_by"], settled["to"]) == ("admin", "finance", yesterday)
    detail = (await admin.get(f"{BASE}/settlements/{settled['id']}")).json()
    assert between(detail, "S1", "S2")[0] >= 900
    assert sum(one["net_fen"] for one in settled["balances"]) == 0

    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE clearing_backfill SET member_id = 0, document_id = '', done = false")
    busy = await admin.post(f"{BASE}/settlements", wish, key="busy")
    assert busy.json()["code"] == "settlement_too_early"
    await clearing.look_back()
    again = await admin.post(f"{BASE}/settlements", wish, key="four")
    assert again.json()["code"] == "nothing_to_settle", "what is counted anew is not settled twice"
    await _spend_days_ago(client, guest, chain, 1, 250)
    assert (await admin.post(f"{BASE}/settlements", wish, key="five")).status_code == 202

    await guest.call("POST", f"{MINE}/{fetched['id']}/cancel")
    await _count()
    lines = await db.fetch(
        "SELECT document_id, fen, settlement_id FROM clearing_line WHERE document_id LIKE $1 ORDER BY fen DESC",
        f"{fetched['id']}%",
    )
    assert [tuple(line) for line in lines] == [
        (fetched["id"], 300, settled["id"]),
        (f"{fetched['id']}/back", -300, None),
    ]
