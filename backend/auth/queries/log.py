"""Reads of the audit log: who of the staff did what, when, and how it ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec

from backend.auth.types import BEGUN
from backend.kernel import db
from backend.kernel.paging import Place

_ROW = (
    "SELECT a.id, a.at, a.staff_id, a.role, a.store_id, a.route, a.title, a.things, a.status, a.code, a.address,"
    " a.request_id, a.detail, a.about FROM auth_audit a"
)

# What was begun is left out once it has ended: the row of its end says more.
_NOT_ENDED = (
    "(a.code <> 'begun' OR NOT EXISTS (SELECT FROM auth_audit e WHERE e.request_id = a.request_id AND e.id <> a.id"
    " AND e.staff_id = a.staff_id AND e.code <> 'begun'))"
)
assert BEGUN == "begun"

# Each filter is a condition of its own, so that the planner knows which index to go by.
_CONDITIONS = {
    "staff_id": "a.staff_id = {}",
    "store_id": "(a.store_id = {0} OR a.about <> '{{}}' AND a.about @> ARRAY[{0}::text])",
    "route": "a.route = {}",
    "thing": "a.things @> ARRAY[{}::text]",
    "request_id": "a.request_id = {}",
    "code": "a.code = {}",
    "since": "a.at >= {}",
    "until": "a.at < {}",
}


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the audit log.

    ``things`` are what the address names, in its order, then what else was meant; ``code`` is empty where ``status`` is
    a success, ``begun`` where it only says that something was about to happen; ``detail`` has ``actions`` and
    ``fields`` (names), and ``said`` (harmless values). ``about`` are the stores whose things head office's call was
    about.
    """

    id: int
    at: datetime
    staff_id: int
    role: str
    store_id: str | None
    route: str
    title: str
    things: list[str]
    status: int
    code: str
    address: str
    request_id: str
    detail: dict[str, Any]
    about: list[str]


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: all that are named must hold. ``done``: successes, or what was refused; ``until`` is not included.

    ``store_id``: what its people did, and what head office did about something of that store.
    """

    staff_id: int | None = None
    store_id: str | None = None
    route: str | None = None
    thing: str | None = None
    request_id: str | None = None
    code: str | None = None
    done: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


def statement(wanted: AuditFilter, before: Place | None, limit: int) -> tuple[str, list[Any]]:
    """The page's SQL and its arguments: fixed conditions put together, values always as parameters."""
    args: list[Any] = []
    where = [_NOT_ENDED]
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value is not None:
            args.append(value)
            where.append(condition.format(f"${len(args)}"))
    if wanted.done is not None:
        where.append("a.code = ''" if wanted.done else "a.code <> ''")
    if before is not None:
        args += [before[0], int(before[1])]
        where.append(f"(a.at, a.id) < (${len(args) - 1}, ${len(args)})")
    args.append(limit)
    return f"{_ROW} WHERE {' AND '.join(where)} ORDER BY a.at DESC, a.id DESC LIMIT ${len(args)}", args


async def list_audit(wanted: AuditFilter, *, before: Place | None, limit: int) -> list[AuditRow]:
    """A page of the log, newest first."""
    sql, args = statement(wanted, before, limit)
    return [_audit_row(row) for row in await db.fetch(sql, *args)]


async def audit_pages(wanted: AuditFilter, *, limit: int, most: int) -> AsyncIterator[list[AuditRow]]:
    """The log page by page, newest first, at most so many rows."""
    before: Place | None = None
    while most > 0 and (page := await list_audit(wanted, before=before, limit=min(limit, most))):
        yield page
        before = (page[-1].at, str(page[-1].id))
        most -= len(page)


def _audit_row(row: db.Record) -> AuditRow:
    return AuditRow(**dict(row) | {"detail": msgspec.json.decode(row["detail"])})


# Jumps from one route to the next on its index: as many steps as there are routes, however long the log is.
_ACTIONS = """
WITH RECURSIVE step AS (
    (SELECT route FROM auth_audit ORDER BY route LIMIT 1)
    UNION ALL
    SELECT (SELECT n.route FROM auth_audit n WHERE n.route > step.route ORDER BY n.route LIMIT 1)
      FROM step WHERE step.route IS NOT NULL
)
SELECT step.route, t.title FROM step
  JOIN LATERAL (SELECT title FROM auth_audit WHERE route = step.route ORDER BY at DESC, id DESC LIMIT 1) t ON true
 WHERE step.route IS NOT NULL ORDER BY step.route
"""


async def list_actions() -> list[tuple[str, str]]:
    """The routes that the log knows, with what they were called last."""
    return [(row["route"], row["title"]) for row in await db.fetch(_ACTIONS)]
