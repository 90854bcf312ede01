"""Coupons of a member who becomes part of another: each goes on as the other's, under an id of its own."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.ledger.plans import COUPON, HOUSE_COUPONS_MERGED, Issue, Leg
from backend.members.holding import Carrying
from backend.merging import service as merging

from . import locks, service
from .commands import gifts
from .records import Coupon
from .types import CouponState

AT_ONCE = 100
"""Coupons in one transfer."""

_OPEN = """
SELECT l.ref, l.lot_id, l.remaining, l.source AS template, a.unit, c.version, c.source, c.issued_at,
       c.valid_from, c.expires_on
  FROM ledger_lot l
  JOIN ledger_account a ON a.member_id = l.member_id AND a.kind = l.kind AND a.ref = l.ref
  JOIN coupon c ON c.member_id = l.member_id AND c.id = l.ref
 WHERE l.member_id = $1 AND l.kind = 'coupon' AND l.open ORDER BY l.expires_on, l.lot_id"""
_GIVEN = "SELECT coupon_id FROM coupon_gift WHERE member_id = $1 AND ended_as IS NULL ORDER BY id FOR UPDATE"
_ENDED = """
UPDATE coupon SET ended_as = $3, ended_at = $4, ended_by = $5 WHERE member_id = $1 AND id = ANY($2::text[])"""


async def lock_gifts(tx: Tx, source_id: int) -> None:
    """Lock what the source is giving away, before the books: whoever accepts it comes first, or too late."""
    await db.raw(tx).execute(locks.WITHIN)
    await db.fetch_in(tx, _GIVEN, source_id)


async def carry(tx: Tx, carrying: Carrying) -> None:
    """Let every coupon of the source's that something is left of go on as the target's: same terms, same last day.

    What is being given away is taken back before: the link leads to nothing any more.
    """
    if carrying.first:
        for row in await db.fetch_in(tx, _GIVEN, carrying.source_id):
            await gifts.take_back_in(tx, carrying.source_id, row["coupon_id"], carrying.at, carrying.on)
    rows = await db.fetch_in(tx, _OPEN, carrying.source_id)
    for start in range(0, len(rows), AT_ONCE):
        await _carry(tx, carrying, rows[start : start + AT_ONCE], f"coupons{start}")


async def _carry(tx: Tx, carrying: Carrying, rows: list[db.Record], what: str) -> None:
    made = [(row, _as_new(row, carrying)) for row in rows]
    out = tuple(leg for row, _ in made for leg in _out_legs(row))
    into = tuple(leg for row, coupon in made for leg in _in_legs(row, coupon))
    await merging.post_half(tx, carrying.source_id, carrying, what, out)
    await merging.post_half(tx, carrying.target_id, carrying, what, into)
    for _, coupon in made:
        await service.write_coupon(tx, coupon)
    await db.raw(tx).execute(
        _ENDED,
        carrying.source_id,
        [row["ref"] for row in rows],
        CouponState.GIVEN.value,
        carrying.at,
        carrying.merge_id,
    )


def _as_new(row: db.Record, carrying: Carrying) -> Coupon:
    return Coupon(
        member_id=carrying.target_id,
        id=service.new_coupon_id(carrying.target_id),
        template_id=row["template"],
        version=row["version"],
        source=row["source"],
        issued_at=row["issued_at"],
        valid_from=row["valid_from"],
        expires_on=row["expires_on"],
    )


def _out_legs(row: db.Record) -> tuple[Leg, ...]:
    left = row["remaining"]
    return (
        Leg(COUPON, row["unit"], -left, ref=row["ref"], lots=((row["lot_id"], -left),)),
        Leg(HOUSE_COUPONS_MERGED, row["unit"], left, ref=row["template"]),
    )


def _in_legs(row: db.Record, coupon: Coupon) -> tuple[Leg, ...]:
    """What is left goes on, with the same last day; of one that was used in part that is the whole of the new one."""
    left, unit = row["remaining"], row["unit"]
    lot = Issue("coupon", left, expires_on=coupon.expires_on, source=row["template"])
    return (
        Leg(HOUSE_COUPONS_MERGED, unit, -left, ref=row["template"]),
        Leg(COUPON, unit, left, ref=coupon.id, issue=(lot,)),
    )
