"""Gift cards among a sale's tenders, and what a refund gives back to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from backend.giftcards.types import GiftCard, Payment, Return
from backend.kernel.errors import invalid

from ..errors import TendersMismatch
from ..types import Refund, SaleBody, SaleProgress, TenderType
from .pricing import MOST_GIFT_CARDS, TenderIn


def named(tenders: Sequence[TenderIn]) -> list[str]:
    """What the till names its gift cards by, in its order; refuses a gift card tender that names none, and too many."""
    found: list[str] = []
    for position, tender in enumerate(tenders):
        if tender.type is TenderType.GIFT_CARD:
            if tender.reference is None:
                raise invalid(f"/tenders/{position}/reference", "a gift card tender names its card or card token")
            found.append(tender.reference)
    if len(found) > MOST_GIFT_CARDS:
        raise TendersMismatch(f"a sale takes at most {MOST_GIFT_CARDS} gift cards")
    return found


def by_id(tenders: Sequence[TenderIn], cards: Sequence[GiftCard]) -> list[TenderIn]:
    """The tenders with their cards' ids for tokens, which are nobody's business later; refuses a card named twice."""
    if len({card.id for card in cards}) < len(cards):
        raise TendersMismatch("a gift card is named twice")
    left = iter(cards)
    return [
        msgspec.structs.replace(tender, reference=str(next(left).id)) if tender.type is TenderType.GIFT_CARD else tender
        for tender in tenders
    ]


def payments(sale: SaleBody) -> list[Payment]:
    """What each gift card pays of a sale."""
    return [
        Payment(int(tender.reference or 0), tender.amount_fen)
        for tender in sale.tenders
        if tender.type is TenderType.GIFT_CARD
    ]


def returned(sale: SaleBody, progress: SaleProgress, refund: Refund) -> list[Return]:
    """What a refund gives back to each gift card of a sale that stood like this before it."""
    back_fen = {one.reference: one.amount_fen for one in refund.by_tender if one.reference is not None}
    return returns(sale, progress, back_fen)


def returns(sale: SaleBody, progress: SaleProgress, back_fen: Mapping[str, int]) -> list[Return]:
    """What a refund gives back to each gift card of a sale, after what earlier ones gave; ``back_fen`` is by card."""
    return [
        Return(int(card_id), back_fen[card_id], before)
        for tender, before in zip(sale.tenders, progress.tender_fen, strict=True)
        if tender.type is TenderType.GIFT_CARD and (card_id := tender.reference or "") in back_fen
    ]
