"""Whom a plan's trigger finds on a local day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from backend.audience import queries as audiences
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.ledger import queries as ledger
from backend.ledger.plans import POINTS
from backend.members import queries as members

from ..types import Finding, On, Plan


async def list_findings(plan: Plan, on: date, *, after: int, limit: int) -> tuple[list[Finding], int | None]:
    """Members who are meant and whom the trigger finds on that day, by id, above ``after``.

    The second is where to go on, None at the end. The last may be reached without anybody being found.
    """
    found = await _triggered(plan, on, after, limit)
    meant = await audiences.among(plan.audience, [one.member_id for one in found]) if found else set()
    more = found[-1].member_id if len(found) == limit else None
    return [one for one in found if one.member_id in meant], more


async def _triggered(plan: Plan, on: date, after: int, limit: int) -> list[Finding]:
    trigger, days = plan.trigger, timedelta(days=plan.trigger.days)
    match trigger.on:
        case On.BIRTHDAY:
            day = on + days
            said = {"on": day.isoformat()}
            return _all(await members.list_birthdays(day, after=after, limit=limit), str(day.year), said)
        case On.REGISTERED:
            first = on - days
            since, before = _midnight(first), _midnight(first + timedelta(days=1))
            found = await members.list_registered(since, before, after=after, limit=limit)
            return _all(found, "registered", {"on": first.isoformat()})
        case On.BOUGHT | On.NOT_BOUGHT:
            last = on - days
            found = await audiences.list_last_bought(
                last, trigger.skus, and_nothing_since=trigger.on is On.NOT_BOUGHT, after=after, limit=limit
            )
            return _all(found, f"since {last}", {"on": last.isoformat()})
        case On.POINTS_EXPIRING:
            ends = on + days
            expiring = await ledger.list_expiring(POINTS, ends, after=after, limit=limit)
            return [Finding(id_, f"points {ends}", {"amount": str(n), "on": ends.isoformat()}) for id_, n in expiring]
        case On.LEVEL:
            return await _noted("level", on - days, plan.trigger.level, after, limit)
        case On.COUPON_EXPIRING:
            return await _noted("coupon", on, None, after, limit)
        case On.DAY:
            if on != plan.starts_on:
                return []
            return _all(await audiences.list_members(plan.audience, after=after, limit=limit), "day", {})


def _all(member_ids: Sequence[int], occasion: str, said: dict[str, str]) -> list[Finding]:
    return [Finding(member_id, occasion, said) for member_id in member_ids]


async def _noted(kind: str, on: date, ref: str | None, after: int, limit: int) -> list[Finding]:
    """What events noted on that day; a member once, with the last that was noted."""
    rows = await db.fetch(
        "SELECT member_id, max(ref) AS ref FROM care_fact WHERE kind = $1 AND on_date = $2 AND member_id > $3"
        " AND ($4::text IS NULL OR ref = $4) GROUP BY member_id ORDER BY member_id LIMIT $5",
        kind,
        on,
        after,
        ref,
        limit,
    )
    day = {"on": on.isoformat()}
    return [
        Finding(row["member_id"], f"{kind} {row['ref']}"[:40], {"on": row["ref"]} if kind == "coupon" else day)
        for row in rows
    ]


def _midnight(on: date) -> datetime:
    return clock.midnight(on, settings().timezone)
