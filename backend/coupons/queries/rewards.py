"""Reads of what a sale was given for itself (即买即奖)."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import db
from backend.kernel.db import Tx

from ..records import Occurrence, Template
from .templates import TEMPLATE, template_of

AUTO = "auto:"
"""Before the reason, in the source of a coupon that came by itself."""

_OF_SALE = f"{AUTO}{Occurrence.SALE.value}:"

MOST = 100
"""Coupons that one sale was given: one a template, so never as many."""


def reason_of(occurrence: Occurrence, source: str) -> str:
    """Why a coupon is due: the occurrence, and of what (a sale's id, for example; it may be empty)."""
    return f"{occurrence.value}:{source}" if source else occurrence.value


async def has_rewards(tx: Tx, member_id: int, sale_id: str) -> bool:
    """Whether a sale was given coupons, or is still due some."""
    reason = reason_of(Occurrence.SALE, sale_id)
    found = await db.fetch_in(
        tx,
        "SELECT FROM coupon WHERE member_id = $1 AND source = $2"
        " UNION ALL SELECT FROM coupon_due WHERE member_id = $1 AND reason = $3 LIMIT 1",
        member_id,
        AUTO + reason,
        reason,
    )
    return bool(found)


async def find_rewarded_sale(tx: Tx, member_id: int, coupon_id: str) -> str | None:
    """The sale that a coupon was given for, or None where it came otherwise."""
    rows = await db.fetch_in(tx, "SELECT source FROM coupon WHERE member_id = $1 AND id = $2", member_id, coupon_id)
    source = rows[0]["source"] if rows else ""
    return source.removeprefix(_OF_SALE) if source.startswith(_OF_SALE) else None


async def list_rewarding(member_id: int, sale_id: str) -> list[Template]:
    """The templates of what a sale was given, or is still due."""
    reason = reason_of(Occurrence.SALE, sale_id)
    rows = await db.fetch(
        f"{TEMPLATE} WHERE id IN (SELECT template_id FROM coupon WHERE member_id = $1 AND source = $2"
        " UNION SELECT template_id FROM coupon_due WHERE member_id = $1 AND reason = $3) LIMIT $4",
        member_id,
        AUTO + reason,
        reason,
        MOST,
    )
    return [template_of(row) for row in rows]


async def list_rewards(member_id: int, sale_id: str, template_ids: Sequence[str]) -> list[str]:
    """The coupons of these templates that a sale was given, by id."""
    rows = await db.fetch(
        "SELECT id FROM coupon WHERE member_id = $1 AND source = $2 AND template_id = ANY($3) ORDER BY id LIMIT $4",
        member_id,
        AUTO + reason_of(Occurrence.SALE, sale_id),
        list(template_ids),
        MOST,
    )
    return [row["id"] for row in rows]
