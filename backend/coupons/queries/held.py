"""Reads of what a member holds, as rules and tills need it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from backend.kernel import db, ids
from backend.kernel.batching import Batcher
from backend.ledger import queries as ledger
from backend.ledger.plans import COUPON
from backend.ledger.types import Holding

from ..plans import PREFIX
from ..types import Held
from .standings import COUPON_STANDING, Standing, list_made, standings
from .versions import list_versions

MOST_HELD = 200


async def list_held(
    member_id: int, on: date, holdings: Sequence[Holding] | None = None, *, limit: int | None = None
) -> list[Held]:
    """What a member holds and could use on that local day or later, the earliest expiring first.

    At most ``limit``, or 200. ``holdings``: what was just read of them on the books, else it is read. Two
    exchanges with the database, a third where a version is seen for the first time in this process.
    """
    if holdings is None:
        holdings = await ledger.list_refs(member_id, COUPON)
    usable = [item for item in holdings if item.balance > 0 and (item.expires_on is None or item.expires_on >= on)]
    usable = usable[: limit or MOST_HELD]
    made = await list_made(member_id, [item.ref for item in usable])
    versions = await list_versions((coupon.template_id, coupon.version) for coupon in made.values())
    return [
        Held(
            id=item.ref,
            template=coupon.template_id,
            terms=versions[coupon.template_id, coupon.version].terms,
            balance=item.balance,
            valid_from=coupon.valid_from,
            expires_on=item.expires_on,
            version=coupon.version,
        )
        for item in usable
        if (coupon := made.get(item.ref)) is not None
    ]


Named = tuple[int, Sequence[str], date]


async def _find_standing(wanted: list[Named]) -> list[dict[str, Standing] | BaseException]:
    names = [(member_id, coupon_id) for member_id, coupon_ids, _ in wanted for coupon_id in coupon_ids]
    rows = await db.fetch(
        f"{COUPON_STANDING} JOIN unnest({db.given(1, 'bigint')}, {db.given(2, 'text')}) AS w (member_id, id)"
        " ON w.member_id = c.member_id AND w.id = c.id",
        [member_id for member_id, _ in names],
        [coupon_id for _, coupon_id in names],
    )
    found: list[dict[str, Standing] | BaseException] = []
    for member_id, coupon_ids, on in wanted:
        theirs = [row for row in rows if row["member_id"] == member_id and row["id"] in coupon_ids]
        found.append({standing.coupon.id: standing for standing in await standings(theirs, on)})
    return found


_standing_batcher: Batcher[Named, dict[str, Standing]] = Batcher(_find_standing, max_size=64, lanes=2)


async def find_held(member_id: int, coupon_ids: Sequence[str], on: date) -> dict[str, Held]:
    """These coupons of a member by id, however they stand on that local day; another member's are absent.

    One exchange with the database, which concurrent calls share; a second where a version is seen for the first time in
    this process.
    """
    own = [coupon_id for coupon_id in coupon_ids if ids.member_of(coupon_id, PREFIX) == member_id]
    if not own:
        return {}
    found = await _standing_batcher.submit((member_id, own, on))
    return {
        coupon_id: Held(
            id=coupon_id,
            template=standing.version.template_id,
            terms=standing.version.terms,
            balance=standing.balance,
            valid_from=standing.coupon.valid_from,
            expires_on=standing.coupon.expires_on,
            state=standing.state,
            version=standing.version.version,
        )
        for coupon_id, standing in found.items()
    }


async def titles_of(helds: Sequence[Held]) -> dict[str, str]:
    """What these coupons are called, by id; no read, as their versions are known."""
    versions = await list_versions((held.template, held.version) for held in helds)
    return {held.id: versions[held.template, held.version].title for held in helds}
