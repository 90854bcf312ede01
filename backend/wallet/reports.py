"""Stored value by day: what came, was given, was spent, went back and expired, and what the chain owes.

A job counts what was posted since the last time, member by member; a member's transfers are numbered without gaps and
become visible in that order, so a late commit is counted late and never missed. What the rows hold can be thrown away
and is counted again. A day counts in the chain's zone; what is spent belongs to the store that sold, what has no store
(recharges on the phone) to none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx

AT_ONCE = 500

_DUE = """
SELECT h.member_id, coalesce(r.seq, 0) AS since, h.seq
  FROM ledger_head h LEFT JOIN wallet_rolled r ON r.member_id = h.member_id AND r.zone = $1
 WHERE h.member_id > $2 AND h.seq > coalesce(r.seq, 0) ORDER BY h.member_id LIMIT $3"""
# Principal that a refund keeps for spent bonus leaves with what the payer gets, and is told apart from it.
_COUNT = """
INSERT INTO wallet_day AS w (zone, day, store_id, account, kind, principal_fen, bonus_fen, transfers)
SELECT $1, (t.at AT TIME ZONE $1)::date, coalesce(d.store_id, ''), l.kind, moved.kind,
       coalesce(sum(moved.fen) FILTER (WHERE l.part = 'principal'), 0),
       coalesce(sum(moved.fen) FILTER (WHERE l.part <> 'principal'), 0), count(DISTINCT (t.member_id, t.seq))
  FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS due (member_id, since, seq)
  JOIN ledger_transfer t ON t.member_id = due.member_id AND t.seq > due.since AND t.seq <= due.seq
  JOIN ledger_lot_move m ON m.member_id = t.member_id AND m.seq = t.seq
  JOIN ledger_lot l ON l.member_id = m.member_id AND l.lot_id = m.lot_id AND l.kind IN ('stored', 'stored_held')
   AND l.ref = ''
  LEFT JOIN ledger_document d ON d.member_id = t.member_id AND d.id = t.document_id
  LEFT JOIN wallet_refund r ON t.kind = 'recharge_refunded' AND l.part = 'principal' AND r.withheld_fen > 0
        AND r.member_id = t.member_id AND r.id = l.source
 CROSS JOIN LATERAL (VALUES (t.kind, m.amount + coalesce(r.withheld_fen, 0)),
                            ('recharge_withheld', -r.withheld_fen)) AS moved (kind, fen)
 WHERE moved.fen IS NOT NULL
 GROUP BY 2, 3, 4, 5 ORDER BY 2, 3, 4, 5
ON CONFLICT (zone, day, store_id, account, kind) DO UPDATE SET principal_fen = w.principal_fen + EXCLUDED.principal_fen,
   bonus_fen = w.bonus_fen + EXCLUDED.bonus_fen, transfers = w.transfers + EXCLUDED.transfers"""
_COUNTED = """
INSERT INTO wallet_rolled (member_id, zone, seq) SELECT member_id, $1, seq
  FROM unnest($2::bigint[], $3::bigint[]) AS due (member_id, seq)
