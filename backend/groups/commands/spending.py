"""What groups spend together: the level that follows, and statements by sub-member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.members import queries as members

from .. import queries, rules, service
from ..errors import GroupConflict
from ..types import Group, Spent

log = logging.get(__name__)

AT_ONCE = 200


def window(months: int, today: date) -> tuple[datetime, datetime]:
    """The instants between which a group's months lie, today included."""
    return instants(months_later(today, -months) + timedelta(days=1), today)


def instants(first: date, last: date) -> tuple[datetime, datetime]:
    """The beginning of a day of the chain and the end of another."""
    return clock.span(first, last, settings().timezone)


def months_later(on: date, months: int) -> date:
    """The same day so many months later, or the last one of a month that has no such day."""
    end = clock.end_of_month(on, months)
    return end.replace(day=min(on.day, end.day))


async def spent_lately(groups: Sequence[Group]) -> dict[str, int]:
    """What the people of each of these groups spent together within its months, up to now; absent: nothing."""
    today = clock.local_date(clock.now(), settings().timezone)
    _, before = instants(today, today)
    return await queries.get_spent_fen({one.id: window(one.months, today)[0] for one in groups}, before)


async def settle_levels() -> int:
    """Look at groups that bought something, or whose time is over; how many it were."""
    today = clock.local_date(clock.now(), settings().timezone)
    rows = await db.fetch(
        "SELECT id FROM group_account WHERE dirty OR earned_until < $1 ORDER BY id LIMIT $2", today, AT_ONCE
    )
    for row in rows:
        try:
            await _settle(row["id"], today)
        except GroupConflict:
            log.info("groups.settled_later", group_id=row["id"])
    return len(rows)


async def _settle(group_id: str, today: date) -> None:
    levels = {code: place for place, code in enumerate(await members.levels())}
    async with db.transaction() as tx:
        group, people = await service.lock_with_people(tx, group_id)
        spent = (await spent_lately([group])).get(group_id, 0)
        until = months_later(today, group.months) - timedelta(days=1)
        level, held_until = rules.earns(group, spent, levels, today, until)
        await db.raw(tx).execute(
            "UPDATE group_account SET dirty = false, earned_level = $2, earned_until = $3 WHERE id = $1",
            group_id,
            level,
            held_until,
        )
        if level != group.earned_level:
            await service.lend(tx, people)


async def list_statement(group_id: str, first: date, last: date) -> list[Spent]:
    """What each sub-member bought for a group between two days, both included, less what came back of it."""
    return await queries.list_spent(group_id, *instants(first, last))


async def forget_invitations() -> None:
    """Forget invitations whose time is over."""
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM group_invitation WHERE expires_at < $1", clock.now())
