"""The customer's side of customer service: what members write and see in WeChat's own chat, and what it lets be sent.

Messages reach the merchant as signed pushes,
three times at most while nobody answers; answers come by ``message/custom/send``.
Source: developers.weixin.qq.com, 客服消息: 接收消息和事件, 发送客服消息, 转发客服消息, 获取客服消息内的临时素材.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated, Any

import asyncpg
import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .media import MOST_BYTES, Media
from .platform import Platform
from .push import ORIGINAL_ID, Format, Mode, Push
from .windows import KEEP
from .wire import PayError, decode, json_response, read_body

TRIES = 3
PAUSE_S = 5.0
LIST_LIMIT = 200

_LIST = """
SELECT seq, who, body, at FROM customer_message WHERE openid = $1 AND seq > $2 ORDER BY seq DESC LIMIT $3
"""


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the customer writes or sends: a text, or a card of one of the mini-program's pages."""

    text: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    card: dict[str, str] | None = None
    mode: Mode = "safe"
    format: Format = "xml"
    msg_id: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the chat is opened; ``session_from`` is what the mini-program's button says."""

    session_from: Annotated[str, Meta(max_length=128)] = "wxapp"
    mode: Mode = "safe"
    format: Format = "xml"


class Customers:
    """The chats of all customers with this mini-program."""

    def __init__(self, platform: Platform, push: Push, media: Media) -> None:
        self._platform, self._push, self._media = platform, push, media
        self._config, self._store = platform.config, platform.store

    def routes(self) -> list[Route]:
        """Paths of the simulator's own."""
        opened = self._platform.open
        return [
            Route("/customers/{openid}/messages", opened(self.write), methods=["POST"]),
            Route("/customers/{openid}/messages", opened(self.listed), methods=["GET"]),
            Route("/customers/{openid}/pictures", opened(self.show), methods=["POST"]),
            Route("/customers/{openid}/enter", opened(self.enter), methods=["POST"]),
        ]

    # -- the customer

    async def write(self, request: Request) -> Response:
        """The customer writes; answers what the merchant's server answered, as ``/push`` does."""
        said = decode(await read_body(request), Text)
        if (said.text is None) == (said.card is None):
            raise PayError(400, "PARAM_ERROR", "say either text or card")
        if said.text is not None:
            fields = {"MsgType": "text", "Content": said.text}
            shown = {"kind": "text", "text": said.text}
        else:
            card = {"title": (said.card or {}).get("title", ""), "page": (said.card or {}).get("page", "")}
            fields = {"MsgType": "miniprogrampage", "Title": card["title"], "PagePath": card["page"]}
            fields |= {"AppId": self._config.app_id, "ThumbUrl": "http://mmbiz.qpic.cn/simulated/0"}
            shown = {"kind": "card", **card}
        return await self._say(request, shown, fields, said.msg_id, said.mode, said.format)

    async def show(self, request: Request) -> Response:
        """The customer sends a picture (the body); it is kept for three days, as WeChat keeps it."""
        data = await read_body(request, MOST_BYTES)
        media_id = await self._media.keep(data)
        fields = {"MsgType": "image", "PicUrl": "http://mmbiz.qpic.cn/simulated/0", "MediaId": media_id}
        query = request.query_params
        mode, form = _mode(query.get("mode", "safe")), _format(query.get("format", "xml"))
        return await self._say(request, {"kind": "picture", "media_id": media_id}, fields, None, mode, form)

    async def enter(self, request: Request) -> Response:
        """The customer opens the chat from the mini-program."""
        body = await read_body(request)
        said = decode(body, Entry) if body else Entry()
        fields = {"MsgType": "event", "Event": "user_enter_tempsession", "SessionFrom": said.session_from}
        return json_response(await self._deliver(_openid(request), fields, mode=said.mode, form=said.format))

    async def listed(self, request: Request) -> Response:
        """The chat as the customer sees it: the last 200 messages above ``after``, oldest first."""
        text = request.query_params.get("after", "0")
        after = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        rows = await self._store.fetch(_LIST, _openid(request), after, LIST_LIMIT)
        return json_response({"items": [_shown(row) for row in reversed(rows)]})

    async def _say(
        self,
        request: Request,
        shown: dict[str, str],
        fields: dict[str, Any],
        msg_id: int | None,
        mode: Mode,
        form: Format,
    ) -> Response:
        openid, number = _openid(request), msg_id or secrets.randbelow(2**62) + 1
        rows = await self._store.fetch(KEEP, openid, "customer", shown, self._config.now())
        told = await self._deliver(openid, fields | {"MsgId": number}, mode=mode, form=form)
        if (told["reply"] or {}).get("MsgType") == "transfer_customer_service":
            await self._store.fetch(KEEP, openid, "system", {"kind": "transferred"}, self._config.now())
        return json_response(told | {"seq": rows[0]["seq"], "msg_id": str(number)})

    async def _deliver(self, openid: str, fields: dict[str, Any], *, mode: Mode, form: Format) -> dict[str, Any]:
        """Push it, again while the merchant's server does not take it; a new signature each time."""
        fields = {
            "ToUserName": ORIGINAL_ID,
            "FromUserName": openid,
            "CreateTime": int(self._config.now().timestamp()),
            **fields,
        }
        told: dict[str, Any] = {"status": 0, "body": "", "encrypted": False, "reply": None}
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(PAUSE_S * self._config.retry_factor)
            try:
                told = await self._push.send(fields, mode=mode, form=form)
            except PayError:
                continue
            if told["status"] < 500:
                break
        return told


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    return {"seq": row["seq"], "from": row["who"], "at": row["at"], **row["body"]}


def _openid(request: Request) -> str:
    openid: str = request.path_params["openid"]
    if not 0 < len(openid) <= 128 or "\x00" in openid:
        raise PayError(400, "PARAM_ERROR", "not an openid")
    return openid


def _mode(text: str) -> Mode:
    return "plain" if text == "plain" else "safe"


def _format(text: str) -> Format:
    return "json" if text == "json" else "xml"
