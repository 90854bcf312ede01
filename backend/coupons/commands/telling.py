"""What members hear of coupons: an open phone at once, and a letter before one expires."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import clock, live
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind

from .. import queries
from ..events import CouponExpiring
from ..plans import Wish
from ..service import Issued, Outcome
from ..types import CouponState

EXPIRING = Builtin(
    "coupon.expiring",
    Purpose.SERVICE,
    "优惠券即将到期",
    "您的“{title}”{day} 到期，请尽快使用。",
    variables=(Variable("title", label="券名"), Variable("day", VariableKind.DATE, "到期日")),
)
messages.declare(EXPIRING)


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


async def warn(tx: Tx, event: CouponExpiring) -> None:
    """Write to a member that a coupon will expire; one that was used or given away meanwhile is passed over."""
    on = clock.local_date(clock.now(), settings().timezone)
    found = await queries.find_coupon(event.member_id, event.coupon_id, on)
    if found is None or found.state is not CouponState.AVAILABLE:
        return
    values = {"title": found.version.title, "day": event.expires_on.isoformat()}
    letter = Letter(event.member_id, EXPIRING.code, values, event.coupon_id, f"#/coupon?{event.coupon_id}")
    await messages.send(tx, [letter])
