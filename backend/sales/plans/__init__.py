"""What a purchase puts into its plans: its document, and the legs of its payment and of its refunds. Pure."""

from .legs import (
    completed_events,
    coupon_gone,
    earned_legs,
    encode_body,
    encode_progress,
    payment_legs,
    raise_if_coupon_gone,
    refund_legs,
    sale_body,
    sale_progress,
    saw_debt,
)
from .limits import PASSWORD_FREE, day_guard, day_mark
from .refunds import PREFIX as REFUND_PREFIX
from .refunds import REFUND, Sold, refund

__all__ = [
    "PASSWORD_FREE",
    "REFUND",
    "REFUND_PREFIX",
    "Sold",
    "completed_events",
    "coupon_gone",
    "day_guard",
    "day_mark",
    "earned_legs",
    "encode_body",
    "encode_progress",
    "payment_legs",
    "raise_if_coupon_gone",
    "refund",
    "refund_legs",
    "sale_body",
    "sale_progress",
    "saw_debt",
]
