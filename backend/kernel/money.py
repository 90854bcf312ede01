"""Integer money and points: bounds, and the one way to share an amount without losing a fen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

from msgspec import Meta

MAX_AMOUNT = 10**11
"""No single amount, in fen or points, may exceed this (DESIGN.md section 3)."""

Fen = Annotated[int, Meta(ge=1, le=MAX_AMOUNT, description="人民币分；整数")]
FenOrZero = Annotated[int, Meta(ge=0, le=MAX_AMOUNT, description="人民币分；整数，可为 0")]
Points = Annotated[int, Meta(ge=1, le=MAX_AMOUNT, description="积分；整数")]

K = TypeVar("K")


def share(amount: int, weights: Mapping[K, int]) -> dict[K, int]:
    """Split ``amount`` in proportion to ``weights`` so that the parts sum to it exactly.

    Parts round down; the units left over go to the largest remainders, earlier keys first where they tie. Where
    ``amount`` is at most the sum of the weights, no part exceeds its weight.

    Args:
        amount: 0 or more.
        weights: 0 or more each; their sum is positive unless ``amount`` is 0.

    Source: largest-remainder (Hamilton) method.
    """
    total = sum(weights.values())
    if total == 0:
        if amount:
            raise ValueError("cannot share an amount over nothing")
        return dict.fromkeys(weights, 0)
    parts = {key: amount * weight // total for key, weight in weights.items()}
    left = amount - sum(parts.values())
    by_remainder = sorted(weights, key=lambda key: -(amount * weights[key] % total))
    for key in by_remainder[:left]:
        parts[key] += 1
    return parts


def share_list(amount: int, weights: Sequence[int]) -> list[int]:
    """``share`` over positions."""
    parts = share(amount, dict(enumerate(weights)))
    return [parts[index] for index in range(len(weights))]


def yuan(fen: int) -> str:
    """An amount as on a price tag: 2000 is 20, 2050 is 20.5."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)
