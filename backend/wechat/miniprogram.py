"""Calls to the mini-program API: login, phone number, messages, shipping, and the access token most of them need.

The token lives in Redis where that is up, sealed, so that all processes share one; each process also remembers it.
WeChat may end a token at any time: a call refused for its token is sent once more with a new one, never a third time.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import msgspec

from backend.kernel import clock, logging, redis
from backend.kernel.redis import RedisDown
from backend.kernel.vault import Vault

from . import shipping
from .errors import (
    JsCodeInvalid,
    LoginBlocked,
    MediaGone,
    MessageRefused,
    PhoneCodeInvalid,
    WechatBusy,
    WechatMisconfigured,
    WechatUnavailable,
)
from .schemas import ApiAnswer, LoginAnswer, MediaAnswer, PhoneAnswer, ShippingAnswer, TokenAnswer
from .transport import Answer, Transport
from .types import Session, ShippingState

log = logging.get(__name__)
A = TypeVar("A", bound=ApiAnswer)

TOKEN_MARGIN_S = 300
"""WeChat keeps an old token alive for five minutes after it gave out a new one."""

_TOKEN_REFUSED = frozenset((40001, 40014, 42001))
_CODE_REFUSED = frozenset((40029, 40163, 41008))
_BUSY = frozenset((-1, 45011, 45009))
_MISCONFIGURED = frozenset((40002, 40013, 40125, 40164, 41002, 41004, 48001, 50002, 61024))
# Source: 发送客服消息, 发送订阅消息, 全局返回码.
_REASONS = {
    45015: "window_closed",
    45047: "too_many",
    43101: "declined",
    48002: "declined",
    40003: "user_unknown",
    45002: "too_long",
    40007: "media_gone",
}
_NO_MEDIA = frozenset((40007, 41006, 45008))
MOST_MEDIA_BYTES = 10 << 20
"""WeChat takes no larger picture."""
_CONTEXT = "wechat.access_token"


class _Token(msgspec.Struct, frozen=True):
    """An access token and when (unix seconds) it should no longer be used."""

    value: str
    until: int

    def __repr__(self) -> str:
        return "<token>"


class MiniProgram:
    """One mini-program's calls to WeChat."""

    def __init__(self, transport: Transport, base_url: str, app_id: str, secret: str, vault: Vault) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._app_id = app_id
        self._secret = secret
        self._vault = vault
        self._token: _Token | None = None
        self._lock = asyncio.Lock()

    async def code2session(self, js_code: str) -> Session:
        """Who the login code stands for; a code is good once, so this is sent once."""
        parameters = {
            "appid": self._app_id,
            "secret": self._secret,
            "js_code": js_code,
            "grant_type": "authorization_code",
        }
        answer = await self._send("code2session", "GET", "/sns/jscode2session", parameters, None, LoginAnswer)
        if answer.errcode in _CODE_REFUSED:
            raise JsCodeInvalid
        if answer.errcode == 40226:
            raise LoginBlocked
        _refuse_failure("code2session", answer)
        if not answer.openid or not answer.session_key:
            raise _strange("code2session")
        return Session(openid=answer.openid, session_key=answer.session_key, unionid=answer.unionid or None)

    async def phone_number(self, code: str) -> str:
        """The number the user chose to give: 11 digits for the mainland, ``+<country><number>`` for others."""
        answer = await self._call("phone_number", "/wxa/business/getuserphonenumber", {"code": code}, PhoneAnswer)
        # 40013: the code belongs to another mini-program.
        if answer.errcode in _CODE_REFUSED or answer.errcode == 40013:
            raise PhoneCodeInvalid
        _refuse_failure("phone_number", answer)
        if answer.phone_info is None:
            raise _strange("phone_number")
        country, number = str(answer.phone_info.country_code), answer.phone_info.pure_phone_number
        return number if country == "86" else f"+{country}{number}"

    async def send_custom_message(self, openid: str, text: str) -> None:
        """Answer in the customer-service conversation; ``MessageRefused`` when it is over. Sent once, never twice."""
        await self._send_custom(openid, "text", {"content": text})

    async def send_custom_picture(self, openid: str, media_id: str) -> None:
        """The same with a picture that ``upload_picture`` gave WeChat."""
        await self._send_custom(openid, "image", {"media_id": media_id})

    async def send_custom_card(self, openid: str, title: str, page: str, thumb_media_id: str) -> None:
        """The same with a card that opens a page of the mini-program."""
        card = {"title": title, "pagepath": page, "thumb_media_id": thumb_media_id}
        await self._send_custom(openid, "miniprogrampage", card)

    async def _send_custom(self, openid: str, kind: str, content: dict[str, str]) -> None:
        document = {"touser": openid, "msgtype": kind, kind: content}
        answer = await self._call("custom_message", "/cgi-bin/message/custom/send", document, ApiAnswer)
        _refuse_message("custom_message", answer)

    async def upload_picture(self, data: bytes) -> str:
        """Give WeChat a JPEG or PNG for three days; its media id. Source: 新增图片素材 (uploadTempMedia)."""
        kind, name = ("image/png", "picture.png") if data.startswith(b"\x89PNG") else ("image/jpeg", "picture.jpg")
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="media"; filename="{name}"\r\n'
        body = f"{head}Content-Type: {kind}\r\n\r\n".encode() + data + f"\r\n--{boundary}--\r\n".encode()
        parameters, media_type = {"type": "image"}, f"multipart/form-data; boundary={boundary}"

        async def send(token: str) -> MediaAnswer:
            query = {"access_token": token, **parameters}
            return await self._send(
                "upload_media", "POST", "/cgi-bin/media/upload", query, body, MediaAnswer, media_type=media_type
            )

        answer = await self._with_token("upload_media", send)
        _refuse_failure("upload_media", answer)
        if not answer.media_id:
            raise _strange("upload_media")
        return answer.media_id

    async def download_media(self, media_id: str) -> bytes:
        """What a customer sent, at most 10 MiB; ``MediaGone`` after three days. Source: 获取客服消息内的临时素材."""
        found: list[bytes] = []

        async def send(token: str) -> ApiAnswer:
            url = httpx.URL(self._base_url + "/cgi-bin/media/get", params={"access_token": token, "media_id": media_id})
            answer = await self._transport.send("download_media", "GET", url, most_bytes=MOST_MEDIA_BYTES)
            if answer.headers.get("content-type", "").partition(";")[0].strip() in ("application/json", "text/plain"):
                return _read("download_media", answer, ApiAnswer)
            _refuse_status("download_media", answer)
            found.append(answer.body)
            return ApiAnswer()

        answer = await self._with_token("download_media", send)
        if answer.errcode in _NO_MEDIA:
            raise MediaGone
        _refuse_failure("download_media", answer)
        if not found:
            raise _strange("download_media")
        return found[0]

    async def send_subscribe_message(
        self, openid: str, template_id: str, data: dict[str, str], *, page: str = "", language: str = "zh_CN"
    ) -> None:
        """Send one message the user has subscribed to; ``MessageRefused`` when the user has not, or no longer."""
        document: dict[str, Any] = {
            "touser": openid,
            "template_id": template_id,
            "data": {name: {"value": value} for name, value in data.items()},
            "lang": language,
        }
        if page:
            document["page"] = page
        answer = await self._call("subscribe_message", "/cgi-bin/message/subscribe/send", document, ApiAnswer)
        _refuse_message("subscribe_message", answer)

    async def upload_shipping(self, document: dict[str, Any]) -> None:
        """Tell how a paid order's goods travel (``shipping.document``); ``ShippingRefused`` and its kin otherwise."""
        answer = await self._call("upload_shipping", shipping.UPLOAD_PATH, document, ApiAnswer)
        _refuse_shipping("upload_shipping", answer)

    async def shipping_state(self, mch_id: str, out_trade_no: str) -> ShippingState:
        """What WeChat knows of a paid order's shipping; ``ShippingOrderUnknown`` when it does not know the order."""
        document = {"merchant_id": mch_id, "merchant_trade_no": out_trade_no}
        answer = await self._call("shipping_state", shipping.STATE_PATH, document, ShippingAnswer)
        _refuse_shipping("shipping_state", answer)
        if answer.order is None:
            raise _strange("shipping_state")
        told = answer.order.shipping
        return ShippingState(order_state=answer.order.order_state, finished=told is not None and told.finish_shipping)

    async def _call(self, call: str, path: str, document: dict[str, Any], shape: type[A]) -> A:
        """A POST with the access token; with a new token once more when WeChat refuses the first."""
        body = msgspec.json.encode(document)

        async def send(token: str) -> A:
            return await self._send(call, "POST", path, {"access_token": token}, body, shape)

        return await self._with_token(call, send)

    async def _with_token(self, call: str, send: Callable[[str], Awaitable[A]]) -> A:
        token = await self._token_for()
        answer = await send(token)
        if answer.errcode in _TOKEN_REFUSED:
            log.info("wechat.token_refused", call=call, errcode=answer.errcode)
            token = await self._token_for(refused=token)
            answer = await send(token)
        if answer.errcode in _TOKEN_REFUSED:
            log.error("wechat.token_refused_again", call=call, errcode=answer.errcode)
            raise WechatBusy(retry_after_s=5)
        return answer

    async def _token_for(self, refused: str | None = None) -> str:
        """A token for a call; where there is none, nothing was asked for yet (``WechatBusy``)."""
        try:
            return await self._access_token(refused)
        except WechatUnavailable as unavailable:
            raise WechatBusy(retry_after_s=unavailable.retry_after_s) from unavailable

    async def _access_token(self, refused: str | None = None) -> str:
        """A token other than ``refused``: remembered, from Redis, or from WeChat (one request at a time a process)."""
        if known := _usable(self._token, refused):
            return known.value
        async with self._lock:
            known = _usable(self._token, refused) or _usable(await self._shared_token(), refused)
            if known is None:
                known = await self._new_token(force=False)
                if known.value == refused:
                    # WeChat still holds the token that it refuses (it was ended by hand): ask for another.
                    known = await self._new_token(force=True)
                await self._share(known)
            self._token = known
            return known.value

    async def _new_token(self, *, force: bool) -> _Token:
        document = {"grant_type": "client_credential", "appid": self._app_id, "secret": self._secret}
        body = msgspec.json.encode({**document, "force_refresh": True} if force else document)
        answer = await self._send("stable_token", "POST", "/cgi-bin/stable_token", {}, body, TokenAnswer)
        _refuse_failure("stable_token", answer)
        if not answer.access_token:
            raise _strange("stable_token")
        lifetime = max(answer.expires_in - TOKEN_MARGIN_S, answer.expires_in // 2, 1)
        return _Token(answer.access_token, clock.unix() + lifetime)

    @property
    def _redis_key(self) -> str:
        return f"wechat:access_token:{self._app_id}"

    async def _shared_token(self) -> _Token | None:
        try:
            sealed = await redis.call("GET", self._redis_key)
            if sealed is None:
                return None
            return msgspec.json.decode(self._vault.open(sealed.decode(), context=_CONTEXT), type=_Token)
        except (RedisDown, ValueError):  # sealed with a key that is gone, or not by us: ask WeChat
            return None

    async def _share(self, token: _Token) -> None:
        sealed = self._vault.seal(msgspec.json.encode(token), context=_CONTEXT)
        try:
            await redis.call("SET", self._redis_key, sealed, "EX", max(token.until - clock.unix(), 1))
        except RedisDown:
            return

    async def _send(
        self,
        call: str,
        method: str,
        path: str,
        parameters: dict[str, str],
        body: bytes | None,
        shape: type[A],
        *,
        media_type: str = "application/json",
    ) -> A:
        url = httpx.URL(self._base_url + path, params=parameters) if parameters else httpx.URL(self._base_url + path)
        headers = {"Content-Type": media_type} if body is not None else None
        return _read(call, await self._transport.send(call, method, url, content=body, headers=headers), shape)


def _read(call: str, answer: Answer, shape: type[A]) -> A:
    _refuse_status(call, answer)
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise _strange(call) from None


def _refuse_status(call: str, answer: Answer) -> None:
    if answer.status != 200:
        log.warning("wechat.api_status", call=call, status=answer.status)
        raise WechatUnavailable(retry_after_s=2)


def _usable(token: _Token | None, refused: str | None) -> _Token | None:
    return token if token is not None and token.value != refused and token.until > clock.unix() else None


def _refuse_failure(call: str, answer: ApiAnswer) -> None:
    if answer.errcode == 0:
        return
    log.warning("wechat.api_refused", call=call, errcode=answer.errcode)
    if answer.errcode in _MISCONFIGURED:
        raise WechatMisconfigured
    raise WechatBusy(retry_after_s=60 if answer.errcode in (45011, 45009) else 2)


def _refuse_message(call: str, answer: ApiAnswer) -> None:
    if answer.errcode in _BUSY or answer.errcode in _MISCONFIGURED:
        _refuse_failure(call, answer)
    if answer.errcode != 0:
        log.info("wechat.message_refused", call=call, errcode=answer.errcode)
        raise MessageRefused(_REASONS.get(answer.errcode, "other"))


def _refuse_shipping(call: str, answer: ApiAnswer) -> None:
    if answer.errcode in _BUSY or answer.errcode in _MISCONFIGURED:
        _refuse_failure(call, answer)
    if answer.errcode != 0:
        log.info("wechat.shipping_refused", call=call, errcode=answer.errcode)
    shipping.refuse(answer.errcode)


def _strange(call: str) -> WechatUnavailable:
    log.error("wechat.api_strange_answer", call=call)
    return WechatUnavailable(retry_after_s=2)
