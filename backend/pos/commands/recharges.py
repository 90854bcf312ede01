"""Recharges whose money the till takes: at once, by the same rules as on the phone; and back within the shift."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.errors import CodeUsed
from backend.auth.types import TerminalCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, Stale
from backend.ledger.plans import Guard, Plan
from backend.ledger.types import Document, Posted
from backend.members import queries as members
from backend.overrides.types import Act
from backend.wallet import queries as wallet
from backend.wallet import service as wallet_service
from backend.wallet.errors import RechargeNotReversible
from backend.wallet.types import RechargeBody, RechargeProgress, RechargeStatus

from .. import plans, service, views
from ..till_schemas import (
    ReversalIn,
    ReversalOut,
    TillOfferOut,
    TillOffersIn,
    TillOffersOut,
    TillRechargeIn,
    TillRechargeOut,
    WhoIn,
)
from . import authorising
from .identify import by_code, by_number, by_scan_token
from .replay import Again, first_answer, terminal_scope
from .sales import MAX_TIMES_PLANNED

log = logging.get(__name__)

RECHARGE = "recharge"


async def _who(body: WhoIn, terminal: TerminalCaller, now: datetime) -> tuple[int, tuple[Guard, ...]]:
    """Whose wallet it is, and what spends a code. A scan token buys its sale all the same: here value only comes."""
    if sum(one is not None for one in (body.code, body.scan_token, body.member_no)) != 1:
        raise invalid("/scan_token", "give one of code, scan_token and member_no")
    if body.code is not None:
        store = await auth.get_store(terminal.store_id)
        on = clock.local_date(now, store.timezone)
        shown = await by_code(body.code, terminal_id=terminal.terminal_id, now=now, on=on)
        return shown.member_id, shown.guards
    if body.scan_token is not None:
        return _of_token(body.scan_token, terminal, now), ()
    return await by_number(body.member_no or "", terminal_id=terminal.terminal_id), ()


def _of_token(text: str, terminal: TerminalCaller, now: datetime) -> int:
    return by_scan_token(text, terminal_id=terminal.terminal_id, store_id=terminal.store_id, now=now).member_id


async def offers(body: TillOffersIn, terminal: TerminalCaller) -> TillOffersOut:
    """What a member may recharge here now."""
    now = clock.now()
    if (body.scan_token is None) == (body.member_no is None):
        raise invalid("/scan_token", "give either scan_token or member_no")
    if body.scan_token is not None:
        member_id = _of_token(body.scan_token, terminal, now)
    else:
        member_id = await by_number(body.member_no or "", terminal_id=terminal.terminal_id)
    found = await wallet.list_offers_for(member_id, now)
    possible = await wallet.possible(member_id, clock.local_date(now, settings().timezone))
    return TillOffersOut(
        [TillOfferOut(one.id, one.pay_fen, one.bonus_fen, one.points) for one in found], possible.least_fen
    )


async def recharge(body: TillRechargeIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[TillRechargeOut]:
    """Credit what the till was paid, with what the offer gives; once per key, and everything or nothing."""

    async def again(member_id: int, posted: Posted) -> Answer[TillRechargeOut]:
        return Answer(await _first(member_id, posted), replayed=True)

    scope = terminal_scope(terminal.terminal_id)
    return await first_answer(idem, scope, lambda: _recharge(body, terminal, idem, again), again)


async def _recharge(
    body: TillRechargeIn, terminal: TerminalCaller, idem: Idempotency, again: Again[Answer[TillRechargeOut]]
) -> Answer[TillRechargeOut]:
    now = clock.now()
    member_id, guards = await _who(body, terminal, now)
    for _ in range(MAX_TIMES_PLANNED):
        agreed = await wallet_service.agree(member_id, body.offer_id, body.amount_fen, now)
        plan = await wallet_service.till_plan(
            member_id,
            msgspec.structs.replace(
                agreed, terminal_id=terminal.terminal_id, tender=body.tender, reference=body.reference
            ),
            store_id=terminal.store_id,
            cashier=body.cashier,
            guards=guards,
            scope=terminal_scope(terminal.terminal_id),
            key=idem.key,
            request_hash=idem.request_hash,
            now=now,
        )
        try:
            posted = await ledger.post(plan)
        except GuardRefused as refused:
            raise wallet_service.till_refusal(refused) or CodeUsed() from refused
        except Stale:
            continue
        if posted.replayed:
            return await again(member_id, posted)
        log.info("pos.recharged", recharge_id=posted.document_id, pay_fen=agreed.pay_fen, tender=body.tender)
        return Answer(await _first(member_id, posted))
    raise Stale


async def show(recharge_id: str, terminal: TerminalCaller) -> TillRechargeOut:
    """A recharge of this store's tills as it stands, with the member's balances of now."""
    document = await _of_store(recharge_id, terminal)
    return await _out(document, await ledger_queries.get_balances(document.member_id), status=_status(document))


async def reverse(
    recharge_id: str, body: ReversalIn, terminal: TerminalCaller, idem: Idempotency
) -> Answer[ReversalOut]:
    """Take a recharge back at the till that made it, in the shift that made it; once per key, with an authorisation."""

    async def again(member_id: int, posted: Posted) -> Answer[ReversalOut]:
        return Answer(await _reversed(member_id, posted), replayed=True)

    async def work() -> Answer[ReversalOut]:
        return await _reverse(recharge_id, body, terminal, idem)

    return await first_answer(idem, terminal_scope(terminal.terminal_id), work, again)


async def _reverse(
    recharge_id: str, body: ReversalIn, terminal: TerminalCaller, idem: Idempotency
) -> Answer[ReversalOut]:
    now = clock.now()
    store = await auth.get_store(terminal.store_id)
    on = clock.local_date(now, store.timezone)
    document = await _of_store(recharge_id, terminal)
    made = msgspec.convert(document.body, RechargeBody)
    authority = await authorising.read(
        body.override,
        terminal,
        idem,
        act=Act.RECHARGE_REVERSAL,
        subject=document.id,
        order_no=None,
        member_id=document.member_id,
        cashier=body.cashier,
        fen=made.pay_fen,
        total_fen=made.pay_fen,
        now=now,
        on=on,
    )
    for _ in range(MAX_TIMES_PLANNED):
        document = await _of_store(recharge_id, terminal)
        if made.terminal_id != terminal.terminal_id or _status(document) != "paid":
            raise RechargeNotReversible
        plan = await wallet_service.reversal_plan(
            document,
            terminal_id=terminal.terminal_id,
            cashier=body.cashier,
            reason=body.override.reason.value,
            scope=terminal_scope(terminal.terminal_id),
            key=idem.key,
            request_hash=idem.request_hash,
            now=now,
        )
        try:
            posted = await _post(plan, authority, document)
        except Stale:
            continue
        authorising.tell(authority)
        return Answer(await _reversed(document.member_id, posted), replayed=posted.replayed)
    raise Stale


async def _post(plan: Plan, authority: authorising.Authority, document: Document) -> Posted:
    async with db.transaction() as tx:
        if not await service.in_its_shift(tx, str(document.body["terminal_id"]), document.at):
            raise RechargeNotReversible
        return await authorising.together(tx, plan, authority, lambda: ledger.post_in(tx, plan))


async def _of_store(recharge_id: str, terminal: TerminalCaller) -> Document:
    member_id = ids.member_of(recharge_id, "R")
    document = await ledger_queries.find_document(member_id, recharge_id) if member_id else None
    if (
        document is None
        or document.kind != RECHARGE
        or document.store_id != terminal.store_id
        or not document.body.get("terminal_id")
    ):
        raise NotFound("there is no such recharge in this store")
    return document


def _status(document: Document) -> str:
    progress = msgspec.convert(document.progress, RechargeProgress)
    if document.state == RechargeStatus.REFUNDED:
        return "reversed"
    return "partly_refunded" if progress.refunded_fen else "paid"


async def _first(member_id: int, posted: Posted) -> TillRechargeOut:
    """The answer as it was then."""
    document = await ledger_queries.find_document(member_id, posted.document_id or "")
    if document is None or document.kind != RECHARGE:
        raise ValidationFailed("this key was used for another kind of request")
    return await _out(document, posted.balances, status="paid")


async def _out(document: Document, balances: dict[str, int], *, status: str) -> TillRechargeOut:
    body, progress = msgspec.convert(document.body, RechargeBody), msgspec.convert(document.progress, RechargeProgress)
    card = await members.get_card(document.member_id)
    return TillRechargeOut(
        id=document.id,
        status=status,  # type: ignore[arg-type]
        pay_fen=body.pay_fen,
        bonus_fen=progress.bonus_fen or 0,
        points=progress.points or 0,
        tender=body.tender or "cash",
        reference=body.reference,
        offer_id=body.offer_id,
        cashier=document.memo.get("cashier"),
        member_no=card.member_no,
        name_masked=card.name_masked,
        store_id=document.store_id or "",
        terminal_id=body.terminal_id or "",
        at=document.at,
        balances=views.balances_out(balances),
    )


async def _reversed(member_id: int, posted: Posted) -> ReversalOut:
    document = await ledger_queries.find_document(member_id, posted.document_id or "")
    if document is None or document.kind != plans.REVERSED:
        raise ValidationFailed("this key was used for another kind of request")
    body = document.body
    return ReversalOut(
        id=document.id,
        recharge_id=body["recharge_id"],
        tender=body["tender"],
        pay_fen=body["pay_fen"],
        bonus_fen=body["bonus_fen"],
        points=body["points"],
        at=document.at,
        balances=views.balances_out(posted.balances),
    )
