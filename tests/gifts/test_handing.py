"""Gifts leave once: by code at a till or in the console, or in a parcel; and come back, or never went."""

from __future__ import annotations

import asyncio
import contextvars
import uuid
from datetime import date, timedelta

import pytest

from backend.gifts import codes
from backend.gifts.commands import ending
from backend.kernel import clock as time
from backend.kernel import db, outbox
from backend.ledger import queries as ledger
from backend.ledger import service as ledger_service
from backend.ledger.plans import POINTS
from backend.ledger.plans import STORED as STORED_VALUE
from backend.stock import queries as stock
from backend.wallet.commands import lots
from tests.support.books import fingerprint
from tests.support.coupons import by_coupons, coupons_of, log_in_again, make_template
from tests.support.delivery import SHENZHEN, add_address
from tests.support.gifts import GOODS, MINE, REDEMPTIONS, STORED, make_gift, points_of, redeem, redeemed, taken
from tests.support.mall import put, shelf
from tests.support.members import register
from tests.support.merging import another, merge
from tests.support.messages import inbox
from tests.support.races import outcomes
from tests.support.value import give

PICKUPS = "/v1/pos/gift-pickups"
pytestmark = pytest.mark.usefixtures("books")


async def waiting(admin, phone, **more):
    """A gift that waits in the first store."""
    await put("S1", "6902", 3, 2_250)
    await give(phone.member_id, points=100)
    gift = await make_gift(admin, GOODS, **more)
    return gift, await redeemed(phone, gift)


async def hand_over(till, client, made, code=None, *, key=None):
    path = f"{PICKUPS}/{made['id']}/handover"
    return await till.post(client, path, {"code": code or made["code"]}, key=key or uuid.uuid4().hex)


async def movements(made):
    found = await stock.list_movements("S1", "6902", limit=3)
    return [(one.kind.value, one.qty) for one in found if one.document_id.startswith(made["id"])]


async def test_a_till_hands_over_by_the_code_once(admin, phone, client, chain):
    gift, made = await waiting(admin, phone)
    before, key = await shelf("S1", "6902"), uuid.uuid4().hex

    seen = await chain.till.post(client, PICKUPS, {"code": made["code"].lower()})
    raced = await asyncio.gather(*(hand_over(till, client, made) for till in chain.tills["S1"] for _ in range(2)))
    done = await hand_over(chain.till, client, made, key=key)
    member = (await phone.call("GET", f"{MINE}/{made['id']}")).json()
    after = await shelf("S1", "6902")

    assert (seen.json()["title"], seen.json()["status"]) == ("苹果一份", "waiting")
    assert outcomes(raced) == {200: 1, "gift_handed_over": 3}
    assert done.json()["code"] == "gift_handed_over"
    assert (member["status"], member["code"]) == ("handed_over", None)
    assert (after[0], after[1]) == (before[0] - 1, before[1] - 1)
    assert await movements(made) == [("gift", -1)]
    assert await taken(admin, gift) == 1
    listed = (await admin.get(f"{REDEMPTIONS}/{made['id']}")).json()
    assert (listed["status"], listed["cost_fen"]) == ("handed_over", before[2] - after[2])


