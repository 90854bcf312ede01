"""Who bears a coupon's amount."""

from __future__ import annotations

from collections.abc import Sequence

from ..types import CostShare, Party


def ref(share: CostShare, store_id: str) -> str:
    """Where a party's cost is booked: the ref of its ``house.coupon_cost`` account."""
    if share.party is Party.HEAD_OFFICE:
        return "head_office"
    return f"{share.party}/{store_id if share.party is Party.STORE else share.code}"


def split(amount_fen: int, cost: Sequence[CostShare], store_id: str) -> dict[str, int]:
    """Share an amount over the parties by basis points, rounded down; the first one bears the remainder.

    From the last party to the second, each bears ⌊what is left × its share ÷ the shares up to it⌋. So a part never
    falls when the amount grows, which lets partial refunds be differences.

    Args:
        store_id: the store that sells.
    """
    parts: list[int] = []
    left, shares = amount_fen, sum(share.share_bp for share in cost)
    for share in reversed(cost[1:]):
        part = left * share.share_bp // shares
        parts.append(part)
        left -= part
        shares -= share.share_bp
    parts.append(left)
    return {ref(share, store_id): part for share, part in zip(cost, reversed(parts), strict=True)}


def split_further(before_fen: int, now_fen: int, cost: Sequence[CostShare], store_id: str) -> dict[str, int]:
    """The parties' parts of ``now_fen`` after ``before_fen`` were shared: all such parts together are one ``split``."""
    before = split(before_fen, cost, store_id)
    after = split(before_fen + now_fen, cost, store_id)
    return {party: part - before[party] for party, part in after.items()}
