"""Three products of passes: car washes, a month's parking, a club card; some members hold one from the beginning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.ledger.plans import job_hash
from backend.passes import service
from backend.passes.types import PassKind, Terms

HEAD_OFFICE = 0
"""The staff id of what no person did."""

CATEGORY = ("card", "服务卡")


class DemoPass(msgspec.Struct, frozen=True):
    """A product of the demo, and an article with its SKU; of every ``one_in`` members one was given it."""

    id: str
    sku: str
    title: str
    terms: Terms
    note: str
    one_in: int


PASSES = (
    DemoPass(
        "KDEMOWASH10",
        "200001",
        "洗车十次卡",
        Terms(kind=PassKind.COUNTED, uses=10, days=365, services=("普洗", "精洗"), price_fen=29_900),
        "每次一台车，到店核销",
        41,
    ),
    DemoPass(
        "KDEMOPARKING",
        "200002",
        "停车月卡",
        Terms(kind=PassKind.TIMED, days=30, per_day=2, price_fen=19_900),
        "每天最多两次",
        67,
    ),
    DemoPass(
        "KDEMOCLUB",
        "200003",
        "折扣年卡",
        Terms(
            kind=PassKind.DISCOUNT,
            days=365,
            discount_bp=1_000,
            points_multiplier_bp=20_000,
            price_fen=9_900,
            earned_by_recharge_fen=100_000,
        ),
        "全场 9 折，双倍积分；充值满 1000 元赠送",
        53,
    ),
)


async def load_products(now: datetime) -> None:
    """Make the products and the articles that sell them."""
    async with db.transaction() as tx:
        connection = db.raw(tx)
        await connection.execute(
            "INSERT INTO mall_category (code, name, points_rate_bp) VALUES ($1, $2, 10000)", *CATEGORY
        )
        for item in PASSES:
            await connection.execute(
                "INSERT INTO mall_article (sku, name, category_id, unit_price_fen, active)"
                " VALUES ($1, $2, $3, $4, true)",
                item.sku,
                item.title,
                CATEGORY[0],
                item.terms.price_fen,
            )
            await service.create_product(
                tx, item.id, item.sku, item.title, item.terms, note=item.note, staff_id=HEAD_OFFICE, now=now
            )
        await connection.execute("UPDATE pass_product SET state = 'active'")


async def hand_out(member_ids: Sequence[int], now: datetime) -> int:
    """Give some of the members what they hold from the beginning; returns how many passes it were.

    Their rows are written by the worker, as those of any pass.
    """
    given = 0
    for item in PASSES:
        for member_id in member_ids[:: item.one_in]:
            async with db.transaction() as tx:
                await service.give_in(
                    tx,
                    member_id,
                    item.id,
                    "staff:demo",
                    scope="pass_demo",
                    key=f"{item.id}:{member_id}",
                    request_hash=job_hash("demo", item.id, member_id),
                    at=now,
                )
            given += 1
    return given
