"""Tables and shelves: head office and managers name them, their codes are printed, members order by them."""

from __future__ import annotations

import asyncpg
import msgspec

from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.errors import NotFound, invalid
from backend.kernel.vault import vault
from backend.mall import queries as mall

from ..errors import SpotInvalid
from ..queries import spots as queries
from ..rules import spots as rules
from ..schemas.spots import SpotChangeIn, SpotIn
from ..types.spots import Spot

log = logging.get(__name__)

_INSERT = """
INSERT INTO orders_spot (id, store_id, kind, name, product_id, edition, active, staff_id, created_at, updated_at)
SELECT $1, $2::text, $3, $4, $5, $6, $7, $8, $9, $9
 WHERE (SELECT count(*) FROM orders_spot WHERE store_id = $2::text) < $10 RETURNING id"""
_REPLACE = """
UPDATE orders_spot SET name = $2, product_id = $3, active = $4, edition = $5, staff_id = $6, updated_at = $7
 WHERE id = $1"""


def code_of(spot: Spot) -> str:
    """What the spot's QR code says."""
    return rules.make(spot.id, _secret(spot))


def _secret(spot: Spot) -> bytes:
    return vault().derive("orders.spot_code", f"{spot.id}\n{spot.edition}".encode())


async def read(code: str, *, store_id: str | None = None) -> Spot:
    """The spot that a code was printed for, of that store where one is named; ``SpotInvalid`` for anything else."""
    spot_id = rules.spot_of(code)
    spot = await queries.find_spot(spot_id) if spot_id else None
    if spot is None or not rules.is_genuine(code, _secret(spot)):
        raise SpotInvalid
    if not spot.active:
        raise SpotInvalid("nothing can be ordered by this code any more")
    if store_id is not None and spot.store_id != store_id:
        raise SpotInvalid("this code belongs to another store")
    return spot


async def create(body: SpotIn, caller: StaffCaller) -> Spot:
    """Add a spot to a store that the caller reaches."""
    if not caller.reaches(body.store_id):
        raise NotFound("there is no such store")
    await auth.get_store(body.store_id)
    await _check_product(body.product_id, body.store_id)
    made = Spot(id=ids.new_short("Y"), edition=1, active=True, updated_at=clock.now(), **msgspec.structs.asdict(body))
    try:
        async with db.transaction() as tx:
            rows = await db.fetch_in(
                tx,
                _INSERT,
                *(made.id, made.store_id, made.kind, made.name, made.product_id, made.edition, made.active),
                *(caller.staff_id, made.updated_at, queries.MOST_SPOTS),
            )
    except asyncpg.UniqueViolationError:
        raise invalid("/name", "a spot of this store is called so already") from None
    if not rows:
        raise invalid("/store_id", f"a store has at most {queries.MOST_SPOTS} spots")
    log.info("orders.spot_created", spot_id=made.id, store_id=made.store_id, staff_id=caller.staff_id)
    return made


async def replace(spot_id: str, body: SpotChangeIn, caller: StaffCaller) -> Spot:
    """Change a spot; ``NotFound`` for one of a store that the caller does not reach."""
    known = await queries.find_spot(spot_id[:16])
    if known is None or not caller.reaches(known.store_id):
        raise NotFound("there is no such spot")
    await _check_product(body.product_id, known.store_id)
    try:
        async with db.transaction() as tx:
            row = (await db.fetch_in(tx, "SELECT edition FROM orders_spot WHERE id = $1 FOR UPDATE", known.id))[0]
            made = msgspec.structs.replace(
                known,
                name=body.name,
                product_id=body.product_id,
                active=body.active,
                edition=row["edition"] + body.new_code,
                updated_at=clock.now(),
            )
            await db.raw(tx).execute(
                _REPLACE,
                *(made.id, made.name, made.product_id, made.active, made.edition, caller.staff_id, made.updated_at),
            )
    except asyncpg.UniqueViolationError:
        raise invalid("/name", "a spot of this store is called so already") from None
    log.info("orders.spot_changed", spot_id=made.id, staff_id=caller.staff_id, edition=made.edition)
    return made


async def _check_product(product_id: str | None, store_id: str) -> None:
    if product_id is not None and await mall.find_product(product_id, store_id=store_id) is None:
        raise invalid("/product_id", "this store does not sell it in the mall")
