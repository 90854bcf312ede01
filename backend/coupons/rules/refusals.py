"""Verdicts as refusals of a sale."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import REFUSALS, CouponRefused
from ..types import Verdict
from .texts import for_cashier


def refused(verdict: Verdict, say: Callable[[Verdict], str] = for_cashier) -> CouponRefused:
    """The refusal of a sale that names a coupon which cannot be used: it names the coupon, and the reason's numbers.

    ``say`` words it for whoever reads it.
    """
    assert verdict.reason is not None
    return REFUSALS[verdict.reason](say(verdict), extra={"coupon_id": verdict.coupon_id} | numbers(verdict))


def numbers(verdict: Verdict) -> dict[str, object]:
    """What a reason comes with, as far as there is any: ``missing_fen``, ``day``, ``other``, ``most``."""
    extra: dict[str, object] = {}
    if verdict.missing_fen:
        extra["missing_fen"] = verdict.missing_fen
    if verdict.day is not None:
        extra["day"] = verdict.day.isoformat()
    if verdict.other:
        extra["other"] = verdict.other
    if verdict.most:
        extra["most"] = verdict.most
    return extra
