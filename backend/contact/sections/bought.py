"""What a member buys: the last purchases, how often, and what again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import msgspec

from backend.audience import queries as audience
from backend.auth import queries as auth
from backend.ledger import queries as ledger
from backend.ledger.types import Document
from backend.mall import queries as mall
from backend.orders import queries as orders

from ..schemas import FavouriteGlance, HabitsGlance, PurchaseGlance, PurchasesGlance
from ..types import Ask

PURCHASES = 8
ORDERS = 20
"""Of which the state is looked up; older ones have come to their end."""

NAMED = 3
"""Articles of a purchase that are named."""

FAVOURITES = 6
RECENT = timedelta(days=90)

STATES = {
    "sale": ("completed", "partly_refunded", "refunded"),
    "order": ("paid", "shipped", "ready_for_pickup", "received", "completed", "cancelled"),
}
"""Of the documents of purchases: those that were paid for."""


class _Line(msgspec.Struct):
    sku: str
    qty: int
    line_no: int = 1
    name: str | None = None


class _Body(msgspec.Struct):
    lines: list[_Line] = []
    payable_fen: int = 0


class _Progress(msgspec.Struct):
    refunded_fen: int = 0


async def purchases(ask: Ask) -> PurchasesGlance:
    """The last purchases at tills and in the mall; of one store where the viewer sees no other."""
    placed, sold, ordered = await asyncio.gather(
        orders.list_orders(ask.member.id, None, before=None, limit=ORDERS),
        _documents(ask, "sale"),
        _documents(ask, "order"),
    )
    states_now = {order.id: order.state.value for order in placed}  # the books know only that one was paid
    last = sorted([*sold, *ordered], key=lambda one: one.at, reverse=True)[:PURCHASES]
    bodies = [_body(document) for document in last]
    names = await _names(line.sku for body in bodies for line in body.lines[:NAMED] if not line.name)
    return PurchasesGlance(
        [
            await _out(document, body, names, states_now.get(document.id, document.state))
            for document, body in zip(last, bodies, strict=True)
        ]
    )


async def _documents(ask: Ask, kind: str) -> list[Document]:
    return await ledger.list_documents(ask.member.id, kind, states=STATES[kind], limit=PURCHASES, store_id=ask.store_id)


def _body(document: Document) -> _Body:
    """What was bought; the fee for delivery is no article."""
    body = msgspec.convert(document.body, _Body)
    body.lines = [line for line in body.lines if line.line_no > 0]
    return body


async def _out(document: Document, body: _Body, names: dict[str, str], state: str) -> PurchaseGlance:
    store = await auth.find_store(document.store_id or "")
    return PurchaseGlance(
        id=document.id,
        kind="order" if document.kind == "order" else "sale",
        at=document.at,
        state=state,
        store_id=document.store_id or "",
        store_name=store.name if store else document.store_id or "",
        payable_fen=body.payable_fen,
        refunded_fen=msgspec.convert(document.progress, _Progress).refunded_fen,
        pieces=sum(line.qty for line in body.lines),
        articles=[line.name or names.get(line.sku, line.sku) for line in body.lines[:NAMED]],
    )


async def habits(ask: Ask) -> HabitsGlance:
    """How often the member comes, and what is bought again and again, in all stores together."""
    visits, favourites = await asyncio.gather(
        audience.visits(ask.member.id, ask.on - RECENT), audience.favourites(ask.member.id, FAVOURITES)
    )
    names = await _names(one.sku for one in favourites)
    return HabitsGlance(
        visits.count,
        visits.first_on,
        visits.last_on,
        [
            FavouriteGlance(one.sku, names.get(one.sku, one.sku), one.pieces, one.times, one.last_on)
            for one in favourites
        ],
    )


async def _names(skus: Iterable[str]) -> dict[str, str]:
    wanted = set(skus)
    return {sku: name for sku, (name, _) in (await mall.find_article_names(wanted)).items()} if wanted else {}
