"""What a till and a phone know of one sale."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..world import Member, Till


@dataclass
class Sale:
    """A sale as it was acknowledged, what came after, and whether the model knows that it was paid.

    ``tried`` are the decisions sent while it waited, ``told`` the one that was acknowledged.
    """

    id: str
    member: Member
    till: Till
    status: str
    payable_fen: int
    tenders: dict[str, int]
    points_paid: int
    earned: int
    lines: list[tuple[int, int]]
    expires_at: float = 0.0
    paid: bool = False
    tried: set[str] = field(default_factory=set)
    told: str = ""
    refunds: int = 0
    refunded_fen: int = 0
    back: dict[str, int] = field(default_factory=dict)
    clawed: int = 0
    returned: int = 0
