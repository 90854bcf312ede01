"""Coupons at the till: what they take off a sale, and every reason why one is refused."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import pytest_asyncio

from backend.kernel import clock as kernel_clock
from backend.kernel import db
from backend.ledger import plans, service
from backend.ledger.plans import COUPON
from tests.support.books import fingerprint, plan
from tests.support.coupons import CASH, VALUE, by_coupons, coupons_of, give_coupon, log_in_again, make_template
from tests.support.members import register
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings, give

SHARED = [
    {"party": "head_office", "share_bp": 5_000},
    {"party": "store", "share_bp": 2_500},
    {"party": "supplier", "share_bp": 2_500, "code": "ACME"},
]


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


async def booked(sale_id: str) -> dict[tuple[str, str, str], int]:
    """What a sale and its refunds booked, by account, reference and unit; a coupon's reference is its id."""
    rows = await db.fetch(
        "SELECT e.kind, e.ref, e.unit, sum(e.amount)::bigint"
        "  FROM ledger_entry e JOIN ledger_transfer t USING (member_id, seq)"
        " WHERE t.document_id = $1 OR t.document_id IN ("
        "   SELECT id FROM ledger_document WHERE kind = 'refund' AND body->>'sale_id' = $1)"
        " GROUP BY 1, 2, 3 HAVING sum(e.amount) <> 0",
        sale_id,
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


async def test_a_coupon_pays_part_of_a_sale_and_those_who_offered_it_bear_it(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone, CASH | {"face_fen": 999, "cost": SHARED})
    await give(phone.member_id, principal=50_000)

    answer = await chain.till.sell(client, phone.code(), fen=12_000, tenders=by_coupons(coupon_id, rest="stored"))

    assert answer.status_code == 201, answer.text
    sale = answer.json()
    assert (sale["total_fen"], sale["discount_fen"], sale["payable_fen"]) == (12_000, 0, 12_000)
    assert sale["tenders"] == [
        {"type": "coupon", "amount_fen": 999, "coupon_id": coupon_id},
        {"type": "stored", "amount_fen": 11_001},
    ]
    assert sale["points_earned"] == 110
    assert sale["balances"] == {"stored_fen": 38_999, "points": 110}
    template_id = await db.fetchval("SELECT template_id FROM coupon WHERE id = $1", coupon_id)
    assert await booked(sale["id"]) == {
        ("stored", "", "fen"): -11_001,
        ("house.sales", "S1", "fen"): 12_000,
        ("house.coupon_cost", "head_office", "fen"): -500,
        ("house.coupon_cost", "store/S1", "fen"): -250,
        ("house.coupon_cost", "supplier/ACME", "fen"): -249,
        ("coupon", coupon_id, "uses"): -1,
        ("house.coupons_used", template_id, "uses"): 1,
        ("points", "", "points"): 110,
        ("house.points_issued", "", "points"): -110,
    }
    assert await coupons_of(phone) == []
    assert (await chain.till.get(client, f"/v1/pos/sales/{sale['id']}")).json()["tenders"] == sale["tenders"]
    assert await findings(settings) == []


async def test_a_value_coupon_is_used_up_sale_by_sale(client, chain, admin, phone, clock, settings):
    coupon_id = await give_coupon(admin, phone, VALUE)

    first = await chain.till.sell(client, phone.code(), fen=3_200, tenders=[{"type": "coupon", "coupon_id": coupon_id}])
    left = await coupons_of(phone)
    clock.shift(timedelta(seconds=15))
    second = await chain.till.sell(client, phone.code(), fen=3_200, tenders=by_coupons(coupon_id))
    clock.shift(timedelta(seconds=15))
    third = await chain.till.sell(client, phone.code(), fen=3_200, tenders=by_coupons(coupon_id))

    assert first.json()["tenders"] == [{"type": "coupon", "amount_fen": 3_200, "coupon_id": coupon_id}]
    assert first.json()["points_earned"] == 0
    assert [(coupon["id"], coupon["balance"]) for coupon in left] == [(coupon_id, 1_800)]
    assert [tender["amount_fen"] for tender in second.json()["tenders"]] == [1_800, 1_400]
    assert (third.status_code, third.json()["code"]) == (409, "coupon_used")
    assert await findings(settings) == []


async def test_two_coupons_take_in_their_order_whatever_the_tills(client, chain, admin, phone, settings):
    """The narrower one takes first: all of the fruit; the wider one what is left."""
    wide = await give_coupon(
        admin, phone, {"kind": "cash", "face_fen": 1_500, "validity": {"days": 9}, "stacking": "joint"}
    )
    fruit = await give_coupon(
        admin,
        phone,
        {
            "kind": "cash",
            "face_fen": 2_500,
            "validity": {"days": 9},
            "stacking": "joint",
            "scope": {"categories": ["fruit"]},
        },
    )
    lines = [
        {"sku": "6902", "qty": 1, "unit_price_fen": 1_000, "category": "drinks"},
        {"sku": "x", "qty": 1, "unit_price_fen": 1_000, "category": "fruit"},
        {"sku": "y", "qty": 1, "unit_price_fen": 1_000},
    ]

    sale = (await chain.till.sell(client, phone.code(), lines=lines, tenders=by_coupons(wide, fruit))).json()

    assert [(tender["type"], tender["amount_fen"]) for tender in sale["tenders"]] == [
        ("coupon", 1_000),
        ("coupon", 2_000),
    ]
    assert sale["points_earned"] == 0
    assert await findings(settings) == []


async def test_a_coupon_is_judged_by_what_is_payable_after_the_discounts(client, chain, admin, phone):
    coupon_id = await give_coupon(admin, phone)
    lines = [{"sku": "x", "qty": 1, "unit_price_fen": 10_500, "discount_fen": 501}]

    refused = await chain.till.sell(client, phone.code(), lines=lines, tenders=by_coupons(coupon_id))
    lines[0]["discount_fen"] = 500
    sold = await chain.till.sell(client, phone.code(), lines=lines, tenders=by_coupons(coupon_id))

    assert (refused.status_code, refused.json()["code"], refused.json()["missing_fen"]) == (
        409,
        "coupon_below_threshold",
        1,
    )
    assert refused.json()["detail"] == "未达到使用门槛，还差 ¥0.01"
    assert sold.status_code == 201


JOINT = CASH | {"stacking": "joint", "min_spend_fen": 0}


@pytest.mark.parametrize(
    ("terms", "code", "more"),
    [
        (CASH | {"validity": {"days": 3, "after_days": 1}}, "coupon_not_yet_valid", {"day"}),
        (CASH | {"scope": {"stores": ["S2"]}}, "coupon_other_store", set()),
        (CASH | {"scope": {"channels": ["mall"]}}, "coupon_other_channel", set()),
        (CASH | {"scope": {"levels": ["diamond"]}}, "coupon_other_level", set()),
        (CASH | {"scope": {"weekdays": [4]}}, "coupon_wrong_weekday", set()),
        (CASH | {"scope": {"hours": [{"from_minute": 0, "to_minute": 60}]}}, "coupon_wrong_hour", set()),
        (CASH | {"scope": {"categories": ["liquor"]}}, "coupon_no_article_in_scope", set()),
        (CASH | {"min_spend_fen": 12_001}, "coupon_below_threshold", {"missing_fen"}),
        (
            {"kind": "percent", "rate_bp": 1, "validity": {"days": 3}, "scope": {"skus": ["cheap"]}},
            "coupon_nothing_to_take",
            set(),
        ),
    ],
)
async def test_a_coupon_that_cannot_be_used_here_is_refused(
    client, chain, admin, phone, clock, settings, terms, code, more
):
    """A Friday at noon."""
    now = kernel_clock.now()
    friday = now + timedelta(days=(4 - now.weekday()) % 7 or 7)
    clock.freeze(friday.replace(hour=4, minute=0))
    await log_in_again(phone)
    coupon_id = await give_coupon(await log_in(client, chain, "admin"), phone, terms)
    lines = [{"sku": "x", "qty": 1, "unit_price_fen": 11_999}, {"sku": "cheap", "qty": 1, "unit_price_fen": 1}]
    before = await fingerprint(settings)

    refused = await chain.till.sell(client, phone.code(), lines=lines, tenders=by_coupons(coupon_id))

    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, code), refused.text
    assert problem["coupon_id"] == coupon_id
    assert problem.keys() - {"coupon_id"} == {"type", "title", "status", "code", "detail", "instance"} | more
    assert await fingerprint(settings) == before


