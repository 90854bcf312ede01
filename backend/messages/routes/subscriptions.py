"""What the phone asks WeChat's user to accept, and what the user said."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import ValidationFailed
from backend.kernel.http import Idempotency, Router
from backend.ledger.errors import IdempotencyConflict

from .. import queries, views
from ..commands import subscriptions
from ..schemas import SubscriptionsIn, SubscriptionsOut

router = Router(tag="messages")

_SUBSCRIPTIONS = "/v1/member/messages/subscriptions"


@router.get(_SUBSCRIPTIONS, guard=member, summary="微信订阅消息")
async def list_subscriptions(caller: MemberCaller) -> SubscriptionsOut:
    """Which templates to name in ``wx.requestSubscribeMessage``, and how many messages of each are accepted."""
    return views.subscriptions(await queries.list_subscriptions(caller.member_id))


@router.post(
    _SUBSCRIPTIONS,
    guard=member,
    idempotent=True,
    summary="记录微信订阅结果",
    errors=(IdempotencyConflict, ValidationFailed),
)
async def answer(caller: MemberCaller, body: SubscriptionsIn, idem: Idempotency) -> SubscriptionsOut:
    """Record what ``wx.requestSubscribeMessage`` answered: one message for each template that was accepted."""
    return views.subscriptions(await subscriptions.answer(caller.member_id, body.results, idem.key))
