"""What a till recharges, and takes back: read, then planned; the till posts it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.kernel import clock, ids
from backend.kernel.config import settings
from backend.kernel.errors import DomainError, invalid
from backend.ledger import queries as ledger
from backend.ledger.errors import GuardRefused
from backend.ledger.plans import POINTS, POINTS_DEBT, STORED, Guard, Plan
from backend.ledger.types import Document

from . import plans, queries, till_plans
from .errors import OfferUnavailable, RechargeDayLimitReached, RechargeSpent, StoredLimitReached
from .rules import claw_points
from .types import PointsSource, RechargeBody

REVERSAL_PREFIX = "B"
"""Of the id of a till's recharge that was taken back."""


async def agree(member_id: int, offer_id: str | None, amount_fen: int | None, now: datetime) -> RechargeBody:
    """What a member is to pay and gets: an offer, or an amount of their own; exactly one of them.

    Raises ``ValidationFailed``, ``OfferUnavailable``, and what refuses more than may be held or come in a day.
    """
    rules = settings()
    if (offer_id is None) == (amount_fen is None):
        raise invalid("/offer_id", "give either offer_id or amount_fen")
    if amount_fen is not None:
        if not rules.recharge_min_fen <= amount_fen <= rules.recharge_max_fen:
            raise invalid("/amount_fen", f"must be between {rules.recharge_min_fen} and {rules.recharge_max_fen} fen")
        agreed = RechargeBody(pay_fen=amount_fen)
    else:
        offer = await queries.find_offer_for(member_id, offer_id or "", now)
        if offer is None:
            raise OfferUnavailable
        agreed = RechargeBody(
            pay_fen=offer.pay_fen,
            bonus_fen=offer.bonus_fen,
            points=offer.points,
            offer_id=offer.id,
            first_only=offer.first_only,
            bonus_valid_days=offer.bonus_valid_days,
            spend=offer.spend,
        )
    possible = await queries.possible(member_id, clock.local_date(now, rules.timezone))
    possible.check(agreed.pay_fen, agreed.bonus_fen)
    return agreed


async def till_plan(
    member_id: int,
    body: RechargeBody,
    *,
    store_id: str,
    cashier: str | None,
    guards: Sequence[Guard],
    scope: str,
    key: str,
    request_hash: bytes,
    now: datetime,
) -> Plan:
    """The plan of a recharge whose money a till took; once per scope and key.

    Its refusals: ``Stale``, ``MemberInactive``, and by ``till_refusal`` what a guard or a limit says.
    """
    rules = settings()
    on = clock.local_date(now, rules.timezone)
    debt = (await ledger.get_balances(member_id)).get(POINTS_DEBT, 0)
    return till_plans.at_till(
        ids.new_document_id("R", member_id),
        body,
        member_id=member_id,
        store_id=store_id,
        cashier=cashier,
        guards=guards,
        debt=debt,
        scope=scope,
        key=key,
        request_hash=request_hash,
        now=now,
        on=on,
        points_expire_on=await queries.points_expire_on(PointsSource.RECHARGE, on),
        limits=rules,
    )


async def reversal_plan(
    document: Document,
    *,
    terminal_id: str,
    cashier: str | None,
    reason: str,
    scope: str,
    key: str,
    request_hash: bytes,
    now: datetime,
) -> Plan:
    """The plan that takes a till's recharge back; ``RechargeSpent`` where anything of it was spent or is held."""
    rules = settings()
    on = clock.local_date(now, rules.timezone)
    lots = await ledger.list_lots_of(document.member_id, document.id)
    stored = [lot for lot in lots if lot.kind == STORED]
    if any(lot.remaining != lot.issued for lot in stored):
        raise RechargeSpent
    open_lots = await ledger.list_open_lots(document.member_id, POINTS)
    good = [lot for lot in open_lots if lot.expires_on is None or lot.expires_on >= on]
    own_first = sorted(good, key=lambda lot: lot.source != document.id)
    points = plans.progress_of(document).points or 0
    return till_plans.take_back(
        document,
        stored,
        claw_points(points, [(lot.lot_id, lot.remaining) for lot in own_first]),
        reversal_id=ids.new_document_id(REVERSAL_PREFIX, document.member_id),
        terminal_id=terminal_id,
        cashier=cashier,
        reason=reason,
        debt=(await ledger.get_balances(document.member_id)).get(POINTS_DEBT, 0),
        scope=scope,
        key=key,
        request_hash=request_hash,
        now=now,
        on=on,
        limits=rules,
    )


def till_refusal(refused: GuardRefused) -> DomainError | None:
    """What a till is told where the door refused a recharge; None for a guard that is not the wallet's."""
    if refused.refusal == plans.NOT_FIRST:
        return OfferUnavailable()
    if refused.refusal == plans.STORED_LIMIT:
        return StoredLimitReached(0)
    if refused.refusal == plans.DAY_LIMIT:
        return RechargeDayLimitReached(0)
    return None
