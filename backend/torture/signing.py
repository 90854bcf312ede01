"""What clients compute by themselves: member codes, signatures of tills and of WeChat's push. From the documents alone.

Source: DESIGN section 4 (member code); the contract, POS (signature); WeChat, 消息推送 (plain mode).
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode

STEP_S = 15


def read_secret(text: str) -> bytes:
    """A device's secret as it came over the wire: base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def make_code(handle: str, secret: bytes, step: int) -> str:
    """The 20 digits that a phone shows in that step of 15 s."""
    digest = hmac.digest(secret, b"mc1" + handle.encode() + step.to_bytes(8, "big"), "sha256")
    offset = digest[31] % 16
    number = int.from_bytes(digest[offset : offset + 4], "big") % 2**31 % 10**8
    body = f"70{handle}{number:08d}"
    return body + check_digit(body)


def check_digit(digits: str) -> str:
    """Luhn's digit for what precedes it."""
    total = 0
    for position, digit in enumerate(map(int, reversed(digits))):
        twice = digit * 2 if position % 2 == 0 else digit
        total += twice // 10 + twice % 10
    return str(-total % 10)


def till_authorization(
    terminal_id: str, secret: str, method: str, target: str, body: bytes, *, key: str, at: float, nonce: str
) -> str:
    """A terminal's ``Authorization`` for one request."""
    text = f"{method}\n{target}\n{int(at)}\n{nonce}\n{key}\n{hashlib.sha256(body).hexdigest()}"
    signature = hmac.digest(secret.encode(), text.encode(), "sha256").hex()
    return f"HUIYUAN-HMAC-SHA256 terminal={terminal_id},timestamp={int(at)},nonce={nonce},signature={signature}"


def push_signature(token: str, timestamp: str, nonce: str) -> str:
    """WeChat's signature of a message push in plain mode."""
    return hashlib.sha1("".join(sorted((token, timestamp, nonce))).encode(), usedforsecurity=False).hexdigest()
