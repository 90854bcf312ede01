"""Announcements: written, published for a time, taken back; and read by members.

Head office announces to anybody, a store's staff to their own store's members; what others announce is not there for
them.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.audience import service as audiences
from backend.audience.types import Audience
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging, windows
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.http import Idempotency
from backend.ledger.errors import IdempotencyConflict
from backend.members import queries as members

from .. import locks, queries, service
from ..errors import AnnouncementChanged, AnnouncementConflict
from ..schemas import AnnouncementChangeIn, AnnouncementIn
from ..types import Announcement, AnnouncementState, Blocks

log = logging.get(__name__)


async def get_announcement(caller: StaffCaller, announcement_id: str) -> Announcement:
    """An announcement of this person's; ``NotFound`` for none and for another store's."""
    found = await queries.find_announcement(announcement_id)
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such announcement")
    return found


async def create(caller: StaffCaller, body: AnnouncementIn, idem: Idempotency) -> tuple[Announcement, bool]:
    """Add an announcement as a draft, once per key; whether it was there already."""
    announcement_id, now = ids.short_of("N", "announcement", caller.staff_id, idem.key), clock.now()
    audience, blocks = await _checked(caller, body)
    async with db.transaction() as tx:
        made = await db.fetch_in(
            tx,
            "INSERT INTO notice_announcement (id, store_id, state, title, summary, body, created_by, created_at,"
            " updated_at, request_hash, blocks, audience, levels, stores, narrow, pinned, version)"
            " VALUES ($1, $2, 'draft', '', '', '', $3, $4, $4, $5, '[]', '{}', '[]', '[]', false, false, 0)"
            " ON CONFLICT (id) DO NOTHING RETURNING 1",
            announcement_id,
            caller.store_id,
            caller.staff_id,
            now,
            idem.request_hash,
        )
        if made:
            await _write(tx, announcement_id, body, audience, blocks, now)
            await _note(tx, caller, announcement_id, "create", body, now)
    if not made:
        known = await db.fetchval("SELECT request_hash FROM notice_announcement WHERE id = $1", announcement_id)
        if known != idem.request_hash:
            raise IdempotencyConflict
    return await get_announcement(caller, announcement_id), not made


async def change(caller: StaffCaller, announcement_id: str, body: AnnouncementChangeIn) -> Announcement:
    """Put a draft in place of the one that was read; what was published stays as members have read it."""
    audience, blocks = await _checked(caller, body)
    async with db.transaction() as tx:
        now = clock.now()
        found = await _lock(tx, caller, announcement_id)
        if found.state is not AnnouncementState.DRAFT:
            raise AnnouncementConflict(f"the announcement is {found.state.value}; only a draft is changed")
        if found.version != body.version:
            raise AnnouncementChanged
        await _write(tx, announcement_id, body, audience, blocks, now)
        await _note(tx, caller, announcement_id, "change", body, now)
    return await get_announcement(caller, announcement_id)


async def publish(caller: StaffCaller, announcement_id: str, version: int) -> Announcement:
    """Show a draft, as it was read, from its time on (or from now); repeated, it changes nothing."""
    async with db.transaction() as tx:
        now = clock.now()
        found = await _lock(tx, caller, announcement_id)
        if found.state is AnnouncementState.WITHDRAWN:
            raise AnnouncementConflict("the announcement was withdrawn; write another")
        if found.state is AnnouncementState.DRAFT:
            if found.version != version:
                raise AnnouncementChanged
            if found.ends_at is not None and found.ends_at <= max(now, found.starts_at or now):
                raise AnnouncementConflict("the announcement's time is over")
            await db.raw(tx).execute(
                "UPDATE notice_announcement SET state = 'published', published_at = $2, updated_at = $2,"
                " starts_at = coalesce(starts_at, $2) WHERE id = $1",
                announcement_id,
                now,
            )
            await _note(tx, caller, announcement_id, "publish", None, now)
    log.info("notices.published", announcement_id=announcement_id, staff_id=caller.staff_id)
    return await get_announcement(caller, announcement_id)


async def withdraw(caller: StaffCaller, announcement_id: str) -> Announcement:
    """Show it no longer: before its time it is a draft again, afterwards it is over for good."""
    async with db.transaction() as tx:
        now = clock.now()
        found = await _lock(tx, caller, announcement_id)
        if found.state is AnnouncementState.PUBLISHED:
            early = found.starts_at is not None and found.starts_at > now
            await db.raw(tx).execute(
                "UPDATE notice_announcement SET state = $2, updated_at = $3 WHERE id = $1",
                announcement_id,
                "draft" if early else "withdrawn",
                now,
            )
            await _note(tx, caller, announcement_id, "withdraw", None, now)
        elif found.state is AnnouncementState.DRAFT and found.published_at is None:
            raise AnnouncementConflict("the announcement was never published")
    return await get_announcement(caller, announcement_id)


async def pin(caller: StaffCaller, announcement_id: str, *, pinned: bool) -> Announcement:
    """Let it stand above the others, or no longer; repeated, it changes nothing."""
    async with db.transaction() as tx:
        now = clock.now()
        found = await _lock(tx, caller, announcement_id)
        if found.state is AnnouncementState.WITHDRAWN:
            raise AnnouncementConflict("the announcement was withdrawn")
        if found.pinned is not pinned:
            await db.raw(tx).execute(
                "UPDATE notice_announcement SET pinned = $2, updated_at = $3, version = version + 1 WHERE id = $1",
                announcement_id,
                pinned,
                now,
            )
            await _note(tx, caller, announcement_id, "pin" if pinned else "unpin", None, now)
    return await get_announcement(caller, announcement_id)


async def read(member_id: int, announcement_id: str) -> None:
    """Note that a member has read what they are shown, once; ``NotFound`` for what they are not shown."""
    now = clock.now()
    member = await members.get_member(member_id)
    if await queries.find_shown(member, announcement_id, now) is None:
        raise NotFound("there is no such announcement")
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO notice_receipt (member_id, announcement_id, read_at) VALUES ($1, $2, $3)"
            " ON CONFLICT DO NOTHING",
            member_id,
            announcement_id,
            now,
        )


async def _lock(tx: Tx, caller: StaffCaller, announcement_id: str) -> Announcement:
    found = await locks.lock_announcement(tx, announcement_id)
    if not caller.reaches(found.store_id):
        raise NotFound("there is no such announcement")
    return found


async def _checked(caller: StaffCaller, body: AnnouncementIn) -> tuple[Audience, Blocks]:
    """The audience as this person may mean it, and the text's blocks; refuses what the shapes alone cannot say."""
    windows.check(body.starts_at, body.ends_at)
    return await audiences.check(body.audience, caller.store_id), await service.read_text(body.body)


