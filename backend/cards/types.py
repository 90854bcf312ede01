"""Cards as a phone draws them, and entitlements as a till is shown them."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

import msgspec

from backend.giftcards.types import GiftCard
from backend.ledger.types import Holding
from backend.wallet.types import ExpiringPoints


class CardKind(StrEnum):
    """The eight kinds, in the order in which they are shown."""

    STORED = "stored"
    POINTS = "points"
    GIFT = "gift"
    DISCOUNT = "discount"
    CAMPAIGN = "campaign"
    SERVICE = "service"
    COUPON = "coupon"
    MANAGER = "manager"


class CardState(StrEnum):
    """How a card stands. ``expiring``: within a week. ``waiting``: full, and its reward is not there yet."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    FROZEN = "frozen"
    USED_UP = "used_up"
    WAITING = "waiting"


class Balance(msgspec.Struct, frozen=True):
    """What is on a card."""

    unit: Literal["fen", "points", "uses", "stamps", "pieces"]
    amount: int


class Progress(msgspec.Struct, frozen=True):
    """How far a campaign card is."""

    have: int
    goal: int


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the list. ``expires_on`` is a last day; ``detail_path`` is the call that says more of it."""

    kind: CardKind
    id: str | None
    title: str
    subtitle: str
    state: CardState
    balance: Balance | None
    progress: Progress | None
    expires_on: date | None
    detail_path: str | None


class Carried(msgspec.Struct, frozen=True):
    """What one read finds for a scan: points by last day, own gift cards, and what is held on the books, by kind."""

    expiring: list[ExpiringPoints]
    gift_cards: list[GiftCard]
    holdings: dict[str, list[Holding]]


class GiftCardHeld(msgspec.Struct, frozen=True):
    """A gift card that the member's code pays with: ``id`` is the tender's reference."""

    id: str
    number_masked: str
    balance_fen: int
    valid_until: date | None


class ServiceCardHeld(msgspec.Struct, frozen=True):
    """A service card that can be used here; ``uses_left`` is None for one that goes by time."""

    id: str
    title: str
    uses_left: int | None
    valid_until: date | None
    services: list[str]


class DiscountCardHeld(msgspec.Struct, frozen=True):
    """The discount card that counts."""

    title: str
    discount_bp: int
    valid_until: date | None


class CampaignCardHeld(msgspec.Struct, frozen=True):
    """A campaign card with something on it."""

    id: str
    title: str
    have: int
    goal: int


class Entitlements(msgspec.Struct, frozen=True, kw_only=True):
    """What a member may use at this till besides wallet and coupons; each list holds at most twenty."""

    gift_cards: list[GiftCardHeld]
    service_cards: list[ServiceCardHeld]
    discount_card: DiscountCardHeld | None
    campaign_cards: list[CampaignCardHeld]
    manager: bool
