"""Plans of cards: pure. Each is on the books of one card; a sale's other side is the member's plan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from backend.kernel.http import Idempotency
from backend.ledger import plans as ledger
from backend.ledger.plans import (
    FEN,
    GIFT_CARD,
    HOUSE_GIFT_CARDS_SOLD,
    HOUSE_GIFT_CLEARING,
    HOUSE_SALES,
    Claim,
    DocumentUpdate,
    Guard,
    Issue,
    Leg,
    NewDocument,
    Plan,
)
from backend.ledger.types import Document

from .records import Activation, Charge, ChargeRefund
from .types import GiftCard, Payment

ACTIVATION = "gift_activation"
UNDONE = "gift_activation_undone"
CHARGE = "gift_charge"
CHARGE_REFUND = "gift_charge_refund"
SALE = "sale"
REFUND = "refund"
MOVE = "gift_move"

ACTIVATION_PREFIX = "V"
CHARGE_PREFIX = "H"
CHARGE_REFUND_PREFIX = "K"

ACTIVATED = "activated"
"""The refusal of a second activation; the row's lock refuses it before."""


def _plan(card_id: int, kind: str, at: datetime, on: date, *legs: Leg, **more: Any) -> Plan:
    return Plan(card_id, kind, at, on, more.pop("scope", ""), more.pop("key", ""), more.pop("hash", ""), legs, **more)


def keyed(plan: Plan, idem: Idempotency, scope: str) -> Plan:
    """The plan under a request's idempotency key."""
    return msgspec.structs.replace(plan, scope=scope, key=idem.key, hash=idem.request_hash.hex())


def activation(card: GiftCard, document_id: str, body: Activation, *, store_id: str, at: datetime, on: date) -> Plan:
    """Load a card: what was sold at the till is on it, as one lot that does not expire."""
    return _plan(
        card.id,
        ACTIVATION,
        at,
        on,
        Leg(GIFT_CARD, FEN, body.amount_fen, issue=(Issue("gift_card", body.amount_fen),)),
        Leg(HOUSE_GIFT_CARDS_SOLD, FEN, -body.amount_fen, ref=store_id),
        guards=(Guard(f"{ACTIVATED}:{card.activations}", "once", 1, ACTIVATED),),
        document=NewDocument(document_id, ACTIVATION, "active", msgspec.to_builtins(body), store_id=store_id),
    )


def undo(document: Document, lot_id: int, *, at: datetime, on: date) -> Plan:
    """Take back all that an activation loaded; stale where anything of it is gone."""
    amount = int(document.body["amount_fen"])
    return _plan(
        document.member_id,
        UNDONE,
        at,
        on,
        Leg(GIFT_CARD, FEN, -amount, lots=((lot_id, -amount),)),
        Leg(HOUSE_GIFT_CARDS_SOLD, FEN, amount, ref=document.store_id or ""),
        update=DocumentUpdate(document.id, document.version, state="undone"),
    )


def charge(card: GiftCard, document_id: str, body: Charge, *, store_id: str, at: datetime, on: date) -> Plan:
    """Pay for a passer-by; one charge of this card for an order of the store."""
    return _plan(
        card.id,
        CHARGE,
        at,
        on,
        Leg(GIFT_CARD, FEN, -body.amount_fen),
        Leg(HOUSE_SALES, FEN, body.amount_fen, ref=store_id),
        active=True,
        claim=Claim(f"gift-order/{store_id}", f"{body.order_no}/{card.id}"),
        document=NewDocument(
            document_id, CHARGE, "charged", msgspec.to_builtins(body), store_id=store_id, progress={"refunded_fen": 0}
        ),
    )


def charge_refund(
    of: Document,
    refund_id: str,
    body: ChargeRefund,
    *,
    transfer: int,
    lots: Sequence[tuple[int, int]],
    reason: str,
    at: datetime,
    on: date,
) -> Plan:
    """Give a charge's money back to its card, or part of it."""
    given = int(of.progress["refunded_fen"]) + body.amount_fen
    done = given == int(of.body["amount_fen"])
    return _plan(
        of.member_id,
        CHARGE_REFUND,
        at,
        on,
        Leg(GIFT_CARD, FEN, body.amount_fen, lots=tuple(lots)),
        Leg(HOUSE_SALES, FEN, -body.amount_fen, ref=of.store_id or ""),
        reverses=transfer,
        update=DocumentUpdate(
            of.id, of.version, state="refunded" if done else "partly_refunded", progress={"refunded_fen": given}
        ),
        document=NewDocument(
            refund_id,
            CHARGE_REFUND,
            "posted",
            msgspec.to_builtins(body),
            store_id=of.store_id,
            memo={"reason": reason},
        ),
    )


def payment(of: Payment, sale_id: str, *, store_id: str, at: datetime, on: date) -> Plan:
    """A card's side of a sale that it pays, or pays part of."""
    return _plan(
        of.card_id,
        SALE,
        at,
        on,
        Leg(GIFT_CARD, FEN, -of.amount_fen),
        Leg(HOUSE_GIFT_CLEARING, FEN, of.amount_fen, ref=store_id),
        active=True,
        about=sale_id,
        scope="gift-sale",
        key=f"{sale_id}:{of.card_id}",
        hash=ledger.job_hash("gift-sale", sale_id, of.card_id, of.amount_fen),
    )


def give_back(
    card_id: int,
    refund_id: str,
    lots: Sequence[tuple[int, int]],
    *,
    store_id: str,
    transfer: int,
    at: datetime,
    on: date,
) -> Plan:
    """A card's side of a refund of such a sale: back to the lots that paid, however the card stands."""
    amount = sum(part for _, part in lots)
    return _plan(
        card_id,
        REFUND,
        at,
        on,
        Leg(GIFT_CARD, FEN, amount, lots=tuple(lots)),
        Leg(HOUSE_GIFT_CLEARING, FEN, -amount, ref=store_id),
        about=refund_id,
        reverses=transfer,
        scope="gift-refund",
        key=f"{refund_id}:{card_id}",
        hash=ledger.job_hash("gift-refund", refund_id, card_id, amount),
    )


def move(
    source_id: int, target_id: int, lots: Sequence[tuple[int, int]], about: str, *, at: datetime, on: date
) -> tuple[Plan, Plan]:
    """Both sides of what goes from a lost card, out of these lots, to the one that took its place."""
    amount = sum(part for _, part in lots)
    wish = {"about": about, "scope": "gift-move", "hash": ledger.job_hash("gift-move", about, source_id, target_id)}
    out = _plan(
        source_id,
        MOVE,
        at,
        on,
        Leg(GIFT_CARD, FEN, -amount, lots=tuple((lot_id, -part) for lot_id, part in lots)),
        Leg(HOUSE_GIFT_CLEARING, FEN, amount),
        key=f"{about}:{source_id}:{target_id}:out",
        **wish,
    )
    into = _plan(
        target_id,
        MOVE,
        at,
        on,
        Leg(GIFT_CARD, FEN, amount, issue=(Issue("moved", amount, source=about),)),
        Leg(HOUSE_GIFT_CLEARING, FEN, -amount),
        key=f"{about}:{source_id}:{target_id}:in",
        **wish,
    )
    return out, into
