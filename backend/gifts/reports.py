"""What was redeemed in some days, by gift and store: pieces, points, money and cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from backend.kernel import db, windows
from backend.kernel.config import settings
from backend.kernel.errors import invalid

MOST_DAYS = 366
MOST_ROWS = 5000


class Row(msgspec.Struct, kw_only=True):
    """A gift at a store: how many pieces were redeemed in these days, whatever became of them since.

    ``undone`` came to nothing, ``points`` and ``pay_fen`` are of what stands, ``cost_fen`` of what left (a coupon costs
    when it is used). ``store_id`` is empty where the gift is no store's.
    """

    gift_id: str
    title: str
    store_id: str
    redeemed: int
    undone: int
    waiting: int
    points: int
    pay_fen: int
    cost_fen: int


_ROWS = """
SELECT r.gift_id, coalesce(g.title, max(r.title)) AS title, coalesce(r.place_id, '') AS store_id,
       sum(r.quantity)::int AS redeemed,
       coalesce(sum(r.quantity) FILTER (WHERE r.state IN ('cancelled', 'expired', 'returned')), 0)::int AS undone,
       coalesce(sum(r.quantity) FILTER (WHERE r.state IN ('waiting', 'to_send')), 0)::int AS waiting,
       coalesce(sum(r.points) FILTER (WHERE r.state NOT IN ('cancelled', 'expired', 'returned')), 0)::bigint AS points,
       coalesce(sum(r.pay_fen) FILTER (WHERE r.state NOT IN ('cancelled', 'expired', 'returned')), 0)::bigint AS pay_fen,
       coalesce(sum(r.cost_fen) FILTER (WHERE r.out_at IS NOT NULL), 0)::bigint AS cost_fen
  FROM gifts_redemption r LEFT JOIN gifts_gift g ON g.id = r.gift_id
 WHERE r.at >= $1 AND r.at < $2 AND ($3::text[] IS NULL OR r.place_id = ANY($3))
 GROUP BY r.gift_id, g.title, coalesce(r.place_id, '') ORDER BY points DESC, r.gift_id, store_id LIMIT $4"""  # noqa: E501


async def rows(first: date, last: date, places: list[str] | None) -> list[Row]:
    """The report of these days of the chain, both included: of these places, or of all; what took most points first."""
    begin, end = windows.of_days(first, last, settings().timezone, most=MOST_DAYS)
    found = await db.fetch(_ROWS, begin, end, places, MOST_ROWS + 1)
    if len(found) > MOST_ROWS:
        raise invalid("/query/from", f"these days have more than {MOST_ROWS} rows; ask for fewer")
    return [Row(**dict(row)) for row in found]


HEADING = ("礼品编号", "礼品", "地点", "兑换", "取消、过期或退回", "待领取或寄出", "积分", "金额（分）", "成本（分）")


def table(found: Iterable[Row]) -> list[tuple[str | int, ...]]:
    """The rows of a file, with their sum."""
    listed = [msgspec.structs.astuple(row) for row in found]
    sums = [sum(row[column] for row in listed) for column in range(3, len(HEADING))]
    return [*listed, ("合计", "", "", *sums)]
