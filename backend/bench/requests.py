"""Signed sales as bytes, ready for a socket; by the published formulas, since the server must believe them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from random import Random

import msgspec

from backend.pos.rules import codes

from .population import Population

PATH = "/v1/pos/sales"


class Maker:
    """Makes requests of one run; ``run`` keeps order numbers and keys of different runs apart."""

    def __init__(self, population: Population, *, host: str, run: str) -> None:
        self._population = population
        self._head = f"POST {PATH} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
        self._run = run
        self._random = Random()  # noqa: S311 - only to differ
        encode = msgspec.json.Encoder().encode
        self._baskets = [
            f'"lines":{_given(encode(basket.lines))},"tenders":{_given(encode(basket.tenders))}}}'
            for basket in population.baskets
        ]

    def sale(self, number: int, slot: int, lap: int, *, step: int, timestamp: int) -> bytes:
        """The whole request for a sale with that member's phone."""
        people = self._population
        member, phone = people.member(number), people.phone(number, slot)
        till = people.till_of(member, slot)
        unique = f"{self._run}-{number}-{slot}-{lap}"
        basket = self._baskets[people.basket_number(number, slot)]
        code = codes.make(phone.secret, phone.handle, step)
        body = f'{{"code":"{code}","order_no":"{unique}","cashier":"7",{basket}'.encode()
        nonce = f"{self._random.getrandbits(96):024x}"
        key = f"{unique}-{nonce[:8]}"
        signed = f"POST\n{PATH}\n{timestamp}\n{nonce}\n{key}\n{hashlib.sha256(body).hexdigest()}"
        signature = hmac.digest(till.secret.encode(), signed.encode(), "sha256").hex()
        head = (
            f"{self._head}content-length: {len(body)}\r\nidempotency-key: {key}\r\nauthorization: HUIYUAN-HMAC-SHA256 "
            f"terminal={till.id},timestamp={timestamp},nonce={nonce},signature={signature}\r\n\r\n"
        )
        return head.encode() + body

    def sales(self, visits: Iterable[tuple[int, int, int]], *, step: int, timestamp: int) -> Iterator[bytes]:
        """Requests for these visits."""
        for number, slot, lap in visits:
            yield self.sale(number, slot, lap, step=step, timestamp=timestamp)


def _given(encoded: bytes) -> str:
    """As a till writes it: what is not given is left out."""
    items = [{name: value for name, value in item.items() if value} for item in msgspec.json.decode(encoded)]
    return msgspec.json.encode(items).decode()
