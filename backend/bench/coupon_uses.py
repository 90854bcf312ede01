"""``bench statements``: what coupons did in a month, a quarter and a year, with a million uses in the books.

The uses are rows as sales with a coupon leave them, made set by set, so that they are there in a minute. They say how
long statements take, and nothing else: such books have no keys, lots and hashes, and nobody audits them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from random import Random

import asyncpg
import msgspec

from backend.coupons import statements
from backend.coupons.commands import days
from backend.coupons.statements import By
from backend.coupons.types import Used
from backend.kernel import clock, config, db
from backend.kernel.config import Settings
from backend.ledger import plans as ledger
from backend.sales.types import PricedLine, SaleBody, Tender, TenderType

from .population import STORES
from .system import Say

DAYS = 360
TEMPLATES = 40
BODIES = 240
USES_EACH = 20
"""Uses of a member."""

LINES, FACE_FEN = 4, 2_000
CHUNK = 100_000
GOAL_S = 2.0
"""For a month of the chain, also while its last days are not counted yet."""

_USES = """
CREATE TEMP TABLE bench_use AS
SELECT n, $5 + n * 7919 % $4 AS member_id, n % $3 AS body, $6::timestamptz + n * $7::interval AS at
  FROM generate_series($1::bigint, $2::bigint) AS n"""

_ROWS = (
    """
INSERT INTO ledger_document (member_id, id, kind, state, store_id, body, at, updated_at)
SELECT member_id, 'SB' || n, 'sale', 'completed', store_id, b.body, at, at
  FROM bench_use u JOIN bench_body b ON b.number = u.body""",
    """
INSERT INTO ledger_transfer (member_id, seq, kind, document_id, at, digest, hash)
SELECT member_id, n, 'sale', 'SB' || n, at, '', '' FROM bench_use""",
    """
