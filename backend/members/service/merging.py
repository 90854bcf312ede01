"""One member becomes part of another: what the members' own tables say of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth import service as auth
from backend.auth.types import Standing
from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.ledger import service as ledger

from .. import locks
from ..errors import StatusConflict
from ..holding import MovingTable
from ..rules import ATTRIBUTES_MAX
from ..types import Gender, Status
from .changes import Change
from .values import index_values

OVER = (Status.MERGED, Status.ERASED)
"""Who is nobody of their own any more."""


def refuse_over(status: str) -> None:
    """Raise ``StatusConflict`` for a member who was merged or erased: nothing more is written of them."""
    if status in OVER:
        raise StatusConflict(f"the member is {status}")


async def lock_own(tx: Tx, member_id: int) -> None:
    """Lock a member's row until the transaction ends; ``NotFound`` for none, ``StatusConflict`` as ``refuse_over``."""
    refuse_over((await locks.lock_member(tx, member_id))["status"])


_ROWS = (
    "SELECT id, status, name, birthday, gender, store_id, referrer_id, attributes, growth_fen, created_at FROM member"
    " WHERE id = ANY($1) ORDER BY id FOR UPDATE"
)
_FILLED = """
UPDATE member SET birthday = $2, gender = $3, store_id = $4, referrer_id = $5, attributes = $6, growth_fen = $7,
       created_at = $8, updated_at = $9
 WHERE id = $1"""
_MOVES = (
    MovingTable("member_growth", key=("source_id",)).sql,
    MovingTable("member_consent", key=("kind", "version")).sql,
    "DELETE FROM member_pin WHERE member_id = $1 AND $2::bigint IS NOT NULL",
    "UPDATE member SET referrer_id = nullif($2, id) WHERE referrer_id = $1",
    "UPDATE member SET merged_into = $2 WHERE merged_into = $1",
)


async def lock_two(tx: Tx, source_id: int, target_id: int) -> tuple[db.Record, db.Record]:
    """The rows of source and target, locked in order of id until the transaction ends; ``NotFound`` for none.

    Raises ``StatusConflict`` where one was merged or erased, or the target is not active.
    """
    rows = {row["id"]: row for row in await db.fetch_in(tx, _ROWS, [source_id, target_id])}
    if len(rows) != 2:
        raise NotFound("there is no such member")
    source, target = rows[source_id], rows[target_id]
    refuse_over(source["status"])
    if target["status"] != Status.ACTIVE:
        raise StatusConflict(f"the member to keep is {target['status']}")
    return source, target


async def merge_profile(tx: Tx, source: db.Record, target: db.Record, at: datetime) -> dict[str, Change]:
    """Fill in what the target does not know of the source's profile, and take over growth, consents and referrals.

    The caller holds both (``lock_two``). The target keeps name, phone, PIN and whatever it says; the source's PIN ends.

    Returns:
        What changed of the target's profile: before and after, by field.
    """
    filled = {
        "birthday": target["birthday"] or source["birthday"],
        "gender": source["gender"] if target["gender"] == Gender.UNKNOWN else target["gender"],
        "store_id": target["store_id"] or source["store_id"],
        "referrer_id": _referrer(source, target),
        "attributes": _attributes(target["attributes"], source["attributes"]),
    }
    await db.raw(tx).execute(
        _FILLED,
        target["id"],
        *filled.values(),
        target["growth_fen"] + source["growth_fen"],
        min(target["created_at"], source["created_at"]),
        at,
    )
    theirs, all_of_it = (msgspec.json.decode(text) for text in (source["attributes"], filled["attributes"]))
    joined_at = min(target["created_at"], source["created_at"])
    gone = (source["id"], source["created_at"], dict.fromkeys(theirs))
    await index_values(tx, [gone, (target["id"], joined_at, all_of_it)])
    for sql in _MOVES:
        await db.raw(tx).execute(sql, source["id"], target["id"])
    changes: dict[str, Change] = {
        name: (target[name], value) for name, value in filled.items() if name != "attributes" and target[name] != value
    }
    before, after = (msgspec.json.decode(text) for text in (target["attributes"], filled["attributes"]))
    changes |= {f"attributes.{code}": (None, value) for code, value in after.items() if code not in before}
    return changes


def _referrer(source: db.Record, target: db.Record) -> int | None:
    """Nobody brings themselves."""
    both = {source["id"], target["id"]}
    return next((one for one in (target["referrer_id"], source["referrer_id"]) if one and one not in both), None)


def _attributes(mine: str, theirs: str) -> str:
    """Whatever the target does not say of itself, the source says, as far as there is room."""
    said = msgspec.json.decode(mine)
    more = {name: value for name, value in msgspec.json.decode(theirs).items() if name not in said}
    merged = dict([*said.items(), *more.items()][: max(ATTRIBUTES_MAX, len(said))])
    return mine if merged == said else msgspec.json.encode(merged).decode()


async def close_merged(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    """Make the source part of the target for good: its number and phone lead there, its log-ins act for the target.

    Its sessions end, so that phones read again who they act for; its codes are dead. The caller holds both, and what
    was the source's has been moved. Holds both books.
    """
    await auth.join_identities(tx, source_id, target_id, Standing.ACTIVE)
    await ledger.close_merged(tx, source_id, target_id)
    await db.raw(tx).execute(
        "UPDATE member SET status = 'merged', merged_into = $2, growth_fen = 0, card_id = NULL,"
        " card_discount_bp = NULL, card_multiplier_bp = NULL, card_until = NULL, updated_at = $3 WHERE id = $1",
        source_id,
        target_id,
        at,
    )
