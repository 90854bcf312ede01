"""Message push, received: the signature first, then the envelope, the second signature, the cipher, the message.

Source: developers.weixin.qq.com, 消息推送服务器配置, 接收消息和事件.

Of wechatpy only the cipher is used, and only after both signatures are right: its parser reads before it verifies and
takes any nesting, its comparison leaks time, and its import costs 0.2 s (it brings an HTTP client), so it waits for
the first encrypted push.

In plain mode WeChat's signature does not cover the body; what arrives so is as trustworthy as the way it came. Use
safe mode in production.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.parsers import expat

import msgspec

from backend.kernel.config import SettingsError

from .errors import CallbackRefused, CallbackUnverified
from .types import PushMessage
from .wording import XML, form_of, write

MAX_SKEW_S = 300
MAX_BODY_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_NODES = 1000

_WORD = re.compile(r"[\x21-\x7e]{1,128}\Z")
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,11}\Z")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}\Z")
_TEXT_TRAP = re.compile("[\0\ud800-\udfff]")


class Push:
    """One mini-program's inbox: the token that signs, the key that encrypts."""

    def __init__(self, token: str, encoding_aes_key: str, app_id: str) -> None:
        self._token = token
        self._app_id = app_id
        self._key = _aes_key(encoding_aes_key) if encoding_aes_key else None
        self._cipher: Any = None

    def load_cipher(self) -> None:
        """Import what decrypts; slow the first time, so call it outside the event loop."""
        if self._cipher is None and self._key is not None:
            from wechatpy.crypto import PrpCrypto

            self._cipher = PrpCrypto(self._key)

    def echo(self, query: Mapping[str, Any], now: datetime) -> str:
        """The text that WeChat wants back when the address is registered."""
        self.verify(query, now)
        return _word(query, "echostr")

    def verify(self, query: Mapping[str, Any], now: datetime) -> None:
        """Refuse an address (query) that WeChat did not sign within the last (or next) 300 s; nothing else is read."""
        signature, timestamp, nonce = (_word(query, name) for name in ("signature", "timestamp", "nonce"))
        if not _TIMESTAMP.match(timestamp) or abs(now.timestamp() - int(timestamp)) > MAX_SKEW_S:
            raise CallbackUnverified("timestamp")
        if not self._token or not _same(signature, _digest(self._token, timestamp, nonce)):
            raise CallbackUnverified("signature")

    def open(self, query: Mapping[str, Any], body: bytes, now: datetime) -> PushMessage:
        """The message of a push, plain or encrypted, XML or JSON; raises nothing but ``DomainError``."""
        self.verify(query, now)
        if len(body) > MAX_BODY_BYTES:
            raise CallbackRefused("size")
        fields = parse(body)
        sealed = query.get("encrypt_type", "raw") != "raw"
        if sealed:
            fields = parse(self._decrypt(query, fields.get("Encrypt")))
        return self._message(fields, sealed=sealed, form=form_of(body))

    def transfer(self, message: PushMessage, now: datetime) -> bytes:
        """The answer that gives this message to WeChat's own customer service, written and sealed as it came.

        Source: developers.weixin.qq.com, 转发客服消息. Sender and receiver change places; only messages are given on,
        never events.
        """
        at = int(now.timestamp())
        fields: dict[str, str | int] = {
            "ToUserName": message.openid,
            "FromUserName": _text(message.fields, "ToUserName"),
            "CreateTime": at,
            "MsgType": "transfer_customer_service",
        }
        plain = write(fields, message.form)
        return write(self._seal(plain, at), message.form) if message.sealed else plain

    def _seal(self, plain: bytes, at: int) -> dict[str, str | int]:
        """An encrypted answer, signed as WeChat signs what it sends."""
        self.load_cipher()
        sealed = self._cipher.encrypt(plain, self._app_id).decode()
        nonce = str(secrets.randbelow(10**10))
        signature = _digest(self._token, str(at), nonce, sealed)
        return {"Encrypt": sealed, "MsgSignature": signature, "TimeStamp": at, "Nonce": nonce}

    def _decrypt(self, query: Mapping[str, Any], sealed: Any) -> bytes:
        if not isinstance(sealed, str) or not _BASE64.match(sealed):
            raise CallbackRefused("envelope")
        timestamp, nonce = _word(query, "timestamp"), _word(query, "nonce")
        if not _same(_word(query, "msg_signature"), _digest(self._token, timestamp, nonce, sealed)):
            raise CallbackUnverified("msg_signature")
        self.load_cipher()
        if self._cipher is None:
            raise CallbackRefused("no encoding_aes_key")
        try:
            text: str = self._cipher.decrypt(sealed, self._app_id)
        except Exception:  # IndexError, struct.error, binascii.Error, a wrong appid…: all mean the same
            raise CallbackRefused("ciphertext") from None
        return text.encode()

    def _message(self, fields: dict[str, Any], *, sealed: bool, form: str) -> PushMessage:
        openid, kind = _text(fields, "FromUserName"), _text(fields, "MsgType").lower()
        event, message_id = _text(fields, "Event"), _text(fields, "MsgId")
        sent = _text(fields, "CreateTime")
        if not _WORD.match(openid) or not _NAME.match(kind) or not _TIMESTAMP.match(sent):
            raise CallbackRefused("message")
        try:
            sent_at = datetime.fromtimestamp(int(sent), UTC)
        except (ValueError, OverflowError, OSError):
            raise CallbackRefused("message") from None
        # Source: 接收消息和事件: messages are told apart by MsgId, events by sender and time. But what is sent of
        # payments comes from one account of WeChat's own, many in a second: so by all they say; a repeat says the same.
        said = msgspec.json.encode(fields, order="sorted").decode()
        same = ("id", message_id) if message_id else ("event", openid, sent, event, said)
        return PushMessage(
            key=hashlib.sha256("\n".join((self._app_id, *same)).encode()).hexdigest(),
            openid=openid,
            kind=kind,
            event=event,
            content=_text(fields, "Content"),
            sent_at=sent_at,
            fields=fields,
            sealed=sealed,
            form=form,
        )


