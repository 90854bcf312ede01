"""Take a day's bill, put our side beside it, and say where they differ.

Every step goes by number and may be done again. From the first step to the last the day is due: a crash in the middle
leaves it so, whether it was taken before or not, and the job does all of it once more with the same outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from backend.kernel import clock, db, logging
from backend.kernel.errors import DomainError
from backend.ledger import queries as ledger
from backend.orders import queries as orders
from backend.wechat import service as wechat
from backend.wechat.errors import BillAbsent
from backend.wechat.types import BillKind, BillLine, TradeBill

from .. import queries, rules
from ..errors import BillDayRefused, BillVanished
from ..types import Bill
from . import judging

log = logging.get(__name__)

AT_ONCE = 500
DAYS_A_RUN = 8
UNDERWAY = timedelta(minutes=10)
"""How long a bill may take to be kept and judged before it counts as cut short."""

_WANTED = """
INSERT INTO reconciliation_bill (day, state, due_at) SELECT day, 'waiting', due_at
  FROM unnest($1::date[], $2::timestamptz[]) AS w (day, due_at) ON CONFLICT (day) DO NOTHING"""
# The first day after one that was asked for that was not.
_FIRST = """
SELECT min(b.day + 1) FROM reconciliation_bill b
 WHERE NOT EXISTS (SELECT FROM reconciliation_bill n WHERE n.day = b.day + 1)"""
_DUE = "SELECT day, tries FROM reconciliation_bill WHERE due_at <= $1 ORDER BY day LIMIT $2"
_LATER = "UPDATE reconciliation_bill SET tries = tries + 1, due_at = $2 WHERE day = $1 AND due_at IS NOT NULL"


async def take_due(now: datetime) -> int:
    """Take every bill whose time has come, the oldest first; returns how many were taken.

    One that does not come is asked for again later, and holds no other up. Without a merchant nothing is asked for.
    """
    if not wechat.takes_payments():
        return 0
    await _want_all(now)
    taken = 0
    for row in await db.fetch(_DUE, now, DAYS_A_RUN):
        try:
            await take(row["day"], now)
            taken += 1
        except DomainError as error:
            log.warning("reconciliation.bill_not_taken", day=str(row["day"]), error=error.code)
            await _later(row["day"], row["tries"], now)
        except Exception as error:
            log.error("reconciliation.bill_failed", day=str(row["day"]), error=type(error).__name__)
            await _later(row["day"], row["tries"], now)
    return taken


async def _later(day: date, tries: int, now: datetime) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute(_LATER, day, rules.retry_at(tries, now))


async def _want_all(now: datetime) -> None:
    """Note the days up to yesterday whose bills nobody has asked for yet; gaps too, which somebody left by hand."""
    last = rules.day_of(now) - timedelta(days=1)
    known = await db.fetchval(_FIRST)
    await want(rules.days_to_want(known, last))


async def want(days: Sequence[date]) -> None:
    """Note days whose bills are to be asked for, each from when on it can be had."""
    if days:
        async with db.transaction() as tx:
            await db.raw(tx).execute(_WANTED, days, [rules.bill_due(day) for day in days])


async def take_again(day: date) -> Bill:
    """Take the bill of a day at once, whether it was taken before or not.

    Raises ``BillDayRefused`` for a day of which WeChat has no bill, ``BillVanished`` where it denies one that it gave
    us, and what WeChat says where it does not come.
    """
    now = clock.now()
    last = rules.day_of(now) - timedelta(days=1)
    if not last - timedelta(days=rules.MOST_BACK_DAYS) < day <= last:
        raise BillDayRefused
    bill = await _fetch(day)
    await want([day])
    await keep(day, bill, now)
    found = await queries.find_bill(day)
    assert found is not None
    return found


async def take(day: date, now: datetime) -> None:
    """Fetch the bill of a day, keep both sides of its items, and judge them."""
    await keep(day, await _fetch(day), now)


async def _fetch(day: date) -> TradeBill:
    try:
        return await wechat.trade_bill(day)
    except BillAbsent:
        if await db.fetchval(_HAS_LINES, day):
            raise BillVanished from None
        return TradeBill(())


_HAS_LINES = "SELECT EXISTS (SELECT FROM reconciliation_item WHERE day = $1 AND theirs_fen IS NOT NULL)"


async def keep(day: date, bill: TradeBill, now: datetime) -> None:
    """Keep both sides of a day's items, and judge them; the day is noted already."""
    due_at = await _begin(day)
    await _forget_others(day, bill)
    for start in range(0, len(bill.lines), AT_ONCE):
        await _keep_both(day, bill.lines[start : start + AT_ONCE])
    await _keep_ours(day)
    await _note_taken(day, bill, now)
    found = await judging.judge_day(day, now)
    await _end(day, due_at)
    log.info("reconciliation.bill_taken", day=str(day), lines=len(bill.lines), differences=found)


