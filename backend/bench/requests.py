"""Requests as bytes, ready for a socket; by the published formulas, since the server must believe them."""

from __future__ import annotations

import hashlib
import hmac
from random import Random

from backend.auth import codes, tokens

from .population import Population, Till


class Requests:
    """Writes the requests of one run.

    Attributes:
        population: who asks.
        members: so many of them are loaded.
        run: keeps order numbers and keys of different runs apart.
        step: whose codes the phones show.
        timestamp: the tills' clock, unix seconds.
    """

    def __init__(
        self, population: Population, *, members: int, host: str, run: str, step: int = 0, timestamp: int = 0
    ) -> None:
        self.population = population
        self.members = members
        self.run = run
        self.step = step
        self.timestamp = timestamp
        self._host = f"HTTP/1.1\r\nhost: {host}\r\n"
        self._random = Random()  # noqa: S311 - only to differ

    def plain(self, method: str, target: str, body: bytes = b"", headers: str = "") -> bytes:
        """A request with no more than these headers, each ended by CR LF."""
        if body:
            headers += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        return f"{method} {target} {self._host}{headers}\r\n".encode() + body

    def of_till(self, till: Till, method: str, target: str, body: bytes = b"", key: str = "") -> bytes:
        """One that a till signs."""
        nonce = f"{self._random.getrandbits(96):024x}"
        signed = f"{method}\n{target}\n{self.timestamp}\n{nonce}\n{key}\n{hashlib.sha256(body).hexdigest()}"
        signature = hmac.digest(till.secret.encode(), signed.encode(), "sha256").hex()
        headers = (
            f"authorization: HUIYUAN-HMAC-SHA256 terminal={till.id},timestamp={self.timestamp},nonce={nonce},"
            f"signature={signature}\r\n"
        )
        return self.plain(method, target, body, headers + (f"idempotency-key: {key}\r\n" if key else ""))

    def of_member(self, number: int, method: str, target: str, body: bytes = b"", key: str = "") -> bytes:
        """One with an access token of the member's first session."""
        headers = f"authorization: Bearer {self.access_token(number)}\r\n"
        return self.plain(method, target, body, headers + (f"idempotency-key: {key}\r\n" if key else ""))

    def access_token(self, number: int) -> str:
        """A fresh access token of the member's first session."""
        return tokens.make_access_token(self.population.session_id(number, 0), tokens.MEMBER)

    def code(self, number: int, slot: int) -> str:
        """The code that a member's phone shows."""
        phone = self.population.phone(number, slot)
        return codes.make(phone.secret, phone.handle, self.step)

    def unique(self, *parts: int) -> str:
        """A name that no other request has had."""
        return "-".join((self.run, *map(str, parts), f"{self._random.getrandbits(32):08x}"))
