"""Posting, and what the layers above may tell the books."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import TypeVar

import asyncpg
import msgspec

from backend.kernel import db, logging, trail
from backend.kernel.config import Settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError

from .errors import Stale
from .plans import Plan, encode, own_scope
from .queries import BEGINNING, Cursor, list_due
from .types import Document, Posted
from .writer import BATCH, SINGLE, LedgerWriter, decode, decode_error

log = logging.get(__name__)

T = TypeVar("T")

REVOKED_STEP = 1 << 62
"""A device's last step once it is revoked: no code can be greater."""

MAX_PLANNINGS = 3

ROLLED_AT_ONCE = 500
"""Members whose transfers are counted into the house accounts' sums in one transaction."""

SWEPT_AT_ONCE = 500
SWEEPS = 400
"""Lots that are due in one list, and how many lists a run takes."""

DUE_IN_A_LIST = 100
DUE_LISTS = 10
DUE_AT_ONCE = 8
"""Documents that are due in one list, how many lists a run takes, and how many of them wait for somebody at once."""

Step = Callable[[Document, datetime], Awaitable[None]]
"""What is done with a document whose time has come, as it was read then."""

_writer: LedgerWriter | None = None


async def open_writer(settings: Settings) -> None:
    """Start this process's LedgerWriter; it has one."""
    global _writer
    if _writer is not None:
        raise RuntimeError("the ledger writer is open already")
    writer = LedgerWriter(settings)
    await writer.open()
    _writer = writer


async def close_writer() -> None:
    """Post what was accepted, then stop."""
    global _writer
    if _writer is not None:
        await _writer.close()
        _writer = None


async def post(plan: Plan) -> Posted:
    """Post a plan that is a whole transaction of its own (the hot path); raises its refusal."""
    if _writer is None:
        raise RuntimeError("the ledger writer is not open")
    await trail.ahead()
    return await _writer.post(plan)


async def post_in(tx: Tx, plan: Plan) -> Posted:
    """Post a plan on the caller's open transaction, where other rows must change with it.

    A refusal aborts that transaction.
    """
    try:
        answer = await db.raw(tx).fetchval(SINGLE, plan.member_id, encode(plan))
    except asyncpg.PostgresError as error:
        raise decode_error(error) from error
    return msgspec.json.decode(answer, type=Posted)


async def post_many_in(tx: Tx, plans: Sequence[Plan]) -> list[Posted | DomainError]:
    """Post plans on the caller's open transaction, each in its own savepoint: an answer or a refusal for each.

    By member ascending, in which order every transaction locks their books. Raises where a lock could not be had; the
    transaction is lost then.
    """
    order = sorted(range(len(plans)), key=lambda index: plans[index].member_id)
    answers = await db.raw(tx).fetchval(
        BATCH, [plans[index].member_id for index in order], [encode(plans[index]) for index in order]
    )
    decoded = {index: decode(answer) for index, answer in zip(order, answers, strict=True)}
    return [decoded[index] for index in range(len(plans))]


async def post_fresh(plan_again: Callable[[], Awaitable[Plan]]) -> tuple[Plan, Posted]:
    """Plan and post; where what the plan saw has moved meanwhile, plan again, at most three times; then ``Stale``."""
    for attempt in range(MAX_PLANNINGS):
        plan = await plan_again()
        try:
            return plan, await post(plan)
        except Stale:
            if attempt == MAX_PLANNINGS - 1:
                raise
    raise AssertionError("unreachable")


async def with_fresh_books(work: Callable[[Tx], Awaitable[T]]) -> T:
    """Do the work in its own transaction, up to three times while the books it saw have moved; then ``Stale``."""
    for attempt in range(MAX_PLANNINGS):
        try:
            async with db.transaction() as tx:
                return await work(tx)
        except Stale:
            if attempt == MAX_PLANNINGS - 1:
                raise
    raise AssertionError("unreachable")


async def advance_due(
    kind: str, step: Step, later: Step, *, now: datetime, batch: int = DUE_IN_A_LIST, batches: int = DUE_LISTS
) -> int:
    """Take ``step`` for every document of a kind whose time has come, a few at once; returns how many it were."""
    gate, seen = asyncio.Semaphore(DUE_AT_ONCE), 0

    async def one(document: Document) -> None:
        async with gate:
            await advance(document, step, later, now=now)

    for _ in range(batches):
        due = await list_due(kind, before=now, limit=batch)
        await asyncio.gather(*(one(document) for document in due))
        seen += len(due)
        if len(due) < batch:
            break
    return seen


async def advance(document: Document, step: Step, later: Step, *, now: datetime) -> None:
    """Take ``step`` for a document; raises nothing.

    What somebody else moved meanwhile is seen by the next run, if it is still due. What fails is logged, ``later`` puts
    it off, and it holds nothing else up.
    """
    try:
        await step(document, now)
    except Stale:
        pass
    except Exception as error:
        log.warning("ledger.not_advanced", kind=document.kind, document_id=document.id, error=type(error).__name__)
        await later(document, now)


async def open_member(tx: Tx, member_id: int, *, active: bool = True) -> None:
    """Open a member's books; nothing happens where they are open."""
    await db.raw(tx).execute("SELECT ledger_open_member($1, $2)", member_id, active)


async def set_member_status(tx: Tx, member_id: int, *, active: bool) -> None:
    """Let the door post for this member, or not."""
    await db.raw(tx).execute("SELECT ledger_set_active($1, $2)", member_id, active)


