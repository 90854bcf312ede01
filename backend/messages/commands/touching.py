"""Writes down that a link of a letter was followed, and says anew who of all that followed were machines."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import clock, db
from backend.kernel.db import Record, Tx

from ..delivery import machines
from ..delivery.links import Link
from ..delivery.machines import Touch, TouchKind
from ..service.recording import read_delivery_id
from ..types import State


async def touch(link: Link, kind: TouchKind, *, client: str, said_so: bool) -> None:
    """Count one fetch of something of a letter; beyond ``machines.MOST_TOUCHES`` of a letter nothing changes.

    A first link may look like a person's until the second is followed, so a delivery that counted as clicked may be
    ``delivered`` again: that somebody's machine fetched it says no more than that it arrived.
    """
    named = read_delivery_id(link.delivery_id)
    if named is None:
        return
    async with db.transaction() as tx:
        found = await _lock(tx, named)
        if found is None:
            return
        touches = await _touches(tx, named)
        if len(touches) >= machines.MOST_TOUCHES:
            return
        now = clock.now()
        touches.append(Touch(kind, link.number, now, client, said_so))
        verdicts = machines.judge(touches, found["since"], link.of)
        await _write(tx, named, touches, verdicts, now)
        await _move(tx, named, touches, verdicts, now)


async def _lock(tx: Tx, named: tuple[int, str, str]) -> Record | None:
    """The delivery; letters are followed as soon as they are handed over, which may be before that is recorded."""
    rows = await db.fetch_in(
        tx,
        "SELECT coalesce(sent_at, updated_at) AS since FROM message_delivery"
        " WHERE member_id = $1 AND letter_id = $2 AND channel = $3 AND attempts > 0 FOR UPDATE",
        *named,
    )
    return rows[0] if rows else None


async def _touches(tx: Tx, named: tuple[int, str, str]) -> list[Touch]:
    rows = await db.fetch_in(
        tx,
        "SELECT kind, number, at, client, said_so FROM message_touch"
        " WHERE member_id = $1 AND letter_id = $2 AND channel = $3 ORDER BY seq",
        *named,
    )
    return [Touch(TouchKind(row["kind"]), row["number"], row["at"], row["client"], row["said_so"]) for row in rows]


async def _write(
    tx: Tx, named: tuple[int, str, str], touches: list[Touch], verdicts: list[bool], now: datetime
) -> None:
    """The new touch, and what is thought otherwise now of those before it."""
    new = touches[-1]
    await db.raw(tx).execute(
        "INSERT INTO message_touch (member_id, letter_id, channel, seq, kind, number, client, said_so, machine, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        *named,
        len(touches),
        new.kind.value,
        new.number,
        new.client,
        new.said_so,
        verdicts[-1],
        now,
    )
    await db.raw(tx).execute(
        "UPDATE message_touch t SET machine = v.machine FROM unnest($4::int[], $5::bool[]) AS v (seq, machine)"
        " WHERE t.member_id = $1 AND t.letter_id = $2 AND t.channel = $3 AND t.seq = v.seq AND t.machine <> v.machine",
        *named,
        list(range(1, len(touches) + 1)),
        verdicts,
    )


async def _move(tx: Tx, named: tuple[int, str, str], touches: list[Touch], verdicts: list[bool], now: datetime) -> None:
    """The delivery as far as people have brought it; whose outcome nobody knew has arrived."""
    people = [touch for touch, machine in zip(touches, verdicts, strict=True) if not machine]
    clicked_at = min((touch.at for touch in people if touch.kind is TouchKind.CLICK), default=None)
    opened_at = min((touch.at for touch in people), default=None)
    state = State.CLICKED if clicked_at else State.OPENED if opened_at else State.DELIVERED
    await db.raw(tx).execute(
        "UPDATE message_delivery SET state = $4, opened_at = $5, clicked_at = $6, next_at = NULL, updated_at = $7,"
        " reason = NULL, sent_at = coalesce(sent_at, updated_at)"
        " WHERE member_id = $1 AND letter_id = $2 AND channel = $3"
        " AND (state IN ('sending', 'sent', 'delivered', 'opened', 'clicked') OR reason = 'outcome_unknown')",
        *named,
        state.value,
        opened_at,
        clicked_at,
        now,
    )
