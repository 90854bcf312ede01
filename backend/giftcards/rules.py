"""What may be done with a card, pure: each rule raises the refusal that says why not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from backend.kernel.errors import invalid

from .errors import (
    GiftCardActivated,
    GiftCardAmount,
    GiftCardClosed,
    GiftCardExpired,
    GiftCardFrozen,
    GiftCardLimit,
    GiftCardNamed,
    GiftCardNotActive,
    GiftCardNotBindable,
    GiftCardOwned,
    GiftCardProductEnded,
    GiftCardUnbound,
)
from .records import Product, ProductState
from .types import CardState, GiftCard, Holder

MIN_VALIDITY_MONTHS = 36
"""Source: PRC single-purpose prepaid card rules (2012), article 19: three years at least, and none for named cards."""

TRIES = 5
"""Wrong PINs in a row until a number is locked; as many again lock it for twice as long."""

LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(days=1)


def check_product(holder: Holder, min_fen: int, max_fen: int, validity_months: int | None, *, most_fen: int) -> None:
    """Refuse a product that may not be sold; ``most_fen`` is the most a card of such a holder may be loaded with."""
    if min_fen > max_fen:
        raise invalid("/max_fen", "is less than min_fen")
    if max_fen > most_fen:
        raise invalid("/max_fen", f"a {holder} card holds at most {most_fen} fen")
    if holder is Holder.NAMED and validity_months is not None:
        raise invalid("/validity_months", "a named card has no last day")
    if validity_months is not None and validity_months < MIN_VALIDITY_MONTHS:
        raise invalid("/validity_months", f"must be at least {MIN_VALIDITY_MONTHS}")


def check_activation(card: GiftCard, product: Product, amount_fen: int | None, *, most_fen: int) -> int:
    """How much the card is loaded with; refuses one that is not to be sold, or not with that amount.

    Whoever bought it before its activation was undone may have read its PIN: such a card is not sold again.
    """
    if card.state is CardState.CLOSED or card.activations:
        raise GiftCardClosed
    if card.state is not CardState.MADE:
        raise GiftCardActivated
    if product.state is not ProductState.ACTIVE:
        raise GiftCardProductEnded
    if amount_fen is None and product.min_fen != product.max_fen:
        raise GiftCardAmount("this product has no fixed face: say amount_fen")
    amount = product.max_fen if amount_fen is None else amount_fen
    if not product.min_fen <= amount <= min(product.max_fen, most_fen):
        raise GiftCardAmount(f"cards of this product are sold with {product.min_fen} to {product.max_fen} fen")
    return amount


def check_payable(card: GiftCard, on: date) -> None:
    """Refuse a card that pays nothing on that day, whatever is on it."""
    if card.state is CardState.MADE:
        raise GiftCardNotActive
    if card.state is CardState.FROZEN:
        raise GiftCardFrozen
    if card.state is CardState.CLOSED:
        raise GiftCardClosed
    if card.holder is Holder.NAMED and card.member_id is None:
        raise GiftCardUnbound
    if card.valid_until is not None and card.valid_until < on:
        raise GiftCardExpired(extra={"valid_until": card.valid_until.isoformat()})


def check_payer(card: GiftCard, member_id: int | None) -> None:
    """Refuse a card that was bound to whoever is not its member; None is a passer-by.

    Its number and PIN prove nothing any more: who gave it away, or printed it, may know them.
    """
    if card.member_id is not None and card.member_id != member_id:
        raise GiftCardNamed


def check_bindable(card: GiftCard, on: date, *, held: int, most: int) -> None:
    """Refuse a card that cannot become this member's, who holds ``held`` of at most ``most``."""
    if card.member_id is not None:
        raise GiftCardOwned
    if card.holder is Holder.BEARER:
        raise GiftCardNotBindable
    if card.holder is Holder.BINDABLE or card.state is not CardState.ACTIVE:
        check_payable(card, on)
    if held >= most:
        raise GiftCardLimit(f"a member has at most {most} gift cards")


def return_to_lots(amount: int, taken: Sequence[tuple[int, int]], *, before: int) -> tuple[tuple[int, int], ...]:
    """Which lots get ``amount`` back, after ``before`` came back earlier: the last spent first, none more than it gave.

    Args:
        taken: ``(lot id, what the payment took)`` in spending order.
    """
    back = []
    for lot_id, took in reversed(taken):
        skipped = min(before, took)
        part = min(amount, took - skipped)
        before, amount = before - skipped, amount - part
        if part:
            back.append((lot_id, part))
    if amount:
        raise ValueError("the lots did not give that much")
    return tuple(sorted(back))
