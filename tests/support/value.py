"""Value for tests: posted through the ledger's own door, as a recharge would."""

from __future__ import annotations

import uuid
from datetime import date

from backend import proofs
from backend.kernel import clock
from backend.kernel.config import Settings
from backend.kernel.proofs import Finding, snapshot
from backend.ledger import plans, service
from backend.ledger.plans import Issue, Leg, Plan
from tests.support import kept


async def give(
    member_id: int,
    *,
    principal: int = 0,
    bonus: int = 0,
    points: int = 0,
    rebate: int = 0,
    bonus_until: date | None = None,
    points_until: date | None = None,
) -> None:
    """Credit a member: principal, bonus and rebate in fen, and points."""
    legs: list[Leg] = []
    if principal or bonus:
        lots = [Issue("principal", principal)] if principal else []
        lots += [Issue("bonus", bonus, expires_on=bonus_until)] if bonus else []
        legs.append(Leg(plans.STORED, plans.FEN, principal + bonus, issue=tuple(lots)))
    if principal:
        legs.append(Leg(plans.HOUSE_PSP, plans.FEN, -principal))
    if bonus:
        legs.append(Leg(plans.HOUSE_BONUS, plans.FEN, -bonus))
    if rebate:
        legs.append(Leg(plans.REBATE, plans.FEN, rebate, issue=(Issue("rebate", rebate),)))
        legs.append(Leg(plans.HOUSE_REBATE_COST, plans.FEN, -rebate))
    if points:
        legs.append(Leg(plans.POINTS, plans.POINT, points, issue=(Issue("gift", points, expires_on=points_until),)))
        legs.append(Leg(plans.HOUSE_POINTS_ISSUED, plans.POINT, -points))
    now = clock.now()
    key = uuid.uuid4().hex
    await service.post(
        Plan(
            member_id=member_id,
            kind="gift",
            at=now,
            on=clock.local_date(now, "Asia/Shanghai"),
            scope="test",
            key=key,
            hash="00" * 32,
            legs=tuple(legs),
        )
    )


async def findings(settings: Settings) -> list[Finding]:
    """What the audit finds wrong, of the books and of what stands beside them; or nothing."""
    proofs.load()
    connection = await kept.connection(settings, "huiyuan_owner")
    async with snapshot(connection):
        return [finding for proof in proofs.PROOFS for finding in await proof.prove(connection)]
