"""Memberships that begin and end by the clock, and the changes of many that staff may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from backend.auth.types import Permission, StaffCaller
from backend.kernel import db, events, logging
from backend.kernel.errors import invalid
from backend.members import bulk
from backend.members import service as members

from .. import service
from ..events import MembershipEnding
from ..rules import validity as rules
from ..schemas.batches import ExtendValidity, NoMore, SetValidity

log = logging.get(__name__)

AT_ONCE = 500
WARNED_DAYS = (30, 7)
"""Days before its last one that the end of a membership is told."""

# Who is active and should not be, or is expired and should not be. Indexes: of the days, and of who is expired.
_DUE = """
(SELECT id FROM member WHERE valid_until < $1 AND status = 'active' AND id > $2 ORDER BY id LIMIT $3)
UNION (SELECT id FROM member WHERE valid_from > $1 AND status = 'active' AND id > $2 ORDER BY id LIMIT $3)
UNION (SELECT id FROM member WHERE status = 'expired' AND (valid_from IS NULL OR valid_from <= $1)
          AND (valid_until IS NULL OR valid_until >= $1) AND id > $2 ORDER BY id LIMIT $3)
ORDER BY id LIMIT $3"""
_ENDING = """
INSERT INTO registration_warned (member_id, valid_until, days)
SELECT m.id, m.valid_until, $3 FROM member m
 WHERE m.valid_until BETWEEN $1 AND $2 AND m.status = 'active'
   AND NOT EXISTS (SELECT FROM registration_warned w
                    WHERE w.member_id = m.id AND w.valid_until = m.valid_until AND w.days <= $3)
 ORDER BY m.valid_until, m.id LIMIT $4
ON CONFLICT DO NOTHING RETURNING member_id, valid_until"""


async def follow_days() -> int:
    """Put everybody into the status that their days ask for today; returns how many were in another."""
    after, moved = 0, 0
    while True:
        rows = await db.fetch(_DUE, service.today(), after, AT_ONCE)
        if not rows:
            return moved
        async with db.transaction() as tx:
            moved += len(await service.follow(tx, await members.lock_held(tx, [row["id"] for row in rows])))
        after = rows[-1]["id"]


async def warn_of_ending() -> int:
    """Tell of memberships that end within the days that are warned of, once for each; returns how many."""
    today, told = service.today(), 0
    for days in sorted(WARNED_DAYS):
        while True:
            async with db.transaction() as tx:
                rows = await db.fetch_in(tx, _ENDING, today, today + timedelta(days=days), days, AT_ONCE)
                await events.publish_many(
                    tx, [MembershipEnding(member_id=one[0], valid_until=one[1], days=days) for one in rows]
                )
            told += len(rows)
            if len(rows) < AT_ONCE:
                break
    return told


async def _check_days(body: SetValidity, _caller: StaffCaller) -> None:
    for name in ("valid_from", "valid_until"):
        on = getattr(body, name)
        if on is not None and not date(1970, 1, 1) <= on <= rules.LATEST:
            raise invalid(f"/change/{name}", "is out of range")
    if body.valid_from and body.valid_until and body.valid_from > body.valid_until:
        raise invalid("/change/valid_until", "is before valid_from")


async def _check_longer(body: ExtendValidity, _caller: StaffCaller) -> None:
    if not (body.months or body.days):
        raise invalid("/change/months", "say by how many months or days")


def _days(body: SetValidity) -> str:
    begins = f"自 {body.valid_from}" if body.valid_from else ""
    ends = f"至 {body.valid_until}" if body.valid_until else ""
    return " ".join(part for part in (begins, ends) if part) or "长期有效"


def _longer(body: ExtendValidity) -> str:
    months = f"{body.months} 个月" if body.months else ""
    return " ".join(part for part in (months, f"{body.days} 天" if body.days else "") if part)


async def _nothing(_body: NoMore, _caller: StaffCaller) -> None:
    """There is nothing to check."""


CHANGES: Sequence[bulk.BulkChange] = (
    bulk.BulkChange(
        code="validity",
        title="设定会员有效期",
        permission=Permission.MEMBERS_DECIDE,
        body=SetValidity,
        check=_check_days,
        apply=service.set_validity,
        words=_days,
    ),
    bulk.BulkChange(
        code="validity_extend",
        title="延长会员有效期",
        permission=Permission.MEMBERS_DECIDE,
        body=ExtendValidity,
        check=_check_longer,
        apply=service.extend_validity,
        words=_longer,
    ),
    bulk.BulkChange(
        code="freeze",
        title="冻结会员",
        permission=Permission.MEMBERS_DECIDE,
        body=NoMore,
        check=_nothing,
        apply=service.freeze,
    ),
    bulk.BulkChange(
        code="unfreeze",
        title="解冻会员",
        permission=Permission.MEMBERS_DECIDE,
        body=NoMore,
        check=_nothing,
        apply=service.unfreeze,
    ),
)
bulk.declare(*CHANGES)
