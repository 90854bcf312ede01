"""Reads of what members may be sent through WeChat."""

from __future__ import annotations

from backend.kernel import db

from ..types import Channel, Subscription
from .templates import list_templates


async def list_subscriptions(member_id: int) -> list[Subscription]:
    """Each template at WeChat that letters are sent with now, what it tells, and how many messages wait for one."""
    told: dict[str, list[str]] = {}
    for template in await list_templates():
        text = template.texts.get(Channel.WECHAT)
        if text is not None and text.template_id and Channel.WECHAT in template.channels:
            told.setdefault(text.template_id, []).append(template.title)
    rows = await db.fetch("SELECT template_id, available FROM message_subscription WHERE member_id = $1", member_id)
    available = {row["template_id"]: row["available"] for row in rows}
    return [Subscription(name, tuple(titles), available.get(name, 0)) for name, titles in sorted(told.items())]
