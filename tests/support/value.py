"""Value for tests: posted through the ledger's own door, as a recharge would."""

from __future__ import annotations

import uuid
from datetime import date

from backend.coupons import audit as coupons
from backend.gifts import audit as gifts
from backend.kernel import clock
from backend.kernel.config import Settings
from backend.ledger import audit as ledger
from backend.ledger import plans, service
from backend.ledger.audit import Finding
from backend.ledger.plans import Issue, Leg, Plan
from backend.membercards import audit as member_cards
from backend.messages import audit as letters
from backend.orders import audit as orders
from backend.stock import audit as stock
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
    """What the audit finds wrong with the books, of value, orders, counted days, stock and letters; or nothing."""
    connection = await kept.connection(settings, "huiyuan_owner")
    of_orders = [Finding(f.check, f.member_id, f.what) for f in await orders.prove(connection)]
    of_stock = await stock.prove(connection)
    return [
        *await ledger.prove(connection),
        *of_orders,
        *(Finding(f.check, f.member_id, f.what) for f in await letters.prove(connection)),
        *(Finding(f.check, f.member_id, f.what) for f in await gifts.prove(connection)),
        *(Finding(f.check, f.member_id, f.what) for f in await member_cards.prove(connection)),
        *(Finding(coupons.CHECK, 0, f.what) for f in await coupons.prove(connection)),
        *(Finding(f.check, 0, f"{f.place_id} {f.sku}: {f.what}") for f in of_stock),
    ]
