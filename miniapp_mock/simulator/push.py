"""Message push: what a member writes to the mini-program's customer service, sent to the merchant's server.

Plain mode signs token, timestamp and nonce; safe mode also encrypts: AES-256-CBC with the EncodingAESKey, over
16 random bytes, the length (4 bytes, big-endian), the message and the appid, padded to 32 (PKCS#7).
Source: developers.weixin.qq.com, 消息推送, 消息加解密说明.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
from typing import Annotated, Any, Literal

import httpx
import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .crypto import random_string
from .platform import Platform
from .windows import Windows
from .wire import PayError, decode, json_response, read_body

BLOCK = 32
ORIGINAL_ID = "gh_0123456789ab"
ANSWER_LIMIT = 64 * 1024
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_ELEMENT = re.compile(r"<(\w+)>((?:<!\[CDATA\[.*?\]\]>|[^<])*)</\1>", re.DOTALL)


Mode = Literal["plain", "safe"]
Format = Literal["xml", "json"]


class PushMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to push: a message of the member, or an event (``content`` is then its name)."""

    openid: Annotated[str, Meta(min_length=1, max_length=128)]
    msg_type: Literal["text", "image", "event"] = "text"
    content: Annotated[str, Meta(max_length=2048)] = ""
    mode: Mode = "safe"
    format: Format = "xml"
    msg_id: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None


class PushCipher:
    """Encrypts and signs pushes, and opens encrypted replies."""

    def __init__(self, token: str, encoding_aes_key: str, app_id: str) -> None:
        self._token, self._app_id = token, app_id
        self._key = base64.b64decode(encoding_aes_key + "=")

    def signature(self, *parts: str) -> str:
        """Lowercase hex SHA-1 over the token and the parts, sorted."""
        return hashlib.sha1("".join(sorted((self._token, *parts))).encode(), usedforsecurity=False).hexdigest()

    def encrypt(self, plain: bytes) -> str:
        """Base64 of the encrypted message."""
        content = os.urandom(16) + len(plain).to_bytes(4, "big") + plain + self._app_id.encode()
        padding = BLOCK - len(content) % BLOCK
        encryptor = self._cipher().encryptor()
        sealed = encryptor.update(content + bytes([padding]) * padding) + encryptor.finalize()
        return base64.b64encode(sealed).decode()

    def decrypt(self, encrypted: str) -> bytes:
        """The message inside; ValueError where it is not one for this mini-program."""
        try:
            sealed = base64.b64decode(encrypted, validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error
        decryptor = self._cipher().decryptor()
        content = decryptor.update(sealed) + decryptor.finalize()
        padding = content[-1] if content else 0
        if not 1 <= padding <= BLOCK or content[-padding:] != bytes([padding]) * padding:
            raise ValueError("wrong padding")
        content = content[:-padding]
        end = 20 + int.from_bytes(content[16:20], "big")
        if len(content) < end or content[end:] != self._app_id.encode():
            raise ValueError("wrong length or appid")
        return content[20:end]

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))


