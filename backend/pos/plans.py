"""Plans of the till: pure. Each says what it saw, so that the door can refuse it as stale."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from backend.kernel.http import Idempotency
from backend.ledger import plans as ledger
from backend.ledger.types import Document

from .types import SaleBody, SaleProgress, TenderType

PASSWORD_FREE = "password_free"  # noqa: S105 - the name of a limit
TWO_STORES = "two_stores"
CODE_USED = "code_used"
SALE = "sale"
REFUND = "refund"
ACCRUAL = "accrual"

job_hash = ledger.job_hash


def encode_body(body: msgspec.Struct) -> msgspec.Raw:
    """A document body as it goes into the plan."""
    return msgspec.Raw(msgspec.json.encode(body))


def encode_progress(progress: SaleProgress) -> dict[str, Any]:
    """A document's progress as it goes into the plan."""
    built: dict[str, Any] = msgspec.to_builtins(progress)
    return built


def order_claim(store_id: str, order_no: str) -> ledger.Claim:
    """The name that one living sale or accrual of a store may hold."""
    return ledger.Claim(f"order/{store_id}", order_no)


def payment_legs(
    body: SaleBody,
    store_id: str,
    *,
    bonus_fen: int,
    debt: int,
    expires_on: date | None,
    matures_on: date | None,
    earned: int,
) -> tuple[ledger.Leg, ...]:
    """The legs of a paid sale: what each tender takes, and what is earned."""
    legs: list[ledger.Leg] = []
    for tender in body.tenders:
        if tender.type is TenderType.STORED:
            legs.append(ledger.Leg(ledger.STORED, ledger.FEN, -tender.amount_fen, bonus=bonus_fen))
            legs.append(ledger.Leg(ledger.HOUSE_SALES, ledger.FEN, tender.amount_fen, ref=store_id))
        elif tender.type is TenderType.REBATE:
            legs.append(ledger.Leg(ledger.REBATE, ledger.FEN, -tender.amount_fen))
            legs.append(ledger.Leg(ledger.HOUSE_SALES, ledger.FEN, tender.amount_fen, ref=store_id))
        elif tender.type is TenderType.POINTS:
            legs.append(ledger.Leg(ledger.POINTS, ledger.POINT, -tender.points))
            legs.append(ledger.Leg(ledger.HOUSE_POINTS_REDEEMED, ledger.POINT, tender.points))
    account = ledger.POINTS_PENDING if matures_on else ledger.POINTS
    issue = ledger.Issue("earned", 0, expires_on=expires_on, matures_on=matures_on)
    legs.extend(ledger.earn_points(earned, debt, issue, account=account))
    return tuple(legs)


def keyed(plan: ledger.Plan, idem: Idempotency, scope: str) -> ledger.Plan:
    """The plan under a request's idempotency key."""
    return msgspec.structs.replace(plan, scope=scope, key=idem.key, hash=idem.request_hash.hex())


def refund_legs(
    body: SaleBody,
    store_id: str,
    *,
    stored_back: Mapping[int, int],
    rebate_back: Mapping[int, int],
    points_back: Mapping[int, int],
    pending_taken: Mapping[int, int],
    available_taken: Mapping[int, int],
    debt: int,
) -> tuple[ledger.Leg, ...]:
    """The legs of a refund: value back to the lots it came from, earned points back out of theirs, the rest owed.

    Points returned and points taken back may meet in one lot; each lot moves once, by the difference.
    """
    legs: list[ledger.Leg] = []
    fen_back = 0
    for account, back in ((ledger.STORED, stored_back), (ledger.REBATE, rebate_back)):
        if back:
            amount = sum(back.values())
            fen_back += amount
            legs.append(ledger.Leg(account, ledger.FEN, amount, lots=tuple(sorted(back.items()))))
    if fen_back:
        legs.append(ledger.Leg(ledger.HOUSE_SALES, ledger.FEN, -fen_back, ref=store_id))
    net = dict(points_back)
    for lot_id, taken in available_taken.items():
        net[lot_id] = net.get(lot_id, 0) - taken
    for sign in (1, -1):
        lots = tuple((lot_id, amount) for lot_id, amount in sorted(net.items()) if amount * sign > 0)
        if lots:
            legs.append(ledger.Leg(ledger.POINTS, ledger.POINT, sum(amount for _, amount in lots), lots=lots))
    if pending_taken:
        lots = tuple((lot_id, -amount) for lot_id, amount in sorted(pending_taken.items()))
        legs.append(ledger.Leg(ledger.POINTS_PENDING, ledger.POINT, sum(amount for _, amount in lots), lots=lots))
    returned, clawed = sum(points_back.values()), sum(available_taken.values()) + sum(pending_taken.values())
    if returned:
        legs.append(ledger.Leg(ledger.HOUSE_POINTS_REDEEMED, ledger.POINT, -returned))
    if clawed:
        legs.append(ledger.Leg(ledger.HOUSE_POINTS_CLAWED, ledger.POINT, clawed))
    if debt:
        legs.append(ledger.Leg(ledger.POINTS_DEBT, ledger.POINT, debt))
        legs.append(ledger.Leg(ledger.HOUSE_POINTS_RECEIVABLE, ledger.POINT, -debt))
    return tuple(legs)


def sale_body(document: Document) -> SaleBody:
    """The value part of a sale's document."""
    return msgspec.convert(document.body, SaleBody)


def sale_progress(document: Document) -> SaleProgress:
    """What became of a sale's document so far."""
    return msgspec.convert(document.progress, SaleProgress)