async def refusal(client, chain, settings, phone, tenders, *, fen=12_000):
    """Try the sale; its refusal, after which everything is as before."""
    before = await fingerprint(settings)
    answer = await chain.till.sell(client, phone.code(), fen=fen, tenders=tenders)
    assert await fingerprint(settings) == before
    return answer.status_code, answer.json()["code"]


async def test_an_expired_coupon_is_refused(client, chain, admin, phone, clock, settings):
    coupon_id = await give_coupon(admin, phone, CASH | {"validity": {"days": 1}})
    clock.shift(timedelta(days=1))

    assert await refusal(client, chain, settings, phone, by_coupons(coupon_id)) == (409, "coupon_expired")


async def test_a_used_coupon_is_refused(client, chain, admin, phone, clock, settings):
    coupon_id = await give_coupon(admin, phone)
    sold = await chain.till.sell(client, phone.code(), fen=12_000, tenders=by_coupons(coupon_id))
    clock.shift(timedelta(seconds=15))

    assert sold.status_code == 201
    assert await refusal(client, chain, settings, phone, by_coupons(coupon_id)) == (409, "coupon_used")


async def test_a_coupon_that_an_order_keeps_is_refused(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone)
    template_id = await db.fetchval("SELECT template_id FROM coupon WHERE id = $1", coupon_id)
    await service.post(plan(phone.member_id, *plans.hold_coupon(coupon_id, template_id, plans.USES, 1)))

    assert await refusal(client, chain, settings, phone, by_coupons(coupon_id)) == (409, "coupon_locked")