async def open_members(tx: Tx, member_ids: Sequence[int], *, active: bool) -> None:
    """Open the books of many new members."""
    await db.raw(tx).execute(
        "SELECT ledger_open_member(id, $2) FROM (SELECT unnest($1::bigint[]) AS id ORDER BY 1) AS m",
        list(member_ids),
        active,
    )


async def set_members_status(tx: Tx, member_ids: Sequence[int], *, active: bool) -> None:
    """The same of many members at once, in order of id."""
    await db.raw(tx).execute(
        "SELECT ledger_set_active(id, $2) FROM (SELECT unnest($1::bigint[]) AS id ORDER BY 1) AS m",
        list(member_ids),
        active,
    )


async def hold(tx: Tx, member_id: int) -> None:
    """Let nothing move on a member's books until the transaction ends: what is planned by a read of now is not stale.

    For who has been overtaken again and again; post on the same transaction, and hold one member at most.
    """
    await db.raw(tx).execute("SELECT ledger_hold($1)", member_id)


async def hold_both(tx: Tx, one: int, other: int) -> None:
    """Let nothing move on the books of two members until the transaction ends; in order of id."""
    for member_id in sorted((one, other)):
        await hold(tx, member_id)


async def close_merged(tx: Tx, source_id: int, target_id: int) -> None:
    """Close a member's books for good: what they did once or so often, and their keys, are the target's from now on.

    Whatever is still posted there says so (``MergedBooksMoved``). Holds both.
    """
    await db.raw(tx).execute("SELECT ledger_carry_guards($1, $2)", source_id, target_id)
    scopes = own_scope(source_id), own_scope(target_id)
    await db.raw(tx).execute("SELECT ledger_carry_keys($1, $2, $3, $4)", source_id, scopes[0], target_id, scopes[1])
    await db.raw(tx).execute("SELECT ledger_set_merged($1)", source_id)


async def forget(tx: Tx, member_id: int) -> None:
    """Empty what a member's documents say beside their value part; refused while their books are open."""
    await db.raw(tx).execute("SELECT ledger_forget($1)", member_id)


def device_mark(device_id: int) -> str:
    """The name of the guard that holds a device's last spent step."""
    return f"device:{device_id}"


async def seed_device(tx: Tx, member_id: int, device_id: int, *, last_step: int = 0) -> None:
    """Start a device's step guard."""
    await db.raw(tx).execute("SELECT ledger_raise_guard($1, $2, $3)", member_id, device_mark(device_id), last_step)


async def revoke_device(tx: Tx, member_id: int, device_id: int) -> None:
    """Make every code of that device spent, for ever, inside the door."""
    await seed_device(tx, member_id, device_id, last_step=REVOKED_STEP)


async def sweep_guards(limit: int, *, before: object) -> int:
    """Delete one-time marks and day counters that expired before ``before``; returns how many."""
    return int(await db.fetchval("SELECT ledger_sweep_guards($1, $2)", before, limit))


async def make_partitions(first: date, months: int) -> int:
    """Make the monthly partitions of entries and outbox from that month on, where they lack; returns how many.

    Rows of other months that lie in the default partition get theirs, too. What could not be locked at once is left.
    """
    return int(await db.fetchval("SELECT ledger_make_partitions($1, $2)", first, months))


async def drop_empty_outbox(before: date) -> int:
    """Drop the outbox's months that ended by then and hold nothing any more; returns how many."""
    return int(await db.fetchval("SELECT ledger_drop_empty_outbox($1)", before))


async def archive_years(settings: Settings, before: date) -> list[int]:
    """Pack every year whose months all ended by then into one table each; returns the years.

    On a connection of its own, because a year may take many minutes; a year that is cut short is begun anew next time.
    """
    years: list[int] = []
    connection = await asyncpg.connect(**db.connect_args(db.direct_url(settings)), timeout=5)
    try:
        while year := await connection.fetchval(
            "SELECT ledger_archive_year($1, $2)", before, settings.archive_tablespace
        ):
            years.append(year)
    finally:
        await connection.close(timeout=5)
    return years


async def roll_up(zone: str, *, batch: int = ROLLED_AT_ONCE) -> int:
    """Count what was posted since the last time into the house accounts' sums by day; returns how many batches it took.

    ``batch`` members a transaction; days are those of ``zone``.
    """
    after, batches = -(1 << 62), 0
    while (last := await db.fetchval("SELECT ledger_roll_up($1, $2, $3)", zone, after, batch)) is not None:
        after, batches = last, batches + 1
    return batches


async def sweep(
    due: Callable[[Cursor, int], Awaitable[list[Cursor]]],
    work: Callable[[int], Awaitable[int]],
    *,
    batch: int = SWEPT_AT_ONCE,
    batches: int = SWEEPS,
) -> int:
    """Do ``work`` for every member with a lot that is due; returns how many transfers it took.

    ``due`` lists what is due from beyond a place, so many at most; ``work`` answers how many transfers a member took.
    Each list goes on where the one before ended: what cannot be moved now is passed once and left to the next run, as
    is what a run that was cut short left. One member's failure is logged and holds nobody else up.
    """
    after, moved = BEGINNING, 0
    for _ in range(batches):
        found = await due(after, batch)
        for member_id in dict.fromkeys(member_id for _, member_id in found):
            moved += await _alone(work, member_id)
        if len(found) < batch:
            break
        after = found[-1]
    return moved


async def _alone(work: Callable[[int], Awaitable[int]], member_id: int) -> int:
    try:
        return await work(member_id)
    except Stale:
        return 0
    except DomainError as error:
        log.error("ledger.lots_not_moved", member_id=member_id, error=error.code)
        return 0
