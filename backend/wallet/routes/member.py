"""The phone's wallet: offers, recharges, balances, statements."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, Unavailable, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict, MemberInactive, OutcomeUnknown, Stale
from backend.wechat.errors import PayRefused

from .. import queries, rules
from ..commands import recharges
from ..errors import OfferUnavailable, RechargeDayLimitReached, RechargeOver, StoredLimitReached
from ..schemas import (
    EntriesOut,
    EntriesQuery,
    EntryOut,
    OfferOut,
    OffersOut,
    RechargeCreated,
    RechargeIn,
    RechargeOut,
)
from ..types import Wallet

router = Router(tag="wallet")


@router.get("/v1/member/wallet", guard=member, summary="我的钱包")
async def get_wallet(caller: MemberCaller) -> Wallet:
    """What the member has today."""
    return await queries.get_wallet(caller.member_id, clock.local_date(clock.now(), settings().timezone))


@router.get("/v1/member/recharge-offers", guard=member, summary="充值档位")
async def list_offers(caller: MemberCaller) -> OffersOut:
    """The offers for this member now."""
    offers = await queries.list_offers_for(caller.member_id, clock.now())
    possible = await queries.possible(caller.member_id, clock.local_date(clock.now(), settings().timezone))
    items = [OfferOut(o.id, o.pay_fen, o.bonus_fen, o.points, o.first_only) for o in offers]
    return OffersOut(items, possible.least_fen)


@router.post(
    "/v1/member/recharges",
    guard=member,
    status=201,
    idempotent=True,
    summary="发起充值",
    errors=(
        IdempotencyConflict,
        Stale,
        OutcomeUnknown,
        OfferUnavailable,
        RechargeOver,
        StoredLimitReached,
        RechargeDayLimitReached,
        MemberInactive,
        PayRefused,
        Unavailable,
    ),
)
async def create_recharge(caller: MemberCaller, body: RechargeIn, idem: Idempotency) -> Answer[RechargeCreated]:
    """Open a recharge by offer or free amount; pay it with ``wx.requestPayment``."""
    return await recharges.create_recharge(body, caller, idem)


@router.get("/v1/member/recharges/{recharge_id}", guard=member, summary="查询充值", errors=(NotFound,))
async def get_recharge(caller: MemberCaller, recharge_id: str) -> RechargeOut:
    """How a recharge stands."""
    return await recharges.get_recharge(recharge_id, caller.member_id)


@router.get("/v1/member/wallet/entries", guard=member, summary="收支明细", errors=(ValidationFailed,))
async def list_entries(caller: MemberCaller, query: EntriesQuery) -> EntriesOut:
    """A page of an account's statement: one line a transfer, newest first."""
    before = None
    if query.cursor is not None and (before := rules.read_cursor(query.account, query.cursor)) is None:
        raise invalid("/query/cursor", "not a cursor of this account")
    found = await queries.list_entries(caller.member_id, query.account, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    return EntriesOut(
        items=[
            EntryOut(
                id=f"{query.account}-{entry.seq}",
                at=entry.at,
                kind=entry.kind,
                amount=entry.amount,
                balance_after=entry.balance_after,
                title=rules.title(query.account, entry.kind, entry.amount),
                reference=entry.document_id,
            )
            for entry in page
        ],
        next_cursor=rules.make_cursor(query.account, page[-1].seq) if len(found) > len(page) else None,
    )
