"""Refusals of gift cards."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class GiftCardInvalid(DomainError):
    """This is no gift card of ours, or not its PIN; compare both with the card."""

    code = "gift_card_invalid"
    kind = Kind.INVALID


class GiftCardLocked(DomainError):
    """This card number was tried too often; wait and try again."""

    code = "gift_card_locked"
    kind = Kind.LIMITED


class GiftCardTokenInvalid(DomainError):
    """This card token is none of this terminal or member; check the card again."""

    code = "gift_card_token_invalid"
    kind = Kind.INVALID


class GiftCardTokenExpired(DomainError):
    """This card token is too old; check the card again."""

    code = "gift_card_token_expired"
    kind = Kind.INVALID


class GiftCardNotHeld(DomainError):
    """This member has no such gift card."""

    code = "gift_card_not_held"
    kind = Kind.NOT_FOUND


class GiftCardNotActive(DomainError):
    """This gift card was not activated yet, and is worth nothing."""

    code = "gift_card_not_active"
    kind = Kind.CONFLICT


class GiftCardFrozen(DomainError):
    """This gift card is frozen; head office can thaw it."""

    code = "gift_card_frozen"
    kind = Kind.CONFLICT


class GiftCardClosed(DomainError):
    """This gift card was closed; another one may have taken its place."""

    code = "gift_card_closed"
    kind = Kind.CONFLICT


class GiftCardExpired(DomainError):
    """This gift card's last day is over; head office can extend it, what is on it is not lost."""

    code = "gift_card_expired"
    kind = Kind.CONFLICT


class GiftCardUnbound(DomainError):
    """This gift card is to be bound to a member before it pays."""

    code = "gift_card_unbound"
    kind = Kind.CONFLICT


class GiftCardNamed(DomainError):
    """This gift card is a member's own, and pays only in a sale of that member, by their code."""

    code = "gift_card_named"
    kind = Kind.CONFLICT


class GiftCardActivated(DomainError):
    """This gift card was activated already."""

    code = "gift_card_activated"
    kind = Kind.CONFLICT


class GiftCardProductEnded(DomainError):
    """Cards of this product are sold no more."""

    code = "gift_card_product_ended"
    kind = Kind.CONFLICT


class GiftCardAmount(DomainError):
    """This product is not sold with that amount."""

    code = "gift_card_amount"
    kind = Kind.INVALID


class GiftCardSpent(DomainError):
    """Something was paid with this card; its activation cannot be undone any more."""

    code = "gift_card_spent"
    kind = Kind.CONFLICT


class GiftCardUndone(DomainError):
    """This activation was undone already."""

    code = "gift_card_undone"
    kind = Kind.CONFLICT


class GiftCardOwned(DomainError):
    """This gift card belongs to a member already."""

    code = "gift_card_bound"
    kind = Kind.CONFLICT


class GiftCardNotBindable(DomainError):
    """This gift card is for whoever holds it and cannot be bound."""

    code = "gift_card_not_bindable"
    kind = Kind.CONFLICT


class GiftCardLimit(DomainError):
    """This member has as many gift cards as one may have."""

    code = "gift_card_limit"
    kind = Kind.CONFLICT


class GiftRefundExceedsCharge(DomainError):
    """More would be given back than the card paid."""

    code = "refund_exceeds_paid"
    kind = Kind.CONFLICT


class GiftCardConflict(DomainError):
    """The card is in a state in which that cannot be done."""

    code = "gift_card_conflict"
    kind = Kind.CONFLICT


class GiftBatchConflict(DomainError):
    """The cards are not made yet, were exported before, or are void."""

    code = "gift_batch_conflict"
    kind = Kind.CONFLICT


OF_A_TENDER = (
    GiftCardTokenInvalid,
    GiftCardTokenExpired,
    GiftCardNotHeld,
    GiftCardNotActive,
    GiftCardFrozen,
    GiftCardClosed,
    GiftCardExpired,
    GiftCardUnbound,
    GiftCardNamed,
)
"""Why a card that a sale or an order names pays nothing of it."""
