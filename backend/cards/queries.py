"""The list of a member's cards, and what a till is shown at a scan (public)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

import msgspec

from backend.auth import queries as auth
from backend.coupons import queries as coupons
from backend.giftcards import queries as giftcards
from backend.giftcards.types import CardState as GiftState
from backend.giftcards.types import GiftCard
from backend.kernel import db
from backend.kernel.batching import Batcher
from backend.ledger import queries as ledger
from backend.ledger.plans import COUPON, SERVICE, STAMPS
from backend.ledger.types import Holding
from backend.members.types import DiscountCard
from backend.passes import queries as passes
from backend.passes.types import Held, PassKind
from backend.stamps import queries as stamps
from backend.wallet import queries as wallet
from backend.wallet.types import ExpiringPoints

from . import rules
from .types import (
    CampaignCardHeld,
    Card,
    CardKind,
    Carried,
    DiscountCardHeld,
    Entitlements,
    GiftCardHeld,
    ServiceCardHeld,
)

MOST_SHOWN = 20
"""Of each kind at a scan."""

_ORDER = list(CardKind)


async def list_cards(member_id: int, on: date) -> list[Card]:
    """All that a member carries on that local day of the chain, kind by kind in their order."""
    purse, gifts, held, campaigns, (usable, first), manager = await asyncio.gather(
        wallet.get_wallet(member_id, on),
        giftcards.list_of_member(member_id),
        passes.list_of_member(member_id, on),
        stamps.list_of_member(member_id, on),
        coupons.count_available(member_id, on),
        auth.is_manager(member_id),
    )
    cards = [
        rules.stored_card(purse),
        rules.points_card(purse, on),
        *(rules.gift_card(card, on) for card in gifts),
        *(rules.pass_card(item, on) for item in held),
        *(rules.campaign_card(card, on) for card in campaigns),
        rules.coupon_card(usable, first, on),
        *([rules.manager_card()] if manager else []),
    ]
    return sorted(cards, key=lambda card: _ORDER.index(card.kind))


# What a scan shows lies in several domains. Asked for one by one, each would wake the database and this process once
# more, which costs more than its answer; and most members hold little of it.
CARRIED = f"""
SELECT wanted.member_id,
       (SELECT jsonb_agg(jsonb_build_object('on', expires_on, 'points', points) ORDER BY expires_on)
          FROM ({wallet.EXPIRING_OF}) AS e) AS expiring,
       (SELECT jsonb_agg(g ORDER BY bound_at DESC, id)
          FROM ({giftcards.CARDS_OF} LIMIT {MOST_SHOWN}) AS g) AS gift_cards,
       (SELECT jsonb_agg(h ORDER BY h.expires_on, h.lot_id)
          FROM unnest('{{{COUPON},{SERVICE},{STAMPS}}}'::text[]) AS kinds (kind)
         CROSS JOIN LATERAL (SELECT wanted.member_id, kinds.kind) AS wanted
         CROSS JOIN LATERAL ({ledger.HOLDINGS_OF} LIMIT {ledger.MOST_REFS}) AS h) AS holdings
  FROM unnest({db.given(1, "bigint")}) AS wanted (member_id)
"""  # noqa: S608 - put together of constants

_expiring = msgspec.json.Decoder(list[ExpiringPoints])
_gifts = msgspec.json.Decoder(list[GiftCard])
_holdings = msgspec.json.Decoder(list[Holding])


def _carried_of(row: db.Record) -> Carried:
    holdings: dict[str, list[Holding]] = {}
    for holding in _holdings.decode(row["holdings"] or "[]"):
        holdings.setdefault(holding.kind, []).append(holding)
    return Carried(_expiring.decode(row["expiring"] or "[]"), _gifts.decode(row["gift_cards"] or "[]"), holdings)


async def _find_carried(wanted: list[tuple[int, date]]) -> list[Carried | BaseException]:
    found: dict[tuple[int, date], Carried] = {}
    for on in {on for _, on in wanted}:
        for row in await db.fetch(CARRIED, [member_id for member_id, day in wanted if day == on], on):
            found[row["member_id"], on] = _carried_of(row)
    return [found[item] for item in wanted]


_carried_batcher: Batcher[tuple[int, date], Carried] = Batcher(_find_carried, max_size=64, lanes=2)


async def get_carried(member_id: int, on: date) -> Carried:
    """What a scan shows besides balances, on that local day; nothing for who is no member.

    One exchange with the database, which concurrent calls share.
    """
    return await _carried_batcher.submit((member_id, on))


async def entitlements(
    member_id: int, carried: Carried, on: date, *, store_id: str, discount_card: DiscountCard | None
) -> Entitlements:
    """What the member may use at a till of that store on that local day; ``discount_card`` is the one that counts.

    No exchange with the database for who holds no stamps and no passes: managers are kept in mind.
    """
    campaigns = await stamps.list_of_member(member_id, on, carried.holdings.get(STAMPS, ()))
    own = await passes.list_of_member(member_id, on, carried.holdings.get(SERVICE, ()))
    return Entitlements(
        gift_cards=_gift_cards(carried.gift_cards, on),
        service_cards=_service_cards(own, store_id),
        discount_card=_discount_card(own, discount_card, on),
        campaign_cards=[CampaignCardHeld(card.id, card.title, card.have, card.goal) for card in campaigns[:MOST_SHOWN]],
        manager=await auth.is_manager(member_id),
    )


def _gift_cards(gifts: Sequence[GiftCard], on: date) -> list[GiftCardHeld]:
    """Those that can pay now."""
    return [
        GiftCardHeld(str(card.id), card.number_masked, card.balance_fen, card.valid_until)
        for card in gifts
        if card.state is GiftState.ACTIVE
        and card.balance_fen > 0
        and (card.valid_until is None or card.valid_until >= on)
    ]


def _service_cards(own: Sequence[Held], store_id: str) -> list[ServiceCardHeld]:
    """Those that are good in this store."""
    return [
        ServiceCardHeld(
            item.id,
            item.title,
            item.uses_left if item.terms.kind is PassKind.COUNTED else None,
            item.expires_on,
            list(item.terms.services),
        )
        for item in own
        if item.terms.kind is not PassKind.DISCOUNT and (not item.terms.stores or store_id in item.terms.stores)
    ][:MOST_SHOWN]


def _discount_card(own: Sequence[Held], counts: DiscountCard | None, on: date) -> DiscountCardHeld | None:
    """The card that a member's prices are made with, if there is one."""
    if counts is None or on > counts.until:
        return None
    title = next((item.title for item in own if item.id == counts.id), "")
    return DiscountCardHeld(title, counts.discount_bp, counts.until)
