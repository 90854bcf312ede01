"""Member cards at a till, with the member there: given, replaced, paid for, reported lost, taken back with the deposit.

The card and the money change in one transaction, once per key; a code that proves who stands there is spent in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.errors import CodeUsed
from backend.auth.types import TerminalCaller
from backend.identities.errors import IdentityMayNotSpend
from backend.kernel import clock, db, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused
from backend.ledger.plans import Guard, Plan
from backend.ledger.types import Posted
from backend.membercards import queries as cards
from backend.membercards import service as membercards
from backend.membercards.errors import CardInvalid, CardTaken
from backend.membercards.types import (
    GIVEN,
    HELD,
    TAKEN_BACK,
    UNISSUED,
    AtTill,
    Card,
    DepositState,
    Dues,
    Errand,
    Handing,
    Way,
)
from backend.members import queries as members
from backend.members import service as member_service

from ..member_card_schemas import (
    Action,
    AskedCardOut,
    CardQuoteIn,
    CardQuoteOut,
    GiveCardIn,
    HeldCardOut,
    LostCardIn,
    PaidIn,
    PresentIn,
    TakeCardIn,
    TillCardOut,
)
from .identify import Customer, by_code, by_scan_token, count_number, counted, number_misses
from .replay import first_answer, terminal_scope

log = logging.get(__name__)

LOST = "收银台挂失"

Work = Callable[[Tx, int, AtTill], Awaitable[Plan]]


class _Replayed(Exception):
    """The key was answered before; whatever else changed in this transaction did not."""

    def __init__(self, posted: Posted) -> None:
        super().__init__()
        self.posted = posted


async def _who(body: PresentIn, terminal: TerminalCaller, now: datetime) -> tuple[Customer, tuple[Guard, ...]]:
    """Who stands there, and what spends their code; a scan token still buys its sale."""
    if (body.code is None) == (body.scan_token is None):
        raise invalid("/scan_token", "give either code or scan_token")
    if body.code is not None:
        store = await auth.get_store(terminal.store_id)
        on = clock.local_date(now, store.timezone)
        shown = await by_code(body.code, terminal_id=terminal.terminal_id, now=now, on=on)
        return shown, shown.guards
    token = body.scan_token or ""
    return by_scan_token(token, terminal_id=terminal.terminal_id, store_id=terminal.store_id, now=now), ()


async def quote(body: CardQuoteIn, terminal: TerminalCaller) -> CardQuoteOut:
    """How a member's card stands, and what the one in hand would cost them; nothing is spent."""
    customer, _ = await counted(_who(body, terminal, clock.now()))
    found = await cards.find_held(customer.member_id)
    held = membercards.standing(found) if found is not None else None
    asked = await _asked(body.card_no, customer.member_id, held, terminal) if body.card_no is not None else None
    return CardQuoteOut(held=_held(held) if held else None, card=asked)


def _held(card: Card) -> HeldCardOut:
    return HeldCardOut(
        last4=card.number[-4:],
        type_name=card.type_name,
        state=card.state.value,
        virtual=card.virtual,
        valid_until=card.valid_until,
        deposit_fen=_deposit(card),
        due_fen=membercards.dues_of(card).total_fen,
    )


def _deposit(card: Card) -> int:
    return card.deposit_fen if card.deposit_state is DepositState.HELD else 0


async def _asked(card_no: str, member_id: int, held: Card | None, terminal: TerminalCaller) -> AskedCardOut:
    number_misses.check(terminal.terminal_id)
    card = await cards.find_by_number(card_no)
    if card is None:
        await count_number(terminal.terminal_id)
        raise CardInvalid
    if card.state in UNISSUED:
        dues = await membercards.dues_for(await cards.get_type(card.type_code), member_id, held)
        replaces = held is not None and held.state in HELD and not held.virtual
        return _asked_out(card, "replace" if replaces else "issue", dues)
    if card.member_id is None or await members.current_id(card.member_id) != member_id:
        await count_number(terminal.terminal_id)
        raise CardTaken
    card = membercards.standing(card)
    dues = membercards.dues_of(card)
    return _asked_out(card, "pay" if dues.total_fen else "none", dues, back_fen=membercards.back_of(card))


def _asked_out(card: Card, action: Action, dues: Dues, *, back_fen: int = 0) -> AskedCardOut:
    return AskedCardOut(
        last4=card.number[-4:],
        type_name=card.type_name,
        action=action,
        deposit_fen=dues.deposit_fen,
        fee_fen=dues.fee_fen,
        due_fen=dues.total_fen,
        back_fen=back_fen,
    )