async def test_somebody_elses_coupon_is_as_unknown_as_one_that_is_none(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, await register(client))
    unknown = coupon_id[:-1] + ("0" if coupon_id[-1] != "0" else "1")

    for name in (coupon_id, unknown, "nonsense"):
        assert await refusal(client, chain, settings, phone, by_coupons(name)) == (404, "coupon_not_held")


async def test_coupons_that_exclude_each_other_are_refused(client, chain, admin, phone, settings):
    alone, joint, other = (
        await give_coupon(admin, phone),
        await give_coupon(admin, phone, JOINT | {"max_together": 1}),
        await give_coupon(admin, phone, JOINT),
    )

    assert await refusal(client, chain, settings, phone, by_coupons(other, alone)) == (409, "coupon_not_together")
    assert await refusal(client, chain, settings, phone, by_coupons(other, joint)) == (409, "coupon_too_many")
    assert await refusal(client, chain, settings, phone, by_coupons(other, joint, alone)) == (409, "coupon_too_many")


async def test_a_coupon_that_takes_nothing_beside_the_others_is_refused(client, chain, admin, phone, settings):
    big = await give_coupon(admin, phone, JOINT | {"face_fen": 5_000})
    small = await give_coupon(admin, phone, JOINT | {"face_fen": 1_000})

    tenders = [{"type": "coupon", "coupon_id": small}, {"type": "coupon", "coupon_id": big}]
    assert await refusal(client, chain, settings, phone, tenders, fen=4_000) == (409, "coupon_adds_nothing")


async def test_the_server_sets_a_coupons_amount(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone)

    def tenders(amount_fen):
        return [{"type": "coupon", "coupon_id": coupon_id, "amount_fen": amount_fen}, {"type": "cash"}]

    assert await refusal(client, chain, settings, phone, tenders(2_001)) == (422, "tenders_mismatch")
    assert await refusal(client, chain, settings, phone, by_coupons(coupon_id)[:1]) == (422, "tenders_mismatch")
    sold = await chain.till.sell(client, phone.code(), fen=12_000, tenders=tenders(2_000))
    assert sold.status_code == 201, sold.text


