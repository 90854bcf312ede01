"""What staff see of a member's coupons, and one that they make void: all that is left is taken, once, for a reason."""

from __future__ import annotations

import asyncio

import pytest

from backend.coupons import plans
from backend.kernel import db
from tests.support.books import fingerprint
from tests.support.coupons import (
    CASH,
    VALUE,
    accept_gift,
    by_coupons,
    claim,
    coupons_of,
    give_coupon,
    give_to_friend,
    make_template,
)
from tests.support.members import register
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("books")

ISSUED = "/v1/admin/coupons/issued"
WHY = {"reason": "发错了"}


async def left_of(coupon_id: str) -> dict[str, int]:
    """What its transfers of the kind took from a coupon, and what is on its accounts."""
    taken = await db.fetchval(
        "SELECT -coalesce(sum(e.amount), 0)::int FROM ledger_entry e JOIN ledger_transfer t USING (member_id, seq)"
        " WHERE t.kind = $1 AND e.ref = $2",
        plans.VOID,
        coupon_id,
    )
    balance = await db.fetchval("SELECT sum(balance)::int FROM ledger_account WHERE ref = $1", coupon_id)
    return {"voided": taken, "left": balance}


async def test_head_office_makes_one_coupon_void_once(settings, client, chain, admin, phone):
    template = await make_template(admin, CASH | {"min_spend_fen": 0}, per_member=None)
    coupon_id, other = [(await claim(phone, template_id=template["id"])).json()["id"] for _ in range(2)]

    answer = await admin.post(f"{ISSUED}/{coupon_id}/void", WHY)
    before = await fingerprint(settings)
    again = await admin.post(f"{ISSUED}/{coupon_id}/void", {"reason": "noch einmal"})

    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["state"], shown["balance"], shown["member_id"]) == ("void", 0, str(phone.member_id))
    assert [(item["action"], item["detail"]) for item in shown["changes"]] == [
        ("void_coupon", {"coupon": coupon_id, "amount": 1, "reason": "发错了"})
    ]
    assert again.json() == shown
    assert await fingerprint(settings) == before
    assert await left_of(coupon_id) == {"voided": 1, "left": 0}
    assert [item["id"] for item in await coupons_of(phone)] == [other]
    refused = await chain.till.sell(client, phone.code(), fen=3_000, tenders=by_coupons(coupon_id))
    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_void")
    changes = (await admin.get(f"/v1/admin/coupons/templates/{template['id']}/changes")).json()["items"]
    assert changes[0]["action"] == "void_coupon"


async def test_what_is_left_of_a_value_coupon_is_taken_and_a_refund_gives_the_rest_back(client, chain, admin, phone):
    coupon_id = await give_coupon(admin, phone, VALUE | {"refund": "split"})
    sale = await chain.till.sell(client, phone.code(), fen=2_000, tenders=by_coupons(coupon_id))

    await admin.post(f"{ISSUED}/{coupon_id}/void", WHY)
    taken = await left_of(coupon_id)
    path = f"/v1/pos/sales/{sale.json()['id']}/refunds"
    await chain.till.post(client, path, {"amount_fen": 2_000, "reason": "unhappy"})
    again = await admin.post(f"{ISSUED}/{coupon_id}/void", WHY)

    assert taken == {"voided": 3_000, "left": 0}
    assert (again.json()["state"], len(again.json()["changes"])) == ("void", 2)
    assert await left_of(coupon_id) == {"voided": 5_000, "left": 0}


async def test_a_coupon_that_waits_for_a_friend_is_taken_back_first(client, admin, phone):
    friend = await register(client)
    coupon_id = await give_coupon(admin, phone, CASH | {"transferable": True})
    gift = (await give_to_friend(phone, coupon_id)).json()

    answer = await admin.post(f"{ISSUED}/{coupon_id}/void", WHY)
    late = await accept_gift(friend, gift["token"])

    assert answer.json()["state"] == "void"
    assert (late.status_code, late.json()["code"]) == (409, "coupon_gift_over")
    assert await left_of(coupon_id) == {"voided": 1, "left": 0}


async def test_what_is_gone_already_is_refused_and_nothing_moves(settings, client, chain, admin, phone, clock):
    used = await give_coupon(admin, phone, CASH | {"min_spend_fen": 0})
    await chain.till.sell(client, phone.code(), fen=3_000, tenders=by_coupons(used))
    given = await give_coupon(admin, phone, CASH | {"transferable": True})
    friend = await register(client)
    await accept_gift(friend, (await give_to_friend(phone, given)).json()["token"])
    before = await fingerprint(settings)

    answers = [
        (await admin.post(f"{ISSUED}/{coupon_id}/void", WHY)).json()["code"] for coupon_id in (used, given, "C000", "x")
    ]
    empty = await admin.post(f"{ISSUED}/{used}/void", {"reason": ""})

    assert answers == ["coupon_used", "coupon_given", "not_found", "not_found"]
    assert empty.status_code == 422
    assert await fingerprint(settings) == before


async def test_a_till_and_head_office_at_once_leave_one_end(client, chain, admin, phone):
    coupon_ids = [await give_coupon(admin, phone, CASH | {"min_spend_fen": 0}) for _ in range(4)]
    codes = []
    for coupon_id in coupon_ids:
        sold, voided = await asyncio.gather(
            chain.till.sell(client, phone.code(), fen=3_000, tenders=by_coupons(coupon_id)),
            admin.post(f"{ISSUED}/{coupon_id}/void", WHY),
        )
        codes.append((sold.status_code == 201, voided.status_code == 200))

    assert all(sold != voided for sold, voided in codes)


async def test_a_member_s_coupons_are_found_by_state_and_template_and_in_pages(office, chain, admin, phone):
    first = await make_template(admin, CASH, per_member=None)
    mine = [(await claim(phone, template_id=first["id"])).json()["id"] for _ in range(3)]
    other = await give_coupon(admin, phone)
    await admin.post(f"{ISSUED}/{mine[0]}/void", WHY)
    path = f"/v1/admin/members/{phone.member_id}/coupons"

    async def ids(query: str) -> list[str]:
        return [item["id"] for item in (await admin.get(f"{path}?{query}")).json()["items"]]

    page = (await admin.get(f"{path}?limit=3")).json()
    rest = (await admin.get(f"{path}?limit=3&cursor={page['next_cursor']}")).json()

    assert [item["id"] for item in page["items"] + rest["items"]] == [other, *reversed(mine)]
    assert rest["next_cursor"] is None
    assert await ids("state=used") == [mine[0]]
    assert await ids(f"state=available&template_id={first['id']}") == [mine[2], mine[1]]
    assert await ids("state=expired") == []
    assert (page["items"][0]["source"], page["items"][0]["member_id"]) == ("claim", str(phone.member_id))


async def test_a_manager_sees_the_coupons_of_their_store_s_members_and_voids_none(office, chain, admin, phone):
    assert (await phone.call("PATCH", "/v1/member/profile", {"store_id": "S1"})).status_code == 200
    coupon_id = await give_coupon(admin, phone)
    paths = [f"/v1/admin/members/{phone.member_id}/coupons", f"{ISSUED}/{coupon_id}"]

    seen = {}
    for name in ("manager-S1", "manager-S2"):
        staff = await log_in(office, chain, name)
        answers = [await staff.get(path) for path in paths]
        seen[name] = [answer.status_code for answer in [*answers, await staff.post(f"{ISSUED}/{coupon_id}/void", WHY)]]

    assert seen == {"manager-S1": [200, 200, 403], "manager-S2": [404, 404, 403]}
