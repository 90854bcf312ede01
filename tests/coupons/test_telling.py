"""What an open phone hears of coupons: of new ones at once, of old ones before they end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from backend.coupons import handlers
from backend.coupons.commands import ageing, automatic, handouts, telling
from backend.coupons.events import CouponExpiring
from backend.kernel import db, events, live, outbox
from backend.kernel.clock import local_date
from backend.ledger.events import SaleCompleted
from backend.messages.queries import list_inbox
from tests.support.coupons import CASH, TEMPLATES, accept_gift, claim, give_coupon, give_to_friend, make_template
from tests.support.members import register

SHORT = {"validity": {"days": 4}}


def heard(inbox: asyncio.Queue) -> list[tuple[str, dict[str, Any]]]:
    found = []
    while not inbox.empty():
        message = inbox.get_nowait()
        found.append((message["type"], message["data"]))
    return found


async def test_a_phone_hears_of_a_claimed_coupon_once(admin, phone):
    template = await make_template(admin)

    async with live.subscribe(phone.member_id) as inbox:
        coupon = (await claim(phone, template_id=template["id"], key="once")).json()
        await claim(phone, template_id=template["id"], key="once")
        refused = await claim(phone, template_id=template["id"])
        told = heard(inbox)

    data = {"coupon_id": coupon["id"], "template_id": template["id"], "title": template["title"], "source": "claim"}
    assert refused.status_code == 409
    assert told == [("coupon_issued", data)]


async def test_phones_hear_of_what_comes_by_itself_by_a_list_and_from_a_friend(admin, phone, client):
    after = await make_template(admin, claim_by="nobody", triggers=[{"on": "sale"}])
    listed = await make_template(admin, claim_by="nobody")
    friend = await register(client)
    theirs = await give_coupon(admin, friend, CASH | {"transferable": True})
    token = (await give_to_friend(friend, theirs)).json()["token"]
    body = {"member_ids": [str(phone.member_id)]}

    async with live.subscribe(phone.member_id) as inbox:
        async with db.transaction() as tx:
            bought = SaleCompleted(member_id=phone.member_id, sale_id="S-told", store_id="S1", payable_fen=1)
            await handlers.reward_sale(bought, tx)
        await automatic.issue_due()
        path = f"{TEMPLATES}/{listed['id']}/handouts"
        headers = {"Authorization": f"Bearer {admin.access_token}", "Idempotency-Key": "told"}
        handout = await admin.client.post(path, json=body, headers=headers)
        for _ in range(2):
            await handouts.hand_out(handout.json()["id"])
        received = (await accept_gift(phone, token)).json()
        told = heard(inbox)
    await admin.post(f"{TEMPLATES}/{after['id']}/end")

    assert [type_ for type_, _ in told] == ["coupon_issued"] * 3
    assert [(data["source"], data["template_id"]) for _, data in told] == [
        ("auto", after["id"]),
        ("staff", listed["id"]),
        ("gift", received["template_id"]),
    ]
    assert told[2][1]["coupon_id"] == received["id"]


async def test_a_phone_is_warned_before_a_coupon_ends_unless_it_is_gone(admin, phone, clock):
    coupon_id = await give_coupon(admin, phone, CASH | SHORT)
    given = await give_coupon(admin, phone, CASH | SHORT | {"transferable": True})
    await give_to_friend(phone, given)
    clock.shift(timedelta(days=1))
    last = local_date(clock.now(), "Asia/Shanghai") + timedelta(days=2)

    async with live.subscribe(phone.member_id) as heard_by_phone:
        await ageing.warn_of_expiry(clock.now())
        await outbox.drain()
        async with db.transaction() as tx:
            await telling.warn(tx, CouponExpiring(member_id=phone.member_id, coupon_id="C-none", expires_on=last))
        await outbox.drain()
        told = heard(heard_by_phone)

    (letter,) = await list_inbox(phone.member_id, before=None, limit=5)
    assert (letter.title, letter.body, letter.link) == (
        "优惠券即将到期",
        f"您的“满100减20”{last.isoformat()} 到期，请尽快使用。",
        f"#/coupon?{coupon_id}",
    )
    assert told == [("message", {"id": letter.id, "kind": "coupon.expiring", "title": "优惠券即将到期"})]


@pytest.mark.parametrize("handler", [handlers.warn])
def test_warnings_are_heard(handler):
    assert handler in events.handlers_of("CouponExpiring")
