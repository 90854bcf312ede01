"""When a gift may be redeemed, and by which way: pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from backend.kernel.errors import invalid
from backend.kernel.money import MAX_AMOUNT

from .errors import GiftNotRedeemable, GiftPriceChanged, GiftSoldOut
from .types import Gift, GiftKind, GiftState, Way


def is_shown(gift: Gift, now: datetime) -> bool:
    """Whether members see the gift: published, and not over. One that has not begun is shown with its day."""
    return gift.state is GiftState.PUBLISHED and (gift.ends_at is None or now < gift.ends_at)


def check_redeemable(gift: Gift, *, level: str, now: datetime, quantity: int = 1) -> None:
    """Refuse a gift that is not offered now or not to this level, or of which not so many are left."""
    if not is_shown(gift, now):
        raise GiftNotRedeemable("this gift is not offered any more", extra={"reason": "over"})
    if gift.starts_at is not None and now < gift.starts_at:
        raise GiftNotRedeemable("this gift is not offered yet", extra={"reason": "not_yet"})
    if gift.levels and level not in gift.levels:
        raise GiftNotRedeemable("this gift is for other levels", extra={"reason": "level"})
    check_left(gift, quantity)


def check_left(gift: Gift, quantity: int) -> None:
    """Refuse more pieces than are left of the gift."""
    if gift.left is not None and gift.left < quantity:
        raise GiftSoldOut(extra={"left": gift.left})


class Price(NamedTuple):
    """What some pieces of a gift cost together."""

    points: int
    pay_fen: int


def price_of(gift: Gift, quantity: int) -> Price:
    """What so many pieces cost."""
    return Price(gift.points * quantity, gift.pay_fen * quantity)


def check_quantity(gift: Gift, quantity: int) -> None:
    """Refuse so many pieces that they cost, or give, more than can be booked at once."""
    if max(gift.pay_fen, gift.stored_fen or 0) * quantity > MAX_AMOUNT:
        raise invalid("/quantity", "so many at once are more than can be booked")


def check_price(price: Price, *, points: int | None, pay_fen: int | None) -> None:
    """Refuse a price that is not the one somebody was shown or confirmed, with the one that holds now."""
    if points not in (None, price.points) or pay_fen not in (None, price.pay_fen):
        raise GiftPriceChanged(extra=price._asdict())


def check_way(gift: Gift, way: Way | None, *, store_id: str | None, address_id: str | None) -> Way:
    """By which way a member gets it, or a refusal that names the field; without a wish the only one there is."""
    ways = ways_of(gift)
    chosen = way if way is not None else ways[0] if len(ways) == 1 else None
    if chosen is None:
        raise invalid("/way", "pickup or delivery?")
    if chosen not in ways:
        raise invalid("/way", "this gift does not come that way")
    if (store_id is not None) != (chosen is Way.PICKUP):
        raise invalid("/store_id", "at which store?" if store_id is None else "is for gifts that are fetched")
    if (address_id is not None) != (chosen is Way.DELIVERY):
        raise invalid("/address_id", "to which address?" if address_id is None else "is for gifts that are sent")
    if store_id is not None and gift.stores and store_id not in gift.stores:
        raise invalid("/store_id", "this gift is not fetched there")
    return chosen


def ways_of(gift: Gift) -> tuple[Way, ...]:
    """How the gift can come to a member."""
    if gift.kind is not GiftKind.GOODS:
        return (Way.AT_ONCE,)
    return (*((Way.PICKUP,) if gift.pickup else ()), *((Way.DELIVERY,) if gift.ship_from else ()))


def member_mark(gift_id: str) -> str:
    """The name under which the ledger counts how many of a gift a member has."""
    return f"gifts:{gift_id}"


def day_mark(gift_id: str, on: date) -> str:
    """The same of one day."""
    return f"gifts:{gift_id}:{on.isoformat()}"