async def test_the_same_request_of_a_till_again_gets_the_same_answer(admin, phone, client, chain):
    _, made = await waiting(admin, phone)
    key = uuid.uuid4().hex

    first = await hand_over(chain.till, client, made, key=key)
    again = await hand_over(chain.till, client, made, key=key)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_no_other_code_store_or_person_gets_it(settings, admin, manager, stranger, phone, client, chain):
    _, made = await waiting(admin, phone)
    (other,) = codes_that_are_none(made, 1)  # well-formed, and of another gift
    before = await fingerprint(settings)

    answers = [
        await hand_over(chain.till, client, made, other),
        await hand_over(chain.till, client, made, made["code"][1:]),
        await hand_over(chain.tills["S2"][0], client, made),
        await chain.tills["S2"][0].post(client, PICKUPS, {"code": made["code"]}),
        await stranger.post(f"{REDEMPTIONS}/{made['id']}/handover", {"code": made["code"]}),
        await stranger.post("/v1/admin/gift-pickups", {"code": made["code"]}),
        await stranger.post("/v1/admin/gift-pickups", {"code": made["code"], "store_id": "S1"}),
        await stranger.get(f"{REDEMPTIONS}?store_id=S1"),
        await admin.post("/v1/admin/gift-pickups", {"code": made["code"]}),
        await manager.post(f"{REDEMPTIONS}/{made['id']}/send", {"carrier": "SF", "tracking_no": "SF12345"}),
        await manager.post(f"{REDEMPTIONS}/{made['id']}/return", {"reason": "other", "note": "x", "restock": True}),
    ]

    assert [answer.json()["code"] for answer in answers] == [
        *("gift_code_invalid", "gift_code_invalid", "not_found", "gift_code_invalid", "not_found"),
        *("gift_code_invalid", "not_found", "not_found", "validation_failed"),
        *("redemption_conflict", "redemption_conflict"),
    ]
    assert await fingerprint(settings) == before
    assert (await stranger.get(REDEMPTIONS)).json()["items"] == []


async def test_whoever_guesses_codes_is_blocked_for_right_ones_too(admin, phone, client, chain):
    _, made = await waiting(admin, phone)
    till = chain.tills["S1"][1]
    wrong = codes_that_are_none(made, 11)

    missed = [await till.post(client, PICKUPS, {"code": code}) for code in wrong]
    right = await hand_over(till, client, made)

    assert outcomes(missed) == {"gift_code_invalid": 10, "rate_limited": 1}
    assert right.json()["code"] == "rate_limited"


def codes_that_are_none(made, count):
    """Well-formed codes, for what is not there."""
    found = [codes.code_of(f"{made['id']}{number}") for number in range(count)]
    return [code for code in found if code != made["code"]]


async def test_the_console_hands_over_too_and_it_is_written_down(admin, manager, phone):
    _, made = await waiting(admin, phone)

    seen = (await manager.post("/v1/admin/gift-pickups", {"code": made["code"]})).json()
    answers = await asyncio.gather(
        *(manager.post(f"{REDEMPTIONS}/{seen['id']}/handover", {"code": made["code"]}) for _ in range(3))
    )
    changes = (await manager.get(f"{REDEMPTIONS}/{made['id']}/changes")).json()["items"]

    assert outcomes(answers) == {200: 3}
    assert [one["action"] for one in changes] == ["handed_over"]
    assert await movements(made) == [("gift", -1)]


async def test_a_cancel_puts_all_back_where_it_came_from(admin, manager, phone):
    await give(phone.member_id, points=60, points_until=date(2027, 1, 31), principal=500)
    await put("S1", "6902", 3, 2_250)
    await give(phone.member_id, points=60, points_until=date(2027, 3, 31))
    gift = await make_gift(admin, GOODS, pay_fen=300)
    lots_before = await ledger.list_open_lots(phone.member_id, POINTS, STORED_VALUE)
    before = await shelf("S1", "6902")

    mine = await redeemed(phone, gift)
    cancelled = [await phone.call("POST", f"{MINE}/{mine['id']}/cancel") for _ in range(2)]
    theirs = await redeemed(phone, gift)
    by_staff = await manager.post(f"{REDEMPTIONS}/{theirs['id']}/cancel", {"note": "破损"})
    stranger = await (await register(phone.client)).call("POST", f"{MINE}/{mine['id']}/cancel")

    assert [answer.json()["status"] for answer in cancelled] == ["cancelled", "cancelled"]
    assert (by_staff.json()["status"], by_staff.json()["note"]) == ("cancelled", "破损")
    assert stranger.status_code == 404
    assert await ledger.list_open_lots(phone.member_id, POINTS, STORED_VALUE) == lots_before
    assert await shelf("S1", "6902") == before
    assert await taken(admin, gift) == 0
    assert [one["title"] for one in (await inbox(phone))["items"]] == ["礼品兑换已取消"]