def parse(body: bytes) -> dict[str, Any]:
    """The fields of a push, from XML or JSON, bounded in depth and number; ``CallbackRefused`` otherwise."""
    if form_of(body) == XML:
        return _parse_xml(body)
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise CallbackRefused("json") from None
    if not isinstance(fields, dict):
        raise CallbackRefused("json")
    _check(fields)
    return fields


def _check(value: Any) -> None:
    """Refuse what is too deep, too much, or holds text that no database takes."""
    stack, count = [(value, 1)], 0
    while stack:
        item, depth = stack.pop()
        count += 1
        if depth > MAX_DEPTH or count > MAX_NODES:
            raise CallbackRefused("nesting")
        if isinstance(item, dict):
            stack.extend((key, depth + 1) for key in item)
            stack.extend((inner, depth + 1) for inner in item.values())
        elif isinstance(item, list):
            stack.extend((inner, depth + 1) for inner in item)
        elif isinstance(item, str) and _TEXT_TRAP.search(item):
            raise CallbackRefused("text")


def _parse_xml(body: bytes) -> dict[str, Any]:
    reader = _Reader()
    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_declarations
    parser.EntityDeclHandler = _refuse_declarations
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        raise CallbackRefused("xml") from None
    if not isinstance(reader.root, dict):
        raise CallbackRefused("xml")
    return reader.root


def _refuse_declarations(*_: Any) -> None:
    raise CallbackRefused("xml declarations")


class _Reader:
    """Elements as dicts, their texts as strings; a name that comes again makes a list. Attributes are nothing."""

    def __init__(self) -> None:
        self.root: Any = None
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self._count = 0

    def start(self, name: str, _: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH or self._count > MAX_NODES:
            raise CallbackRefused("nesting")
        self._open.append((name, {}, []))

    def text(self, data: str) -> None:
        if self._open:
            self._open[-1][2].append(data)

    def end(self, _: str) -> None:
        name, children, texts = self._open.pop()
        value: Any = children or "".join(texts)
        if not self._open:
            self.root = value
            return
        siblings = self._open[-1][1]
        if name not in siblings:
            siblings[name] = value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]


def _aes_key(encoding_aes_key: str) -> bytes:
    try:
        key = base64.b64decode(encoding_aes_key + "=", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise SettingsError("HUIYUAN_WECHAT_ENCODING_AES_KEY: must be 43 letters and digits")
    return key


def _digest(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - WeChat's choice


def _same(given: str, computed: str) -> bool:
    return hmac.compare_digest(given.encode(), computed.encode())


def _word(query: Mapping[str, Any], name: str) -> str:
    value = query.get(name)
    if not isinstance(value, str) or not _WORD.match(value):
        raise CallbackUnverified(name)
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    """A field as text (JSON has numbers where XML has texts), empty where it is missing."""
    value = fields.get(name, "")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise CallbackRefused("message")
    return value
