"""What somebody bought under a number that became part of theirs is theirs: to see, to send back, to speak of."""

from __future__ import annotations

import uuid

import pytest
import pytest_asyncio

from backend.kernel import outbox
from backend.ledger import queries as ledger
from tests.orders.test_after_sales import OFF_500, ask, step
from tests.orders.test_fulfilment import delivery
from tests.support.books import fingerprint
from tests.support.coupons import coupons_of, give_coupon
from tests.support.mall import checkout, order, put, shelf
from tests.support.members import register
from tests.support.merging import another, merge
from tests.support.pictures import uploaded
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def second(office, chain, admin):
    """Another person of head office, who approves."""
    return await another(office, chain, admin)


async def handed_over(client, chain, phone, manager, *coupon_ids):
    """An order of two apples that was fetched at the store, by its id."""
    made = await order(phone, checkout(coupon_ids=coupon_ids, a6902=2), 2_500)
    assert made.status_code == 201, made.text
    order_id = made.json()["checkout_id"]
    await manager.post(f"/v1/admin/orders/{order_id}/ready")
    code = (await delivery(phone, order_id))["pickup"]["code"]
    path = f"/v1/pos/pickups/{order_id}/handover"
    done = await chain.tills["S1"][0].post(client, path, {"code": code}, key=uuid.uuid4().hex)
    assert done.status_code == 200, done.text
    return order_id


async def test_the_target_has_the_sources_orders_and_sends_them_back(
    client, chain, admin, manager, second, phone, settings
):
    source, stranger = await register(client), await register(client)
    for member in (source, phone):
        await give(member.member_id, principal=20_000, bonus=5_000, points=500)
    await put("S1", APPLE, 10, 7_501)
    coupon_id = await give_coupon(admin, source, OFF_500)
    used = (await order(source, checkout(coupon_ids=(coupon_id,), a6902=2), 2_500)).json()["checkout_id"]
    await source.call("POST", f"/v1/member/orders/{used}/cancel")
    old = await handed_over(client, chain, source, manager)
    own = await handed_over(client, chain, phone, manager)
    rejected = (await ask(source, old, "refund")).json()["id"]
    await step(manager, rejected, "reject", {"note": "x"})
    await outbox.drain()
    await merge(admin, second, source, phone)
    before, on_shelf = await ledger.get_balances(phone.member_id), await shelf("S1", APPLE)

    first = (await phone.call("GET", "/v1/member/orders?limit=1")).json()
    rest = (await phone.call("GET", f"/v1/member/orders?cursor={first['next_cursor']}")).json()
    seen = [one["id"] for one in (*first["items"], *rest["items"])]
    requests = [one["id"] for one in (await phone.call("GET", "/v1/member/after-sales")).json()["items"]]
    shots = [await phone.call("GET", f"/v1/member/orders/{old}{tail}") for tail in ("", "/delivery")]
    asked = await ask(phone, old, "return", key="k" * 8)
    again = await ask(phone, old, "return", key="k" * 8)
    done = [await step(manager, asked.json()["id"], name) for name in ("approve", "goods", "refund")][-1]
    await outbox.drain()

    assert seen == [own, old, used]
    assert requests == [rejected]
    assert [one.status_code for one in shots] == [200, 200]
    assert (asked.status_code, again.json()["id"]) == (201, asked.json()["id"])
    assert done.json()["refund"]["refund_fen"] == 1_250, done.text
    after = await ledger.get_balances(phone.member_id)
    assert after["stored"] - before["stored"] == 1_250
    assert (await shelf("S1", APPLE))[0] == on_shelf[0] + 1
    assert {kind: fen for kind, fen in (await ledger.get_balances(source.member_id)).items() if fen} == {}
    assert (await phone.call("GET", f"/v1/member/after-sales/{asked.json()['id']}")).json()["status"] == "refunded"

    picture = await uploaded(phone, "#123456")
    said = {"line_no": 1, "stars": 5, "text": "甜", "pictures": [picture]}
    title = {"kind": "personal", "title": "王小明", "email": "a@example.com"}
    reviewed = await phone.call("POST", f"/v1/member/orders/{old}/reviews", said)
    invoiced = await phone.call("PUT", f"/v1/member/orders/{old}/invoice", title)
    assert (reviewed.status_code, invoiced.status_code) == (204, 200), (reviewed.text, invoiced.text)
    for path in ("reviews", "invoices"):
        (item,) = (await phone.call("GET", f"/v1/member/{path}")).json()["items"]
        assert item["order_id"] == old

    unmoved = await fingerprint(settings)
    path = f"/v1/member/orders/{old}"
    refused = [
        *[await stranger.call("GET", f"{path}{tail}") for tail in ("", "/delivery", "/invoice")],
        await stranger.call("GET", f"/v1/member/after-sales/{rejected}"),
        await stranger.call("POST", f"/v1/member/after-sales/{asked.json()['id']}/cancel"),
        await ask(stranger, old, "refund"),
        await stranger.call("POST", f"{path}/reviews", said),
        await stranger.call("PUT", f"{path}/invoice", title),
        await stranger.call("POST", f"{path}/cancel"),
        await stranger.call("GET", f"/v1/member/coupons/{coupon_id}"),
    ]
    assert [one.status_code for one in refused] == [404] * len(refused)
    after_all = await fingerprint(settings)
    assert {name for name in unmoved if unmoved[name] != after_all[name]} <= {"auth_nonce"}


async def test_a_used_coupon_is_in_the_history_and_comes_back_with_its_order(
    client, chain, admin, manager, second, phone
):
    source = await register(client)
    await give(source.member_id, principal=20_000)
    await put("S1", APPLE, 10, 7_501)
    spent, kept = [await give_coupon(admin, source, OFF_500) for _ in range(2)]
    order_id = await handed_over(client, chain, source, manager, spent)
    await outbox.drain()
    await merge(admin, second, source, phone)

    gone = (await phone.call("GET", "/v1/member/coupons?state=used")).json()["items"]
    detail = await phone.call("GET", f"/v1/member/coupons/{spent}")
    asked = await ask(phone, order_id, "return", 2)
    done = [await step(manager, asked.json()["id"], name) for name in ("approve", "goods", "refund")][-1]
    await outbox.drain()

    assert [(one["id"], one["state"]) for one in gone] == [(spent, "used")]
    assert detail.json()["id"] == spent
    assert done.json()["refund"]["refund_fen"] == 2_500, done.text
    mine = await coupons_of(phone)
    assert [one["state"] for one in mine if one["state"] == "available"] == ["available"] * 2
    assert {spent, kept}.isdisjoint(one["id"] for one in mine if one["state"] == "available")
    assert (await ledger.get_balances(phone.member_id))["stored"] == 20_000
