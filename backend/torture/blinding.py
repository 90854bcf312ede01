"""A phone's side of tickets, read from RFC 9474 and RFC 8017 once more: blind, unblind, see whether it is signed."""

from __future__ import annotations

import base64
import hashlib
from random import Random
from typing import Any

_E, _SALT, _HASH, _SIZE = 65537, 48, 48, 256


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _data(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Ticket:
    """One ticket, from its nonce to what is shown; everything random about it is the dice's."""

    def __init__(self, key: dict[str, Any], dice: Random) -> None:
        self._key, self._n = key, int.from_bytes(_data(key["modulus"]), "big")
        self._nonce = dice.randbytes(32)
        message = b"\n".join((key["label"].encode(), key["key_id"].encode(), self._nonce))
        self._encoded = int.from_bytes(_encode(message, dice.randbytes(_SALT), self._n.bit_length() - 1), "big")
        self._factor = dice.randrange(2, self._n)

    @property
    def blinded(self) -> str:
        """What the server signs."""
        return _text((self._encoded * pow(self._factor, _E, self._n) % self._n).to_bytes(_SIZE, "big"))

    def shown(self, signature: str) -> str | None:
        """What is shown to write; None where the signature is none."""
        value = int.from_bytes(_data(signature), "big") * pow(self._factor, -1, self._n) % self._n
        if pow(value, _E, self._n) != self._encoded:
            return None
        return ".".join((self._key["key_id"], _text(self._nonce), _text(value.to_bytes(_SIZE, "big"))))


def _encode(message: bytes, salt: bytes, bits: int) -> bytes:
    length = -(-bits // 8)
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = (b"\x01" + salt).rjust(length - _HASH - 1, b"\0")
    mask = b"".join(hashlib.sha384(digest + n.to_bytes(4, "big")).digest() for n in range(-(-len(block) // _HASH)))
    masked = bytearray(one ^ other for one, other in zip(block, mask, strict=False))
    masked[0] &= 255 >> (8 * length - bits)
    return bytes(masked) + digest + b"\xbc"
