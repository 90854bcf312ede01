"""A member redeems points: price, limits, shelf, and what is given stand or fall together."""

from __future__ import annotations

import asyncio
import uuid
from datetime import date, timedelta

import pytest

from backend.kernel import clock as time
from backend.ledger import queries as ledger
from backend.ledger import service
from backend.ledger.plans import HOUSE_POINTS_RECEIVABLE, POINT, POINTS, POINTS_DEBT, Leg
from backend.ledger.plans import STORED as STORED_VALUE
from tests.support.books import fingerprint, plan
from tests.support.coupons import coupons_of, make_template
from tests.support.delivery import add_address
from tests.support.gifts import GOODS, MINE, STORED, make_gift, points_of, redeem, redeemed, taken
from tests.support.mall import put, shelf
from tests.support.members import register
from tests.support.races import outcomes
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")


async def lots_of(phone, kind=POINTS):
    return [(lot.remaining, lot.expires_on) for lot in await ledger.list_open_lots(phone.member_id, kind)]


async def test_goods_wait_on_their_shelf_and_points_that_expire_first_pay(admin, phone):
    await put("S1", "6902", 5, 3_750)
    before = await shelf("S1", "6902")
    await give(phone.member_id, points=70, points_until=date(2027, 12, 31))
    await give(phone.member_id, points=60, points_until=date(2027, 1, 31))
    gift = await make_gift(admin, GOODS, pickup_days=3)

    made = await redeemed(phone, gift)

    assert (made["status"], made["way"], made["points"], made["store"]) == ("waiting", "pickup", 100, "南京路店")
    assert made["due_on"] == str(time.days_after(time.local_date(time.now(), "Asia/Shanghai"), 3))
    assert made["code"].startswith("G")
    assert await lots_of(phone) == [(30, date(2027, 12, 31))]
    assert await shelf("S1", "6902") == (before[0], before[1] + 1, before[2])
    assert await taken(admin, gift) == 1
    entries = (await phone.call("GET", "/v1/member/wallet/entries?account=points&limit=1")).json()["items"]
    assert [(one["title"], one["amount"]) for one in entries] == [("积分兑换", -100)]
    assert [one["id"] for one in (await phone.call("GET", MINE)).json()["items"]] == [made["id"]]


async def test_a_coupon_and_stored_value_are_given_at_once(admin, phone):
    await give(phone.member_id, points=1_400)
    template = await make_template(admin, title="满100减20", claim_by="nobody")
    coupon = await make_gift(
        admin, {"kind": "coupon", "title": "二十元券", "points": 500, "template_id": template["id"]}
    )
    value = await make_gift(admin, STORED)

    first, second = await redeemed(phone, coupon), await redeemed(phone, value)

    until = time.days_after(time.local_date(time.now(), "Asia/Shanghai"), 30)
    assert (first["status"], second["status"]) == ("given", "given")
    assert [one["id"] for one in await coupons_of(phone)] == [first["coupon_id"]]
    assert await lots_of(phone, STORED_VALUE) == [(1_000, until)]
    assert await points_of(phone) == 0
    wallet = (await phone.call("GET", "/v1/member/wallet")).json()
    assert wallet["stored"]["bonus_fen"] == 1_000


async def test_a_retry_gets_the_first_answer_and_another_wish_under_its_key_is_refused(settings, admin, phone):
    await put("S1", "6902", 5, 3_750)
    await give(phone.member_id, points=300)
    gift, other = await make_gift(admin, GOODS), await make_gift(admin, GOODS, points=50)
    key = uuid.uuid4().hex

    first = await asyncio.gather(*(redeem(phone, gift, key=key) for _ in range(4)))
    cancelled = await phone.call("POST", f"{MINE}/{first[0].json()['id']}/cancel")
    before = await fingerprint(settings)
    again = await redeem(phone, gift, key=key)
    conflict = await redeem(phone, other, key=key)

    assert outcomes(first) == {201: 4}
    assert len({answer.json()["id"] for answer in first}) == 1
    assert sorted(answer.headers.get("idempotency-replayed", "") for answer in first) == ["", "true", "true", "true"]
    assert cancelled.json()["status"] == "cancelled"
    assert (again.json()["id"], again.json()["status"]) == (first[0].json()["id"], "waiting")
    assert conflict.json()["code"] == "idempotency_conflict"
    assert await points_of(phone) == 300
    assert await fingerprint(settings) == before


async def test_the_last_piece_goes_to_one_of_a_hundred(admin, client):
    await put("S2", "6903", 1, 90_000)
    phones = [await register(client) for _ in range(100)]
    await asyncio.gather(*(give(phone.member_id, points=100) for phone in phones))
    gift = await make_gift(admin, GOODS, sku="6903", title="茅台", total=1)

    answers = await asyncio.gather(*(redeem(phone, gift, store_id="S2") for phone in phones))

    assert outcomes(answers) == {201: 1, "gift_sold_out": 99}
    assert sorted([await points_of(phone) for phone in phones]) == [0] + [100] * 99
    assert (await shelf("S2", "6903"))[1] == 1
    assert await taken(admin, gift) == 1


async def test_the_last_piece_of_a_shelf_goes_once_too(admin, client):
    await put("S2", "6901", 1, 100)
    phones = [await register(client) for _ in range(5)]
    for phone in phones:
        await give(phone.member_id, points=100)
    gift = await make_gift(admin, GOODS, sku="6901", title="水")

    answers = await asyncio.gather(*(redeem(phone, gift, store_id="S2") for phone in phones))

    assert outcomes(answers) == {201: 1, "out_of_stock": 4}
    assert sorted([await points_of(phone) for phone in phones]) == [0, 100, 100, 100, 100]
    assert await taken(admin, gift) == 1


