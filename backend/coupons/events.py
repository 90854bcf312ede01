"""What happens to coupons, for the layers above and for this domain's own display."""

from __future__ import annotations

from datetime import date, datetime

from backend.kernel.events import Event

from .types import CouponState


class CouponEnded(Event, frozen=True, kw_only=True):
    """A coupon has nothing left: it was used up, expired, given away or made void; ``by`` is the sale, if there is one.

    A hint: whether it has, the ledger says. It may come again to life by a refund.
    """

    coupon_id: str
    state: CouponState
    at: datetime
    by: str = ""


class CouponReturned(Event, frozen=True, kw_only=True):
    """A coupon that was used is there again."""

    coupon_id: str


class CouponExpiring(Event, frozen=True, kw_only=True):
    """A coupon will expire in a few days; said once."""

    coupon_id: str
    expires_on: date
