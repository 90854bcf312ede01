"""Gift cards for tests: made by head office over HTTP, sold and checked at tills, bound by phones."""

from __future__ import annotations

import csv
import io
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.members import Phone
from tests.support.pos import Till
from tests.support.staff import StaffSession

PRODUCTS = "/v1/admin/gift-cards/products"
BATCHES = "/v1/admin/gift-cards/batches"
CARDS = "/v1/admin/gift-cards/cards"


@dataclass(frozen=True)
class Plastic:
    """A card as it is printed."""

    number: str
    pin: str

    @property
    def shown(self) -> dict[str, str]:
        """What a till or a phone sends of it."""
        return {"card_no": self.number, "pin": self.pin}


async def make_product(admin: StaffSession, **terms: Any) -> dict[str, Any]:
    """A product; any amount up to ¥500 that anybody may hold or bind unless the terms say otherwise."""
    body: dict[str, Any] = {"title": "礼品卡", "holder": "bindable"}
    body |= terms if {"face_fen", "min_fen"} & terms.keys() else {"min_fen": 1, "max_fen": 50_000} | terms
    made = await admin.post(PRODUCTS, body)
    assert made.status_code == 201, made.text
    product: dict[str, Any] = made.json()
    return product


async def print_cards(admin: StaffSession, product_id: str, count: int = 1) -> list[Plastic]:
    """New cards of a product, as the printer gets them."""
    made = await admin.post(f"{PRODUCTS}/{product_id}/batches", {"total": count, "note": "测试"})
    assert made.status_code == 201, made.text
    exported = await admin.post(f"{BATCHES}/{made.json()['id']}/export")
    assert exported.status_code == 200, exported.text
    return read_file(exported.content)


def read_file(content: bytes) -> list[Plastic]:
    """The cards in an exported file."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    return [Plastic(row["number"].replace(" ", ""), row["pin"].removeprefix("'")) for row in rows]


async def make_cards(admin: StaffSession, count: int = 1, **terms: Any) -> list[Plastic]:
    """New cards of a product of their own."""
    return await print_cards(admin, (await make_product(admin, **terms))["id"], count)


async def activate(
    till: Till, client: httpx.AsyncClient, card: Plastic, fen: int | None = None, *, key: str | None = None
) -> httpx.Response:
    """Sell the card."""
    body: dict[str, Any] = {"card_no": card.number, "order_no": uuid.uuid4().hex[:16]}
    return await till.post(
        client, "/v1/pos/gift-cards/activate", body | ({"amount_fen": fen} if fen is not None else {}), key=key
    )


async def sold_card(
    admin: StaffSession, till: Till, client: httpx.AsyncClient, fen: int = 10_000, **terms: Any
) -> Plastic:
    """A card of a product of its own, loaded with so much."""
    (card,) = await make_cards(admin, **terms)
    made = await activate(till, client, card, fen)
    assert made.status_code == 201, made.text
    return card


async def check(till: Till, client: httpx.AsyncClient, card: Plastic) -> httpx.Response:
    """Show the card at a till."""
    return await till.post(client, "/v1/pos/gift-cards/check", card.shown)


async def token_of(till: Till, client: httpx.AsyncClient, card: Plastic) -> str:
    """A token that stands for the card at that till."""
    answer = await check(till, client, card)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["card_token"]
    return token


async def charge(
    till: Till, client: httpx.AsyncClient, token: str, fen: int, *, order_no: str | None = None, key: str | None = None
) -> httpx.Response:
    """Pay as a passer-by."""
    body = {"card_token": token, "order_no": order_no or uuid.uuid4().hex[:16], "amount_fen": fen}
    return await till.post(client, "/v1/pos/gift-cards/charges", body, key=key)


async def bind(phone: Phone, card: Plastic) -> httpx.Response:
    """Make the card the member's own."""
    return await phone.call("POST", "/v1/member/gift-cards", card.shown)


async def bound_card(admin: StaffSession, till: Till, phone: Phone, fen: int = 10_000, **terms: Any) -> dict[str, Any]:
    """A card of the member's own with so much on it, as the phone sees it."""
    bound = await bind(phone, await sold_card(admin, till, phone.client, fen, **terms))
    assert bound.status_code == 201, bound.text
    card: dict[str, Any] = bound.json()
    return card


async def cards_of(phone: Phone) -> list[dict[str, Any]]:
    """The member's cards."""
    answer = await phone.call("GET", "/v1/member/gift-cards")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def by_cards(*references: str | tuple[str, int], rest: str | None = "cash") -> list[dict[str, Any]]:
    """Tenders: these gift cards (with amounts, or the last one without), and the rest otherwise."""
    tenders: list[dict[str, Any]] = []
    for reference in references:
        text, fen = reference if isinstance(reference, tuple) else (reference, None)
        tenders.append({"type": "gift_card", "reference": text} | ({"amount_fen": fen} if fen is not None else {}))
    return [*tenders, {"type": rest}] if rest else tenders
