"""What members of the demo agreed to; one whose data can be fetched, one who is about to leave, one who has left."""

from __future__ import annotations

from backend.kernel import clock, db, ids
from backend.kernel.errors import DomainError
from backend.privacy.commands import erasing, erasures, exports
from backend.privacy.errors import ErasureBlocked

from . import orders

# Who joined agreed to what joining rests on; every third lets the chain look at what they buy.
_JOINED = """
WITH said AS (
    SELECT m.id AS member_id, p.code, p.version, m.created_at AS at,
           ('x' || substr(md5(m.id::text || p.code), 1, 15))::bit(60)::bigint AS id
      FROM member m, privacy_purpose p
     WHERE p.code IN ('terms', 'privacy') OR (p.code = 'profiling' AND m.id % 3 = 0)
), written AS (
    INSERT INTO privacy_consent_change (id, member_id, purpose, granted, version, place, at)
    SELECT id, member_id, code, true, version, 'phone', at FROM said ON CONFLICT DO NOTHING
)
INSERT INTO privacy_consent (member_id, purpose, granted, version, at)
SELECT member_id, code, true, version, at FROM said ON CONFLICT DO NOTHING"""
_OTHERS = """
SELECT id FROM member m WHERE status = 'active'
   AND NOT EXISTS (SELECT FROM orders_order o WHERE o.member_id = m.id)
   AND NOT EXISTS (SELECT FROM auth_staff s WHERE s.member_id = m.id)
   AND NOT EXISTS (SELECT FROM group_member g WHERE g.member_id = m.id) ORDER BY created_at DESC, id LIMIT 20"""
ROUNDS = 5


async def load() -> None:
    """Fill it; the archive is a shopper's, so that whoever registers with that phone can fetch it."""
    await db.pool().execute(_JOINED)
    shoppers = {one["phone"] for one in await orders.told()}
    row = await db.fetchrow("SELECT member_id FROM orders_order ORDER BY placed_at, member_id LIMIT 1")
    if shoppers and row is not None:
        made = await exports.ask(row["member_id"])
        await exports.make(made.id)
    leaving = [row["id"] for row in await db.fetch(_OTHERS)]
    await _wish(leaving)
    erasure_id = await _wish(leaving)
    for _ in range(ROUNDS if erasure_id else 0):
        await db.pool().execute("UPDATE privacy_erasure SET due_at = $2 WHERE id = $1", erasure_id, clock.now())
        await erasing.run(erasure_id or "")


async def _wish(candidates: list[int]) -> str | None:
    """Let the next of these wish to be erased whom nothing stands in the way of; the wish, or None for nobody."""
    while candidates:
        member_id = candidates.pop(0)
        try:
            async with db.transaction() as tx:
                return (await erasures.begin(tx, ids.new_short("Q"), member_id, give_up=True)).id
        except ErasureBlocked:
            continue
        except DomainError:
            return None
    return None
