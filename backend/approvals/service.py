"""Writes on a transaction that the caller opened: what another person is asked to decide."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import asyncpg
import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging, trail
from backend.kernel.config import settings
from backend.kernel.db import Tx

from . import kinds, rules
from .errors import ApprovalKeyReused, TooManyApprovals
from .kinds import declare
from .queries import APPROVAL, approval_of
from .types import Alone, Approval

__all__ = ["count_alone", "declare", "request"]

log = logging.get(__name__)


async def request(
    tx: Tx,
    kind_code: str,
    body: msgspec.Struct,
    *,
    caller: StaffCaller,
    reason: str,
    store_id: str | None,
    summary: str,
    key: str,
) -> Approval:
    """Ask a second person to decide, once per person and key; nothing else happens before they do.

    Args:
        tx: an open transaction.
        kind_code: a declared kind.
        body: what is to be done, of the kind's own struct; without personal data.
        caller: who asks; they cannot decide it.
        reason: why, at most 300 characters.
        store_id: whose thing it is; None is head office's. The kind's permission is needed there.
        summary: one line for whoever decides, at most 200 characters, without personal data.
        key: the client's key; the same request again is the same approval.

    Returns:
        The waiting approval, or as it stands now where it was asked for before.
    """
    kind = kinds.find(kind_code)
    if kind is None or type(body) is not kind.body:
        raise TypeError(f"{kind_code}: no such kind of approvals, or a body that is not of it")
    encoded = msgspec.json.encode(body)
    if len(encoded) > rules.MOST_BODY_BYTES:
        raise ValueError(f"{kind_code}: the body of an approval is too large; keep what is many in a table")
    digest = _digest(kind_code, encoded, reason, store_id)
    approval_id = ids.short_of("V", caller.staff_id, key, width=15)
    if (found := await _asked_before(tx, approval_id, digest)) is not None:
        return found
    await _check_room(tx, caller.staff_id)
    made = await _insert(tx, (approval_id, kind_code, store_id, summary, reason), encoded, caller.staff_id, key, digest)
    trail.named(approval_id)
    trail.said(kind=kind_code, approval=approval_id)
    log.info("approvals.asked", approval_id=approval_id, kind=kind_code, staff_id=caller.staff_id)
    return made


async def count_alone(tx: Tx, staff_id: int, wishes: Sequence[Alone]) -> bool:
    """Count what one person decides alone, all of it or nothing; False where some is more than a day has left of it.

    Two at once count one after the other: their rows are locked. Call it last in a transaction, after what locks books.
    """
    wanted = sorted((one for one in wishes if one.amount), key=lambda one: one.what)
    whats, today = [one.what for one in wanted], clock.local_date(clock.now(), settings().timezone)
    await db.raw(tx).execute(
        "INSERT INTO approval_alone (staff_id, on_day, what, amount)"
        " SELECT $1, $2, what, 0 FROM unnest($3::text[]) AS what ORDER BY what ON CONFLICT DO NOTHING",
        staff_id,
        today,
        whats,
    )
    rows = await db.fetch_in(
        tx,
        "SELECT what, amount FROM approval_alone WHERE staff_id = $1 AND on_day = $2 AND what = ANY($3)"
        " ORDER BY what FOR UPDATE",
        staff_id,
        today,
        whats,
    )
    if not rules.is_alone(wanted, {row["what"]: row["amount"] for row in rows}):
        return False
    await db.raw(tx).execute(
        "UPDATE approval_alone a SET amount = a.amount + w.amount"
        " FROM unnest($3::text[], $4::bigint[]) AS w (what, amount)"
        " WHERE a.staff_id = $1 AND a.on_day = $2 AND a.what = w.what",
        staff_id,
        today,
        whats,
        [one.amount for one in wanted],
    )
    return True


def _digest(kind: str, body: bytes, reason: str, store_id: str | None) -> str:
    return hashlib.sha256(msgspec.json.encode((kind, body.decode(), reason, store_id))).hexdigest()


async def _asked_before(tx: Tx, approval_id: str, digest: str) -> Approval | None:
    rows = await db.fetch_in(tx, f"{APPROVAL} WHERE id = $1", approval_id)
    if not rows:
        return None
    same = await db.fetch_in(tx, "SELECT FROM approval WHERE id = $1 AND request = $2", approval_id, digest)
    if not same:
        raise ApprovalKeyReused
    return approval_of(rows[0])


async def _check_room(tx: Tx, staff_id: int) -> None:
    rows = await db.fetch_in(
        tx,
        "SELECT count(*) FROM (SELECT FROM approval WHERE asked_by = $1 AND state = 'waiting' AND expires_at > $2"
        " LIMIT $3) AS w",
        staff_id,
        clock.now(),
        rules.MOST_WAITING,
    )
    if rows[0][0] >= rules.MOST_WAITING:
        raise TooManyApprovals


async def _insert(
    tx: Tx, named: tuple[str, str, str | None, str, str], body: bytes, staff_id: int, key: str, digest: str
) -> Approval:
    now = clock.now()
    try:
        rows = await db.fetch_in(
            tx,
            "INSERT INTO approval (id, kind, store_id, summary, reason, body, state, asked_by, asked_at, expires_at,"
            " note, key, request) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8, $9, '', $10, $11)"
            " RETURNING id, kind, state, store_id, summary, reason, body, asked_by, asked_at, expires_at, decided_by,"
            " decided_at, note",
            *named,
            body.decode(),
            staff_id,
            now,
            now + rules.WAITS,
            key,
            digest,
        )
    except asyncpg.UniqueViolationError:  # asked twice at once: the other has it
        raise ApprovalKeyReused("this request is being made already; ask again") from None
    return approval_of(rows[0])
