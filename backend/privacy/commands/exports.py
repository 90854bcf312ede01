"""Archives: asked for once a day, made by a job list by list and page by page, fetched by their member, deleted.

Where the job stands (``place``, ``after``) moves with each page in one transaction. A job that died goes on there, and
of two at once each takes a page. Pages lie sealed, and so does the archive.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import asyncpg
import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, events, ids, jobs, logging, trail
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.vault import vault
from backend.members import service as members

from .. import lists, packing, queries
from ..errors import ErasureUnderWay, ExportDaily, ExportGone, ExportNotReady
from ..events import ExportReady
from ..queries import merged
from ..queries.exports import EXPORT, export_of, pieces
from ..types import Export, ExportState

log = logging.get(__name__)

JOB = "privacy.make_export"
PART_CONTEXT = "privacy_part.sealed"
PIECE_CONTEXT = "privacy_piece.sealed"
QUIET = timedelta(minutes=2)
"""An archive that has not moved for so long has no job any more."""
KEPT = timedelta(days=365)
"""How long it is known that there was one."""


async def ask(member_id: int, *, by: StaffCaller | None = None, reason: str = "") -> Export:
    """Ask for an archive; ``ExportDaily`` where there was one today already."""
    now = clock.now()
    export_id = ids.new_short("X")
    try:
        async with db.transaction() as tx:
            await members.lock(tx, member_id)
            if await db.fetch_in(
                tx, "SELECT 1 FROM privacy_erasure WHERE member_id = $1 AND state IN ('erasing', 'done')", member_id
            ):
                raise ErasureUnderWay
            await db.raw(tx).execute(
                "INSERT INTO privacy_export (id, member_id, state, store_id, staff_id, reason, day, asked_at,"
                " lists_all, moved_at) SELECT $1, id, 'waiting', store_id, $3, $4, $5, $6, $7, $6 FROM member"
                " WHERE id = $2",
                export_id,
                member_id,
                by.staff_id if by else None,
                reason,
                clock.local_date(now, settings().timezone),
                now,
                len(lists.steps(await merged.everybody(tx, member_id))),
            )
            await jobs.defer(tx, JOB, export_id=export_id)
            trail.named(export_id, str(member_id))
    except asyncpg.UniqueViolationError:
        raise ExportDaily from None
    log.info("privacy.export_asked", export_id=export_id, by_staff=by is not None)
    return await get(export_id)


async def get(export_id: str) -> Export:
    """An archive; ``NotFound`` for none."""
    found = await queries.find_export(export_id)
    if found is None:
        raise NotFound("there is no such archive")
    return found


async def get_own(member_id: int, export_id: str) -> Export:
    """The member's archive; another's is ``NotFound``."""
    found = await get(export_id)
    if found.member_id != member_id:
        raise NotFound("there is no such archive")
    return found


async def fetch(member_id: int, export_id: str) -> AsyncIterator[bytes]:
    """The archive, piece by piece, to its member alone; refused before it is ready and after its days."""
    found = await get_own(member_id, export_id)
    if found.state is ExportState.WAITING:
        raise ExportNotReady
    if found.state is not ExportState.READY or found.until is None or found.until <= clock.now():
        raise ExportGone
    log.info("privacy.export_fetched", export_id=export_id)
    return opened(export_id)


async def opened(export_id: str) -> AsyncIterator[bytes]:
    """An archive piece by piece; whoever calls has seen that it may be read."""
    async for sealed in pieces(export_id):
        yield vault().open(sealed, context=PIECE_CONTEXT)


async def make(export_id: str) -> None:
    """Make an archive that waits, from where it stands; done again it changes nothing."""
    while await _step(export_id):
        pass
    found = await queries.find_export(export_id)
    if found is not None and found.state is ExportState.WAITING:
        await _pack(found)


async def _step(export_id: str) -> bool:
    """Read one page; False when there is none left, or nothing to do."""
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, f"{EXPORT} WHERE id = $1 FOR UPDATE", export_id)
        found = export_of(rows[0]) if rows else None
        if found is None or found.state is not ExportState.WAITING:
            return False
        member_ids = await merged.everybody(tx, found.member_id)
        step = lists.at(found.place, member_ids)
        if step is None:
            return False
        await _read(tx, found, step, member_ids)
        return True


async def _read(tx: Tx, found: Export, step: lists.Step, member_ids: Sequence[int]) -> None:
    table, member_id = step
    page = await lists.read(tx, table, member_id, found.after)
    added = 0
    for name, row_count, content in page.parts:
        await db.raw(tx).execute(
            "INSERT INTO privacy_part (export_id, seq, list, name, rows, sealed) VALUES ($1, $2, $3, $4, $5, $6)",
            found.id,
            found.parts + added,
            table.name,
            name,
            row_count,
            vault().seal(content, context=PART_CONTEXT),
        )
        added += 1
    await db.raw(tx).execute(
        "UPDATE privacy_export SET parts = parts + $2, rows = rows + $3, place = $4, after = $5, lists = lists + $6,"
        " moved_at = $7 WHERE id = $1",
        found.id,
        added,
        page.rows,
        lists.place_of(step) if page.after else lists.following(step, member_ids),
        msgspec.json.encode(page.after).decode() if page.after else None,
        0 if page.after else 1,
        clock.now(),
    )


async def _pack(found: Export) -> None:
    """Put the pages into one file, and the file into sealed pieces; the pages go."""

    async def parts(table: str) -> AsyncIterator[packing.Part]:
        seq = -1
        while (
            row := await db.fetchrow(
                "SELECT seq, name, rows, sealed FROM privacy_part WHERE export_id = $1 AND list = $2 AND seq > $3"
                " ORDER BY seq LIMIT 1",
                found.id,
                table,
                seq,
            )
        ) is not None:
            seq = row["seq"]
            yield packing.Part(row["name"], row["rows"], vault().open(row["sealed"], context=PART_CONTEXT))

    size = 0
    with packing.scratch() as file:
        await packing.write(file, lists.shown(), parts, asked_at=found.asked_at, chain=settings().chain_name)
        async with db.transaction() as tx:
            rows = await db.fetch_in(tx, "SELECT state FROM privacy_export WHERE id = $1 FOR UPDATE", found.id)
            if not rows or rows[0]["state"] != ExportState.WAITING:
                return
            await db.raw(tx).execute("DELETE FROM privacy_piece WHERE export_id = $1", found.id)
            for seq, piece in enumerate(packing.pieces(file)):
                size += len(piece)
                await db.raw(tx).execute(
                    "INSERT INTO privacy_piece (export_id, seq, sealed) VALUES ($1, $2, $3)",
                    found.id,
                    seq,
                    vault().seal(piece, context=PIECE_CONTEXT),
                )
            await _ready(tx, found, size)
    log.info("privacy.export_ready", export_id=found.id, bytes=size)


async def _ready(tx: Tx, found: Export, size: int) -> None:
    now = clock.now()
    await db.raw(tx).execute("DELETE FROM privacy_part WHERE export_id = $1", found.id)
    await db.raw(tx).execute(
        "UPDATE privacy_export SET state = 'ready', bytes = $2, ready_at = $3, until = $4, moved_at = $3 WHERE id = $1",
        found.id,
        size,
        now,
        now + timedelta(days=settings().privacy_archive_days),
    )
    await events.publish(tx, ExportReady(member_id=found.member_id, export_id=found.id))


async def resume() -> None:
    """Go on with archives whose job died."""
    rows = await db.fetch(
        "SELECT id FROM privacy_export WHERE state = 'waiting' AND moved_at < $1 ORDER BY moved_at LIMIT 100",
        clock.now() - QUIET,
    )
    for row in rows:
        async with db.transaction() as tx:
            await jobs.defer(tx, JOB, unique=f"{JOB}/{row['id']}", export_id=row["id"])


async def sweep() -> None:
    """Delete archives whose days are over; after a year it is forgotten that there was one."""
    now = clock.now()
    rows = await db.fetch(
        "SELECT id FROM privacy_export WHERE state = 'ready' AND until <= $1 ORDER BY until LIMIT 1000", now
    )
    for row in rows:
        async with db.transaction() as tx:
            await drop(tx, [row["id"]])
    await db.fetchval(
        "DELETE FROM privacy_export WHERE state IN ('gone', 'failed') AND asked_at < $1 RETURNING 1", now - KEPT
    )


async def drop(tx: Tx, export_ids: list[str]) -> None:
    """Delete what archives hold; that they were there stays known."""
    for table in ("privacy_part", "privacy_piece"):
        await db.raw(tx).execute(f"DELETE FROM {table} WHERE export_id = ANY($1::text[])", export_ids)
    await db.raw(tx).execute(
        "UPDATE privacy_export SET state = 'gone', place = NULL, after = NULL WHERE id = ANY($1::text[])", export_ids
    )
