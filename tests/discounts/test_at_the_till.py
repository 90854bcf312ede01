"""Rules of stores and brands at the till: which hold, which win, how they meet levels, coupons and authorisations."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import pytest_asyncio

from backend.discounts import queries
from backend.kernel import clock as kernel_clock
from backend.kernel import db
from backend.members import queries as members
from tests.support.coupons import give_coupon
from tests.support.staff import log_in

RULES = "/v1/admin/discount-rules"


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _none_before(chain):
    await db.pool().execute("UPDATE discount_rule SET state = 'ended' WHERE state <> 'ended'")
    queries.forget_rules()


async def rule(admin, *, condition=None, title="店庆八折", live=True, **terms):
    terms = terms or {"rate_bp": 2_000}
    made = await admin.post(RULES, {"title": title, "terms": {"condition": condition or {}} | terms})
    assert made.status_code == 201, made.text
    if live:
        moved = await admin.post(f"{RULES}/{made.json()['id']}/activate")
        assert moved.status_code == 200, moved.text
    return made.json()["id"]


def basket(*lines, **more):
    return {
        "order_no": uuid.uuid4().hex[:16],
        "lines": [{"sku": sku, "qty": 1, "unit_price_fen": fen} for sku, fen in lines or [("6902", 10_000)]],
        "tenders": [{"type": "cash"}],
    } | more


async def quote(client, till, phone, *lines, **more):
    answer = await till.post(client, "/v1/pos/quotes", basket(*lines, code=phone.code(), **more))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_sale_costs_what_the_quote_said_and_says_why(client, chain, phone, admin, books):
    rule_id = await rule(admin, condition={"categories": ["fruit"]})
    quoted = await quote(client, chain.till, phone, ("6902", 10_000), ("6901", 500))

    sold = await chain.till.post(client, "/v1/pos/sales", basket(("6902", 10_000), ("6901", 500), code=phone.code()))

    level = quoted["discounts"][1]["title"]
    assert level
    assert quoted["payable_fen"] == sold.json()["payable_fen"] == 8_500
    assert quoted["discounts"] == [
        {"line_no": 1, "till_fen": 0, "member_fen": 2_000, "by": "rule", "rule": f"{rule_id}/1", "title": "店庆八折"},
        {
            "line_no": 2,
            "till_fen": 0,
            "member_fen": 0,
            "by": "level",
            "rule": None,
            "title": quoted["discounts"][1]["title"],
        },
    ]
    path = f"/v1/pos/sales/{sold.json()['id']}/refunds"
    refund = await chain.till.post(client, path, {"lines": [{"line_no": 1, "qty": 1}], "reason": "退货"})
    assert refund.json()["refund_fen"] == 8_000


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({}, True),
        ({"stores": ["S1"]}, True),
        ({"stores": ["S2"]}, False),
        ({"skus": ["6902"]}, True),
        ({"skus": ["6901"]}, False),
        ({"brands": ["somebody"]}, False),
        ({"levels": ["basic"]}, True),
        ({"min_fen": 10_000}, True),
        ({"min_fen": 10_001}, False),
        ({"first_on": "2999-01-01"}, False),
        ({"last_on": "2020-01-01"}, False),
        ({"hours": [{"start": 0, "end": 1440}]}, True),
    ],
    ids=str,
)
async def test_a_rule_holds_where_all_that_it_says_does(client, chain, phone, admin, condition, holds):
    await rule(admin, condition=condition)

    quoted = await quote(client, chain.till, phone)

    assert quoted["payable_fen"] == (8_000 if holds else 10_000)


async def test_hours_and_days_are_the_store_s(client, chain, phone, admin, clock):
    local = kernel_clock.now().astimezone(kernel_clock.zone("Asia/Shanghai"))
    minute = local.hour * 60 + local.minute
    await rule(
        admin, condition={"weekdays": [local.isoweekday()], "hours": [{"start": minute, "end": min(1440, minute + 2)}]}
    )
    now = await quote(client, chain.till, phone)
    clock.shift(timedelta(minutes=3))

    later = await quote(client, chain.till, phone)

    assert (now["payable_fen"], later["payable_fen"]) == (8_000, 10_000)


async def test_priority_says_who_competes_and_the_best_of_those_wins(client, chain, phone, admin):
    await rule(admin, rate_bp=5_000)
    first = await quote(client, chain.till, phone)
    await rule(admin, rate_bp=1_000, priority=5, condition={"skus": ["6902"]})
    await rule(admin, rate_bp=1_500, priority=5, title="同级更优")

    then = await quote(client, chain.till, phone)
    other = await quote(client, chain.till, phone, ("6901", 1_000))

    assert first["payable_fen"] == 5_000
    assert (then["payable_fen"], then["discounts"][0]["title"]) == (8_500, "同级更优")
    assert other["payable_fen"] == 850


async def test_with_the_level_the_better_or_one_after_the_other(client, chain, phone, admin):
    await db.pool().execute("UPDATE member_level SET discount_bp = 1000 WHERE code = 'basic'")
    members.forget_levels()
    try:
        await rule(admin, rate_bp=500)
        level = await quote(client, chain.till, phone)
        await rule(admin, rate_bp=500, stackable=True)
        both = await quote(client, chain.till, phone)
        assert level["payable_fen"] == 9_000
        assert level["discounts"][0]["by"] == "level"
        assert both["payable_fen"] == 10_000 - 500 - 950
    finally:
        await db.pool().execute("UPDATE member_level SET discount_bp = 0 WHERE code = 'basic'")
        members.forget_levels()


async def test_a_coupon_is_taken_off_what_rules_left_and_the_till_s_own_comes_first(client, chain, phone, admin, books):
    await rule(admin)
    coupon = await give_coupon(admin, phone)
    lines = [{"sku": "6902", "qty": 1, "unit_price_fen": 20_000, "discount_fen": 1_000}]

    plain = await quote(client, chain.till, phone, lines=lines)
    sold = await chain.till.post(
        client,
        "/v1/pos/sales",
        basket(code=phone.code(), lines=lines, tenders=[{"type": "coupon", "coupon_id": coupon}, {"type": "cash"}]),
    )

    assert plain["payable_fen"] == 15_200
    assert sold.status_code == 201, sold.text
    assert sum(tender["amount_fen"] for tender in sold.json()["tenders"]) == 15_200


async def test_points_are_earned_on_what_is_paid(client, chain, phone, admin):
    await rule(admin)

    quoted = await quote(client, chain.till, phone, ("X-1", 10_000))

    assert quoted["points_earned"] == 80


async def test_what_is_changed_paused_and_ended_holds_from_then_on(client, chain, phone, admin):
    rule_id = await rule(admin, live=False)
    draft = await quote(client, chain.till, phone)
    await admin.post(f"{RULES}/{rule_id}/activate")
    await admin.call("PUT", f"{RULES}/{rule_id}", {"title": "改", "terms": {"piece_fen": 300}})
    changed = await quote(client, chain.till, phone)
    await admin.post(f"{RULES}/{rule_id}/pause")
    paused = await quote(client, chain.till, phone)
    await admin.post(f"{RULES}/{rule_id}/end")
    again = await admin.post(f"{RULES}/{rule_id}/activate")
    late = await admin.call("PUT", f"{RULES}/{rule_id}", {"title": "改", "terms": {"piece_fen": 300}})

    actions = [one["action"] for one in (await admin.get(f"{RULES}/{rule_id}/changes")).json()["items"]]
    assert [one["payable_fen"] for one in (draft, changed, paused)] == [10_000, 9_700, 10_000]
    assert changed["discounts"][0]["rule"] == f"{rule_id}/2"
    assert {(one.status_code, one.json()["code"]) for one in (again, late)} == {(409, "discount_rule_conflict")}
    assert actions == ["end", "pause", "change", "activate", "create"]


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({}, "/terms/rate_bp"),
        ({"rate_bp": 1, "piece_fen": 1}, "/terms/rate_bp"),
        ({"rate_bp": 10_001}, "/terms/rate_bp"),
        ({"rate_bp": 1, "condition": {"stores": ["S9"]}}, "/terms/condition/stores/0"),
        ({"rate_bp": 1, "condition": {"levels": ["none"]}}, "/terms/condition/levels/0"),
        ({"rate_bp": 1, "condition": {"hours": [{"start": 9, "end": 9}]}}, "/terms/condition/hours/0/end"),
        ({"rate_bp": 1, "condition": {"first_on": "2026-02-01", "last_on": "2026-01-01"}}, "/terms/condition/last_on"),
    ],
    ids=str,
)
async def test_what_is_wrong_names_its_field(admin, terms, pointer):
    before = await db.fetchval("SELECT count(*) FROM discount_rule")

    answer = await admin.post(RULES, {"title": "x", "terms": terms})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await db.fetchval("SELECT count(*) FROM discount_rule") == before


async def test_a_store_s_manager_reads_and_changes_nothing(office, chain, admin):
    manager = await log_in(office, chain, "manager-S1")
    rule_id = await rule(admin)

    seen = await manager.get(f"{RULES}/{rule_id}")
    refused = await manager.post(f"{RULES}/{rule_id}/pause")

    assert (seen.status_code, refused.status_code) == (200, 403)
