"""Which part of a checkout each tender pays, where it buys from several stores: part by part, each tender in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from backend.ledger.types import Snapshot
from backend.sales.errors import TendersMismatch
from backend.sales.rules.pricing import TenderIn, points_for, points_value_fen
from backend.sales.rules.settling import Priced
from backend.sales.types import TenderType

BP = 10_000


def split(tenders: Sequence[TenderIn], due_fen: Sequence[int], *, value_bp: int) -> list[list[TenderIn]]:
    """The tenders of each part, of which ``due_fen`` is what coupons left; the one without an amount takes every rest.

    With one part they stay as they are. Points are whole in each part. Raises ``TendersMismatch`` where more was given
    than is payable.
    """
    if len(due_fen) == 1:
        return [list(tenders)]
    left = [_amount(tender, value_bp=value_bp) for tender in tenders]
    parts: list[list[TenderIn]] = []
    for due in due_fen:
        part: list[TenderIn] = []
        for place, tender in enumerate(tenders):
            amount = left[place]
            if amount is None:
                continue
            taken = _taken(tender, min(amount, due), value_bp=value_bp)
            if taken:
                part.append(_piece(tender, taken, value_bp=value_bp))
                left[place] = amount - taken
                due -= taken
        if due:
            part += [tender for tender in tenders if _amount(tender, value_bp=value_bp) is None]
        parts.append(part)
    if any(left):
        raise TendersMismatch("the tenders make more than is payable")
    return parts


def _amount(tender: TenderIn, *, value_bp: int) -> int | None:
    if tender.points is not None:
        return points_value_fen(tender.points, value_bp=value_bp)
    return tender.amount_fen


def _taken(tender: TenderIn, fen: int, *, value_bp: int) -> int:
    """So much of it: points pay what a whole number of them is worth."""
    if tender.type is not TenderType.POINTS:
        return fen
    return points_value_fen(fen * BP // value_bp, value_bp=value_bp)


def _piece(tender: TenderIn, fen: int, *, value_bp: int) -> TenderIn:
    points = points_for(fen, value_bp=value_bp) if tender.type is TenderType.POINTS else None
    return TenderIn(tender.type, fen, points, tender.reference)


def after(snapshot: Snapshot, priced: Priced) -> Snapshot:
    """What the member has once a part is paid: the next part is priced with it."""
    spent = {str(tender.type): tender.points or tender.amount_fen for tender in priced.tenders}
    balances = dict(snapshot.balances)
    for kind in ("stored", "points", "rebate"):
        if kind in spent:
            balances[kind] = balances.get(kind, 0) - spent[kind]
    debt = balances.get("points_debt", 0)
    balances["points_debt"] = debt - min(debt, priced.earned)
    return msgspec.structs.replace(snapshot, balances=balances, stored=_less(snapshot.stored, spent.get("stored", 0)))


def cards_after(cards: Mapping[str, int], priced: Priced) -> dict[str, int]:
    """What is on each gift card once a part is paid."""
    spent = {one.reference: one.amount_fen for one in priced.tenders if one.type is TenderType.GIFT_CARD}
    return {card_id: fen - spent.get(card_id, 0) for card_id, fen in cards.items()}


def _less(lots: Sequence[tuple[str, int]], fen: int) -> tuple[tuple[str, int], ...]:
    left = []
    for part, remaining in lots:
        taken = min(remaining, fen)
        fen -= taken
        if remaining > taken:
            left.append((part, remaining - taken))
    return tuple(left)