async def give(body: GiveCardIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[TillCardOut]:
    """Give the member a card, in the place of theirs where that is wanted, and take what it costs; or take only that.

    Once per key. Raises the refusals of a card, ``CardDuesChanged`` where it costs something else, and
    ``IdentityMayNotSpend`` for who may not give up the card that they have.
    """
    by = Handing(Way.COUNTER, None, terminal.store_id, body.reason or "")

    async def work(tx: Tx, member_id: int, at: AtTill) -> Plan:
        return await membercards.give_at_till(
            tx, member_id, body.card_no, by, replacing=body.replace, agreed_fen=body.due_fen, at=at
        )

    return await _once(body, terminal, idem, work, spends=body.replace)


async def take_back(body: TakeCardIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[TillCardOut]:
    """Take a member's card back for good, and give them its deposit; once per key. Raises ``IdentityMayNotSpend``."""
    by = Handing(Way.COUNTER, None, terminal.store_id, body.reason or "")

    async def work(tx: Tx, member_id: int, at: AtTill) -> Plan:
        return await membercards.take_back(tx, member_id, body.card_no, by, at=at)

    return await _once(body, terminal, idem, work, spends=True)


async def report_lost(body: LostCardIn, terminal: TerminalCaller) -> HeldCardOut:
    """Let the card of the member who stands there be good nowhere; repeated, it changes nothing.

    A code is only looked at and not spent: it does no harm that it proves something else a moment later.
    """
    customer, _ = await counted(_who(body, terminal, clock.now()))
    async with db.transaction() as tx:
        await member_service.lock(tx, customer.member_id)
        by = Handing(Way.COUNTER, None, terminal.store_id, body.reason or LOST)
        card = await membercards.report_lost_of(tx, customer.member_id, by)
        if card is None:
            raise NotFound("the member has no card")
    log.info("pos.member_card_lost", card_id=card.id, terminal_id=terminal.terminal_id)
    return _held(await cards.get_card(card.id))


async def _once(
    body: PaidIn, terminal: TerminalCaller, idem: Idempotency, work: Work, *, spends: bool
) -> Answer[TillCardOut]:
    """``spends``: what is the member's goes, so who was identified to earn only, or is guessed at, must not."""
    scope = terminal_scope(terminal.terminal_id)

    async def again(member_id: int, posted: Posted) -> Answer[TillCardOut]:
        return Answer(await _out(member_id, posted), replayed=True)

    async def first() -> Answer[TillCardOut]:
        number_misses.check(terminal.terminal_id)
        now = clock.now()
        customer, guards = await _who(body, terminal, now)
        if spends and (customer.earn_only or customer.suspect):
            raise IdentityMayNotSpend
        member_id = customer.member_id
        store = await auth.get_store(terminal.store_id)
        at = AtTill(
            store_id=terminal.store_id,
            terminal_id=terminal.terminal_id,
            cashier=body.cashier,
            tender=body.tender,
            reference=body.reference,
            guards=guards,
            scope=scope,
            key=idem.key,
            request_hash=idem.request_hash,
            now=now,
            on=clock.local_date(now, store.timezone),
        )
        try:
            posted = await _post(member_id, at, work)
        except _Replayed as known:
            return await again(member_id, known.posted)
        except GuardRefused as refused:
            raise CodeUsed from refused
        except (CardInvalid, CardTaken):
            await count_number(terminal.terminal_id)
            raise
        log.info("pos.member_card", document_id=posted.document_id, terminal_id=terminal.terminal_id)
        return Answer(await _out(member_id, posted))

    return await first_answer(idem, scope, first, again)


async def _post(member_id: int, at: AtTill, work: Work) -> Posted:
    async with db.transaction() as tx:
        await member_service.lock(tx, member_id)
        posted = await ledger.post_in(tx, await work(tx, member_id, at))
        if posted.replayed:
            raise _Replayed(posted)
    return posted


async def _out(member_id: int, posted: Posted) -> TillCardOut:
    document = await ledger_queries.find_document(member_id, posted.document_id or "")
    if document is None or document.kind not in (GIVEN, TAKEN_BACK):
        raise ValidationFailed("this key was used for another kind of request")
    errand = msgspec.convert(document.body, Errand)
    holder = await members.get_card(member_id)
    return TillCardOut(
        id=document.id,
        action="given" if document.kind == GIVEN else "taken_back",
        card_id=errand.card_id,
        last4=errand.last4,
        type_name=errand.title,
        replaced=errand.replaced is not None,
        deposit_fen=errand.deposit_fen,
        fee_fen=errand.fee_fen,
        total_fen=errand.total_fen,
        tender=errand.tender,  # type: ignore[arg-type]
        reference=errand.reference,
        cashier=document.memo.get("cashier"),
        name_masked=holder.name_masked,
        store_id=document.store_id or "",
        terminal_id=errand.terminal_id,
        at=document.at,
    )
