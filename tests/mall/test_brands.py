"""A coupon for a brand, at a till."""

from __future__ import annotations

from backend.kernel import db
from backend.mall import queries
from tests.support.coupons import CASH, by_coupons, give_coupon


async def test_a_coupon_for_a_brand_pays_for_its_articles_and_no_others(chain, client, admin, phone, books):
    await db.pool().execute("INSERT INTO mall_brand (code, name, sort) VALUES ('hills', '山谷', 0)")
    await db.pool().execute("UPDATE mall_article SET brand_id = 'hills' WHERE sku = '6902'")
    queries.forget_classes()
    coupon = await give_coupon(admin, phone, CASH | {"min_spend_fen": 0, "scope": {"brands": ["hills"]}})
    other, own = ({"sku": sku, "qty": 1, "unit_price_fen": 3_000} for sku in ("6901", "6902"))

    refused = await chain.till.sell(client, phone.code(), lines=[other], tenders=by_coupons(coupon))
    sold = await chain.till.sell(client, phone.code(), lines=[other, own], tenders=by_coupons(coupon))

    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_no_article_in_scope")
    assert sold.status_code == 201
    assert [(t["type"], t["amount_fen"]) for t in sold.json()["tenders"]] == [("coupon", 2_000), ("cash", 4_000)]