async def test_limits_of_a_member_and_of_a_day_hold_and_a_cancelled_one_is_free_again(settings, admin, phone):
    await put("S1", "6902", 9, 3_750)
    await give(phone.member_id, points=2_000)
    two = await make_gift(admin, GOODS, per_member=2)
    daily = await make_gift(admin, GOODS, per_member_day=1)
    scarce = await make_gift(admin, GOODS, day_total=1)

    raced = await asyncio.gather(*(redeem(phone, two) for _ in range(4)))
    got = [answer.json()["id"] for answer in raced if answer.status_code == 201]
    await redeemed(phone, daily)
    await redeemed(phone, scarce)
    before = await fingerprint(settings)
    refused = [await redeem(phone, gift) for gift in (two, daily, scarce)]
    unmoved = await fingerprint(settings)
    await phone.call("POST", f"{MINE}/{got[0]}/cancel")
    again = await redeem(phone, two)

    assert outcomes(raced) == {201: 2, "gift_limit_reached": 2}
    assert [answer.json()["code"] for answer in refused] == [
        "gift_limit_reached",
        "gift_limit_reached",
        "gift_sold_out",
    ]
    assert [answer.json().get("per") for answer in refused] == ["member", "day", None]
    assert unmoved == before
    assert again.status_code == 201


async def test_every_refusal_moves_nothing(settings, levels, admin, phone, clock):
    await put("S1", "6902", 5, 3_750)
    await give(phone.member_id, points=99)
    now = time.now()
    soon, past = now + timedelta(hours=1), now + timedelta(seconds=1)
    dear = await make_gift(admin, GOODS)
    cheap = GOODS | {"points": 10}
    draft = await make_gift(admin, cheap, published=False)
    later = await make_gift(admin, cheap, starts_at=soon.isoformat())
    over = await make_gift(admin, cheap, ends_at=past.isoformat())
    noble = await make_gift(admin, cheap, levels=["silver"])
    elsewhere = await make_gift(admin, cheap, stores=["S2"])
    both = await make_gift(admin, cheap, ship_from="S1")
    empty = await make_gift(admin, cheap, sku="6903")
    huge = await make_gift(admin, cheap, pay_fen=10**11)
    much = await make_gift(admin, STORED, points=10, stored_fen=500_000)
    await give(phone.member_id, principal=100)
    clock.shift(timedelta(seconds=5))
    before = await fingerprint(settings)

    answers = {
        "dear": await redeem(phone, dear),
        "draft": await redeem(phone, draft),
        "later": await redeem(phone, later),
        "over": await redeem(phone, over),
        "noble": await redeem(phone, noble),
        "elsewhere": await redeem(phone, elsewhere),
        "which way": await redeem(phone, both, store_id=None),
        "no store": await redeem(phone, dear, store_id=None),
        "unknown store": await redeem(phone, dear, store_id="S9"),
        "both ways": await redeem(phone, both, way="pickup", address_id="L1"),
        "unknown address": await redeem(phone, both, store_id=None, way="delivery", address_id="L1"),
        "empty shelf": await redeem(phone, empty),
        "more than can be booked": await redeem(phone, huge, quantity=2),
        "too much value": await redeem(phone, much),
        "nothing": await redeem(phone, dear | {"id": "GF000000000000"}),
    }

    codes = {name: answer.json()["code"] for name, answer in answers.items()}
    assert codes == {
        "dear": "insufficient_balance",
        "draft": "not_found",
        "later": "gift_not_redeemable",
        "over": "not_found",
        "noble": "gift_not_redeemable",
        "elsewhere": "validation_failed",
        "which way": "validation_failed",
        "no store": "validation_failed",
        "unknown store": "validation_failed",
        "both ways": "validation_failed",
        "unknown address": "validation_failed",
        "empty shelf": "out_of_stock",
        "more than can be booked": "validation_failed",
        "too much value": "stored_limit_reached",
        "nothing": "not_found",
    }
    assert answers["elsewhere"].json()["errors"][0]["pointer"] == "/store_id"
    assert await fingerprint(settings) == before


async def test_to_another_s_address_nothing_is_sent(settings, admin, phone):
    await put("S1", "6902", 5, 3_750)
    await give(phone.member_id, points=100)
    gift = await make_gift(admin, GOODS, pickup=False, ship_from="S1")
    theirs = await add_address(await register(phone.client))
    before = await fingerprint(settings)

    answer = await redeem(phone, gift, store_id=None, address_id=theirs)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/address_id")
    assert await fingerprint(settings) == before


async def test_points_that_are_owed_are_not_there_to_redeem(settings, admin, phone):
    await put("S1", "6902", 5, 3_750)
    await give(phone.member_id, points=100)
    owed = plan(
        phone.member_id,
        Leg(POINTS_DEBT, POINT, 10),
        Leg(HOUSE_POINTS_RECEIVABLE, POINT, -10),
    )
    await service.post(owed)
    dear, cheap = await make_gift(admin, GOODS, points=91), await make_gift(admin, GOODS, points=90)
    before = await fingerprint(settings)

    shown = (await phone.call("GET", "/v1/member/gifts")).json()
    detail = (await phone.call("GET", f"/v1/member/gifts/{dear['id']}")).json()
    refused = await redeem(phone, dear)

    assert shown["points"] == 90
    assert (detail["why_not"], detail["stores"][0]["in_stock"]) == ("points", True)
    assert refused.json()["code"] == "insufficient_balance"
    assert await fingerprint(settings) == before
    assert (await redeem(phone, cheap)).status_code == 201
