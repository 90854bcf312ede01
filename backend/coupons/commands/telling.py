"""What the phone is told of coupons while it listens; nothing depends on it arriving."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import clock, live
from backend.kernel.config import settings

from .. import queries
from ..events import CouponExpiring
from ..plans import Wish
from ..service import Issued, Outcome
from ..types import CouponState


def issued(member_id: int, coupon_id: str, template_id: str, title: str, source: str) -> None:
    """Tell a member of a coupon that they were just given; after the transaction that gave it.

    ``source`` is the coupon's, of which only the word is told: claim, code, auto, staff or gift.
    """
    told = {
        "coupon_id": coupon_id,
        "template_id": template_id,
        "title": title,
        "source": source.split(":", maxsplit=1)[0],
    }
    live.push(member_id, "coupon_issued", told)


async def issued_to(template_id: str, wishes: Sequence[Wish], outcomes: Sequence[Outcome]) -> None:
    """The same for everybody whose wish was granted now."""
    granted = [
        (wish, outcome)
        for wish, outcome in zip(wishes, outcomes, strict=True)
        if isinstance(outcome, Issued) and not outcome.replayed
    ]
    if granted:
        title = (await queries.list_titles([template_id])).get(template_id, "")
        for wish, outcome in granted:
            issued(wish.member_id, outcome.coupon_id, template_id, title, wish.source)


async def warn(event: CouponExpiring) -> None:
    """Tell a member that a coupon will expire; one that was used or given away meanwhile is passed over.

    As a ``message``, whose ``kind`` says of what: the phone shows its title and text.
    """
    on = clock.local_date(clock.now(), settings().timezone)
    found = await queries.find_coupon(event.member_id, event.coupon_id, on)
    if found is None or found.state is not CouponState.AVAILABLE:
        return
    day = f"{event.expires_on.month}月{event.expires_on.day}日"
    live.push(
        event.member_id,
        "message",
        {
            "kind": "coupon_expiring",
            "title": "优惠券即将到期",
            "text": f"您的“{found.version.title}”{day}到期，请尽快使用。",
            "coupon_id": event.coupon_id,
            "expires_on": event.expires_on.isoformat(),
        },
    )
