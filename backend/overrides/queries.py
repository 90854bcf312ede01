"""Reads of limits and grants (public)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.kept import Kept
from backend.kernel.known import known
from backend.kernel.paging import Place

from .types import CASHIER, Act, Grant, GrantSum, Limit, Reason

KEPT_S = 5.0
"""How long another process may not know of a change; every till's sale looks, so it costs no read."""

_LIMIT = "SELECT role, sale_bp, sale_fen, day_fen, day_count FROM override_limit"
MOST_SUMS = 1000


async def list_limits() -> list[Limit]:
    """Every limit as it stands in the database, the cashier's first."""
    return [Limit(**dict(row)) for row in await db.fetch(f"{_LIMIT} ORDER BY role")]


async def _read() -> dict[str, Limit]:
    return {limit.role: limit for limit in await list_limits()}


_limits = Kept(_read, keep_s=KEPT_S)


async def cashier_limit() -> Limit | None:
    """What a cashier may give alone, or None where nothing was said: then as much as the till likes. Mostly no read."""
    return (await _limits.get()).get(CASHIER)


def forget_limits() -> None:
    """Read the limits again at the next question: they were changed here."""
    _limits.forget()


async def find_limit_in(tx: Tx, role: str) -> Limit | None:
    """A role's limit as it stands now, or None: it authorises nothing."""
    rows = await db.fetch_in(tx, f"{_LIMIT} WHERE role = $1", role)
    return Limit(**dict(rows[0])) if rows else None


_GRANT = (
    "SELECT g.id, g.act, g.subject, g.order_no, g.store_id, g.terminal_id, g.cashier, g.staff_id, g.role, g.fen,"
    " g.total_fen, g.reason, g.note, g.at FROM override_grant g"
)
# Each filter is a condition of its own, so that the planner knows which index to go by.
_CONDITIONS = {
    "store_id": "g.store_id = {}",
    "staff_id": "g.staff_id = {}",
    "subject": "g.subject = {}",
    "order_no": "g.order_no = {}",
    "reason": "g.reason = {}",
    "since": "g.at >= {}",
    "until": "g.at < {}",
}


class GrantFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which grants: all that are named must hold; ``until`` is not included."""

    store_id: str | None = None
    staff_id: int | None = None
    subject: str | None = None
    order_no: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def page_statement(wanted: GrantFilter, before: Place | None, limit: int) -> tuple[str, list[Any]]:
    """The page's SQL and its arguments: fixed conditions put together, values always as parameters."""
    args: list[Any] = []
    where: list[str] = []
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value is not None:
            args.append(value)
            where.append(condition.format(f"${len(args)}"))
    if before is not None:
        args += before
        where.append(f"(g.at, g.id) < (${len(args) - 1}, ${len(args)})")
    args.append(limit)
    conditions = f" WHERE {' AND '.join(where)}" if where else ""
    return f"{_GRANT}{conditions} ORDER BY g.at DESC, g.id DESC LIMIT ${len(args)}", args


async def list_grants(wanted: GrantFilter, *, before: Place | None, limit: int) -> list[Grant]:
    """A page of grants, newest first, from behind that place."""
    sql, args = page_statement(wanted, before, limit)
    return [_grant(row) for row in await db.fetch(sql, *args)]


def _grant(row: db.Record) -> Grant:
    kinds = {"act": known(Act, row["act"], Act.OTHER), "reason": known(Reason, row["reason"], Reason.OTHER)}
    return Grant(**dict(row) | kinds)


_SUMS = """
SELECT staff_id, store_id, count(*) AS grants, sum(fen)::bigint AS fen, sum(total_fen)::bigint AS total_fen
  FROM override_grant
 WHERE at >= $1 AND at < $2 AND ($3::text IS NULL OR store_id = $3)
 GROUP BY staff_id, store_id ORDER BY fen DESC, staff_id, store_id LIMIT $4"""


async def sum_grants(since: datetime, until: datetime, *, store_id: str | None) -> list[GrantSum]:
    """What everybody authorised in that time, by person and store, who gave most first."""
    return [GrantSum(**dict(row)) for row in await db.fetch(_SUMS, since, until, store_id, MOST_SUMS)]


async def find_grant_of(subject: str) -> Grant | None:
    """The grant that a document rests on, or None."""
    row = await db.fetchrow(f"{_GRANT} WHERE g.subject = $1 LIMIT 1", subject)
    return _grant(row) if row else None
