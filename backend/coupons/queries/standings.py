"""Reads of a member's coupons, and how each stands: what is left of it, the ledger says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.kernel import db, ids
from backend.ledger.plans import COUPON, COUPON_HELD
from backend.members import queries as members
from backend.merging import types as merging

from ..plans import PREFIX, worth
from ..records import Coupon, Version
from ..types import CouponState
from .versions import list_versions

MOST_COUNTED = 1000


class Standing(msgspec.Struct, frozen=True):
    """A coupon and how it stands: ``balance`` is what is left; ``in_gift``: a locked one waits for a friend."""

    coupon: Coupon
    version: Version
    state: CouponState
    balance: int
    in_gift: bool = False


COUPON_STANDING = (
    "SELECT c.member_id, c.id, c.template_id, c.version, c.source, c.issued_at, c.valid_from, c.expires_on,"
    " c.ended_as, c.ended_at, c.ended_by, coalesce(a.balance, 0) AS balance, coalesce(h.balance, 0) AS held,"
    " h.balance > 0 AND EXISTS (SELECT 1 FROM coupon_gift g"
    " WHERE g.member_id = c.member_id AND g.coupon_id = c.id AND g.ended_as IS NULL) AS in_gift"
    " FROM coupon c"
    f" LEFT JOIN ledger_account a ON a.member_id = c.member_id AND a.kind = '{COUPON}' AND a.ref = c.id"
    f" LEFT JOIN ledger_account h ON h.member_id = c.member_id AND h.kind = '{COUPON_HELD}' AND h.ref = c.id"
)

# The same as ``state_of``, to be asked for pages of one state only.
_ENDED = "coalesce(c.ended_as, CASE WHEN c.expires_on < $2 THEN 'expired' ELSE 'used' END)"
_IN_STATE = {
    "available": "(coalesce(a.balance, 0) > 0 AND (c.expires_on IS NULL OR c.expires_on >= $2)"
    " OR coalesce(h.balance, 0) > 0)",
    "expired": "coalesce(h.balance, 0) = 0 AND (coalesce(a.balance, 0) > 0 AND c.expires_on < $2"
    f" OR coalesce(a.balance, 0) = 0 AND {_ENDED} = 'expired')",
    "used": f"coalesce(a.balance, 0) = 0 AND coalesce(h.balance, 0) = 0 AND {_ENDED} <> 'expired'",
    "all": "$2::date IS NOT NULL",
}


def state_of(coupon: Coupon, balance: int, held: int, on: date) -> CouponState:
    """How a coupon stands on that day; one that is empty and says nothing of its end yet ended a moment ago."""
    over = coupon.expires_on is not None and coupon.expires_on < on
    if balance > 0:
        return CouponState.EXPIRED if over else CouponState.AVAILABLE
    if held > 0:
        return CouponState.LOCKED
    if coupon.ended_as:
        return CouponState(coupon.ended_as)
    return CouponState.EXPIRED if over else CouponState.USED


async def standings(rows: Sequence[db.Record], on: date) -> list[Standing]:
    """How the coupons of these rows of ``COUPON_STANDING`` stand on that local day, in their order."""
    found = []
    for row in rows:
        fields = dict(row)
        balance, held, in_gift = fields.pop("balance"), fields.pop("held"), bool(fields.pop("in_gift"))
        coupon = Coupon(**fields)
        found.append((coupon, balance, in_gift, state_of(coupon, balance, held, on)))
    versions = await list_versions((one[0].template_id, one[0].version) for one in found)
    return [
        Standing(coupon, versions[coupon.template_id, coupon.version], state, balance, in_gift)
        for coupon, balance, in_gift, state in found
    ]


def as_issued(coupon: Coupon, version: Version) -> Standing:
    """A coupon as it was when it was issued, whatever became of it."""
    fresh = msgspec.structs.replace(coupon, ended_as=None, ended_at=None, ended_by=None)
    return Standing(fresh, version, CouponState.AVAILABLE, worth(version.terms)[1])


async def find_coupon(member_id: int, coupon_id: str, on: date) -> Standing | None:
    """A member's coupon, or one of who was merged into them, and how it stands on that local day; else None."""
    owner_id = await members.find_books(member_id, ids.member_of(coupon_id, PREFIX))
    if owner_id is None:
        return None
    rows = await db.fetch(f"{COUPON_STANDING} WHERE c.member_id = $1 AND c.id = $2", owner_id, coupon_id)
    return (await standings(rows, on))[0] if rows else None


async def list_coupons(
    member_id: int,
    state: str,
    on: date,
    *,
    before: tuple[datetime, str] | None,
    limit: int,
    template_id: str | None = None,
    carried: bool = True,
) -> list[Standing]:
    """A member's coupons that are ``available`` (locked ones too), ``used`` (given and void ones too) or ``expired``.

    Or ``all``; of one template or of any. Newest first, from below the one with that time of issue and id. Without
    ``carried``: not those that ended by a merge, and go on as the other's.
    """
    rows = await db.fetch(
        f"{COUPON_STANDING} WHERE c.member_id = $1 AND {_IN_STATE[state]}"
        " AND ($3::timestamptz IS NULL OR (c.issued_at, c.id) < ($3, $4))"
        " AND ($6::text IS NULL OR c.template_id = $6)"
        f" AND ($7 OR NOT starts_with(coalesce(c.ended_by, ''), '{merging.ID_PREFIX}'))"
        " ORDER BY c.issued_at DESC, c.id DESC LIMIT $5",
        member_id,
        on,
        *(before or (None, "")),
        limit,
        template_id,
        carried,
    )
    return await standings(rows, on)


async def count_available(member_id: int, on: date) -> tuple[int, date | None]:
    """How many of a member's coupons are ``available`` on that local day (at most 1000), and when the first expires."""
    row = await db.fetchrow(
        f"SELECT count(*), min(expires_on) FROM ({COUPON_STANDING} WHERE c.member_id = $1 AND {_IN_STATE['available']}"
        " LIMIT $3) AS usable",
        member_id,
        on,
        MOST_COUNTED,
    )
    return (row[0], row[1]) if row else (0, None)


async def list_made(member_id: int, coupon_ids: Sequence[str]) -> dict[str, Coupon]:
    """These coupons of a member by id, as they were issued."""
    if not coupon_ids:
        return {}
    rows = await db.fetch(
        "SELECT member_id, id, template_id, version, source, issued_at, valid_from, expires_on, ended_as, ended_at,"
        " ended_by FROM coupon WHERE member_id = $1 AND id = ANY($2)",
        member_id,
        list(coupon_ids),
    )
    return {row["id"]: Coupon(**dict(row)) for row in rows}


async def find_made(coupon_id: str) -> Coupon | None:
    """A coupon as it was issued, on whosever books it stands, or None: for who knows that it is the caller's."""
    member_id = ids.member_of(coupon_id, PREFIX)
    return (await list_made(member_id, [coupon_id])).get(coupon_id) if member_id else None
