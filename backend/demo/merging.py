"""Members of the demo who joined twice: pairs to look at, one that waits for a second person, one that was merged; and
what a group's owner allotted."""

from __future__ import annotations

from hashlib import sha256

from backend.groups import queries as groups
from backend.groups.commands import allotting
from backend.groups.schemas import AllotIn
from backend.groups.types import AllotmentKind
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.errors import DomainError
from backend.kernel.http import Idempotency
from backend.ledger import service as ledger
from backend.ledger.plans import HOUSE_POINTS_ISSUED, POINT, POINTS, Issue, Leg, Plan, job_hash
from backend.members import service as members
from backend.members.types import Gender, NewMember, Status
from backend.merging.commands import candidates, merging

from .points import staff_caller

_TWICE = """
SELECT id, name, birthday, gender, store_id FROM member m
 WHERE status = 'active' AND birthday IS NOT NULL AND NOT EXISTS (SELECT FROM group_member g WHERE g.member_id = m.id)
   AND NOT EXISTS (SELECT FROM orders_order o WHERE o.member_id = m.id)
 ORDER BY md5(id::text) LIMIT 4"""
_OWNED = """
SELECT g.id, m.id AS person_id FROM group_account g
  JOIN group_member o ON o.group_id = g.id AND o.role = 'owner' AND o.left_at IS NULL
  JOIN group_member m ON m.group_id = g.id AND m.member_id <> o.member_id AND m.left_at IS NULL
 WHERE g.state = 'open' ORDER BY g.id, m.id LIMIT 3"""
POINTS_OF_EACH = 120


async def load() -> None:
    """Let four people join a second time, find them, merge one pair and ask for another."""
    admin_id = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'")
    other_id = await db.fetchval("SELECT id FROM auth_staff WHERE id <> $1 ORDER BY id LIMIT 1", admin_id)
    pairs = [(await _again(row, place), row["id"]) for place, row in enumerate(await db.fetch(_TWICE))]
    await candidates.search()
    if len(pairs) > 1 and other_id is not None:
        async with db.transaction() as tx:
            await merging.merge(
                tx, merging.Asked(*pairs[0]), approval_id="demo", by=(admin_id, other_id), reason="同一人，换了手机号"
            )
        numbers = dict(await db.fetch("SELECT id, member_no FROM member WHERE id = ANY($1)", list(pairs[1])))
        source_no, target_no = (numbers[member_id] for member_id in pairs[1])
        await merging.ask(source_no, target_no, "两次入会", key="demo-merge", caller=staff_caller(admin_id))
    await _allot(admin_id)


async def _again(row: db.Record, place: int) -> int:
    """Another number for somebody who is there, with a few points."""
    new = NewMember(
        phone=f"1990001{place:04d}",
        name=row["name"],
        status=Status.ACTIVE,
        birthday=row["birthday"],
        gender=Gender(row["gender"]),
        store_id=row["store_id"],
    )
    async with db.transaction() as tx:
        member_id = await members.create_member(tx, new)
        assert member_id is not None
        now = clock.now()
        lot = Issue("gift", POINTS_OF_EACH, source="demo")
        await ledger.post_in(
            tx,
            Plan(
                member_id=member_id,
                kind="gift",
                at=now,
                on=clock.local_date(now, settings().timezone),
                scope="demo-twice",
                key=str(member_id),
                hash=job_hash("twice", member_id),
                legs=(
                    Leg(POINTS, POINT, POINTS_OF_EACH, issue=(lot,)),
                    Leg(HOUSE_POINTS_ISSUED, POINT, -POINTS_OF_EACH),
                ),
            ),
        )
    return member_id


async def _allot(admin_id: int) -> None:
    """A little of an owner's to some of the group, if there is so much."""
    for row in await db.fetch(_OWNED):
        owner = await groups.find_owner(row["id"])
        body = AllotIn(person_id=row["person_id"], kind=AllotmentKind.POINTS, amount=20, note="差旅补贴")
        key = Idempotency(f"demo-allot-{row['person_id']}", sha256(row["person_id"].encode()).digest())
        try:
            if owner is not None:
                await allotting.as_staff(row["id"], body, staff_caller(admin_id), key)
        except DomainError:
            continue  # this owner has not so many
