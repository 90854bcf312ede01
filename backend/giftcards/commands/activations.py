"""A card is sold at a till: loaded in the order that sells it, or taken back while nothing of it was spent."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.types import TerminalCaller
from backend.kernel import clock, db, events, ids
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.types import Document, Posted

from .. import locks, plans, queries, rules
from ..errors import GiftCardOwned, GiftCardSpent, GiftCardUndone
from ..events import GiftCardSold
from ..records import Activation, Product
from ..schemas import ActivateIn, ActivationOut, UndoneOut
from ..types import CardState, GiftCard, Holder
from . import tries
from .replay import first_answer, terminal_scope


async def activate(body: ActivateIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[ActivationOut]:
    """Load a card with what it is sold for, once per key; from then on it is worth that."""
    scope = terminal_scope(terminal.terminal_id)

    async def work() -> Answer[ActivationOut]:
        found = await tries.find_for_sale(body.card_no, terminal.terminal_id)
        product = await queries.get_product(found.product_id)
        store = await auth.get_store(terminal.store_id)
        now = clock.now()
        on = clock.local_date(now, store.timezone)
        async with db.transaction() as tx:
            card = await locks.lock_card(tx, found.id)
            posted = await _load(tx, card, product, body, terminal, idem, now=now, on=on)
        return Answer(await _shown(card.id, posted), replayed=posted.replayed)

    return await first_answer(idem, scope, work, _shown)


async def _load(
    tx: Tx,
    card: GiftCard,
    product: Product,
    body: ActivateIn,
    terminal: TerminalCaller,
    idem: Idempotency,
    *,
    now: datetime,
    on: date,
) -> Posted:
    amount = rules.check_activation(card, product, body.amount_fen, most_fen=most_on(product.holder))
    activation_id = ids.new_document_id(plans.ACTIVATION_PREFIX, card.id)
    months = product.validity_months
    valid_until = clock.end_of_month(on, months) if months else None
    sold = Activation(body.order_no, terminal.terminal_id, product.id, amount, valid_until, body.tender)
    await ledger.open_member(tx, card.id)
    plan = plans.activation(card, activation_id, sold, store_id=terminal.store_id, at=now, on=on)
    posted = await ledger.post_in(tx, plans.keyed(plan, idem, terminal_scope(terminal.terminal_id)))
    if not posted.replayed:
        await db.raw(tx).execute(
            "UPDATE giftcard SET state = 'active', activated_at = $2, activation_id = $3, valid_until = $4"
            " WHERE id = $1",
            card.id,
            now,
            activation_id,
            valid_until,
        )
        sold_at = GiftCardSold(member_id=card.id, activation_id=activation_id, store_id=terminal.store_id)
        await events.publish(tx, sold_at)
    return posted


def most_on(holder: Holder) -> int:
    """The most that a card of such a holder may be loaded with."""
    limits = settings()
    return limits.gift_card_named_max_fen if holder is Holder.NAMED else limits.gift_card_bearer_max_fen


async def _shown(card_id: int, posted: Posted) -> ActivationOut:
    """The activation as it was made, whatever was done with the card since."""
    document = await _document(card_id, posted.document_id, plans.ACTIVATION)
    sold = msgspec.convert(document.body, Activation)
    card = await queries.get_card(str(card_id))
    return ActivationOut(
        document.id, str(card_id), card.number_masked, sold.order_no, sold.amount_fen, sold.valid_until, document.at
    )


async def undo(activation_id: str, terminal: TerminalCaller, idem: Idempotency) -> Answer[UndoneOut]:
    """Take an activation back at the store that made it, while all of it is on the card; once per key.

    The card is closed: whoever bought it may have read its PIN.
    """
    scope = terminal_scope(terminal.terminal_id)

    async def again(card_id: int, posted: Posted) -> UndoneOut:
        return _undone(await _document(card_id, posted.document_id, plans.ACTIVATION))

    async def work() -> Answer[UndoneOut]:
        store = await auth.get_store(terminal.store_id)
        now = clock.now()
        document = await _of_store(activation_id, terminal.store_id)
        async with db.transaction() as tx:
            card = await locks.lock_card(tx, document.member_id)
            _check_undoable(card, document)
            lot_id = await _lot(document)
            plan = plans.undo(document, lot_id, at=now, on=clock.local_date(now, store.timezone))
            posted = await ledger.post_in(tx, plans.keyed(plan, idem, scope))
            if not posted.replayed:
                await db.raw(tx).execute(
                    "UPDATE giftcard SET state = 'closed', activated_at = NULL, activation_id = NULL,"
                    " valid_until = NULL, activations = activations + 1 WHERE id = $1",
                    card.id,
                )
                await ledger.set_member_status(tx, card.id, active=False)
                await events.publish(
                    tx,
                    GiftCardSold(member_id=card.id, activation_id=document.id, store_id=terminal.store_id, undone=True),
                )
        return Answer(_undone(document), replayed=posted.replayed)

    return await first_answer(idem, scope, work, again)


def _check_undoable(card: GiftCard, document: Document) -> None:
    if card.activation_id != document.id or document.state != "active":
        raise GiftCardUndone
    if card.member_id is not None:
        raise GiftCardOwned
    if card.state is not CardState.ACTIVE:
        rules.check_payable(card, date.min)
    if card.balance_fen != document.body["amount_fen"]:
        raise GiftCardSpent


async def _lot(document: Document) -> int:
    _, moves = await ledger_queries.find_moves(document.member_id, document.id, plans.ACTIVATION)
    return moves[0][0].lot_id


def _undone(document: Document) -> UndoneOut:
    return UndoneOut(document.id, str(document.member_id), document.body["amount_fen"])


async def _of_store(activation_id: str, store_id: str) -> Document:
    card_id = ids.member_of(activation_id, plans.ACTIVATION_PREFIX)
    document = await ledger_queries.find_document(card_id, activation_id) if card_id else None
    if document is None or document.kind != plans.ACTIVATION or document.store_id != store_id:
        raise NotFound("there is no such activation in this store")
    return document


async def _document(card_id: int, document_id: str | None, kind: str) -> Document:
    document = await ledger_queries.find_document(card_id, document_id or "")
    if document is None or document.kind != kind:
        raise ValidationFailed("this key was used for another kind of request")
    return document
