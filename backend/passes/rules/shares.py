"""Which part of what was paid for a pass is earned when."""

from __future__ import annotations

from itertools import pairwise


def use_share(paid_fen: int, uses: int, uses_left: int, value_fen: int, qty: int) -> int:
    """What ``qty`` uses earn: as much as brings the earned part to ⌊paid × used ÷ uses⌋; the last use takes the rest.

    Uses that were undone out of turn may leave less (or more) than that would take: a share is never below nothing nor
    above what is left, so that all of them together are what was paid.

    Args:
        uses_left: before this use, ``qty`` or more.
        value_fen: what is not earned yet, 0..``paid_fen``.
    """
    used = uses - uses_left + qty
    return max(0, value_fen - (paid_fen - paid_fen * used // uses))


def days_share(paid_fen: int, days: int, elapsed: int, value_fen: int) -> int:
    """What is to be earned after so many of its days: the earned part becomes ⌊paid × elapsed ÷ days⌋.

    Args:
        value_fen: what is not earned yet, 0..``paid_fen``.
    """
    earned = paid_fen * min(max(elapsed, 0), days) // days
    return max(0, value_fen - (paid_fen - earned))


def piece_shares(fen: int, pieces: int) -> list[int]:
    """A line's amount by its pieces: ⌊fen × piece ÷ pieces⌋ together, so that they sum to it exactly."""
    reached = [fen * piece // pieces for piece in range(pieces + 1)]
    return [after - before for before, after in pairwise(reached)]