async def _write(
    tx: Tx, announcement_id: str, body: AnnouncementIn, audience: Audience, blocks: Blocks, now: datetime
) -> None:
    await service.keep_pictures(tx, f"announcement:{announcement_id}", blocks, body.cover)
    levels, stores = audience.levels or (), audience.store_ids or ()
    await db.raw(tx).execute(
        "UPDATE notice_announcement SET title = $2, summary = $3, body = $4, blocks = $5::text::jsonb, cover = $6,"
        " audience = $7::text::jsonb, levels = $8::text::jsonb, stores = $9::text::jsonb, narrow = $10, pinned = $11,"
        " starts_at = $12, ends_at = $13, updated_at = $14, version = version + 1 WHERE id = $1",
        announcement_id,
        body.title,
        body.summary,
        body.body,
        msgspec.json.encode(blocks).decode(),
        body.cover,
        msgspec.json.encode(audience).decode(),
        msgspec.json.encode(levels).decode(),
        msgspec.json.encode(stores).decode(),
        audience != Audience(levels=audience.levels, store_ids=audience.store_ids),
        body.pinned,
        body.starts_at,
        body.ends_at,
        now,
    )


async def _note(
    tx: Tx, caller: StaffCaller, announcement_id: str, action: str, body: AnnouncementIn | None, now: datetime
) -> None:
    """Write down who did what; whom it was meant for by number is not kept for good."""
    detail = {} if body is None else {"title": body.title, "pinned": body.pinned}
    await queries.changes.note(tx, announcement_id, caller.staff_id, action, detail, now)
