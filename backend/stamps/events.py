"""What happens to campaign cards, for the layers above."""

from __future__ import annotations

from backend.kernel.events import Event


class RewardEarned(Event, frozen=True, kw_only=True):
    """A full card became its reward: these coupons."""

    campaign_id: str
    coupon_ids: tuple[str, ...]