async def test_handing_over_and_cancelling_at_once_is_one_of_both(admin, phone, client, chain):
    for _ in range(3):
        gift, made = await waiting(admin, phone)
        had = await points_of(phone)

        over, off = await asyncio.gather(
            hand_over(chain.till, client, made), phone.call("POST", f"{MINE}/{made['id']}/cancel")
        )

        assert sorted((over.status_code, off.status_code)) == [200, 409]
        given = over.status_code == 200
        assert await points_of(phone) == had + (0 if given else 100)
        assert await taken(admin, gift) == int(given)


async def test_what_is_not_fetched_in_time_goes_back_also_to_points_that_ended_meanwhile(admin, phone, clock):
    await put("S1", "6902", 3, 2_250)
    today = time.local_date(time.now(), "Asia/Shanghai")
    await give(phone.member_id, points=100, points_until=time.days_after(today, 1))
    before = await shelf("S1", "6902")
    gift = await make_gift(admin, GOODS, pickup_days=2)
    made = await redeemed(phone, gift)

    clock.shift(timedelta(days=1))
    warned = await ending.warn_waiting(time.now())
    early = await ending.expire_waiting(time.now())
    clock.shift(timedelta(days=3))
    await ending.expire_waiting(time.now())
    await ending.expire_waiting(time.now())
    await log_in_again(phone)
    member = (await phone.call("GET", f"{MINE}/{made['id']}")).json()
    back = await points_of(phone)
    await lots.expire_lots(time.now())

    assert (warned, early) == (1, 0)
    assert (member["status"], member["code"], back) == ("expired", None, 100)
    assert await points_of(phone) == 0  # their last day was over: the sweep takes what came back
    assert await shelf("S1", "6902") == before
    assert await db.fetchval("SELECT taken FROM gifts_gift WHERE id = $1", gift["id"]) == 0
    titles = [one["title"] for one in (await inbox(phone))["items"]]
    assert titles[:2] == ["礼品已过领取期", "礼品待领取"]


async def test_a_parcel_goes_to_an_address_that_only_who_sends_it_sees(admin, manager, stranger, phone):
    await put("S1", "6902", 3, 2_250)
    await give(phone.member_id, points=100)
    gift = await make_gift(admin, GOODS, pickup=False, ship_from="S1")
    made = await redeemed(phone, gift, store_id=None, address_id=await add_address(phone))
    parcel = {"carrier": "SF", "tracking_no": "SF1234567"}

    receiver = (await manager.post(f"{REDEMPTIONS}/{made['id']}/receiver")).json()
    hidden = await stranger.post(f"{REDEMPTIONS}/{made['id']}/receiver")
    sent = [await manager.post(f"{REDEMPTIONS}/{made['id']}/send", parcel) for _ in range(2)]
    mine = (await phone.call("GET", f"{MINE}/{made['id']}")).json()
    sealed = await db.fetchval("SELECT sealed FROM gifts_redemption WHERE id = $1", made["id"])

    assert receiver == {name: SHENZHEN[name] for name in receiver}
    assert hidden.status_code == 404
    assert [answer.json()["status"] for answer in sent] == ["sent", "sent"]
    assert (mine["status"], mine["tracking_no"]) == ("sent", "SF1234567")
    assert SHENZHEN["name"] not in sealed
    assert await movements(made) == [("gift", -1)]
    changes = (await manager.get(f"{REDEMPTIONS}/{made['id']}/changes")).json()["items"]
    assert [one["action"] for one in changes] == ["sent", "receiver_seen"]


