"""A phone's side of tickets, from RFC 9474 alone: blind, have it signed, unblind. Uses nothing of the server's."""

from __future__ import annotations

import hashlib
import math
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import httpx

from tests.support.members import Phone

EXPONENT = 65537
SALT = 48
HASH = 48


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def mgf1(seed: bytes, length: int) -> bytes:
    """RFC 8017, B.2.1."""
    pieces = (hashlib.sha384(seed + n.to_bytes(4, "big")).digest() for n in range(math.ceil(length / HASH)))
    return b"".join(pieces)[:length]


def emsa_pss(message: bytes, bits: int) -> bytes:
    """RFC 8017, 9.1.1, with SHA-384 and a salt of 48 bytes."""
    size = math.ceil(bits / 8)
    salt = secrets.token_bytes(SALT)
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = bytes(size - SALT - HASH - 2) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(block, mgf1(digest, len(block)), strict=True))
    masked[0] &= 0xFF >> (8 * size - bits)
    return bytes(masked) + digest + b"\xbc"


class Blinding:
    """One ticket under way."""

    def __init__(self, key: dict[str, Any]) -> None:
        self.key_id = key["key_id"]
        self.nonce = secrets.token_bytes(32)
        self.n = int.from_bytes(decoded(key["modulus"]), "big")
        message = key["label"].encode() + b"\n" + self.key_id.encode() + b"\n" + self.nonce
        self.encoded = int.from_bytes(emsa_pss(message, self.n.bit_length() - 1), "big")
        self.factor = 2 + secrets.randbelow(self.n - 3)

    @property
    def blinded(self) -> str:
        return encoded((self.encoded * pow(self.factor, EXPONENT, self.n) % self.n).to_bytes(256, "big"))

    def ticket(self, signature: str) -> str:
        """The ticket; fails where the server signed something else."""
        value = int.from_bytes(decoded(signature), "big") * pow(self.factor, -1, self.n) % self.n
        assert pow(value, EXPONENT, self.n) == self.encoded
        return f"{self.key_id}.{encoded(self.nonce)}.{encoded(value.to_bytes(256, 'big'))}"


async def get_key(client: httpx.AsyncClient) -> dict[str, Any]:
    """GET /v1/anonymous/key."""
    answer = await client.get("/v1/anonymous/key")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def fetch(phone: Phone, count: int = 1) -> list[str]:
    """So many tickets of that member's."""
    key = await get_key(phone.client)
    under_way = [Blinding(key) for _ in range(count)]
    body = {"key_id": key["key_id"], "blinded": [one.blinded for one in under_way]}
    answer = await phone.call("POST", "/v1/member/suggestion-tickets", body)
    assert answer.status_code == 200, answer.text
    return [one.ticket(text) for one, text in zip(under_way, answer.json()["signatures"], strict=True)]


async def bearer(
    client: httpx.AsyncClient, method: str, path: str, shown: str, body: object = None, *, key: str | None = None
) -> httpx.Response:
    """A call without a session, with a ticket or a receipt."""
    headers = {"Authorization": f"Bearer {shown}"} | ({"Idempotency-Key": key} if key else {})
    if body is None:
        return await client.request(method, path, headers=headers)
    return await client.request(method, path, json=body, headers=headers)
