"""What may be sent to a customer, and until when.

A message of the customer lets five be sent within 48 hours, entering the chat two within a minute; an action sets the
number and the time to the larger of what is left and what it allows.
Source: developers.weixin.qq.com, 发送客服消息, 下发条件.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .platform import Platform
from .state import Connection
from .wire import WeixinError

ALLOWED = {"message": (5, timedelta(hours=48)), "enter": (2, timedelta(minutes=1))}

_OPEN = """
INSERT INTO customer_window (openid, room, until) VALUES ($1, $2, $3)
ON CONFLICT (openid) DO UPDATE SET until = greatest(customer_window.until, $3),
    room = greatest(CASE WHEN customer_window.until > $4 THEN customer_window.room ELSE 0 END, $2)
"""
_TAKE = "UPDATE customer_window SET room = room - 1 WHERE openid = $1 AND until > $2 AND room > 0 RETURNING room"
KEEP = "INSERT INTO customer_message (openid, who, body, at) VALUES ($1, $2, $3, $4) RETURNING seq"


class Windows:
    """What may be sent to whom, and until when."""

    def __init__(self, platform: Platform) -> None:
        self._config, self._store = platform.config, platform.store

    async def opened(self, fields: dict[str, Any]) -> None:
        """A message of the customer, or an entry, renews what may be sent; other events do not."""
        kind, event = fields.get("MsgType"), fields.get("Event")
        if kind == "event" and event != "user_enter_tempsession":
            return
        room, lasts = ALLOWED["enter" if kind == "event" else "message"]
        now = self._config.now()
        await self._store.fetch(_OPEN, str(fields["FromUserName"]), room, now + lasts, now)

    async def take(self, openid: str, body: dict[str, Any]) -> None:
        """Count one message to the customer and show it; 45015 where no time is left, 45047 where no number is."""
        now = self._config.now()
        async with self._store.transaction() as tx:
            if await tx.fetchrow(_TAKE, openid, now) is None:
                errcode = await _why(tx, openid, now)
            else:
                errcode = 0
                await tx.fetch(KEEP, openid, "service", _sent(body), now)
        if errcode:
            await self._store.fetch(
                "INSERT INTO send_refusal (openid, errcode, at) VALUES ($1, $2, $3)", openid, errcode, now
            )
            raise WeixinError(errcode, _WORDS[errcode])


_WORDS = {
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
}


async def _why(tx: Connection, openid: str, now: datetime) -> int:
    until = await tx.fetchval("SELECT until FROM customer_window WHERE openid = $1", openid)
    return 45047 if until is not None and until > now else 45015


def _sent(body: dict[str, Any]) -> dict[str, str]:
    """What was sent, as the customer is shown it."""
    kind = body["msgtype"]
    content = body[kind]
    if kind == "text":
        return {"kind": "text", "text": content["content"]}
    if kind == "image":
        return {"kind": "picture", "media_id": str(content.get("media_id", ""))}
    if kind == "miniprogrampage":
        return {"kind": "card", "title": str(content.get("title", "")), "page": str(content.get("pagepath", ""))}
    return {"kind": "card", "title": str(content.get("title", "")), "page": ""}
