"""Members accept WeChat's subscribe messages on the phone: each word counts once, however often it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta

import msgspec

from backend.kernel import clock, db
from backend.kernel.errors import invalid
from backend.ledger.errors import IdempotencyConflict

from .. import queries
from ..service import subscriptions
from ..types import Subscription

ACCEPTED = frozenset({"accept", "acceptWithAudio", "acceptWithAlert", "acceptWithForcePush"})
"""What wx.requestSubscribeMessage says of a template that the user accepted."""

ANSWERS_KEPT = timedelta(days=30)


async def answer(member_id: int, results: Mapping[str, str], key: str) -> list[Subscription]:
    """Count what the user accepted, once for each key; ``IdempotencyConflict`` where it came with other words."""
    known = {item.template_id for item in await queries.list_subscriptions(member_id)}
    for name in results:
        if name not in known:
            raise invalid(f"/results/{name}", "no letter is sent with such a template")
    digest = hashlib.sha256(msgspec.json.encode(dict(sorted(results.items())))).digest()
    now = clock.now()
    async with db.transaction() as tx:
        new = await db.fetch_in(
            tx,
            "INSERT INTO message_subscription_answer (member_id, key, digest, at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (member_id, key) DO NOTHING RETURNING 1",
            member_id,
            key,
            digest,
            now,
        )
        if new:
            accepted = [name for name, word in results.items() if word in ACCEPTED]
            await subscriptions.accept(tx, member_id, accepted, now)
        else:
            (row,) = await db.fetch_in(
                tx, "SELECT digest FROM message_subscription_answer WHERE member_id = $1 AND key = $2", member_id, key
            )
            if bytes(row["digest"]) != digest:
                raise IdempotencyConflict
    return await queries.list_subscriptions(member_id)


async def sweep() -> None:
    """Forget the keys of answers that no phone sends again."""
    await db.fetchval(
        "WITH gone AS (DELETE FROM message_subscription_answer WHERE at < $1 RETURNING 1) SELECT count(*) FROM gone",
        clock.now() - ANSWERS_KEPT,
    )