async def test_a_return_after_the_handover_brings_points_and_piece_back_once(admin, manager, phone, client, chain):
    gift, made = await waiting(admin, phone)
    before = await shelf("S1", "6902")
    await hand_over(chain.till, client, made)
    body = {"reason": "damaged", "note": "破损", "restock": True}

    done = [await manager.post(f"{REDEMPTIONS}/{made['id']}/return", body) for _ in range(2)]

    assert [answer.json()["status"] for answer in done] == ["returned", "returned"]
    assert await points_of(phone) == 100
    assert await shelf("S1", "6902") == (before[0], before[1] - 1, before[2])
    assert await movements(made) == [("gift_return", 1), ("gift", -1)]
    assert await taken(admin, gift) == 0


@pytest.mark.parametrize("beside", [False, True])
async def test_what_comes_back_after_a_merge_is_free_again_for_who_they_are_now(
    admin, manager, phone, client, chain, office, monkeypatch, beside
):
    gift, made = await waiting(admin, phone, per_member=1)
    await hand_over(chain.till, client, made)
    other = await register(client)
    await give(other.member_id, points=100)
    second, hold_both = await another(office, chain, admin), ledger_service.hold_both

    async def merged_meanwhile(tx, *both):
        monkeypatch.setattr(ledger_service, "hold_both", hold_both)
        await asyncio.create_task(merge(admin, second, phone, other), context=contextvars.Context())
        await hold_both(tx, *both)

    if beside:
        monkeypatch.setattr(ledger_service, "hold_both", merged_meanwhile)
    else:
        await merge(admin, second, phone, other)
        assert (await redeem(other, gift)).json()["code"] == "gift_limit_reached"
    body = {"reason": "damaged", "note": "破损", "restock": True}
    back = await manager.post(f"{REDEMPTIONS}/{made['id']}/return", body)
    await outbox.drain()
    again = await redeem(other, gift)

    assert (back.json()["status"], again.status_code) == ("returned", 201)
    assert await points_of(other) == 100


async def test_a_broken_piece_does_not_come_back_to_the_shelf_and_stays_counted(admin, manager, phone, client, chain):
    gift, made = await waiting(admin, phone)
    await hand_over(chain.till, client, made)

    done = await manager.post(
        f"{REDEMPTIONS}/{made['id']}/return", {"reason": "damaged", "note": "破损", "restock": False}
    )

    assert (done.json()["status"], await points_of(phone)) == ("returned", 100)
    assert await movements(made) == [("gift", -1)]
    assert await taken(admin, gift) == 1


async def test_a_coupon_and_value_are_taken_back_while_they_are_whole(settings, admin, phone, chain, client):
    await give(phone.member_id, points=3_000)
    template = await make_template(admin, title="满100减20", claim_by="nobody")
    offered = {"kind": "coupon", "title": "券", "points": 500, "template_id": template["id"]}
    coupon, value = await make_gift(admin, offered), await make_gift(admin, STORED)
    first, second, third = await redeemed(phone, coupon), await redeemed(phone, value), await redeemed(phone, value)
    sale = await chain.till.sell(client, phone.code(), order_no=uuid.uuid4().hex[:12])
    assert sale.status_code == 201, sale.text
    left = (await ledger.get_balances(phone.member_id))[STORED_VALUE]
    body = {"reason": "goodwill", "note": "x"}

    spent = await admin.post(f"{REDEMPTIONS}/{second['id']}/return", body)
    before = await fingerprint(settings)
    again = await admin.post(f"{REDEMPTIONS}/{second['id']}/return", body)
    unmoved = await fingerprint(settings)
    done = [await admin.post(f"{REDEMPTIONS}/{one['id']}/return", body) for one in (first, third)]

    assert (spent.json()["code"], again.json()["code"]) == ("gift_spent", "gift_spent")
    assert unmoved == before
    assert [answer.json()["status"] for answer in done] == ["returned", "returned"]
    assert await coupons_of(phone) == []
    balances = await ledger.get_balances(phone.member_id)
    assert (balances[POINTS] - sale.json()["points_earned"], balances[STORED_VALUE]) == (2_100, left - 1_000)


