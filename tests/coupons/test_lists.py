"""What a member reads: pages, one coupon in words, nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.coupons import queries
from backend.coupons.queries import held as held_reads
from backend.kernel import db
from backend.kernel.clock import local_date
from tests.support.coupons import CASH, claim, coupons_of, make_template
from tests.support.members import register


async def test_pages_through_what_the_member_has_newest_first(admin, phone):
    template = await make_template(admin, per_member=None)
    made = [(await claim(phone, template_id=template["id"])).json()["id"] for _ in range(7)]

    found, cursor, page = [], "", {}
    for _ in range(3):
        page = (await phone.call("GET", f"/v1/member/coupons?limit=3{cursor}")).json()
        found += [item["id"] for item in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"

    assert found == made[::-1]
    assert page["next_cursor"] is None


async def test_the_first_page_counts_what_can_be_used_and_tells_the_first_last_day(admin, phone, clock):
    late = await make_template(admin, CASH | {"validity": {"days": 20}}, per_member=None)
    early = await make_template(admin, CASH | {"validity": {"days": 3}}, per_member=None)
    nothing = (await phone.call("GET", "/v1/member/coupons")).json()
    for template in (late, early, late):
        await claim(phone, template_id=template["id"])
    last_day = (local_date(clock.now(), "Asia/Shanghai") + timedelta(days=2)).isoformat()

    first = (await phone.call("GET", "/v1/member/coupons?state=used&limit=2")).json()
    page = (await phone.call("GET", "/v1/member/coupons?limit=2")).json()
    second = (await phone.call("GET", f"/v1/member/coupons?limit=2&cursor={page['next_cursor']}")).json()

    assert (nothing["available"], nothing["first_expires_on"]) == (0, None)
    assert {(found["available"], found["first_expires_on"]) for found in (first, page)} == {(3, last_day)}
    assert (second["available"], second["first_expires_on"]) == (None, None)


async def test_a_coupon_shows_the_numbers_of_its_headline(admin, phone):
    coupon = (await claim(phone, template_id=(await make_template(admin))["id"])).json()

    names = ("headline", "kind", "face_fen", "rate_bp", "pieces", "min_spend_fen")

    assert [coupon[name] for name in names] == ["满100元减20元", "cash", 2_000, 0, 1, 10_000]


@pytest.mark.parametrize("query", ["cursor=x", "cursor=" + "A" * 300, "state=gone", "limit=0", "limit=101", "q=1"])
async def test_refuses_a_page_that_is_none(phone, query):
    refused = await phone.call("GET", f"/v1/member/coupons?{query}")

    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")


async def test_a_coupon_says_every_condition_in_words(admin, phone):
    terms = CASH | {
        "scope": {"channels": ["pos"], "stores": ["S1"], "categories": ["fruit", "gone"], "weekdays": [6, 7]},
        "stacking": "joint",
        "max_together": 2,
        "transferable": True,
        "validity": {"from_on": "2026-01-01", "until_on": "2099-12-31"},
    }
    template = await make_template(admin, terms)
    offers = (await phone.call("GET", "/v1/member/coupon-centre")).json()["items"]
    offer = next(item for item in offers if item["template_id"] == template["id"])
    coupon = (await claim(phone, template_id=template["id"])).json()

    detail = (await phone.call("GET", f"/v1/member/coupons/{coupon['id']}")).json()

    assert detail["lines"] == [
        "满100元减20元",
        "限门店使用",
        "适用门店：南京路店",
        "适用品类：水果、gone",
        "限周六、周日使用",
        "可与其他券同用，一单最多2张",
        "可转赠好友",
        "整单退款后退回本券",
    ]
    assert offer["lines"] == detail["lines"]
    assert detail["period"].endswith("2099-12-31前有效")
    assert detail["terms"]["face_fen"] == 2_000
    assert {name: detail[name] for name in coupon} == coupon


async def test_another_member_s_coupon_is_not_found(admin, phone, client):
    coupon = (await claim(phone, template_id=(await make_template(admin))["id"])).json()
    stranger = await register(client)
    similar = coupon["id"][:-1] + ("0" if coupon["id"][-1] != "0" else "1")

    answers = [
        await stranger.call("GET", f"/v1/member/coupons/{coupon_id}")
        for coupon_id in (coupon["id"], similar, "C" + "0" * 26, "nothing")
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert await coupons_of(stranger) == []


async def test_what_is_held_comes_with_the_earliest_last_day_first_and_is_bounded(admin, phone, clock, monkeypatch):
    late = await make_template(admin, CASH | {"validity": {"days": 20}}, per_member=None)
    early = await make_template(admin, CASH | {"validity": {"days": 3}}, per_member=None)
    for template in (late, early, late):
        await claim(phone, template_id=template["id"])
    today = local_date(clock.now(), "Asia/Shanghai")

    held = await queries.list_held(phone.member_id, today)
    later = await queries.list_held(phone.member_id, today + timedelta(days=3))
    monkeypatch.setattr(held_reads, "MOST_HELD", 1)
    bounded = await queries.list_held(phone.member_id, today)

    assert [item.template for item in held] == [early["id"], late["id"], late["id"]]
    assert [item.template for item in later] == [late["id"], late["id"]]
    assert [item.template for item in bounded] == [early["id"]]


async def test_reading_what_is_held_takes_two_exchanges(admin, phone, clock, monkeypatch):
    await claim(phone, template_id=(await make_template(admin))["id"])
    today = local_date(clock.now(), "Asia/Shanghai")
    await queries.list_held(phone.member_id, today)
    asked = []
    fetch = db.fetch

    async def counted(sql, *args):
        asked.append(sql)
        return await fetch(sql, *args)

    monkeypatch.setattr(db, "fetch", counted)
    held = await queries.list_held(phone.member_id, today)

    assert len(held) == 1
    assert len(asked) == 2
