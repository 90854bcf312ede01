"""Coupons used together on one basket: those that the till named, or the best there are.

Each coupon is judged by itself, on what its lines cost before coupons. Together they take in one order
(``Offer.order``), each its amount or what is left on its lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from ..types import BasketLine, Combination, Held, Occasion, Reason, Use, Verdict
from . import search, stacking
from .applies import judge
from .offers import Board, Offer


def combine(
    helds: Sequence[Held],
    basket: Sequence[BasketLine],
    occasion: Occasion,
    on: date,
    chosen: Iterable[str] = (),
    *,
    steps: int = search.STEPS,
) -> Combination:
    """The best coupons to use: most off, then fewest coupons, then those that expire earliest, then by id.

    Args:
        helds: the member's coupons, each once.
        on: the day of the sale.
        chosen: ids that must be among them. One that cannot be stays unused, with its reason.
        steps: how long to search before the best set found so far must do; the answer then is not ``exact``.
    """
    board = Board(basket, occasion)
    verdicts = {held.id: judge(held, basket, occasion, on) for held in helds}
    offers = {held.id: board.offer(held, verdicts[held.id]) for held in helds if verdicts[held.id].reason is None}
    must, refused = _accept(dict.fromkeys(chosen), verdicts, offers, board)
    found = search.best(list(offers.values()), board.payable, must, steps)
    uses = board.use(found.offers)
    for held in helds:
        if held.id not in refused and all(held.id != use.coupon_id for use in uses):
            refused[held.id] = verdicts[held.id] if held.id not in offers else _left_out(held, found.offers)
    return Combination(
        amount_fen=sum(use.amount_fen for use in uses),
        uses=tuple(uses),
        unused=tuple(refused.values()),
        exact=found.exact,
        most=found.most,
    )


def check_chosen(
    helds: Sequence[Held], chosen: Sequence[str], basket: Sequence[BasketLine], occasion: Occasion, on: date
) -> tuple[Use, ...] | Verdict:
    """What the coupons that the till named take off together, in the order in which they take.

    Where one cannot be used, the verdict on the first such, in the till's order.
    """
    board = Board(basket, occasion)
    named = [held for held in helds if held.id in chosen]
    verdicts = {held.id: judge(held, basket, occasion, on) for held in named}
    offers = {held.id: board.offer(held, verdicts[held.id]) for held in named if verdicts[held.id].reason is None}
    accepted, refused = _accept(chosen, verdicts, offers, board)
    if refused:
        return next(iter(refused.values()))
    return tuple(board.use(accepted))


def _accept(
    chosen: Iterable[str], verdicts: dict[str, Verdict], offers: dict[str, Offer], board: Board
) -> tuple[list[Offer], dict[str, Verdict]]:
    """Those of the chosen that can be used together, and of the others why not; earlier ones win."""
    accepted: list[Offer] = []
    refused: dict[str, Verdict] = {}
    for coupon_id in chosen:
        offer = offers.get(coupon_id)
        if offer is None:
            refused[coupon_id] = verdicts.get(coupon_id) or Verdict(coupon_id=coupon_id, reason=Reason.NOT_HELD)
            continue
        conflict = stacking.refusal(offer.held, [other.held for other in accepted])
        if conflict is not None:
            refused[coupon_id] = conflict
        else:
            accepted.append(offer)
    busy = {use.coupon_id for use in board.use(accepted) if use.amount_fen}
    for offer in accepted:
        if offer.held.id not in busy:
            refused[offer.held.id] = Verdict(coupon_id=offer.held.id, reason=Reason.ADDS_NOTHING)
    return [offer for offer in accepted if offer.held.id in busy], refused


def _left_out(held: Held, used: Sequence[Offer]) -> Verdict:
    conflict = stacking.refusal(held, [offer.held for offer in used])
    return conflict or Verdict(coupon_id=held.id, reason=Reason.ADDS_NOTHING)
