"""The mini-program API: login, access tokens, phone numbers, messages to members.

Source: developers.weixin.qq.com, code2Session, getAccessToken, getStableAccessToken, getPhoneNumber,
sendCustomMessage, sendMessage (subscribe).
"""

from __future__ import annotations

import base64
import hmac
import os
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .crypto import random_string
from .platform import Platform
from .state import Connection
from .windows import Windows
from .wire import PayError, WeixinError, decode, json_response, read_body

TOKEN_LIFE = timedelta(seconds=7200)
OVERLAP = timedelta(minutes=5)
FORCED_APART = timedelta(seconds=30)
CODE_LIFE = timedelta(minutes=5)
MESSAGE_TYPES = frozenset({"text", "image", "link", "miniprogrampage"})

_DEMO_LOGIN = re.compile(r"demo-([0-9A-Za-z_\-]{1,100})")
_DEMO_PHONE = re.compile(r"phone-([0-9]{11})")


# The token in use gets the whole overlap, also where its own time would end sooner; older ones do not live up again.
_REPLACED = """
UPDATE access_token a SET expires_at = CASE
    WHEN at = (SELECT max(at) FROM access_token WHERE kind = $1) THEN $2 ELSE least(expires_at, $2) END
WHERE kind = $1 AND expires_at > $3
"""


class TokenRequest(msgspec.Struct):
    """The body of a call for a stable token."""

    grant_type: str = ""
    appid: str = ""
    secret: str = ""
    force_refresh: bool = False


