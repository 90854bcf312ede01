"""What a member holds: value, coupons, cards."""

from __future__ import annotations

from backend.cards import queries as card_queries
from backend.cards.types import CardKind
from backend.coupons import queries as coupon_queries
from backend.wallet import queries as wallets
from backend.wallet import rules as wallet_rules
from backend.wallet.types import Wallet

from ..schemas import CardsGlance, CouponGlance, CouponsGlance, MovementGlance, MovementsGlance
from ..types import Ask

COUPONS = 6
CARDS = 12
MOVEMENTS = 8

_SHOWN = frozenset({CardKind.GIFT, CardKind.DISCOUNT, CardKind.CAMPAIGN, CardKind.SERVICE, CardKind.MANAGER})
"""Kinds of cards that no other section shows."""


async def wallet(ask: Ask) -> Wallet:
    """Stored value, points, rebate."""
    return await wallets.get_wallet(ask.member.id, ask.on)


async def coupons(ask: Ask) -> CouponsGlance:
    """How many coupons there are to use, and the newest of them."""
    count, first = await coupon_queries.count_available(ask.member.id, ask.on)
    found = (
        await coupon_queries.list_coupons(ask.member.id, "available", ask.on, before=None, limit=COUPONS)
        if count
        else []
    )
    titles = await coupon_queries.list_titles({one.coupon.template_id for one in found})
    return CouponsGlance(
        count,
        first,
        [CouponGlance(one.coupon.id, titles.get(one.coupon.template_id, ""), one.coupon.expires_on) for one in found],
    )


async def cards(ask: Ask) -> CardsGlance:
    """Gift cards, service, discount and campaign cards."""
    found = await card_queries.list_cards(ask.member.id, ask.on)
    return CardsGlance([card for card in found if card.kind in _SHOWN][:CARDS])


async def movements(ask: Ask) -> MovementsGlance:
    """What came to stored value and left it."""
    found = await wallets.list_entries(ask.member.id, "stored", before=None, limit=MOVEMENTS)
    return MovementsGlance(
        [
            MovementGlance(
                one.at, one.kind, wallet_rules.title("stored", one.kind, one.amount), one.amount, one.balance_after
            )
            for one in found
        ]
    )
