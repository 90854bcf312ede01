"""What an order costs: every step takes what it says, together they lead from the list to the price."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.coupons.types import Scope
from backend.kernel import db
from backend.mall.types import PriceKind, Sellable
from backend.members.types import Benefit
from backend.orders import queries
from backend.orders.rules import lines as rules
from backend.orders.rules import promotions
from backend.orders.types import Promotion, PromotionKind, StepKind, Tier, Want
from tests.support.mall import checkout

NOW = datetime(2026, 11, 11, tzinfo=UTC)
HERE = promotions.Occasion("S1", "gold", NOW)


def article(
    sku: str, list_fen: int, price_fen: int | None = None, kind: PriceKind = PriceKind.LIST, **more
) -> Sellable:
    fields: dict[str, Any] = {
        "product_id": f"P{sku}",
        "name": sku,
        "spec": "",
        "picture": None,
        "category": "food",
        "brand": None,
        "rate_bp": 10_000,
        "cost_fen": None,
        "weight_g": 0,
        "tracked": True,
        "price_until": None,
    }
    priced: dict[str, Any] = {"list_fen": list_fen, "price_fen": price_fen or list_fen, "price_kind": kind}
    return Sellable(sku=sku, **(fields | priced | more))


def promotion(kind: PromotionKind, *tiers: Tier, **more) -> Promotion:
    fields: dict[str, Any] = {
        "id": "A1",
        "title": "活动",
        "scope": Scope(),
        "each": False,
        "priority": 0,
        "active": True,
    }
    window: dict[str, Any] = {"starts_at": NOW, "ends_at": NOW + timedelta(days=1)}
    return Promotion(kind=kind, tiers=tiers, **(fields | window | more))


def price(wants, articles, known, discount_bp=0):
    lines = rules.open_lines(wants, {one.sku: one for one in articles})
    benefit = Benefit(discount_bp, 10_000)
    activities = promotions.running(known, PromotionKind.ACTIVITY, HERE)
    priced = [rules.member_price(promotions.activity_price(line, activities), benefit, "金卡会员") for line in lines]
    return promotions.threshold_offers(priced, promotions.running(known, PromotionKind.OFFER, HERE))


def test_the_price_order_by_hand():
    known = [
        promotion(PromotionKind.ACTIVITY, Tier(off_fen=100), id="A1", title="每件减1元", scope=Scope(skus=("a", "c"))),
        promotion(PromotionKind.ACTIVITY, Tier(off_bp=500), id="A2", title="95折"),
        promotion(
            PromotionKind.OFFER,
            Tier(from_fen=5_000, off_fen=300),
            Tier(from_fen=9_000, off_fen=1_000),
            id="A3",
            title="满减",
            priority=1,
            scope=Scope(skus_excluded=("d",)),
        ),
        promotion(PromotionKind.OFFER, Tier(from_pieces=2, off_bp=1_000), id="A4", title="两件9折"),
    ]
    articles = [
        article("a", 1_000),  # the activity, then 5 % for the level
        article("b", 4_000, 3_000, PriceKind.TIMED),  # the timed price is better than both discounts
        article("c", 5_000, 4_900, PriceKind.LEVEL),  # 5 % of what the activity left is better than the level's price
        article("d", 333),
    ]

    lines = price([Want("a", 2), Want("b", 1), Want("c", 1), Want("d", 3)], articles, known, 500)

    steps = [[(step.kind.value, step.off_fen) for step in line.steps] for line in lines]
    assert steps == [
        [("activity", 200), ("level", 90), ("offer", 186)],
        [("activity", 200), ("timed", 800), ("offer", 325)],
        [("activity", 250), ("level", 237), ("offer", 489)],
        [("activity", 49), ("level", 47), ("offer", 90)],
    ]
    assert [line.payable_fen for line in lines] == [1_524, 2_675, 4_024, 813]


@st.composite
def tiers(draw, *, threshold: bool):
    fen, bp = draw(st.sampled_from([(draw(st.integers(1, 900)), 0), (0, draw(st.integers(1, 10_000)))]))
    if not threshold:
        return Tier(off_fen=fen, off_bp=bp)
    return Tier(draw(st.integers(1, 4_000)), draw(st.integers(0, 5)), fen, bp)


@st.composite
def scopes(draw):
    return Scope(
        skus=draw(st.sampled_from([(), ("a",), ("a", "b"), ("z",)])), stores=draw(st.sampled_from([(), ("S1",)]))
    )


@given(data=st.data())
def test_every_step_takes_what_it_says_and_no_line_costs_less_than_nothing(data):
    known = [
        promotion(kind, data.draw(tiers(threshold=kind is PromotionKind.OFFER)), id=f"A{n}", scope=data.draw(scopes()),
                  each=kind is PromotionKind.OFFER and data.draw(st.booleans()), priority=data.draw(st.integers(0, 2)))
        for n in range(data.draw(st.integers(0, 5)))
        for kind in [data.draw(st.sampled_from(PromotionKind))]
    ]  # fmt: skip
    articles = [
        article(sku, fen, data.draw(st.integers(1, fen)), data.draw(st.sampled_from(PriceKind)))
        for sku in "abc"
        for fen in [data.draw(st.integers(1, 3_000))]
    ]
    articles = [one if one.price_kind is not PriceKind.LIST else article(one.sku, one.list_fen) for one in articles]
    wants = [Want(one.sku, data.draw(st.integers(1, 4))) for one in articles]

    lines = price(wants, articles, known, data.draw(st.integers(0, 3_000)))
    purchase = rules.price_of(lines, data.draw(st.integers(0, 900)))

    for line in lines:
        assert line.payable_fen >= 0
        assert all(step.off_fen > 0 for step in line.steps)
        assert line.list_fen - sum(step.off_fen for step in line.steps) == line.payable_fen
        kinds = [step.kind for step in line.steps]
        assert kinds == sorted(kinds, key=list(StepKind).index)
        assert kinds.count(StepKind.OFFER) <= 1
    assert purchase.payable_fen + purchase.discount_fen == purchase.total_fen
    assert purchase.payable_fen == sum(line.payable_fen for line in purchase.lines)
    again = price(wants, articles, list(reversed(known)))
    assert [line.article.sku for line in again] == [want.sku for want in wants]


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"scope": Scope(stores=("S2", "S1"))}, True),
        ({"scope": Scope(stores=("S2",))}, False),
        ({"scope": Scope(levels=("gold",))}, True),
        ({"scope": Scope(levels=("plain",))}, False),
        ({"starts_at": NOW + timedelta(microseconds=1)}, False),
        ({"ends_at": NOW + timedelta(microseconds=1)}, True),
        ({"ends_at": NOW}, False),
        ({"active": False}, False),
    ],
)
def test_a_promotion_holds_where_when_and_for_whom_it_says(change, holds):
    one = msgspec.structs.replace(promotion(PromotionKind.OFFER, Tier(from_fen=1, off_fen=1)), **change)

    assert promotions.running([one], PromotionKind.OFFER, HERE) == ([one] if holds else [])
    assert promotions.running([one], PromotionKind.ACTIVITY, HERE) == []


PROMOTIONS = "/v1/admin/mall/promotions"
WINDOW = {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}


async def test_a_promotion_of_head_office_shows_in_the_next_quote_and_ends_when_it_is_switched_off(admin, phone):
    offer = {"kind": "offer", "title": "满20减3", "tiers": [{"from_fen": 2_000, "off_fen": 300}]} | WINDOW
    made = await admin.post(PROMOTIONS, offer)
    assert made.status_code == 201, made.text
    promotion_id = made.json()["id"]

    (order,) = (await phone.call("POST", "/v1/member/orders/quote", checkout(a6902=2))).json()["orders"]
    off = await admin.call("PUT", f"{PROMOTIONS}/{promotion_id}", offer | {"active": False})
    (after,) = (await phone.call("POST", "/v1/member/orders/quote", checkout(a6902=2))).json()["orders"]

    assert off.status_code == 200, off.text
    assert (order["payable_fen"], order["discount_fen"]) == (2_200, 300)
    assert order["lines"][0]["steps"] == [{"kind": "offer", "title": "满20减3", "off_fen": 300, "ref": promotion_id}]
    assert (after["payable_fen"], after["lines"][0]["steps"]) == (2_500, [])
    assert [one["id"] for one in (await admin.get(PROMOTIONS)).json()["items"]] == [promotion_id]


async def test_the_promotion_that_prices_would_not_heed_is_refused_and_ending_one_makes_room(admin):
    offer = {"kind": "offer", "title": "满减", "tiers": [{"from_fen": 2_000, "off_fen": 300}]} | WINDOW
    first = (await admin.post(PROMOTIONS, offer)).json()["id"]
    columns = "kind, title, scope, tiers, each, priority, starts_at, ends_at, active, created_at, updated_at, staff_id"
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            f"INSERT INTO orders_promotion (id, {columns}) SELECT 'AFULL' || n, {columns} FROM orders_promotion,"
            f" generate_series(1, 198) AS n WHERE id = $1",
            first,
        )

    made = await asyncio.gather(*(admin.post(PROMOTIONS, offer) for _ in range(3)))

    assert Counter(one.json().get("code", "made") for one in made) == {"made": 1, "promotions_full": 2}
    assert (await admin.call("PUT", f"{PROMOTIONS}/{first}", offer | {"active": False})).status_code == 200
    assert (await admin.post(PROMOTIONS, offer)).status_code == 201
    again = await admin.call("PUT", f"{PROMOTIONS}/{first}", offer)
    assert (again.status_code, again.json()["code"]) == (409, "promotions_full")
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM orders_promotion WHERE title = '满减'")
    queries.forget_promotions()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"tiers": [{"off_fen": 300}]}, "/tiers/0"),
        ({"tiers": [{"from_fen": 1, "off_fen": 1, "off_bp": 1}]}, "/tiers/0"),
        ({"kind": "activity"}, "/tiers"),
        ({"ends_at": "2025-12-31T23:59:59Z"}, "/ends_at"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, "/starts_at"),
        ({"starts_at": "2026-01-01T00:00:00"}, "/starts_at"),
    ],
)
async def test_a_promotion_that_makes_no_sense_is_refused(admin, change, pointer):
    offer = {"kind": "offer", "title": "x", "tiers": [{"from_fen": 2_000, "off_fen": 300}]} | WINDOW

    refused = await admin.post(PROMOTIONS, offer | change)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
