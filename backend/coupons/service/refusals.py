"""What tills were refused, counted by day: for whoever looks which of them try the same coupon again and again.

A count knows the till, and of the coupon and the cashier a keyed mark: nobody can read an id, a code or a name out of
it, but the same one has the same mark. It is written beside the sale, which moved nothing, and never in its way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from backend.kernel import clock, db, logging
from backend.kernel.batching import Batcher
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError
from backend.kernel.vault import vault

from ..errors import CouponRefused

log = logging.get(__name__)

MOST_A_DAY = 500
"""Rows of one till and day; what it tries beyond that is counted without saying which coupon."""

MOST_TRIES = 1_000_000
KEPT_DAYS = 100
_MARK_DIGITS = 12


class _Tried(msgspec.Struct, frozen=True, order=True):
    """One kind of refusal at one till on one day."""

    on: date
    terminal_id: str
    store_id: str
    cashier: str
    coupon: str
    code: str


def mark_of(text: str) -> str:
    """The mark of a coupon's id, or of a cashier as the till calls them; nobody can go back from it."""
    return vault().blind_index(text, context="coupon.refusal")[:_MARK_DIGITS]


async def note_refused(refusal: CouponRefused, *, store_id: str, terminal_id: str, cashier: str | None) -> None:
    """Count that a till was refused a coupon. What cannot be written is left: the refusal stands all the same."""
    coupon_id = refusal.extra.get("coupon_id")
    tried = _Tried(
        on=clock.local_date(clock.now(), settings().timezone),
        terminal_id=terminal_id,
        store_id=store_id,
        cashier=mark_of(f"{store_id}/{cashier}") if cashier else "",
        coupon=mark_of(str(coupon_id)) if coupon_id else "",
        code=refusal.code,
    )
    try:
        await _batcher.submit(tried)
    except (DomainError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        log.warning("coupons.refusal_not_counted", terminal_id=terminal_id, error=type(error).__name__)


async def _write(waiting: list[_Tried]) -> list[None]:
    async with db.transaction() as tx:
        full = await _full(tx, waiting)
        counts = Counter(_without_coupon(one) if (one.on, one.terminal_id) in full else one for one in waiting)
        rows = sorted(counts)  # in one order, or two processes would wait for each other
        await db.raw(tx).execute(
            "INSERT INTO coupon_refusal AS r (on_date, terminal_id, store_id, cashier, coupon, code, tries)"
            " SELECT * FROM unnest($1::date[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[])"
            " ON CONFLICT (on_date, terminal_id, store_id, cashier, coupon, code)"
            " DO UPDATE SET tries = least(r.tries + excluded.tries, $8)",
            [row.on for row in rows],
            [row.terminal_id for row in rows],
            [row.store_id for row in rows],
            [row.cashier for row in rows],
            [row.coupon for row in rows],
            [row.code for row in rows],
            [counts[row] for row in rows],
            MOST_TRIES,
        )
    return [None] * len(waiting)


async def _full(tx: Tx, waiting: Sequence[_Tried]) -> set[tuple[date, str]]:
    """The days and tills of which there are as many rows as are kept."""
    rows = await db.fetch_in(
        tx,
        "SELECT on_date, terminal_id FROM coupon_refusal WHERE terminal_id = ANY($1) AND on_date >= $2"
        " GROUP BY on_date, terminal_id HAVING count(*) >= $3",
        list({tried.terminal_id for tried in waiting}),
        min(tried.on for tried in waiting),
        MOST_A_DAY,
    )
    return {(row[0], row[1]) for row in rows}


def _without_coupon(tried: _Tried) -> _Tried:
    return msgspec.structs.replace(tried, coupon="", cashier="")


_batcher: Batcher[_Tried, None] = Batcher(_write, max_size=256, max_waiting=1024)


async def forget_refused(now: datetime) -> None:
    """Drop what was counted longer ago than anybody looks at."""
    before = clock.days_after(clock.local_date(now, settings().timezone), -KEPT_DAYS)
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM coupon_refusal WHERE on_date < $1", before)
