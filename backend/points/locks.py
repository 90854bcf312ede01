"""Row locks."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from . import queries
from .queries import RULE, rule_of
from .records import StoredRule, Transfer

WITHIN = "SET LOCAL lock_timeout = '3s'"
"""What a transaction waits for each lock; its database connection is one of few."""


async def lock_rules(tx: Tx) -> None:
    """Let nobody else change a rule until the transaction ends: how many live is counted, and the epoch moved."""
    await db.raw(tx).execute(WITHIN)
    await db.raw(tx).execute("UPDATE points_epoch SET value = value + 1")


async def lock_rule(tx: Tx, rule_id: str) -> StoredRule:
    """A rule, to be changed; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{RULE} WHERE id = $1 FOR UPDATE", rule_id)
    if not rows:
        raise NotFound("there is no such rule")
    return rule_of(rows[0])


async def lock_transfer(tx: Tx, transfer_id: str) -> Transfer:
    """A transfer between members, to be taken back; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    await db.fetch_in(tx, "SELECT FROM points_transfer WHERE id = $1 FOR UPDATE", transfer_id)
    found = await queries.find_transfer_in(tx, transfer_id)
    if found is None:
        raise NotFound("there is no such transfer")
    return found
