"""What members' standings follow from: purchases, what came back, and what was brought along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial

import msgspec

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.members.types import LevelState

from ..types import Facts, Purchase, Return, Totals

MOST = 5_000
"""Of one member, the last ones, that are told one by one; older ones are sums."""

_PURCHASES = """
SELECT p.* FROM unnest($1::bigint[], $2::timestamptz[]) AS w (id, horizon)
 CROSS JOIN LATERAL (SELECT member_id, sale_id, kind, at, spent_fen, points FROM lifecycle_purchase
                      WHERE member_id = w.id AND at >= w.horizon ORDER BY at DESC, sale_id DESC LIMIT $3) AS p
 ORDER BY p.member_id, p.at, p.sale_id"""
_RETURNS = """
SELECT r.* FROM unnest($1::bigint[]) AS w (id)
 CROSS JOIN LATERAL (SELECT member_id, refund_id, sale_id, at, fen, points FROM lifecycle_return
                      WHERE member_id = w.id ORDER BY at DESC LIMIT $2) AS r"""
_OLDER = """
SELECT w.id, sum(left_fen)::bigint AS spend, sum(left_points)::bigint AS points,
       count(*) FILTER (WHERE left_fen > 0) AS purchases,
       coalesce(sum(left_fen) FILTER (WHERE p.at >= w.joined), 0)::bigint AS joined_spend,
       coalesce(sum(left_points) FILTER (WHERE p.at >= w.joined), 0)::bigint AS joined_points,
       count(*) FILTER (WHERE left_fen > 0 AND p.at >= w.joined) AS joined_purchases,
       max(p.at) FILTER (WHERE left_fen > 0) AS last_at,
       coalesce(sum(left_fen) FILTER (WHERE p.kind <> 'accrual'), 0)::bigint AS growth
  FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::timestamptz[]) AS w (id, at, sale_id, joined)
  JOIN lifecycle_purchase p ON p.member_id = w.id AND (p.at, p.sale_id) < (w.at, w.sale_id)
  LEFT JOIN LATERAL (SELECT sum(fen) AS fen, sum(points) AS points FROM lifecycle_return r
                      WHERE r.member_id = p.member_id AND r.sale_id = p.sale_id) AS b ON true
 CROSS JOIN LATERAL (SELECT greatest(0, p.spent_fen - coalesce(b.fen, 0)) AS left_fen,
                            greatest(0, p.points - coalesce(b.points, 0)) AS left_points) AS l
 GROUP BY w.id"""


class Known(msgspec.Struct, frozen=True):
    """A member's facts; ``last_on`` is the day of the last of the older purchases."""

    facts: Facts
    last_on: date | None


async def load_facts(tx: Tx | None, states: Sequence[LevelState], horizons: Mapping[int, datetime]) -> dict[int, Known]:
    """The facts of members, by id: purchases one by one from each one's horizon on, what was before as sums."""
    fetch = db.fetch if tx is None else partial(db.fetch_in, tx)
    ids = [state.member_id for state in states]
    bought = await fetch(_PURCHASES, ids, [horizons[member_id] for member_id in ids], MOST)
    back = await fetch(_RETURNS, ids, MOST)
    by_member, returned = _grouped(ids, bought), _grouped(ids, back)
    firsts = [by_member[i][0] if by_member[i] else None for i in ids]
    older = {
        row["id"]: row
        for row in await fetch(
            _OLDER,
            ids,
            [first["at"] if first else horizons[i] for i, first in zip(ids, firsts, strict=True)],
            [first["sale_id"] if first else "" for first in firsts],
            [state.created_at for state in states],
        )
    }
    return {
        state.member_id: _known(
            state, by_member[state.member_id], returned[state.member_id], older.get(state.member_id)
        )
        for state in states
    }


def _grouped(ids: Sequence[int], rows: Sequence[db.Record]) -> dict[int, list[db.Record]]:
    found: dict[int, list[db.Record]] = {member_id: [] for member_id in ids}
    for row in rows:
        found[row["member_id"]].append(row)
    return found


def _known(state: LevelState, bought: Sequence[db.Record], back: Sequence[db.Record], older: db.Record | None) -> Known:
    zone = settings().timezone
    purchases = tuple(
        Purchase(row["sale_id"], row["at"], clock.local_date(row["at"], zone), row["spent_fen"], row["points"])
        for row in bought
    )
    returns = tuple(
        Return(
            row["refund_id"], row["sale_id"], row["at"], clock.local_date(row["at"], zone), row["fen"], row["points"]
        )
        for row in back
    )
    returned = dict[str, int]()
    for one in returns:
        returned[one.sale_id] = returned.get(one.sale_id, 0) + one.fen
    grown = sum(
        max(0, row["spent_fen"] - returned.get(row["sale_id"], 0)) for row in bought if row["kind"] != "accrual"
    )
    before = joined = Totals()
    if older is not None:
        before = Totals(older["spend"], older["points"], older["purchases"])
        joined = Totals(older["joined_spend"], older["joined_points"], older["joined_purchases"])
        grown += older["growth"]
    facts = Facts(
        joined_on=clock.local_date(state.created_at, zone),
        purchases=purchases,
        returns=returns,
        older=before,
        older_joined=joined,
        brought_fen=max(0, state.growth_fen - grown),
    )
    last_at = older["last_at"] if older else None
    return Known(facts, clock.local_date(last_at, zone) if last_at else None)