class IssueCode(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which single-use code to issue: a login's, for an openid, or a phone number's."""

    openid: str | None = None
    phone: str | None = None


class Subscribe(msgspec.Struct):
    """Whose, and which templates' messages are accepted, one each."""

    openid: str
    template_ids: list[str]


_ADD_SUBSCRIPTION = """
INSERT INTO subscription (openid, template_id, room) VALUES ($1, $2, 1)
ON CONFLICT (openid, template_id) DO UPDATE SET room = subscription.room + 1"""
_SPEND_SUBSCRIPTION = """
UPDATE subscription SET room = room - 1 WHERE openid = $1 AND template_id = $2 AND room > 0 RETURNING room"""


class MiniProgram:
    """The calls at api.weixin.qq.com that a mini-program's server makes."""

    def __init__(self, platform: Platform) -> None:
        self._config = platform.config
        self._store = platform.store
        self._platform = platform
        self._windows = Windows(platform)

    def routes(self) -> list[Route]:
        """Their paths, and two of the simulator's own."""
        answered = self.answered
        opened = self._platform.open
        return [
            Route("/sns/jscode2session", answered(self.code2session, "text/plain"), methods=["GET"]),
            Route("/cgi-bin/token", answered(self.token), methods=["GET"]),
            Route("/cgi-bin/stable_token", answered(self.stable_token), methods=["POST"]),
            Route("/wxa/business/getuserphonenumber", answered(self.phone_number), methods=["POST"]),
            Route("/cgi-bin/message/custom/send", answered(self.custom_send), methods=["POST"]),
            Route("/cgi-bin/message/subscribe/send", answered(self.subscribe_send), methods=["POST"]),
            Route("/codes", opened(self.issue_code), methods=["POST"]),
            Route("/sent", opened(self.sent), methods=["GET"]),
            Route("/subscriptions", opened(self.subscribe), methods=["POST"]),
        ]

    def answered(
        self, handler: Callable[[Request], Awaitable[dict[str, Any]]], media_type: str = "application/json"
    ) -> Callable[[Request], Awaitable[Response]]:
        """A call of this API: HTTP 200 whatever happens, refusals told by ``errcode``."""

        async def endpoint(request: Request) -> Response:
            try:
                value = await handler(request)
            except WeixinError as error:
                value = {"errcode": error.errcode, "errmsg": f"{error.errmsg} rid: {random_string(8)}"}
            except PayError as error:
                status = 413 if error.status == 413 else 200
                return json_response({"errcode": 47001, "errmsg": "data format error"}, status)
            return json_response(value, media_type=media_type)

        return endpoint

    # -- login

    async def code2session(self, request: Request) -> dict[str, Any]:
        """A login code for the member's openid and a session key."""
        query = request.query_params
        if query.get("grant_type") != "authorization_code":
            raise WeixinError(40002, "invalid grant_type")
        self._check_secret(query.get("appid", ""), query.get("secret", ""))
        code = query.get("js_code", "")
        if not code:
            raise WeixinError(41008, "missing code")
        demo = _DEMO_LOGIN.fullmatch(code)
        openid = f"openid-{demo[1]}" if demo else await self._spend_code("login", code)
        return {"session_key": base64.b64encode(os.urandom(16)).decode(), "openid": openid}

    async def phone_number(self, request: Request) -> dict[str, Any]:
        """A phone code for the number."""
        await self.check_token(request)
        body = await self._object(request)
        code = body.get("code")
        if not isinstance(code, str) or not code:
            raise WeixinError(40029, "invalid code")
        demo = _DEMO_PHONE.fullmatch(code)
        number = demo[1] if demo else await self._spend_code("phone", code)
        watermark = {"timestamp": int(self._config.now().timestamp()), "appid": self._config.app_id}
        phone = {"phoneNumber": number, "purePhoneNumber": number, "countryCode": "86", "watermark": watermark}
        return {"errcode": 0, "errmsg": "ok", "phone_info": phone}

    async def _spend_code(self, kind: str, code: str) -> str:
        if len(code) > 128 or "\x00" in code:
            raise WeixinError(40029, "invalid code")
        now = self._config.now()
        async with self._store.transaction() as tx:
            row = await tx.fetchrow("SELECT * FROM one_time_code WHERE code = $1 AND kind = $2 FOR UPDATE", code, kind)
            if row is None or row["expires_at"] <= now:
                raise WeixinError(40029, "invalid code")
            if row["used"]:
                raise WeixinError(40163, "code been used") if kind == "login" else WeixinError(40029, "invalid code")
            await tx.execute("UPDATE one_time_code SET used = true WHERE code = $1", code)
            return str(row["subject"])

    async def issue_code(self, request: Request) -> Response:
        """A single-use code as ``wx.login`` or the phone number button would give one, good for 5 minutes."""
        wanted = decode(await read_body(request), IssueCode)
        subject = wanted.openid or wanted.phone
        if not subject or (wanted.openid and wanted.phone) or not re.fullmatch(r"[0-9A-Za-z_\-]{1,128}", subject):
            raise PayError(400, "PARAM_ERROR", "say either openid or phone")
        code, expires_at = random_string(32), self._config.now() + CODE_LIFE
        await self._store.fetch(
            "INSERT INTO one_time_code (code, kind, subject, expires_at, used) VALUES ($1, $2, $3, $4, false)",
            code,
            "login" if wanted.openid else "phone",
            subject,
            expires_at,
        )
        return json_response({"code": code}, 201)

    # -- access tokens

    async def token(self, request: Request) -> dict[str, Any]:
        """A new token each time; the one before stays good for 5 minutes."""
        query = request.query_params
        self._check_grant(query.get("grant_type", ""), query.get("appid", ""), query.get("secret", ""))
        async with self._store.transaction() as tx:
            return await self._new_token(tx, "plain", overlap=OVERLAP)

    async def stable_token(self, request: Request) -> dict[str, Any]:
        """The token that is good already, a new one in its last 5 minutes; forced, a new one kills the old.

        Forcing again within 30 s changes nothing.
        """
        wanted = decode(await read_body(request), TokenRequest)
        self._check_grant(wanted.grant_type, wanted.appid, wanted.secret)
        now = self._config.now()
        async with self._store.transaction() as tx:
            await tx.execute("SELECT pg_advisory_xact_lock(7081960125)")
            row = await tx.fetchrow(
                "SELECT * FROM access_token WHERE kind = 'stable' AND expires_at > $1 ORDER BY at DESC LIMIT 1", now
            )
            if row is None:
                return await self._new_token(tx, "stable", overlap=OVERLAP)
            if wanted.force_refresh and now - row["at"] >= FORCED_APART:
                return await self._new_token(tx, "stable", overlap=timedelta())
            if not wanted.force_refresh and row["expires_at"] - now <= OVERLAP:
                return await self._new_token(tx, "stable", overlap=OVERLAP)
            return _token(row, now)

    async def _new_token(self, tx: Connection, kind: str, *, overlap: timedelta) -> dict[str, Any]:
        now = self._config.now()
        await tx.execute("DELETE FROM access_token WHERE expires_at <= $1", now - timedelta(hours=1))
        await tx.execute(_REPLACED, kind, now + overlap, now)
        row = await tx.fetchrow(
            "INSERT INTO access_token (token, kind, at, expires_at) VALUES ($1, $2, $3, $4) RETURNING *",
            "99_" + random_string(133),
            kind,
            now,
            now + TOKEN_LIFE,
        )
        return _token(row, now)

    async def check_token(self, request: Request) -> None:
        """Refuse a call without a good access token."""
        token = request.query_params.get("access_token", "")
        if not token:
            raise WeixinError(41001, "access_token missing")
        row = await self._store.fetchrow(
            "SELECT expires_at FROM access_token WHERE token = $1", token.replace("\x00", "")
        )
        if row is None:
            raise WeixinError(40001, "invalid credential, access_token is invalid or not latest")
        if row["expires_at"] <= self._config.now():
            raise WeixinError(42001, "access_token expired")

    def _check_grant(self, grant_type: str, app_id: str, secret: str) -> None:
        if grant_type != "client_credential":
            raise WeixinError(40002, "invalid grant_type")
        self._check_secret(app_id, secret)

    def _check_secret(self, app_id: str, secret: str) -> None:
        if not app_id:
            raise WeixinError(41002, "appid missing")
        if app_id != self._config.app_id:
            raise WeixinError(40013, "invalid appid")
        if not secret:
            raise WeixinError(41004, "appsecret missing")
        if not hmac.compare_digest(secret.encode(), self._config.app_secret.encode()):
            raise WeixinError(40125, "invalid appsecret")

    # -- messages

    async def custom_send(self, request: Request) -> dict[str, Any]:
        """A customer-service message to a customer who did something lately; kept for ``/sent``."""
        await self.check_token(request)
        body = await self._object(request)
        kind = body.get("msgtype")
        if kind not in MESSAGE_TYPES:
            raise WeixinError(40008, "invalid message type")
        content = body.get(str(kind))
        if not isinstance(content, dict):
            raise WeixinError(44004, "empty content")
        if kind == "text":
            text = content.get("content")
            if not isinstance(text, str) or not text:
                raise WeixinError(44004, "empty content")
            if len(text.encode()) > 2048:
                raise WeixinError(45002, "content size out of limit")
        await self._check_media(kind, content)
        openid = _openid(body)
        await self._windows.take(openid, body)
        await self._keep("custom", body)
        return {"errcode": 0, "errmsg": "ok"}

    async def subscribe_send(self, request: Request) -> dict[str, Any]:
        """A subscribe message to a member; kept for ``/sent``."""
        await self.check_token(request)
        body = await self._object(request)
        if not isinstance(body.get("template_id"), str) or not body["template_id"]:
            raise WeixinError(40037, "invalid template_id")
        data = body.get("data")
        if not isinstance(data, dict) or not data:
            raise WeixinError(47003, "argument invalid! data is empty")
        for name, item in data.items():
            if not isinstance(item, dict) or not isinstance(item.get("value"), str) or not item["value"]:
                raise WeixinError(47003, f"argument invalid! data.{name[:32]}.value is empty")
        openid = _openid(body)
        spent = await self._store.fetchrow(_SPEND_SUBSCRIPTION, openid, body["template_id"])
        if spent is None:
            raise WeixinError(43101, "user refuse to accept the msg")
        await self._keep("subscribe", body)
        return {"errcode": 0, "errmsg": "ok"}

    async def subscribe(self, request: Request) -> Response:
        """The user accepts one message of each of these templates, as in the sheet of wx.requestSubscribeMessage."""
        wanted = decode(await read_body(request), Subscribe)
        if not re.fullmatch(r"[0-9A-Za-z_\-]{1,128}", wanted.openid) or not 1 <= len(set(wanted.template_ids)) <= 5:
            raise PayError(400, "PARAM_ERROR", "an openid and one to five templates")
        for template_id in sorted(set(wanted.template_ids)):
            await self._store.fetch(_ADD_SUBSCRIPTION, wanted.openid, template_id[:64].replace("\x00", ""))
        return json_response({"accepted": sorted(set(wanted.template_ids))}, 201)

    async def _check_media(self, kind: str, content: dict[str, Any]) -> None:
        """What a picture or a card shows must have been uploaded, within its three days."""
        name = {"image": "media_id", "miniprogrampage": "thumb_media_id"}.get(kind)
        if name is None:
            return
        if kind == "miniprogrampage" and not content.get("pagepath"):
            raise WeixinError(40165, "invalid weapp pagepath")
        row = await self._store.fetchrow(
            "SELECT 1 FROM media WHERE media_id = $1 AND expires_at > $2", str(content.get(name)), self._config.now()
        )
        if row is None:
            raise WeixinError(40007, "invalid media_id")

    async def _keep(self, kind: str, body: dict[str, Any]) -> None:
        openid = _openid(body)
        await self._store.fetch(
            "INSERT INTO sent_message (openid, kind, body, at) VALUES ($1, $2, $3, $4)",
            openid,
            kind,
            body,
            self._config.now(),
        )

    async def sent(self, request: Request) -> Response:
        """The last 200 messages (to that openid), oldest first."""
        openid = request.query_params.get("openid", "").replace("\x00", "")
        rows = await self._store.fetch(
            "SELECT * FROM sent_message WHERE $1 = '' OR openid = $1 ORDER BY seq DESC LIMIT 200",
            openid,
        )
        return json_response({"items": [_message(row) for row in reversed(rows)]})

    async def _object(self, request: Request) -> dict[str, Any]:
        return decode(await read_body(request), dict[str, Any])


def _openid(body: dict[str, Any]) -> str:
    openid = body.get("touser")
    if not isinstance(openid, str) or not 0 < len(openid) <= 128:
        raise WeixinError(40003, "invalid openid")
    return openid


def _token(row: asyncpg.Record, now: datetime) -> dict[str, Any]:
    return {"access_token": row["token"], "expires_in": int((row["expires_at"] - now).total_seconds())}


def _message(row: asyncpg.Record) -> dict[str, Any]:
    body = row["body"]
    return {
        "id": str(row["seq"]),
        "openid": row["openid"],
        "kind": row["kind"],
        "at": row["at"],
        "text": body["text"]["content"] if row["kind"] == "custom" and body["msgtype"] == "text" else None,
        "message": body,
    }
