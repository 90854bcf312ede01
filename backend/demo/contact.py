"""Whom one looks up first in the demo: those who order online have something on their minds, and somebody looked."""

from __future__ import annotations

from datetime import timedelta

from backend.cases import service as cases
from backend.cases.types import Actor, By, CaseChannel, CaseKind, NewCase
from backend.contact import service
from backend.contact.types import By as LookedBy
from backend.contact.types import Outcome, View
from backend.kernel import clock, db
from backend.members import queries as members

from . import orders

TOLD = (
    (3, CaseKind.COMPLAINT, "昨天送到的鸡蛋碎了两个，希望补发"),
    (26, CaseKind.CONSULTATION, "企业团购的发票可以分开开吗"),
)
"""Hours ago, and what each of them told the chain."""


async def load() -> None:
    """Open a case each, and note that head office looked them up."""
    now = clock.now()
    staff_id = await db.fetchval("SELECT id FROM auth_staff WHERE role = 'admin' ORDER BY id LIMIT 1")
    for shopper, (hours, kind, text) in zip(await orders.told(), TOLD, strict=False):
        member_id = await members.find_id_by_phone(shopper["phone"])
        found = await members.find_member(member_id) if member_id is not None else None
        if found is None:
            continue
        new = NewCase(
            kind=kind,
            channel=CaseChannel.MINIAPP,
            text=text,
            member_id=found.id,
            contact=None,
            store_id=found.store_id,
            by=Actor(By.MEMBER),
        )
        async with db.transaction() as tx:
            await cases.open(tx, new, at=now - timedelta(hours=hours))
            await service.note(tx, staff_id, LookedBy.PHONE, Outcome.FOUND, found.id, View.CHAIN)