INSERT INTO ledger_entry (member_id, seq, leg, kind, ref, unit, amount, at)
SELECT member_id, n, leg, kind, coalesce(said, CASE whose WHEN 'store' THEN store_id ELSE template END), unit, amount,
       at
  FROM bench_use u JOIN bench_body b ON b.number = u.body CROSS JOIN bench_leg""",
    "DROP TABLE bench_use",
)

_LEGS: tuple[tuple[str, str | None, str | None, str, int], ...] = (
    (ledger.HOUSE_COUPONS_ISSUED, None, "template", ledger.USES, -1),
    (ledger.COUPON, "c", None, ledger.USES, 1),
    (ledger.COUPON, "c", None, ledger.USES, -1),
    (ledger.HOUSE_COUPONS_USED, None, "template", ledger.USES, 1),
    (ledger.HOUSE_COUPON_COST, "head_office", None, ledger.FEN, -1_000),
    (ledger.HOUSE_COUPON_COST, "supplier/ACME", None, ledger.FEN, -1_000),
    (ledger.HOUSE_SALES, None, "store", ledger.FEN, 20_000),
    (ledger.STORED, "", None, ledger.FEN, -18_000),
)
"""The legs of a use: account, what it is about or whose that is, unit and amount."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: so many uses within a year, each statement read so often."""

    uses: int
    rounds: int = 3


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One statement, of how many sales, and the seconds of each reading."""

    name: str
    sales: int
    seconds: list[float]


class Outcome(msgspec.Struct, kw_only=True):
    """Everything that was measured; ``plan`` is what PostgreSQL did to read one day from the books."""

    options: Options
    loaded_s: float
    counted_days: int
    counted_s: float
    reads: list[Read]
    plan: str

    @property
    def reached(self) -> bool:
        """Whether a month of the chain never took longer than the goal."""
        return all(max(read.seconds) <= GOAL_S for read in self.reads if read.name.startswith("month"))


async def measure(settings: Settings, options: Options, say: Say) -> Outcome:
    """Fill an empty database of the benchmark, count its days, then read statements as the server does."""
    now = clock.now()
    began = time.monotonic()
    await _load(settings, options.uses, now, say)
    loaded_s = time.monotonic() - began
    config.use(settings)
    await db.open_pools(settings)
    try:
        say("count the days that are over")
        began = time.monotonic()
        counted = await days.count_days(now)
        counted_s = time.monotonic() - began
        today = clock.local_date(now, settings.timezone)
        reads = []
        for name, length, by, store_id in _asked():
            say(name)
            reads.append(await _read(name, clock.days_after(today, 1 - length), today, by, store_id, options.rounds))
        begin, end = clock.span(today, today, settings.timezone)
        rows = await db.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {statements.READ}", begin, end, None)
    finally:
        await db.close_pools()
    return Outcome(
        options=options,
        loaded_s=loaded_s,
        counted_days=counted,
        counted_s=counted_s,
        reads=reads,
        plan="\n".join(row[0] for row in rows),
    )


def _asked() -> Iterable[tuple[str, int, By, str | None]]:
    """The name of each statement, how many days it is of, by what, and of which store."""
    yield "the last two days, not counted yet", 2, By.TEMPLATE, None
    yield "month, by campaign", 31, By.TEMPLATE, None
    yield "month, by store", 31, By.STORE, None
    yield "month, by supplier and counter", 31, By.PARTY, None
    yield "month, one store's", 31, By.TEMPLATE, _store(0)
    yield "year, by campaign", DAYS, By.TEMPLATE, None


async def _read(name: str, first: date, last: date, by: By, store_id: str | None, rounds: int) -> Read:
    seconds, sales = [], 0
    for _ in range(rounds):
        began = time.monotonic()
        statement = await statements.get_statement(by, first, last, config.settings().timezone, store_id=store_id)
        seconds.append(time.monotonic() - began)
        sales = statement.total.sales
    return Read(name=name, sales=sales, seconds=seconds)


async def _load(settings: Settings, uses: int, until: datetime, say: Say) -> None:
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    began = until - timedelta(days=DAYS)
    every = timedelta(days=DAYS) / uses
    try:
        await owner.execute("SET synchronous_commit = off")
        await owner.execute("SELECT ledger_make_partitions($1, $2)", began.date().replace(day=1), DAYS // 30 + 2)
        await _describe(owner)
        for first in range(0, uses, CHUNK):
            last = min(uses, first + CHUNK) - 1
            await owner.execute(_USES, first, last, BODIES, max(1, uses // USES_EACH), 1 << 61, began, every)
            for statement in _ROWS:
                await owner.execute(statement)
            say(f"{last + 1:,} of {uses:,} uses")
        say("vacuum, statistics")
        for table in ("ledger_entry", "ledger_transfer", "ledger_document"):
            await owner.execute(f"VACUUM ANALYZE {table}")
    finally:
        await owner.close()


async def _describe(owner: asyncpg.Connection) -> None:
    """What the uses are made of: some bodies of sales, and the legs."""
    dice = Random(4)  # noqa: S311 - so that runs can be compared
    await owner.execute("CREATE TEMP TABLE bench_body (number int, store_id text, template text, body jsonb)")
    bodies = [_body(number, dice) for number in range(BODIES)]
    rows = [
        (number, _store(number), body.coupons[0].template, msgspec.json.encode(body).decode())
        for number, body in enumerate(bodies)
    ]
    await owner.copy_records_to_table("bench_body", records=rows)
    await owner.execute(
        "CREATE TEMP TABLE bench_leg (leg smallint, kind text, said text, whose text, unit text, amount bigint)"
    )
    await owner.copy_records_to_table("bench_leg", records=[(leg, *row) for leg, row in enumerate(_LEGS)])


def _store(number: int) -> str:
    return f"B{number % STORES + 1:04d}"


def _body(number: int, dice: Random) -> SaleBody:
    """A sale of four lines, of which the cost of one is not known, with a coupon over all of them."""
    prices = [dice.randrange(2_000, 8_000) for _ in range(LINES)]
    lines = tuple(
        PricedLine(
            at + 1, f"B{dice.randrange(10_001, 10_301)}", 1, price, 0, 0, price, 10_000, name=f"基准商品 {at}",
            category="bench", cost_fen=price * 6 // 10 if at else None,
        )
        for at, price in enumerate(prices)
    )  # fmt: skip
    shares = tuple((at + 1, FACE_FEN // LINES) for at in range(LINES))
    used = Used(
        id="c", template=f"T{number * 7 % TEMPLATES:02d}", version=1, unit=ledger.USES, taken=1, amount_fen=FACE_FEN,
        by_line=shares, counted=tuple(range(1, LINES + 1)), cost={"head_office": 1_000, "supplier/ACME": 1_000},
    )  # fmt: skip
    total = sum(prices)
    return SaleBody(
        order_no=f"B-{number}",
        terminal_id=f"{_store(number)}-T1",
        lines=lines,
        tenders=(
            Tender(TenderType.COUPON, FACE_FEN, coupon_id="c"),
            Tender(TenderType.STORED, total - FACE_FEN),
        ),
        total_fen=total,
        discount_fen=0,
        payable_fen=total,
        points_earned=total // 100,
        multiplier_bp=10_000,
        paid={"coupon": FACE_FEN, "stored": total - FACE_FEN},
        coupons=(used,),
    )
