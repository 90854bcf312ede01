"""Gifts and what members redeemed."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class GiftKind(StrEnum):
    """What is given: an article of the mall's catalogue, a coupon, or stored value."""

    GOODS = "goods"
    COUPON = "coupon"
    STORED = "stored"


class GiftState(StrEnum):
    """Whether members see it. What was published is withdrawn, never deleted."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Way(StrEnum):
    """How it comes to the member: fetched at a store, sent, or at once."""

    PICKUP = "pickup"
    DELIVERY = "delivery"
    AT_ONCE = "at_once"


class RedemptionState(StrEnum):
    """How far a redemption is."""

    WAITING = "waiting"
    """The piece waits at its store."""
    TO_SEND = "to_send"
    SENT = "sent"
    HANDED_OVER = "handed_over"
    GIVEN = "given"
    """Coupons and stored value."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RETURNED = "returned"


OPEN = frozenset({RedemptionState.WAITING, RedemptionState.TO_SEND})
"""Nothing has left yet: it can be cancelled."""

OUT = frozenset({RedemptionState.SENT, RedemptionState.HANDED_OVER, RedemptionState.GIVEN})
"""The member has it: staff may take it back."""


class ReturnReason(StrEnum):
    """Why something comes back after it was handed over."""

    DAMAGED = "damaged"
    WRONG_GOODS = "wrong_goods"
    NOT_RECEIVED = "not_received"
    GOODWILL = "goodwill"
    OTHER = "other"


class Gift(msgspec.Struct, frozen=True, kw_only=True):
    """A gift as it stands; ``taken`` are the pieces that are out or promised, ``version`` counts its changes.

    Of goods: ``sku``, ``stores`` where it is fetched (none named: every store) where ``pickup``, and ``ship_from``, the
    place that sends it, or None. Of coupons ``template_id``; of stored value ``stored_fen``, good for ``stored_days``.
    ``levels`` empty: everybody. A limit of None is none.
    """

    id: str
    kind: GiftKind
    state: GiftState
    title: str
    note: str
    picture: str | None
    points: int
    pay_fen: int
    sku: str | None
    template_id: str | None
    stored_fen: int | None
    stored_days: int | None
    pickup: bool
    stores: tuple[str, ...]
    ship_from: str | None
    pickup_days: int
    per_member: int | None
    per_member_day: int | None
    total: int | None
    day_total: int | None
    levels: tuple[str, ...]
    starts_at: datetime | None
    ends_at: datetime | None
    sort: int
    taken: int
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def left(self) -> int | None:
        """How many may still be redeemed; None: as many as one likes."""
        return None if self.total is None else max(0, self.total - self.taken)


class Redemption(msgspec.Struct, frozen=True, kw_only=True):
    """Some pieces of a gift that a member redeemed at once, and what became of them.

    ``points`` and ``pay_fen`` are for all. ``store_id`` is where they are fetched, ``place_id`` where they lie or lay;
    ``result`` is the first coupon's id. Until ``due_on`` they wait. ``terminal_id`` and ``key`` say which till handed
    them over by which request, else ``staff_id`` who did. ``cost_fen`` is what they cost, known once they left.
    """

    member_id: int
    id: str
    gift_id: str
    kind: GiftKind
    way: Way
    state: RedemptionState
    title: str
    quantity: int
    points: int
    pay_fen: int
    sku: str | None
    store_id: str | None
    place_id: str | None
    result: str | None
    due_on: date | None
    at: datetime
    out_at: datetime | None
    ended_at: datetime | None
    terminal_id: str | None
    key: str | None
    staff_id: int | None
    carrier: str | None
    tracking_no: str | None
    reason: str | None
    note: str
    cost_fen: int

    @property
    def named(self) -> str:
        """What letters say: the gift's title, and how many where it is more than one."""
        return self.title if self.quantity == 1 else f"{self.title} ×{self.quantity}"
