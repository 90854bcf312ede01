"""Requests between us and a gateway: signed both ways with one secret, dated, each nonce good once.

The signature covers method, target, time, nonce and body, so that one for a call is none for another, and ours to the
gateway is none of the gateway's to us. Source: docs/messages-sms.md.
"""

from __future__ import annotations

import hashlib
import hmac
import re

SCHEME = "HUIYUAN-HMAC-SHA256"
SKEW_S = 300
NONCE_KEPT_S = 2 * SKEW_S

HEADER = re.compile(
    r"(?i:HUIYUAN-HMAC-SHA256) key=([a-z]{1,16}), ?timestamp=([0-9]{1,12}), ?nonce=([!-+\--~]{16,64}), ?"
    r"signature=([0-9a-f]{64})\Z"
)
"""Key, timestamp, nonce (visible ASCII but commas) and signature; in this order."""


def sign(secret: str, method: str, target: str, timestamp: str, nonce: str, body: bytes) -> str:
    """The signature, 64 lower-case hexadecimal digits."""
    text = f"{method}\n{target}\n{timestamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}"
    return hmac.digest(secret.encode(), text.encode("latin-1"), hashlib.sha256).hex()


def header(key: str, secret: str, method: str, target: str, timestamp: int, nonce: str, body: bytes) -> str:
    """The whole ``Authorization`` header of a request."""
    signature = sign(secret, method, target, str(timestamp), nonce, body)
    return f"{SCHEME} key={key},timestamp={timestamp},nonce={nonce},signature={signature}"
