"""What ends, ends after its last day and not before; what has ended is not spent, and is gone in the end.

Every lot of points and of stored value with a last day is looked at, whoever made it: the clock of a run jumps over the
ends of months. What comes back to a lot that has ended (a refund, a gift that was given up) goes the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from . import Domain
from .coupon_books import local_date

if TYPE_CHECKING:
    from ..oracle import Books

KINDS = "('points', 'points_pending', 'stored', 'rebate')"
SPENDING = "('sale', 'order', 'order_held', 'points_transfer', 'gift_redemption', 'gift_stored')"
"""Transfers that members or tills ask for, which take what is good alone."""

MOST_TOLD = 5

_MOVES = f"""
SELECT m.member_id, m.lot_id, l.kind, l.expires_on, t.kind, t.at, m.amount
  FROM ledger_transfer t
  JOIN ledger_lot_move m ON m.member_id = t.member_id AND m.seq = t.seq
  JOIN ledger_lot l ON l.member_id = m.member_id AND l.lot_id = m.lot_id
 WHERE l.kind IN {KINDS}"""  # noqa: S608 - constants


class Expiry(Domain):
    """Nothing ends early, nothing that ended is spent, and in the end nothing of it is left."""

    order: ClassVar[int] = 45
    jobs: ClassVar = ("wallet.age_lots",)
    facts: ClassVar = {
        "lots that expired": f"{_MOVES} AND t.kind = 'expiry'",
        "lots that were spent late": (
            f"{_MOVES} AND m.amount < 0 AND t.kind IN {SPENDING}"
            " AND (t.at AT TIME ZONE 'Asia/Shanghai')::date > l.expires_on"
        ),
        "lots with a last day": f"""
SELECT member_id, lot_id, kind, expires_on, remaining FROM ledger_lot
 WHERE open AND expires_on IS NOT NULL AND kind IN {KINDS}""",  # noqa: S608 - constants
        "balances of what ends": f"""
SELECT member_id, kind, sum(remaining)::bigint FROM ledger_lot WHERE kind IN {KINDS} AND ref = ''
 GROUP BY member_id, kind""",  # noqa: S608 - constants
    }

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Compare every lot that ended, or will."""
        yield from islice(self._early(books), MOST_TOLD)  # what is wrong with one lot mostly is with all
        for row in books.facts["lots that were spent late"][:MOST_TOLD]:
            yield f"lot {row[1]} of member {row[0]}, {row[2]} good until {row[3]}, was spent by a {row[4]} at {row[5]}"
        for member_id, kind, remaining in books.facts["balances of what ends"]:
            if books.balances.get((member_id, kind), 0) != remaining:
                yield f"member {member_id}: lots of {kind} hold {remaining}"
        if final and not books.events:
            today = local_date(datetime.fromtimestamp(self.world.now(), UTC))
            left = [row for row in books.facts["lots with a last day"] if row[3] < today]
            for member_id, lot_id, kind, day, remaining in left[:MOST_TOLD]:
                yield f"lot {lot_id} of member {member_id}, {kind} good until {day}, still holds {remaining} on {today}"

    def _early(self, books: Books) -> Iterator[str]:
        for member_id, lot_id, kind, day, _, at, amount in books.facts["lots that expired"]:
            if day is None or local_date(at) <= day or amount >= 0:
                yield f"lot {lot_id} of member {member_id}, {kind} good until {day}: {amount} expired at {at}"
