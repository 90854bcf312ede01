"""Idempotency keys and claims: who holds one, and what was answered."""

from __future__ import annotations

import msgspec

from backend.kernel import db
from backend.kernel.batching import Batcher

from ..errors import IdempotencyConflict
from ..plans import own_scope
from ..types import Known, Posted


async def find_home(scope: str, key: str) -> tuple[int, str | None] | None:
    """The member and document that hold a key or a claim, or None."""
    row = await db.fetchrow(
        "SELECT member_id, document_id FROM ledger_key_home WHERE scope = $1 AND key = $2", scope, key
    )
    return (row["member_id"], row["document_id"]) if row else None


async def find_known(scope: str, key: str) -> Known | None:
    """The stored answer of an idempotency key, or None where it is not used yet."""
    row = await db.fetchrow(
        "SELECT k.member_id, k.hash, k.result FROM ledger_key_home h"
        " JOIN ledger_key k ON k.member_id = h.member_id AND k.scope = h.scope AND k.key = h.key"
        " WHERE h.scope = $1 AND h.key = $2",
        scope,
        key,
    )
    if row is None:
        return None
    result = msgspec.json.decode(row["result"], type=Posted)
    return Known(row["member_id"], row["hash"], msgspec.structs.replace(result, replayed=True))


_OWN_KEYS = f"""
SELECT k.member_id, k.scope, k.key, k.hash, k.result
  FROM unnest({db.given(1, "bigint")}, {db.given(2, "text")}, {db.given(3, "text")}) AS wanted (member_id, scope, key)
  JOIN ledger_key k ON k.member_id = wanted.member_id AND k.scope = wanted.scope AND k.key = wanted.key
"""


async def _own_keys(wanted: list[tuple[int, str, str]]) -> list[Known | BaseException | None]:
    rows = await db.fetch(_OWN_KEYS, *(list(column) for column in zip(*wanted, strict=True)))
    found = {}
    for row in rows:
        result = msgspec.json.decode(row["result"], type=Posted)
        known = Known(row["member_id"], row["hash"], msgspec.structs.replace(result, replayed=True))
        found[row["member_id"], row["scope"], row["key"]] = known
    return [found.get(item) for item in wanted]


_own_keys_batcher: Batcher[tuple[int, str, str], Known | None] = Batcher(
    _own_keys, max_size=256, lanes=2, max_waiting=20_000
)


async def find_own_key(member_id: int, scope: str, key: str) -> Known | None:
    """The stored answer of a member's own key, or None; concurrent calls share one query."""
    return await _own_keys_batcher.submit((member_id, scope, key))


async def find_own_answer(member_id: int, key: str, request_hash: bytes) -> Posted | None:
    """What was answered to a member's own request with that key, or None: also to one of who became part of them since,
    on whose books it may stand (its document's id says so). ``IdempotencyConflict`` where it was another request."""
    known = await find_own_key(member_id, own_scope(member_id), key)
    if known is None:
        return None
    if known.hash != request_hash:
        raise IdempotencyConflict
    return known.result
