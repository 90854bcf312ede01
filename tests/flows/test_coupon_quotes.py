"""Scans and quotes show what a member's coupons are good for; they spend and bind nothing."""

from __future__ import annotations

import pytest_asyncio

from tests.support.books import fingerprint
from tests.support.coupons import CASH, VALUE, by_coupons, claim, give_coupon, make_template
from tests.support.members import register
from tests.support.staff import StaffSession, log_in
from tests.support.value import give

JOINT = CASH | {"stacking": "joint", "min_spend_fen": 0}
SHORT = {"validity": {"days": 3}}


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


async def scan(client, chain, phone):
    answer = await chain.till.post(client, "/v1/pos/scan", {"code": phone.code()}, key="")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def quote(client, chain, phone, *, fen=12_000, **more):
    lines = [{"sku": "x", "qty": 1, "unit_price_fen": fen}]
    answer = await chain.till.post(client, "/v1/pos/quotes", {"code": phone.code(), "lines": lines} | more, key="")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_scan_shows_what_the_member_holds_and_why_some_of_it_is_of_no_use_here(client, chain, admin, phone):
    elsewhere = await give_coupon(admin, phone, CASH | SHORT | {"scope": {"stores": ["S2"]}}, title="徐家汇专享")
    value = await give_coupon(admin, phone, VALUE, title="储值券")

    shown = (await scan(client, chain, phone))["coupons"]

    assert [coupon["id"] for coupon in shown] == [elsewhere, value]
    first, second = ({key: field for key, field in coupon.items() if key != "expires_on"} for coupon in shown)
    assert first == {
        "id": elsewhere,
        "title": "徐家汇专享",
        "usable": False,
        "kind": "cash",
        "face_fen": 2_000,
        "min_spend_fen": 10_000,
        "code": "coupon_other_store",
        "detail": "此券不适用于本店",
    }
    assert second == {
        "id": value,
        "title": "储值券",
        "usable": True,
        "kind": "cash",
        "face_fen": 5_000,
        "balance_fen": 5_000,
    }


async def test_a_scan_shows_the_fifty_that_expire_first(client, chain, admin, phone):
    template = await make_template(admin, JOINT, per_member=None)
    for _ in range(51):
        assert (await claim(phone, template_id=template["id"])).status_code == 201
    soon = await give_coupon(admin, phone, JOINT | SHORT)

    shown = (await scan(client, chain, phone))["coupons"]

    assert len(shown) == 50
    assert shown[0]["id"] == soon


async def test_a_quote_says_of_every_coupon_what_it_takes_off_or_why_not(client, chain, admin, phone, settings):
    ten = await give_coupon(admin, phone, JOINT | {"face_fen": 1_000, "validity": {"days": 5}})
    far = await give_coupon(admin, phone, JOINT | {"min_spend_fen": 20_000, "validity": {"days": 6}})
    alone = await give_coupon(admin, phone, CASH | {"face_fen": 2_500})
    before = await fingerprint(settings)

    plain = await quote(client, chain, phone, tenders=[{"type": "cash"}])
    named = await quote(client, chain, phone, tenders=by_coupons(ten))

    assert await fingerprint(settings) == before
    assert [(c["id"], c["usable"], c["used"], c["amount_fen"], c.get("code")) for c in plain["coupons"]] == [
        (ten, True, False, 1_000, None),
        (far, False, False, 0, "coupon_below_threshold"),
        (alone, True, False, 2_500, None),
    ]
    assert (plain["coupons"][1]["missing_fen"], plain["coupons"][1]["detail"]) == (
        8_000,
        "未达到使用门槛，还差 ¥80.00",
    )
    assert plain["tenders"] == [{"type": "cash", "amount_fen": 12_000}]
    assert plain["suggestion"] == {
        "coupons": [{"id": alone, "amount_fen": 2_500}],
        "total_fen": 2_500,
        "exact": True,
        "most": True,
    }
    assert named["tenders"] == [
        {"type": "coupon", "amount_fen": 1_000, "coupon_id": ten},
        {"type": "cash", "amount_fen": 11_000},
    ]
    assert [(c["id"], c["usable"], c["used"], c.get("code")) for c in named["coupons"]] == [
        (ten, True, True, None),
        (far, False, False, "coupon_below_threshold"),
        (alone, False, False, "coupon_not_together"),
    ]
    assert named["coupons"][2]["other"] == ten
    assert named["suggestion"]["coupons"] == [{"id": ten, "amount_fen": 1_000}]
    assert (named["payable_fen"], named["points_earned"], named["sufficient"]) == (12_000, 110, True)


