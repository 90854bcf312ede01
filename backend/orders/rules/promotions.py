"""Activities and threshold offers: what the mall takes off by itself, before coupons.

An *activity* (活动价) takes off each piece in its scope; the best one counts. An *offer* (满减、满件) takes off the
lines in its scope together, once they reach one of its tiers; each line counts for one offer, higher priority first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.coupons.rules.applies import in_scope
from backend.coupons.types import BasketLine
from backend.kernel.money import share_list

from ..types import Promotion, PromotionKind, Step, StepKind, Tier
from .lines import BP, Line, basket


class Occasion(msgspec.Struct, frozen=True):
    """Where, when and by whom it is bought."""

    store_id: str
    level: str
    now: datetime


def running(promotions: Sequence[Promotion], kind: PromotionKind, here: Occasion) -> list[Promotion]:
    """Those of a kind that hold here and now, higher priority first, then by id."""
    found = [
        one
        for one in promotions
        if one.kind is kind
        and one.active
        and one.starts_at <= here.now < one.ends_at
        and (not one.scope.stores or here.store_id in one.scope.stores)
        and (not one.scope.levels or here.level in one.scope.levels)
    ]
    return sorted(found, key=lambda one: (-one.priority, one.id))


def activity_price(line: Line, activities: Sequence[Promotion]) -> Line:
    """Take off what the best activity takes; never more than the line costs."""
    best = Step(StepKind.ACTIVITY, "", 0)
    for one in activities:
        if not in_scope(one.scope, basket([line])):
            continue
        tier = one.tiers[0]
        off = min(tier.off_fen * line.qty + line.payable_fen * tier.off_bp // BP, line.payable_fen)
        if off > best.off_fen:
            best = Step(StepKind.ACTIVITY, one.title, off, one.id)
    return line.less(best)


def threshold_offers(lines: Sequence[Line], offers: Sequence[Promotion]) -> list[Line]:
    """Take off what the offers take; each line counts for the first of them that its lines reach.

    What an offer takes is shared over its lines by what they cost so far, by the largest remainder.
    """
    found = {line.line_no: line for line in lines}
    free = set(found)
    for offer in offers:
        counted = [
            found[one.line_no] for one in in_scope(offer.scope, _basket(found, free)) if found[one.line_no].payable_fen
        ]
        off = _off(offer, counted)
        if not off:
            continue
        shares = share_list(off, [line.payable_fen for line in counted])
        for line, share in zip(counted, shares, strict=True):
            found[line.line_no] = line.less(Step(StepKind.OFFER, offer.title, share, offer.id))
            free.discard(line.line_no)
    return [found[line.line_no] for line in lines]


def _basket(lines: dict[int, Line], free: set[int]) -> list[BasketLine]:
    return basket([line for line_no, line in lines.items() if line_no in free])


def _off(offer: Promotion, counted: Sequence[Line]) -> int:
    """What the best tier that these lines reach takes, at most all they cost."""
    fen = sum(line.payable_fen for line in counted)
    pieces = sum(line.qty for line in counted)
    return max((min(fen, _of_tier(tier, offer.each, fen, pieces)) for tier in offer.tiers), default=0)


def _of_tier(tier: Tier, each: bool, fen: int, pieces: int) -> int:
    if fen < tier.from_fen or pieces < tier.from_pieces or not fen:
        return 0
    times = 1
    if each:
        reached = [fen // tier.from_fen] if tier.from_fen else []
        reached += [pieces // tier.from_pieces] if tier.from_pieces else []
        times = min(reached, default=1)
    return tier.off_fen * times + fen * tier.off_bp // BP
