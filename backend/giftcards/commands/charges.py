"""A passer-by pays with a card: no member, no points; and what goes back to it."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.auth.types import TerminalCaller
from backend.kernel import clock, db, ids
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import InsufficientBalance
from backend.ledger.plans import GIFT_CARD
from backend.ledger.types import Document, Posted

from .. import locks, plans, queries, rules, service
from ..errors import GiftCardTokenInvalid, GiftRefundExceedsCharge
from ..records import Charge, ChargeRefund
from ..schemas import ChargeIn, ChargeOut, ChargeRefundIn, ChargeRefundOut, ChargesOut
from .replay import first_answer, terminal_scope

MOST_OF_ORDER = 20
"""Charges of an order in a list; there is no reason to pay one with so many cards."""


async def charge(body: ChargeIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[ChargeOut]:
    """Take an amount off the card that a token stands for, once per key, and once for an order of the store."""
    scope = terminal_scope(terminal.terminal_id)

    async def work() -> Answer[ChargeOut]:
        store = await auth.get_store(terminal.store_id)
        now = clock.now()
        on = clock.local_date(now, store.timezone)
        card_id, shown = queries.read_reference(
            body.card_token, terminal_id=terminal.terminal_id, store_id=store.id, now=now
        )
        if not shown:
            raise GiftCardTokenInvalid
        charge_id = ids.new_document_id(plans.CHARGE_PREFIX, card_id)
        paid = Charge(body.order_no, terminal.terminal_id, body.amount_fen)
        async with service.in_turn((card_id,)), db.transaction() as tx:
            card = await locks.lock_card(tx, card_id)
            rules.check_payable(card, on)
            rules.check_payer(card, None)
            plan = plans.charge(card, charge_id, paid, store_id=store.id, at=now, on=on)
            try:
                posted = await ledger.post_in(tx, plans.keyed(plan, idem, scope))
            except InsufficientBalance as refused:
                raise service.too_little() from refused
            if not posted.replayed:
                await db.raw(tx).execute(
                    "INSERT INTO giftcard_charge (store_id, order_no, charge_id) VALUES ($1, $2, $3)",
                    store.id,
                    body.order_no,
                    charge_id,
                )
        return Answer(await _first_out(card_id, posted), replayed=posted.replayed)

    return await first_answer(idem, scope, work, _first_out)


async def _first_out(card_id: int, posted: Posted) -> ChargeOut:
    """The charge as it was made."""
    document = await ledger_queries.find_document(card_id, posted.document_id or "")
    if document is None or document.kind != plans.CHARGE:
        raise ValidationFailed("this key was used for another kind of request")
    return await _out(document, "charged", 0, posted.balances[GIFT_CARD])


async def _out(document: Document, status: str, refunded_fen: int, balance_fen: int) -> ChargeOut:
    card = await queries.get_card(str(document.member_id))
    return ChargeOut(
        id=document.id,
        card_id=str(card.id),
        number_masked=card.number_masked,
        order_no=document.body["order_no"],
        status=status,
        amount_fen=document.body["amount_fen"],
        refunded_fen=refunded_fen,
        balance_fen=balance_fen,
        at=document.at,
    )


async def list_of_order(order_no: str, store_id: str) -> ChargesOut:
    """The charges of an order of that store as they stand, with what is on each card now."""
    rows = await db.fetch(
        "SELECT charge_id FROM giftcard_charge WHERE store_id = $1 AND order_no = $2 ORDER BY charge_id LIMIT $3",
        store_id,
        order_no,
        MOST_OF_ORDER,
    )
    return ChargesOut([await get_charge(row["charge_id"], store_id) for row in rows])


async def get_charge(charge_id: str, store_id: str) -> ChargeOut:
    """A charge of that store as it stands, with what is on the card now."""
    document = await _of_store(charge_id, store_id)
    balances = await ledger_queries.get_balances(document.member_id)
    return await _out(document, document.state, document.progress["refunded_fen"], balances[GIFT_CARD])


async def refund(
    charge_id: str, body: ChargeRefundIn, terminal: TerminalCaller, idem: Idempotency
) -> Answer[ChargeRefundOut]:
    """Give part or all of a charge back to its card, however that stands, at the store that took it; once per key."""
    scope = terminal_scope(terminal.terminal_id)

    async def work() -> Answer[ChargeRefundOut]:
        store = await auth.get_store(terminal.store_id)
        now = clock.now()
        found = await _of_store(charge_id, store.id)
        transfer, moves = await ledger_queries.find_moves(found.member_id, charge_id, plans.CHARGE)
        taken = [(lot.lot_id, -amount) for lot, amount in moves]
        refund_id = ids.new_document_id(plans.CHARGE_REFUND_PREFIX, found.member_id)
        async with service.in_turn((found.member_id,)), db.transaction() as tx:
            cards = await service.lock_chain(tx, (found.member_id,))
            document = await _of_store(charge_id, store.id)
            given = document.progress["refunded_fen"]
            if body.amount_fen > document.body["amount_fen"] - given:
                raise GiftRefundExceedsCharge(f"{document.body['amount_fen'] - given} fen are left to refund")
            lots = rules.return_to_lots(body.amount_fen, taken, before=given)
            plan = plans.charge_refund(
                document,
                refund_id,
                ChargeRefund(charge_id, body.amount_fen),
                transfer=transfer or 0,
                lots=lots,
                reason=body.reason,
                at=now,
                on=clock.local_date(now, store.timezone),
            )
            posted = await ledger.post_in(tx, plans.keyed(plan, idem, scope))
            if not posted.replayed:
                card = cards[found.member_id]
                await service.forward(tx, card, cards, lots, about=refund_id, at=now, on=plan.on)
        return Answer(await _refund_out(found.member_id, posted), replayed=posted.replayed)

    return await first_answer(idem, scope, work, _refund_out)


async def _refund_out(card_id: int, posted: Posted) -> ChargeRefundOut:
    document = await ledger_queries.find_document(card_id, posted.document_id or "")
    if document is None or document.kind != plans.CHARGE_REFUND:
        raise ValidationFailed("this key was used for another kind of request")
    body = document.body
    return ChargeRefundOut(document.id, body["charge_id"], body["amount_fen"], posted.balances[GIFT_CARD], document.at)


async def _of_store(charge_id: str, store_id: str) -> Document:
    card_id = ids.member_of(charge_id, plans.CHARGE_PREFIX)
    document = await ledger_queries.find_document(card_id, charge_id) if card_id else None
    if document is None or document.kind != plans.CHARGE or document.store_id != store_id:
        raise NotFound("there is no such charge in this store")
    return document
