"""Writes that take an open transaction (public): a sale's plan and its cards' plans stand or fall together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, datetime

from backend.kernel import db
from backend.kernel.batching import Turns
from backend.kernel.db import Tx
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import InsufficientBalance, Stale
from backend.ledger.plans import GIFT_CARD, Plan
from backend.ledger.types import Posted

from . import locks, plans, rules
from .types import GiftCard, Payment, Return

TENDER = "gift_card"

_SUCCESSORS = """
WITH RECURSIVE chain (id, replaced_by) AS (
    SELECT id, replaced_by FROM giftcard WHERE id = ANY($1)
    UNION
    SELECT c.id, c.replaced_by FROM chain JOIN giftcard c ON c.id = chain.replaced_by
) SELECT id FROM chain"""


_turns = Turns()


@asynccontextmanager
async def in_turn(card_ids: Iterable[int]) -> AsyncIterator[None]:
    """Wait, without a connection of the database, until nobody else in this process is at these cards."""
    async with AsyncExitStack() as stack:
        for card_id in sorted(set(card_ids)):
            await stack.enter_async_context(_turns.turn(str(card_id)))
        yield


def too_little() -> InsufficientBalance:
    """The refusal of a card that has less on it than it is to pay."""
    return InsufficientBalance("the gift card's balance is too small", extra={"tender": TENDER})


async def pay(tx: Tx, plan: Plan, payments: Sequence[Payment], *, sale_id: str, store_id: str) -> Posted:
    """Post a sale's plan and with it what each card pays; returns what the sale's plan did.

    The cards' rows are locked first. Raises why a card pays nothing now, or ``InsufficientBalance``; the transaction is
    lost then.
    """
    cards = await locks.lock_cards(tx, (payment.card_id for payment in payments))
    posted = await ledger.post_in(tx, plan)
    if posted.replayed:
        return posted
    for payment in sorted(payments, key=lambda one: one.card_id):
        rules.check_payable(cards[payment.card_id], plan.on)
        rules.check_payer(cards[payment.card_id], plan.member_id)
        await _take(tx, plans.payment(payment, sale_id, store_id=store_id, at=plan.at, on=plan.on))
    return posted


async def _take(tx: Tx, plan: Plan) -> None:
    try:
        await ledger.post_in(tx, plan)
    except InsufficientBalance as refused:
        raise too_little() from refused


async def give_back(
    tx: Tx, plan: Plan, returns: Sequence[Return], *, sale_id: str, refund_id: str, store_id: str
) -> Posted:
    """Post a refund's plan and give each card its share, back to the lots that paid, however the card stands.

    What comes back to a card that another took the place of goes on to that one. ``Stale`` where one did just now.
    """
    cards = await lock_chain(tx, [one.card_id for one in returns])
    posted = await ledger.post_in(tx, plan)
    if posted.replayed:
        return posted
    for one in sorted(returns, key=lambda one: one.card_id):
        lots = await _return(tx, one, plan, sale_id=sale_id, refund_id=refund_id, store_id=store_id)
        await forward(tx, cards[one.card_id], cards, lots, about=refund_id, at=plan.at, on=plan.on)
    return posted


async def lock_chain(tx: Tx, card_ids: Sequence[int]) -> dict[int, GiftCard]:
    """These cards and those that took their places, locked; ``Stale`` where one was replaced just now."""
    chain = [row["id"] for row in await db.fetch_in(tx, _SUCCESSORS, list(card_ids))]
    cards = await locks.lock_cards(tx, chain)
    if any(card.replaced_by is not None and card.replaced_by not in cards for card in cards.values()):
        raise Stale
    return cards


async def _return(
    tx: Tx, one: Return, plan: Plan, *, sale_id: str, refund_id: str, store_id: str
) -> tuple[tuple[int, int], ...]:
    transfer, moves = await ledger_queries.find_moves(one.card_id, sale_id, plans.SALE)
    taken = [(lot.lot_id, -amount) for lot, amount in moves if lot.kind == GIFT_CARD and amount < 0]
    lots = rules.return_to_lots(one.amount_fen, taken, before=one.before_fen)
    back = plans.give_back(
        one.card_id, refund_id, lots, store_id=store_id, transfer=transfer or 0, at=plan.at, on=plan.on
    )
    await ledger.post_in(tx, back)
    return lots


async def forward(
    tx: Tx,
    card: GiftCard,
    cards: dict[int, GiftCard],
    lots: Sequence[tuple[int, int]],
    *,
    about: str,
    at: datetime,
    on: date,
) -> None:
    """Move what came to these lots of a card on to the card at the end of its replacements; all of them are locked."""
    last = card
    while last.replaced_by is not None:
        last = cards[last.replaced_by]
    if last.id != card.id:
        for plan in sorted(plans.move(card.id, last.id, lots, about, at=at, on=on), key=_by_member):
            await ledger.post_in(tx, plan)


def _by_member(plan: Plan) -> int:
    return plan.member_id