ON CONFLICT (member_id, zone) DO UPDATE SET seq = EXCLUDED.seq"""


async def roll_up(zone: str, *, batch: int = AT_ONCE) -> int:
    """Count what was posted since the last time; returns of how many members, ``batch`` of them in a transaction."""
    after, counted = -(1 << 62), 0
    while True:
        async with db.transaction() as tx:
            found = await _count(tx, zone, after, batch)
        if found is None:
            return counted
        after, counted = found[0], counted + found[1]


async def _count(tx: Tx, zone: str, after: int, batch: int) -> tuple[int, int] | None:
    """One batch: its last member and how many it were."""
    connection = db.raw(tx)
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('wallet_roll_up'))")
    due = await connection.fetch(_DUE, zone, after, batch)
    if not due:
        return None
    members, since, until = ([row[place] for row in due] for place in range(3))
    await connection.execute(_COUNT, zone, members, since, until)
    await connection.execute(_COUNTED, zone, members, until)
    return members[-1], len(members)


class Day(msgspec.Struct, kw_only=True):
    """A day's flows in fen, each positive in its own direction, and what was owed when it was over.

    ``owed_…`` is what members held, refunds under way included; of one store's report it is None: members' value is
    the chain's.
    """

    day: date
    recharged_fen: int = 0
    bonus_given_fen: int = 0
    spent_principal_fen: int = 0
    spent_bonus_fen: int = 0
    returned_principal_fen: int = 0
    returned_bonus_fen: int = 0
    expired_fen: int = 0
    paid_back_fen: int = 0
    bonus_forfeited_fen: int = 0
    withheld_fen: int = 0
    other_fen: int = 0
    owed_principal_fen: int | None = None
    owed_bonus_fen: int | None = None


SPENT = frozenset({"sale", "order", "order_held", "gift_redemption"})
RETURNED = frozenset({"refund", "order_released", "gift_back"})
GIVEN = frozenset({"gift_stored", "gift_stored_back"})
"""Bonus for points, and what of it was taken back."""

_FLOWS = """
SELECT day, account, kind, sum(principal_fen)::bigint AS principal, sum(bonus_fen)::bigint AS bonus FROM wallet_day
 WHERE zone = $1 AND day BETWEEN $2 AND $3 AND ($4::text IS NULL OR store_id = $4)
 GROUP BY day, account, kind ORDER BY day"""
_OWED_BEFORE = """
SELECT coalesce(sum(principal_fen), 0)::bigint, coalesce(sum(bonus_fen), 0)::bigint FROM wallet_day
 WHERE zone = $1 AND day < $2"""


async def list_days(zone: str, first: date, last: date, *, store_id: str | None = None) -> list[Day]:
    """The days on which something moved, in order; of a store only what was spent there and came back."""
    rows = await db.fetch(_FLOWS, zone, first, last, store_id)
    days: dict[date, Day] = {}
    moved: dict[date, tuple[int, int]] = {}
    for row in rows:
        day = days.setdefault(row["day"], Day(day=row["day"]))
        _add(day, row["account"], row["kind"], row["principal"], row["bonus"])
        before = moved.get(row["day"], (0, 0))
        moved[row["day"]] = before[0] + row["principal"], before[1] + row["bonus"]
    if store_id is None:
        found = await db.fetchrow(_OWED_BEFORE, zone, first)
        assert found is not None
        principal, bonus = found
        for on, day in days.items():
            principal, bonus = principal + moved[on][0], bonus + moved[on][1]
            day.owed_principal_fen, day.owed_bonus_fen = principal, bonus
    return list(days.values())


def _add(day: Day, account: str, kind: str, principal: int, bonus: int) -> None:
    """Put a flow where it belongs. What is frozen and thawed only changes accounts, and comes to nothing together."""
    if kind in ("recharge_refund_frozen", "recharge_refund_thawed"):
        return
    if kind == "recharge_refunded":  # out of what was held
        day.paid_back_fen -= principal
        day.bonus_forfeited_fen -= bonus
    elif kind == "recharge_withheld":
        day.withheld_fen -= principal
    elif kind == "bonus_forfeited":
        day.bonus_forfeited_fen -= bonus
    elif kind in ("recharge", "recharge_reversed"):
        day.recharged_fen += principal
        day.bonus_given_fen += bonus
    elif kind in SPENT:
        day.spent_principal_fen -= principal
        day.spent_bonus_fen -= bonus
    elif kind in RETURNED:
        day.returned_principal_fen += principal
        day.returned_bonus_fen += bonus
    elif kind in GIVEN:
        day.bonus_given_fen += bonus
    elif kind in ("expiry", "given_up"):
        day.expired_fen -= principal + bonus
    else:
        day.other_fen += principal + bonus


HEADING = (
    *(
        "日期",
        "充值（分）",
        "赠送（分）",
        "消费本金（分）",
        "消费赠送（分）",
        "退货返还本金（分）",
        "退货返还赠送（分）",
    ),
    *(
        "过期（分）",
        "充值退款（分）",
        "赠送收回（分）",
        "扣回本金（分）",
        "其他（分）",
        "未消费本金（分）",
        "未消费赠送（分）",
    ),
)


def table(days: Iterable[Day]) -> list[tuple[str | int | None, ...]]:
    """The rows of a file."""
    return [(day.day.isoformat(), *msgspec.structs.astuple(day)[1:]) for day in days]