# Its state stays what it was: each item has a line of the bill of before or of this one, so the day is covered as well
# as it was, and one whose bill was never kept whole is not.
_BEGIN = "UPDATE reconciliation_bill SET due_at = $2 WHERE day = $1"
# Whoever began after us is not done yet, and has put another time there.
_END = "UPDATE reconciliation_bill SET due_at = NULL WHERE day = $1 AND due_at = $2"


async def _begin(day: date) -> datetime:
    """Have the job take this bill if we come to no end; returns when."""
    due_at = clock.now() + UNDERWAY
    async with db.transaction() as tx:
        await db.raw(tx).execute(_BEGIN, day, due_at)
    return due_at


async def _end(day: date, due_at: datetime) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute(_END, day, due_at)


# Rows are locked in the order of their keys, as everywhere else: two who take the same bill do not block each other.
_GONE = """
UPDATE reconciliation_item i SET theirs_fen = NULL, theirs_at = NULL, theirs_failed = false, transaction_id = NULL,
       refund_id = NULL, fee = NULL
  FROM (SELECT kind, number FROM reconciliation_item g
         WHERE day = $1 AND theirs_fen IS NOT NULL AND NOT EXISTS (
               SELECT FROM unnest($2::text[], $3::text[]) AS w (kind, number)
                WHERE w.kind = g.kind AND w.number = g.number)
         ORDER BY kind, number FOR UPDATE) g
 WHERE i.kind = g.kind AND i.number = g.number"""


async def _forget_others(day: date, bill: TradeBill) -> None:
    """Forget what an earlier bill of the day said and this one does not: it is judged anew as what is missing there."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            _GONE, day, [line.kind.value for line in bill.lines], [line.number for line in bill.lines]
        )


_THEIRS = """
INSERT INTO reconciliation_item AS i (kind, number, day, theirs_fen, theirs_at, theirs_failed, transaction_id,
                                      refund_id, fee)
SELECT kind, number, $1, fen, at, failed, transaction_id, refund_id, fee
  FROM unnest($2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::bool[], $7::text[], $8::text[], $9::bigint[])
    AS w (kind, number, fen, at, failed, transaction_id, refund_id, fee)
 ORDER BY kind, number
    ON CONFLICT (kind, number) DO UPDATE
       SET day = EXCLUDED.day, theirs_fen = EXCLUDED.theirs_fen, theirs_at = EXCLUDED.theirs_at,
           theirs_failed = EXCLUDED.theirs_failed, transaction_id = EXCLUDED.transaction_id,
           refund_id = EXCLUDED.refund_id, fee = EXCLUDED.fee"""


async def _keep_both(day: date, lines: Sequence[BillLine]) -> None:
    """Keep lines of a bill, and what our documents say of their numbers.

    Our documents may say something of more numbers than these: each side is a transaction of its own, in the order of
    its keys.
    """
    documents = await judging.documents_of(number for line in lines for number in (line.out_trade_no, line.number))
    columns = [
        [line.kind.value for line in lines],
        [line.number for line in lines],
        [line.amount_fen for line in lines],
        [line.at for line in lines],
        [line.failed for line in lines],
        [line.transaction_id for line in lines],
        [line.refund_id for line in lines],
        [line.fee for line in lines],
    ]
    async with db.transaction() as tx:
        await judging.keep_ours(tx, documents)
    async with db.transaction() as tx:
        await db.raw(tx).execute(_THEIRS, day, *columns)


async def _keep_ours(day: date) -> None:
    """Keep what our books say was paid and given back on a day, whether a bill has it or not."""
    since, until = rules.begins(day), rules.begins(day + timedelta(days=1))
    after: tuple[datetime, int, int] | None = None
    while True:
        rows = await ledger.list_psp_documents(since, until, after=after, limit=AT_ONCE)
        found = await ledger.find_documents({(member_id, document_id) for _, member_id, _, document_id in rows})
        # The books name an order, WeChat the payment that paid it, perhaps with others.
        documents = [*found.values(), *await orders.list_payments(found.values())]
        async with db.transaction() as tx:
            await judging.keep_ours(tx, documents)
        if len(rows) < AT_ONCE:
            return
        after = rows[-1][:3]


_TAKEN = """
UPDATE reconciliation_bill SET state = $2, sha1 = $3, lines = $4, paid_fen = $5, refunded_fen = $6,
       fee = $7, taken_at = $8 WHERE day = $1"""


async def _note_taken(day: date, bill: TradeBill, now: datetime) -> None:
    def total(kind: BillKind) -> int:
        return sum(line.amount_fen for line in bill.lines if line.kind is kind)

    async with db.transaction() as tx:
        await db.raw(tx).execute(
            _TAKEN,
            day,
            "taken" if bill.lines else "empty",
            bill.sha1 or None,
            len(bill.lines),
            total(BillKind.PAYMENT),
            total(BillKind.REFUND),
            sum(line.fee for line in bill.lines),
            now,
        )
