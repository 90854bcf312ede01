"""Reads of gifts and redemptions (public)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from backend.kernel import db, ids
from backend.kernel.changes import Changes
from backend.kernel.db import Tx
from backend.kernel.paging import Place

from . import plans
from .types import Gift, GiftKind, GiftState, Redemption, RedemptionState, Way

MOST_SHOWN = 200
"""Published gifts at once: phones are shown all of them."""

changes = Changes("gifts_change", "subject")

GIFT = (
    "SELECT id, kind, state, title, note, picture, points, pay_fen, sku, template_id, stored_fen, stored_days, pickup,"
    " stores, ship_from, pickup_days, per_member, per_member_day, total, day_total, levels, starts_at, ends_at, sort,"
    " taken, version, created_at, updated_at FROM gifts_gift"
)
REDEMPTION = (
    "SELECT member_id, id, gift_id, kind, way, state, title, quantity, points, pay_fen, sku, store_id, place_id,"
    " result, due_on, at, out_at, ended_at, terminal_id, key, staff_id, carrier, tracking_no, reason, note, cost_fen"
    " FROM gifts_redemption"
)


def gift_of(row: db.Record) -> Gift:
    """A row of ``GIFT``."""
    fields = dict(row) | {"kind": GiftKind(row["kind"]), "state": GiftState(row["state"])}
    return Gift(**fields | {"stores": tuple(row["stores"]), "levels": tuple(row["levels"])})


def redemption_of(row: db.Record) -> Redemption:
    """A row of ``REDEMPTION``."""
    fields = dict(row) | {"kind": GiftKind(row["kind"]), "way": Way(row["way"])}
    return Redemption(**fields | {"state": RedemptionState(row["state"])})


# -- gifts


async def find_gift(gift_id: str) -> Gift | None:
    """A gift as it stands, or None."""
    row = await db.fetchrow(f"{GIFT} WHERE id = $1", gift_id)
    return gift_of(row) if row else None


async def list_shown(now: datetime) -> list[Gift]:
    """The gifts that members see now, in the order to show them."""
    rows = await db.fetch(
        f"{GIFT} WHERE state = 'published' AND (ends_at IS NULL OR ends_at > $1) ORDER BY sort, id LIMIT $2",
        now,
        MOST_SHOWN,
    )
    return [gift_of(row) for row in rows]


async def list_gifts(state: GiftState | None, *, before: Place | None, limit: int) -> list[Gift]:
    """Gifts, newest first, from behind that time of making and id."""
    rows = await db.fetch(
        f"{GIFT} WHERE ($1::text IS NULL OR state = $1) AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))"
        " ORDER BY created_at DESC, id DESC LIMIT $4",
        state.value if state else None,
        *(before or (None, "")),
        limit,
    )
    return [gift_of(row) for row in rows]


async def count_published(tx: Tx) -> int:
    """How many gifts are published."""
    rows = await db.fetch_in(tx, "SELECT count(*) FROM gifts_gift WHERE state = 'published'")
    return int(rows[0][0])


async def taken_on(gift_ids: Sequence[str], on: date) -> dict[str, int]:
    """How many of these gifts were redeemed on a day, by id; none is absent."""
    rows = await db.fetch(
        "SELECT gift_id, taken FROM gifts_day WHERE gift_id = ANY($1) AND on_date = $2", list(gift_ids), on
    )
    return {row["gift_id"]: row["taken"] for row in rows}


# -- redemptions


def owner_of(redemption_id: str) -> int | None:
    """The member on whose books a redemption stands, by its id; None for what is none."""
    return ids.member_of(redemption_id, plans.PREFIX)


async def find_redemption(member_id: int, redemption_id: str) -> Redemption | None:
    """A member's redemption, or None."""
    row = await db.fetchrow(f"{REDEMPTION} WHERE member_id = $1 AND id = $2", member_id, redemption_id)
    return redemption_of(row) if row else None


async def list_own(member_id: int, *, before: Place | None, limit: int) -> list[Redemption]:
    """What a member redeemed, newest first, from behind that place."""
    rows = await db.fetch(
        f"{REDEMPTION} WHERE member_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3))"
        " ORDER BY at DESC, id DESC LIMIT $4",
        member_id,
        *(before or (None, "")),
        limit,
    )
    return [redemption_of(row) for row in rows]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which redemptions staff look for; what is None does not limit. ``open_only``: those that wait to leave."""

    state: RedemptionState | None = None
    open_only: bool = False
    gift_id: str | None = None
    place_ids: Sequence[str] | None = None
    member_id: int | None = None


def statement(wanted: Wanted, before: Place | None, limit: int) -> tuple[str, list[Any]]:
    """The page's SQL and its arguments: only what is asked for is in it, so that the index of that serves."""
    args: list[Any] = [limit]
    where = ["state IN ('waiting', 'to_send')"] if wanted.open_only else []
    for condition, value in (
        ("state = {}", wanted.state.value if wanted.state else None),
        ("gift_id = {}", wanted.gift_id),
        ("place_id = ANY({})", list(wanted.place_ids) if wanted.place_ids is not None else None),
        ("member_id = {}", wanted.member_id),
    ):
        if value is not None:
            args.append(value)
            where.append(condition.format(f"${len(args)}"))
    if before is not None:
        args += before
        where.append(f"(at, id) < (${len(args) - 1}, ${len(args)})")
    conditions = f" WHERE {' AND '.join(where)}" if where else ""
    return f"{REDEMPTION}{conditions} ORDER BY at DESC, id DESC LIMIT $1", args


async def list_redemptions(wanted: Wanted, *, before: Place | None, limit: int) -> list[Redemption]:
    """Redemptions for staff, newest first, from behind that place."""
    sql, args = statement(wanted, before, limit)
    return [redemption_of(row) for row in await db.fetch(sql, *args)]


async def find_by_code(store_id: str, digest: str) -> Redemption | None:
    """What waits in a store under a code, else what was handed over there last; None also where two wait."""
    rows = await db.fetch(
        f"{REDEMPTION} WHERE store_id = $1 AND digest = $2 AND state IN ('waiting', 'handed_over')"
        " ORDER BY state DESC, out_at DESC LIMIT 2",
        store_id,
        digest,
    )
    waiting = [row for row in rows if row["state"] == "waiting"]
    if len(waiting) > 1 or not rows:
        return None
    return redemption_of(rows[0])


async def is_waited_under(tx: Tx, store_id: str, digest: str) -> bool:
    """Whether something waits in a store under a code."""
    rows = await db.fetch_in(
        tx,
        "SELECT FROM gifts_redemption WHERE store_id = $1 AND digest = $2 AND state = 'waiting' LIMIT 1",
        store_id,
        digest,
    )
    return bool(rows)


async def find_sealed(member_id: int, redemption_id: str) -> str | None:
    """To whom a redemption is sent, sealed; None where it is not sent, or forgotten."""
    sealed: str | None = await db.fetchval(
        "SELECT sealed FROM gifts_redemption WHERE member_id = $1 AND id = $2", member_id, redemption_id
    )
    return sealed


async def list_due_on(day: date, *, after: tuple[int, str], limit: int) -> list[Redemption]:
    """What waits and has that last day, by member and id, from behind that one."""
    rows = await db.fetch(
        f"{REDEMPTION} WHERE state = 'waiting' AND due_on = $1 AND (member_id, id) > ($2, $3)"
        " ORDER BY member_id, id LIMIT $4",
        day,
        *after,
        limit,
    )
    return [redemption_of(row) for row in rows]