@pytest.mark.parametrize(
    ("named", "pointer"), [([None], "/tenders/0/coupon_id"), (["C1", "C1"], "/tenders/1/coupon_id")]
)
async def test_a_coupon_tender_names_its_coupon_once(client, chain, phone, settings, named, pointer):
    tenders = [{"type": "coupon"} | ({"coupon_id": name} if name else {}) for name in named]
    before = await fingerprint(settings)

    answer = await chain.till.sell(client, phone.code(), tenders=[*tenders, {"type": "cash"}])

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert await fingerprint(settings) == before


async def test_a_coupon_names_articles_and_categories_as_the_till_does(client, chain, admin, phone):
    scope = {"skus": ["散称 苹果/5kg"], "categories": ["水果 生鲜"], "skus_excluded": ["赠品 袋"]}
    coupon_id = await give_coupon(admin, phone, CASH | {"scope": scope})
    lines = [
        {"sku": "散称 苹果/5kg", "category": "水果 生鲜", "qty": 1, "unit_price_fen": 10_000},
        {"sku": "赠品 袋", "category": "水果 生鲜", "qty": 1, "unit_price_fen": 100},
    ]

    sale = (await chain.till.sell(client, phone.code(), lines=lines, tenders=by_coupons(coupon_id))).json()

    assert [(tender["type"], tender["amount_fen"]) for tender in sale["tenders"]] == [
        ("coupon", 2_000),
        ("cash", 8_100),
    ]


async def test_a_coupon_that_another_tender_names_is_refused(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone)
    before = await fingerprint(settings)

    answer = await chain.till.sell(client, phone.code(), tenders=[{"type": "cash", "coupon_id": coupon_id}])

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"] == [{"pointer": "/tenders/0/coupon_id", "message": "is not for cash tenders"}]
    assert await fingerprint(settings) == before


async def test_what_a_coupon_pays_does_not_count_towards_the_limits(client, chain, admin, phone):
    coupon_id = await give_coupon(admin, phone)
    await give(phone.member_id, principal=30_000)

    sale = await chain.till.sell(client, phone.code(), fen=22_000, tenders=by_coupons(coupon_id, rest="stored"))

    assert sale.json()["status"] == "completed"


async def test_a_retry_gets_the_first_answer_though_the_coupon_is_used_now(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone)
    body = {
        "code": phone.code(),
        "order_no": "CR-1",
        "lines": [{"sku": "x", "qty": 1, "unit_price_fen": 12_000}],
        "tenders": by_coupons(coupon_id),
    }

    first = await chain.till.post(client, "/v1/pos/sales", body, key="coupon-retry")
    again = await chain.till.post(client, "/v1/pos/sales", body, key="coupon-retry")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json() == again.json()
    assert await findings(settings) == []


async def test_a_changed_template_does_not_change_what_was_issued(client, chain, admin, phone):
    template = await make_template(admin, CASH)
    coupon_id = (
        await phone.call("POST", "/v1/member/coupons/claim", {"template_id": template["id"]}, key="v1")
    ).json()["id"]
    changed = await admin.post(
        f"/v1/admin/coupons/templates/{template['id']}/versions", {"terms": CASH | {"face_fen": 1}}
    )
    assert changed.status_code < 300, changed.text

    sale = (await chain.till.sell(client, phone.code(), fen=12_000, tenders=by_coupons(coupon_id))).json()

    assert sale["tenders"][0]["amount_fen"] == 2_000


async def test_a_sale_without_a_coupon_reads_and_keeps_none(client, chain, admin, phone, settings):
    await give_coupon(admin, phone)

    sale = (await chain.till.sell(client, phone.code(), fen=12_000, tenders=[{"type": "cash"}])).json()

    body = await db.fetchval("SELECT body FROM ledger_document WHERE id = $1", sale["id"])
    assert "coupon" not in body
    assert len(await coupons_of(phone)) == 1
    kinds = Counter(kind for kind, _, _ in await booked(sale["id"]))
    assert COUPON not in kinds
