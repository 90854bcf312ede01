"""Faults: how payment and refund notifications go wrong, on request.

A forged notification is either not the platform's at all (its signature cannot be right) or says, rightly signed,
what the merchant must still refuse (another amount, another merchant). None of them may move anything.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from .crypto import random_string

GENUINE = "genuine"
Copies = Annotated[int, Meta(ge=0, le=20)]
Seconds = Annotated[float, Meta(ge=0, le=3600)]

# Wrong outside: what is encrypted stays true.
SPOILT_ON_THE_WAY = ("unsigned", "signature", "body", "serial", "timestamp", "probe", "ciphertext")
# Wrong inside: encrypted and signed as it should be, but not what the merchant ordered.
SPOILT_INSIDE = ("amount", "mchid", "appid", "currency", "order")
KINDS = SPOILT_ON_THE_WAY + SPOILT_INSIDE


class Faults(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """What happens to every notification from now on; all off by default.

    Attributes:
        duplicate: so many further copies, sent at the same moment (true is 1).
        delay_s: wait before the first attempt.
        reorder: hold a notification back until the next one was sent (30 s at most).
        drop: never send the genuine one.
        forge: also send forged ones: true for every kind, or the name of a kind, or several.
    """

    duplicate: bool | Copies | None = False
    delay_s: Seconds | None = 0
    reorder: bool | int | None = False
    drop: bool | int | None = False
    forge: bool | int | str | list[str] | None = False

    def unknown_kinds(self) -> list[str]:
        """Names in ``forge`` that are no kind of forgery."""
        return [kind for kind in self.forged_kinds() if kind not in KINDS]

    def forged_kinds(self) -> list[str]:
        """The kinds of forged notifications to send."""
        if isinstance(self.forge, str):
            return [self.forge] if self.forge else []
        if isinstance(self.forge, list):
            return self.forge
        return list(KINDS) if self.forge else []


def spoil_resource(kind: str, resource: dict[str, Any]) -> dict[str, Any] | None:
    """The plain resource with one lie in it, or None where it has no such field to lie about."""
    spoilt: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(resource))
    if kind == "amount":
        amount = spoilt["amount"]
        for name in amount:
            if isinstance(amount[name], int):
                amount[name] += 1
    elif kind == "mchid":
        spoilt["mchid"] = "1900009999"
    elif kind == "appid" and "appid" in spoilt:
        spoilt["appid"] = "wx" + "0" * 16
    elif kind == "currency" and "currency" in spoilt["amount"]:
        spoilt["amount"]["currency"] = spoilt["amount"]["payer_currency"] = "USD"
    elif kind == "order":
        name = "out_refund_no" if "out_refund_no" in spoilt else "out_trade_no"
        spoilt[name] = "X" + random_string(20)
    else:
        return None
    return spoilt


def spoil_envelope(kind: str, envelope: dict[str, Any]) -> None:
    """Change what is encrypted, so that it no longer opens."""
    if kind == "ciphertext":
        sealed = bytearray(base64.b64decode(envelope["resource"]["ciphertext"]))
        sealed[len(sealed) // 2] ^= 1
        envelope["resource"]["ciphertext"] = base64.b64encode(sealed).decode()


def spoil_delivery(
    kind: str, body: bytes, timestamp: int, serial: str, sign: Callable[[str, str, bytes], str]
) -> tuple[dict[str, str], bytes]:
    """The headers and the body of one attempt, spoilt where that kind of forgery says so."""
    if kind == "unsigned":
        return {}, body
    sent_at = str(timestamp - 3600 if kind == "timestamp" else timestamp)
    nonce = random_string(32)
    signature = sign(sent_at, nonce, body)
    if kind == "signature":
        signature = base64.b64encode(os.urandom(256)).decode()
    elif kind == "probe":
        signature = "WECHATPAY/SIGNTEST/" + signature
    headers = {
        "Wechatpay-Timestamp": sent_at,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signature,
        "Wechatpay-Serial": os.urandom(20).hex().upper() if kind == "serial" else serial,
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }
    return headers, body + b" " if kind == "body" else body
