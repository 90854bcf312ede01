"""Refusals of member cards."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class CardInvalid(DomainError):
    """This is no member card of ours that is in anybody's hands."""

    code = "card_invalid"
    kind = Kind.INVALID


class CardLost(DomainError):
    """This card was reported lost."""

    code = "card_lost"
    kind = Kind.CONFLICT


class CardExpired(DomainError):
    """This card is no longer valid; the member needs another one."""

    code = "card_expired"
    kind = Kind.CONFLICT


class CardEnded(DomainError):
    """This card is of no use any more: another took its place, or it was taken out of use."""

    code = "card_ended"
    kind = Kind.CONFLICT


class CardTaken(DomainError):
    """This card belongs to a member already."""

    code = "card_taken"
    kind = Kind.CONFLICT


class CardHeld(DomainError):
    """The member has a card already; replace it instead."""

    code = "card_held"
    kind = Kind.CONFLICT


class CardElsewhere(DomainError):
    """This card was not given to you to hand out."""

    code = "card_elsewhere"
    kind = Kind.CONFLICT


class CardConflict(DomainError):
    """The card does not stand so that this can be done; look at it again."""

    code = "card_conflict"
    kind = Kind.CONFLICT


class CardTypeClosed(DomainError):
    """Cards of this type are not handed out any more."""

    code = "card_type_closed"
    kind = Kind.CONFLICT


class CardTypeExists(DomainError):
    """There is a type with this code, or numbers of another type look the same."""

    code = "card_type_exists"
    kind = Kind.CONFLICT


class CardTypeConflict(DomainError):
    """The type, batch or issuer was changed meanwhile, or does not allow this; look at it again."""

    code = "card_stock_conflict"
    kind = Kind.CONFLICT


class CardNumbersScarce(DomainError):
    """So many numbers of this type would be too easy to guess; use a type with longer numbers."""

    code = "card_numbers_scarce"
    kind = Kind.CONFLICT


class CardQuota(DomainError):
    """This is more than the quota allows."""

    code = "card_quota"
    kind = Kind.CONFLICT


class CardIssuerClosed(DomainError):
    """This agent hands out no cards any more."""

    code = "card_issuer_closed"
    kind = Kind.CONFLICT


class CardsNotThere(DomainError):
    """Not all of these cards stand so that they can be moved."""

    code = "cards_not_there"
    kind = Kind.CONFLICT


class CardDuesChanged(DomainError):
    """Something else is to be paid for this card than was said; look at it again."""

    code = "card_dues_changed"
    kind = Kind.CONFLICT


class CardVirtualOff(DomainError):
    """The chain gives out no card numbers without a card."""

    code = "card_virtual_off"
    kind = Kind.CONFLICT