class Push:
    """The push sender."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._config = config = platform.config
        self._windows = Windows(platform)
        self._cipher = PushCipher(config.push_token, config.encoding_aes_key, config.app_id)
        self._url = config.base_url.rstrip("/") + "/v1/wechat/push"

    def routes(self) -> list[Route]:
        """Paths of the simulator's own."""
        opened = self._platform.open
        return [
            Route("/push", opened(self.push), methods=["POST"]),
            Route("/push/verify", opened(self.verify), methods=["POST"]),
        ]

    async def push(self, request: Request) -> Response:
        """Send a push and answer what the backend answered: ``{"status","body","encrypted","reply"}``."""
        message = decode(await read_body(request), PushMessage)
        return json_response(await self.send(self._fields(message), mode=message.mode, form=message.format))

    async def send(self, fields: dict[str, Any], *, mode: Mode, form: Format) -> dict[str, Any]:
        """Send a message with these fields; what the backend answered. A customer's renews what may be sent."""
        await self._windows.opened(fields)
        plain = _encode(fields, form)
        timestamp, nonce = self._stamp()
        query = {"signature": self._cipher.signature(timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
        query["openid"] = str(fields["FromUserName"])
        if mode == "safe":
            encrypted = self._cipher.encrypt(plain)
            query |= {"encrypt_type": "aes", "msg_signature": self._cipher.signature(timestamp, nonce, encrypted)}
            plain = _encode({"ToUserName": ORIGINAL_ID, "Encrypt": encrypted}, form)
        headers = {"Content-Type": "text/xml" if form == "xml" else "application/json"}
        status, body = await self._call("POST", query, plain, headers)
        return {"status": status, "body": body} | self._reply(body)

    async def verify(self, request: Request) -> Response:
        """Do what the platform does when the address is configured; ``ok`` where the backend echoed rightly."""
        timestamp, nonce = self._stamp()
        echo = str(secrets.randbelow(10**19))
        query = {"signature": self._cipher.signature(timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
        status, body = await self._call("GET", query | {"echostr": echo}, None, {})
        return json_response({"status": status, "ok": status == 200 and body == echo})

    def _stamp(self) -> tuple[str, str]:
        return str(int(self._config.now().timestamp())), str(secrets.randbelow(10**10))

    def _fields(self, message: PushMessage) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "ToUserName": ORIGINAL_ID,
            "FromUserName": message.openid,
            "CreateTime": int(self._config.now().timestamp()),
            "MsgType": message.msg_type,
        }
        if message.msg_type == "event":
            return fields | {"Event": message.content or "user_enter_tempsession", "SessionFrom": "wxapp"}
        fields["MsgId"] = message.msg_id or secrets.randbelow(2**62) + 1
        if message.msg_type == "image":
            picture = message.content or "http://mmbiz.qpic.cn/simulated/0"
            return fields | {"PicUrl": picture, "MediaId": random_string(64)}
        return fields | {"Content": message.content}

    async def _call(
        self, method: str, query: dict[str, str], body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, str]:
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
                answer = await client.request(method, self._url, params=query, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise PayError(502, "NO_ANSWER", f"the backend did not answer: {type(error).__name__}") from None
        return answer.status_code, answer.content[:ANSWER_LIMIT].decode("utf-8", "replace")

    def _reply(self, body: str) -> dict[str, Any]:
        """What the answer says once opened; an encrypted one with a wrong signature is reported, not shown."""
        fields = _decode(body)
        if "Encrypt" not in fields:
            return {"encrypted": False, "reply": fields or None}
        encrypted = fields["Encrypt"]
        wanted = self._cipher.signature(fields.get("TimeStamp", ""), fields.get("Nonce", ""), encrypted)
        if not hmac.compare_digest(wanted.encode(), fields.get("MsgSignature", "").encode()):
            return {"encrypted": True, "reply": None, "problem": "wrong MsgSignature"}
        try:
            return {"encrypted": True, "reply": _decode(self._cipher.decrypt(encrypted).decode())}
        except ValueError as error:
            return {"encrypted": True, "reply": None, "problem": str(error)}


def _encode(fields: dict[str, Any], form: str) -> bytes:
    if form == "json":
        return msgspec.json.encode(fields)
    parts = [f"<{name}>{_xml_value(value)}</{name}>" for name, value in fields.items()]
    return f"<xml>{''.join(parts)}</xml>".encode()


def _xml_value(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    return "<![CDATA[" + str(value).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _decode(body: str) -> dict[str, str]:
    """The members of a flat XML or JSON answer as text; empty for anything else (``success``, nothing)."""
    text = body.strip()
    if text.startswith("{"):
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return {}
        return {str(name): str(item) for name, item in value.items()}
    if not text.startswith("<xml>"):
        return {}
    return {name: _CDATA.sub(r"\1", value) for name, value in _ELEMENT.findall(text[len("<xml>") :])}