async def test_what_a_quote_promises_the_sale_keeps(client, chain, admin, phone):
    await give(phone.member_id, principal=5_000)
    for face in (300, 700, 900):
        await give_coupon(admin, phone, JOINT | {"face_fen": face, "max_together": 2})
    best = (await quote(client, chain, phone, fen=5_000))["suggestion"]
    chosen = by_coupons(*(coupon["id"] for coupon in best["coupons"]), rest="stored")

    quoted = await quote(client, chain, phone, fen=5_000, tenders=chosen)
    sale = (await chain.till.sell(client, phone.code(), fen=5_000, tenders=chosen)).json()

    assert best["total_fen"] == 1_600
    assert sale["tenders"] == quoted["tenders"]
    assert sale["points_earned"] == quoted["points_earned"] == 34
    assert [tender["amount_fen"] for tender in sale["tenders"]][:2] == [
        coupon["amount_fen"] for coupon in best["coupons"]
    ]


async def test_a_quote_goes_on_without_a_coupon_that_cannot_be_used(client, chain, admin, phone):
    theirs = await give_coupon(admin, await register(client))
    far = await give_coupon(admin, phone, CASH | {"min_spend_fen": 20_000})

    rest = await quote(client, chain, phone, tenders=by_coupons(far, theirs))
    exact = await quote(
        client,
        chain,
        phone,
        tenders=[{"type": "coupon", "coupon_id": far}, {"type": "cash", "amount_fen": 10_000}],
    )
    only = await quote(client, chain, phone, tenders=[{"type": "coupon", "coupon_id": far}])

    assert rest["tenders"] == [{"type": "cash", "amount_fen": 12_000}]
    assert {coupon["id"]: coupon["code"] for coupon in rest["coupons"]} == {
        far: "coupon_below_threshold",
        theirs: "coupon_not_held",
    }
    assert (rest["sufficient"], exact["sufficient"], only["sufficient"]) == (True, False, False)
    assert exact["tenders"] == [{"type": "cash", "amount_fen": 10_000}]
    assert only["tenders"] == []


async def test_a_quote_refuses_what_makes_no_sense(client, chain, admin, phone):
    coupon_id = await give_coupon(admin, phone)

    async def code_of(*tenders):
        lines = [{"sku": "x", "qty": 1, "unit_price_fen": 12_000}]
        body = {"code": phone.code(), "lines": lines, "tenders": list(tenders)}
        answer = await chain.till.post(client, "/v1/pos/quotes", body, key="")
        return answer.status_code, answer.json()["code"]

    coupon = {"type": "coupon", "coupon_id": coupon_id}
    assert await code_of({"type": "coupon"}, {"type": "cash"}) == (422, "validation_failed")
    assert await code_of(coupon, coupon, {"type": "cash"}) == (422, "validation_failed")
    assert await code_of(coupon | {"amount_fen": 1}, {"type": "cash"}) == (422, "tenders_mismatch")
    assert await code_of(coupon, {"type": "cash", "amount_fen": 10_001}) == (422, "tenders_mismatch")
    assert await code_of(coupon, {"type": "cash", "amount_fen": 9_999}) == (422, "tenders_mismatch")