async def test_several_pieces_are_one_redemption_and_come_back_together(settings, admin, phone, client, chain):
    await put("S1", "6902", 6, 4_500)
    await give(phone.member_id, points=2_000, principal=400)
    gift = await make_gift(admin, GOODS, pay_fen=50, per_member=4, total=5)
    template = await make_template(admin, title="满100减20", claim_by="nobody", per_member=9)
    coupon = await make_gift(admin, {"kind": "coupon", "title": "券", "points": 10, "template_id": template["id"]})
    before = await shelf("S1", "6902")

    three = await redeemed(phone, gift, quantity=3)
    left = (await phone.call("GET", f"/v1/member/gifts/{gift['id']}")).json()
    unmoved = await fingerprint(settings)
    refused = [await redeem(phone, gift, quantity=many) for many in (2, 3, 0, 21)]
    same = await fingerprint(settings)
    seen = await chain.till.post(client, PICKUPS, {"code": three["code"]})
    promised = await shelf("S1", "6902")
    cancelled = (await phone.call("POST", f"{MINE}/{three['id']}/cancel")).json()
    four = await redeemed(phone, gift, quantity=4)
    await hand_over(chain.till, client, four)
    left_with = await shelf("S1", "6902")
    gone = (await admin.get(f"{REDEMPTIONS}/{four['id']}")).json()
    await admin.post(f"{REDEMPTIONS}/{four['id']}/return", {"reason": "other", "note": "x", "restock": True})

    assert (three["quantity"], three["points"], three["pay_fen"]) == (3, 300, 150)
    assert (left["left"], left["mine_left"], left["most"]) == (2, 1, 1)
    assert [answer.json()["code"] for answer in refused] == [
        *("gift_limit_reached", "gift_sold_out"),
        *("validation_failed", "validation_failed"),
    ]
    assert same == unmoved
    assert (seen.json()["quantity"], seen.json()["title"]) == (3, "苹果一份")
    assert promised[1] - before[1] == 3
    assert cancelled["status"] == "cancelled"
    assert (left_with[0], left_with[1]) == (before[0] - 4, before[1])
    assert gone["cost_fen"] == before[2] - left_with[2]
    assert await shelf("S1", "6902") == before
    assert (await points_of(phone), await taken(admin, gift)) == (2_000, 0)

    pair, used = [await redeemed(phone, coupon, quantity=2) for _ in range(2)]
    mine = [one["id"] for one in await coupons_of(phone)]
    spent = await chain.till.sell(client, phone.code(), fen=20_000, tenders=by_coupons(used["coupon_id"]))
    body = {"reason": "other", "note": "x"}
    back = await admin.post(f"{REDEMPTIONS}/{pair['id']}/return", body)
    untouched = await fingerprint(settings)
    late = await admin.post(f"{REDEMPTIONS}/{used['id']}/return", body)

    assert (len(mine), spent.status_code, back.json()["status"]) == (4, 201, "returned")
    assert late.json()["code"] == "gift_spent"
    assert await fingerprint(settings) == untouched
    assert len(await coupons_of(phone)) == 1


async def test_cancel_and_return_race_with_nothing_lost(admin, manager, phone, client, chain):
    gift, made = await waiting(admin, phone)
    await hand_over(chain.till, client, made)
    body = {"reason": "other", "note": "x", "restock": True}

    answers = await asyncio.gather(
        *(manager.post(f"{REDEMPTIONS}/{made['id']}/return", body) for _ in range(4)),
        phone.call("POST", f"{MINE}/{made['id']}/cancel"),
    )

    assert outcomes(answers[:4]) == {200: 4}
    assert answers[4].json()["code"] == "redemption_conflict"
    assert (await points_of(phone), await taken(admin, gift)) == (100, 0)
    assert (await redeem(phone, gift)).status_code == 201
