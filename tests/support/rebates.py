"""Rebates for tests: schemes in force, months that end, statements closed and paid; and terms to be judged."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from backend.kernel import clock, db, ids, outbox
from backend.rebates.commands import runs
from backend.rebates.types import PREFIX, Applied, Line, Paid, Purchase, Terms, Tier
from tests.support.coupons import log_in_again
from tests.support.members import Phone
from tests.support.seed import Chain
from tests.support.staff import StaffSession, log_in

SCHEMES = "/v1/admin/rebates/schemes"
RUNS = "/v1/admin/rebates/runs"
MINE = "/v1/member/rebates"
ZONE = ZoneInfo("Asia/Shanghai")
TWO_TIERS = {"tiers": [{"from_fen": 0, "rate_bp": 200}, {"from_fen": 100_000, "rate_bp": 500}]}
"""2 % up to ¥1,000, 5 % of what is above."""


def today() -> date:
    """The chain's day."""
    return clock.local_date(clock.now(), "Asia/Shanghai")


def this_month() -> date:
    """The first day of the month."""
    return today().replace(day=1)


_last = date.min
"""The last month that a test of this process has lived in."""


def stand_in_the_middle() -> None:
    """Let it be noon of the 10th of a month in which no test was yet."""
    global _last
    _last = (max(today(), _last).replace(day=1) + timedelta(days=63)).replace(day=10)
    _go_to(_last)


def _go_to(day: date) -> None:
    clock.shift(datetime(day.year, day.month, day.day, 12, tzinfo=ZONE) - clock.now())


def end_the_month() -> date:
    """Go on to noon of the 2nd of the next month; the first day of the one that is over."""
    global _last
    over = this_month()
    _last = (over + timedelta(days=32)).replace(day=2)
    _go_to(_last)
    return over


async def mine(phone: Phone) -> dict[str, Any]:
    """What a member's phone shows."""
    answer = await phone.call("GET", MINE)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def again(office: httpx.AsyncClient, chain: Chain, *phones: Phone) -> StaffSession:
    """Everybody logs in again: the clock was moved."""
    for phone in phones:
        await log_in_again(phone)
    return await log_in(office, chain, "admin")


async def over(office: httpx.AsyncClient, chain: Chain, *phones: Phone) -> tuple[StaffSession, date]:
    """The month is over: head office, and its first day."""
    month = end_the_month()
    return await again(office, chain, *phones), month


async def start_scheme(admin: StaffSession, title: str = "月度返利", **terms: Any) -> str:
    """A monthly scheme that counts from the beginning of this month on; its id."""
    body = {"title": title, "period": "month", "first_on": this_month().isoformat(), "terms": TWO_TIERS | terms}
    made = await admin.post(SCHEMES, body)
    assert made.status_code == 201, made.text
    scheme_id: str = made.json()["id"]
    begun = await admin.post(f"{SCHEMES}/{scheme_id}/activate")
    assert begun.status_code == 200, begun.text
    return scheme_id


async def work() -> None:
    """All that jobs have to do about runs, and what follows."""
    while await runs.go_on():
        pass
    await outbox.drain()


async def draft(admin: StaffSession, first: date) -> dict[str, Any]:
    """A month's statements as a draft."""
    made = await admin.post(RUNS, {"period": "month", "first_on": first.isoformat()})
    assert made.status_code == 201, made.text
    await work()
    return await look(admin, made.json()["id"])


async def look(admin: StaffSession, run_id: str) -> dict[str, Any]:
    """A run as it stands."""
    answer = await admin.get(f"{RUNS}/{run_id}")
    assert answer.status_code == 200, answer.text
    run: dict[str, Any] = answer.json()["run"]
    return run


async def settle(admin: StaffSession, first: date) -> dict[str, Any]:
    """A month's statements made, closed and paid."""
    run = await draft(admin, first)
    closed = await admin.post(f"{RUNS}/{run['id']}/close", {}, key=uuid.uuid4().hex)
    assert (closed.status_code, closed.json()["state"]) == (200, "closed"), closed.text
    paid = await admin.post(f"{RUNS}/{run['id']}/pay")
    assert paid.status_code == 200, paid.text
    await work()
    return await look(admin, run["id"])


async def end_all_schemes() -> None:
    """Nothing counts any more; runs keep what they were made by."""
    await db.pool().execute("UPDATE rebate_scheme SET state = 'draft'")


def applied(scheme_id: str = "A", *, first: date, last: date, ends: bool = False, **terms: Any) -> Applied:
    """A scheme as it applies to these days."""
    tiers = terms.pop("tiers", ((0, 200), (100_000, 500)))
    return Applied(
        id=scheme_id,
        title=scheme_id,
        version=1,
        terms=Terms(tiers=tuple(Tier(*tier) for tier in tiers), **terms),
        first=first,
        last=last,
        ends=ends,
    )


def bought(sale_id: str, on: date, fen: int, *, store: str = "S1", **more: Any) -> Purchase:
    """A purchase of one line, paid in money."""
    at = datetime(on.year, on.month, on.day, 12, tzinfo=ZONE)
    fields = {"paid": {Paid.MONEY: fen}, "lines": (Line(1, None, None, fen, 0),)} | more
    return Purchase(id=sale_id, at=at, on=on, store_id=store, **fields)


async def plant_statement(member_id: int) -> tuple[str, str]:
    """A closed statement of a month long past that carries one fen, as rows: of the run, and of itself."""
    run_id, statement_id, first, last = (
        "RR1",
        ids.new_document_id(PREFIX, member_id),
        date(2020, 1, 1),
        date(2020, 1, 31),
    )
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO rebate_run (id, kind, period, first_on, last_on, state, schemes, total, created_at)"
            " VALUES ($1, 'statements', 'month', $2, $3, 'closed', '[]', 1, now())",
            *(run_id, first, last),
        )
        await db.raw(tx).execute(
            "INSERT INTO rebate_statement (member_id, run_id, id, holder_id, period, first_on, last_on, amount_fen,"
            " corrected_fen, brought_fen, payout_fen, carried_fen, carried, body, at)"
            " VALUES ($1, $2, $3, $1, 'month', $4, $5, 1, 0, 0, 0, 1, '[[\"A\",\"S1\",1,12]]', '{}', now())",
            *(member_id, run_id, statement_id, first, last),
        )
    return run_id, statement_id


async def plant_purchase(member_id: int, on: date, fen: int, tx: db.Tx | None = None) -> None:
    """A purchase of that day at S1, paid in money, as a fact that the books know nothing of."""
    at = datetime(on.year, on.month, on.day, 12, tzinfo=ZONE)
    await (db.pool() if tx is None else db.raw(tx)).execute(
        "INSERT INTO rebate_purchase (member_id, sale_id, store_id, at, day, level, key_account, paid, lines)"
        " VALUES ($1, $2, 'S1', $3, $4, 'basic', false, jsonb_build_object('money', $5::bigint),"
        " jsonb_build_array(jsonb_build_array(1, null, null, $5::bigint, 0)))",
        *(member_id, ids.new_document_id("S", member_id), at, on, fen),
    )
