"""The handbook's chapters and their versions. Head office writes them; one change of the handbook at a time."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import clock, db, ids, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.http import Idempotency
from backend.ledger.errors import IdempotencyConflict
from backend.members import queries as members

from .. import locks, queries, service
from ..errors import HandbookChanged, HandbookConflict
from ..queries.handbook import MOST_CHAPTERS
from ..rules import tree
from ..schemas import ChapterIn, DraftIn, PlaceIn
from ..types import Blocks, Chapter, Version, Visibility

log = logging.get(__name__)


async def get_chapter(chapter_id: str) -> Chapter:
    """A chapter; ``NotFound`` for none."""
    found = await queries.find_chapter(chapter_id)
    if found is None:
        raise NotFound("there is no such chapter")
    return found


async def get_version(chapter_id: str, number: int) -> Version:
    """A version of a chapter; ``NotFound`` for none."""
    found = await queries.find_version(chapter_id, number)
    if found is None:
        raise NotFound("there is no such version")
    return found


async def create(staff_id: int, body: ChapterIn, idem: Idempotency) -> tuple[Chapter, bool]:
    """Add a chapter with its first draft, once per key; whether it was there already."""
    await _check_levels(body)
    blocks = await service.read_text(body.body)
    chapter_id, now = ids.short_of("H", "chapter", staff_id, idem.key), clock.now()
    async with db.transaction() as tx:
        await locks.lock_handbook(tx)
        known = await db.fetch_in(tx, "SELECT request_hash FROM notice_chapter WHERE id = $1", chapter_id)
        if not known:
            _check_place(await queries.list_chapters(fresh=True), None, body.parent_id)
            await db.raw(tx).execute(
                "INSERT INTO notice_chapter (id, parent_id, sort, visibility, levels, created_at, updated_at,"
                " request_hash) VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
                chapter_id,
                body.parent_id,
                body.sort,
                body.visibility.value,
                msgspec.json.encode(body.levels).decode(),
                now,
                idem.request_hash,
            )
            draft = DraftIn(title=body.title, body=body.body, note=body.note, revision=0)
            await _save(tx, chapter_id, 1, draft, blocks, staff_id, now)
            await queries.changes.note(tx, chapter_id, staff_id, "create", {"title": body.title}, now)
    if known and known[0][0] != idem.request_hash:
        raise IdempotencyConflict
    queries.forget_chapters()
    return await get_chapter(chapter_id), bool(known)


async def move(staff_id: int, chapter_id: str, body: PlaceIn) -> Chapter:
    """Put a chapter elsewhere in the tree, and say whom it is for."""
    await _check_levels(body)
    async with db.transaction() as tx:
        await locks.lock_handbook(tx)
        now = clock.now()
        chapters = await queries.list_chapters(fresh=True)
        if all(chapter.id != chapter_id for chapter in chapters):
            raise NotFound("there is no such chapter")
        _check_place(chapters, chapter_id, body.parent_id)
        await db.raw(tx).execute(
            "UPDATE notice_chapter SET parent_id = $2, sort = $3, visibility = $4, levels = $5, updated_at = $6"
            " WHERE id = $1",
            chapter_id,
            body.parent_id,
            body.sort,
            body.visibility.value,
            msgspec.json.encode(body.levels).decode(),
            now,
        )
        detail = {"parent_id": body.parent_id, "sort": body.sort, "visibility": body.visibility.value}
        await queries.changes.note(tx, chapter_id, staff_id, "move", detail, now)
    queries.forget_chapters()
    return await get_chapter(chapter_id)


async def save_draft(staff_id: int, chapter_id: str, body: DraftIn) -> Chapter:
    """Save a chapter's draft in place of the one that was read; a published chapter gets its next version so.

    The same text by the same person again, after a lost answer, changes nothing.
    """
    blocks = await service.read_text(body.body)
    async with db.transaction() as tx:
        await locks.lock_handbook(tx)
        await _get_there(tx, chapter_id)
        now = clock.now()
        last, draft = await _last(tx, chapter_id)
        if draft != body.revision + 1 or not await _is_saved(tx, chapter_id, body, staff_id):
            if body.revision != (draft or 0):
                raise HandbookChanged
            await _save(tx, chapter_id, last if draft else last + 1, body, blocks, staff_id, now)
            await queries.changes.note(tx, chapter_id, staff_id, "save", {"revision": body.revision + 1}, now)
    queries.forget_chapters()
    return await get_chapter(chapter_id)


async def discard_draft(staff_id: int, chapter_id: str) -> None:
    """Drop a chapter's draft; repeated, it changes nothing. The only version that a chapter has stays."""
    async with db.transaction() as tx:
        await locks.lock_handbook(tx)
        await _get_there(tx, chapter_id)
        last, draft = await _last(tx, chapter_id)
        if draft and last == 1:
            raise HandbookConflict("the chapter has nothing but this draft; remove the chapter")
        if draft:
            await service.keep_pictures(tx, f"chapter:{chapter_id}:{last}", ())
            await db.raw(tx).execute(
                "DELETE FROM notice_version WHERE chapter_id = $1 AND published_at IS NULL", chapter_id
            )
            await queries.changes.note(tx, chapter_id, staff_id, "discard", {}, clock.now())
    queries.forget_chapters()


async def publish(staff_id: int, chapter_id: str, revision: int) -> Chapter:
    """Show the draft, as it was read, in place of the version before; repeated, it changes nothing."""
    async with db.transaction() as tx:
        await locks.lock_handbook(tx)
        shown = await _get_there(tx, chapter_id)
        now = clock.now()
        last, draft = await _last(tx, chapter_id)
        if not draft and (shown != last or await _revision(tx, chapter_id, last) != revision):
            raise HandbookConflict("the chapter has no draft")
        if draft and draft != revision:
            raise HandbookChanged
        if draft:
            await db.raw(tx).execute(
                "UPDATE notice_version SET published_at = $3 WHERE chapter_id = $1 AND number = $2",
                chapter_id,
                last,
                now,
            )
            await _show(tx, chapter_id, last, now)
            await queries.changes.note(tx, chapter_id, staff_id, "publish", {"number": last}, now)
    queries.forget_chapters()
    log.info("notices.chapter_published", chapter_id=chapter_id, number=last, staff_id=staff_id)
    return await get_chapter(chapter_id)


async def withdraw(staff_id: int, chapter_id: str) -> Chapter:
    """Show a chapter, and what lies below it, no longer; repeated, it changes nothing."""
    async with db.transaction() as tx:
        await locks.lock_handbook(tx)
        if (await _get_there(tx, chapter_id)) is not None:
            now = clock.now()
            await _show(tx, chapter_id, None, now)
            await queries.changes.note(tx, chapter_id, staff_id, "withdraw", {}, now)
    queries.forget_chapters()
    return await get_chapter(chapter_id)


async def restore(staff_id: int, chapter_id: str, number: int) -> Chapter:
    """Make a draft of a version that was published; a draft that is there stays, and the call is refused."""
    old = await get_version(chapter_id, number)
    blocks = await service.read_text(old.body)
    async with db.transaction() as tx:
        await locks.lock_handbook(tx)
        await _get_there(tx, chapter_id)
        now = clock.now()
        last, draft = await _last(tx, chapter_id)
        if draft:
            raise HandbookConflict("the chapter has a draft; publish or discard it first")
        text = DraftIn(title=old.title, body=old.body, note=f"恢复自第 {number} 版", revision=0)
        await _save(tx, chapter_id, last + 1, text, blocks, staff_id, now)
        await queries.changes.note(tx, chapter_id, staff_id, "restore", {"number": number}, now)
    queries.forget_chapters()
    return await get_chapter(chapter_id)


async def remove(staff_id: int, chapter_id: str) -> None:
    """Take a chapter that is not shown, and has none below it, out of the tree; its versions are kept."""
    async with db.transaction() as tx:
        await locks.lock_handbook(tx)
        if (await _get_there(tx, chapter_id)) is not None:
            raise HandbookConflict("the chapter is shown; withdraw it first")
        now = clock.now()
        if await db.fetch_in(
            tx, "SELECT 1 FROM notice_chapter WHERE parent_id = $1 AND removed_at IS NULL LIMIT 1", chapter_id
        ):
            raise HandbookConflict("there are chapters below it")
        await db.raw(tx).execute("UPDATE notice_chapter SET removed_at = $2 WHERE id = $1", chapter_id, now)
        await queries.changes.note(tx, chapter_id, staff_id, "remove", {}, now)
    queries.forget_chapters()


async def _get_there(tx: Tx, chapter_id: str) -> int | None:
    """The number of the version that is shown; ``NotFound`` for a chapter that is not there."""
    rows = await db.fetch_in(
        tx, "SELECT current FROM notice_chapter WHERE id = $1 AND removed_at IS NULL FOR UPDATE", chapter_id
    )
    if not rows:
        raise NotFound("there is no such chapter")
    current: int | None = rows[0][0]
    return current


async def _last(tx: Tx, chapter_id: str) -> tuple[int, int | None]:
    """The number of the last version, and its revision where it is a draft."""
    (row,) = await db.fetch_in(
        tx,
        "SELECT number, CASE WHEN published_at IS NULL THEN revision END FROM notice_version WHERE chapter_id = $1"
        " ORDER BY number DESC LIMIT 1",
        chapter_id,
    )
    return row[0], row[1]


async def _revision(tx: Tx, chapter_id: str, number: int) -> int:
    """How often a version was saved before it was published."""
    (row,) = await db.fetch_in(
        tx, "SELECT revision FROM notice_version WHERE chapter_id = $1 AND number = $2", chapter_id, number
    )
    return int(row[0])


async def _is_saved(tx: Tx, chapter_id: str, body: DraftIn, staff_id: int) -> bool:
    """Whether the draft is this text, saved by this person."""
    rows = await db.fetch_in(
        tx,
        "SELECT 1 FROM notice_version WHERE chapter_id = $1 AND published_at IS NULL"
        " AND title = $2 AND body = $3 AND note = $4 AND staff_id = $5",
        chapter_id,
        body.title,
        body.body,
        body.note,
        staff_id,
    )
    return bool(rows)


async def _show(tx: Tx, chapter_id: str, number: int | None, now: datetime) -> None:
    await db.raw(tx).execute(
        "UPDATE notice_chapter SET current = $2, updated_at = $3 WHERE id = $1", chapter_id, number, now
    )


async def _save(
    tx: Tx, chapter_id: str, number: int, body: DraftIn, blocks: Blocks, staff_id: int, now: datetime
) -> None:
    await service.write_draft(
        tx,
        chapter_id,
        number,
        title=body.title,
        body=body.body,
        blocks=blocks,
        note=body.note,
        revision=body.revision + 1,
        staff_id=staff_id,
        now=now,
    )


async def _check_levels(body: PlaceIn) -> None:
    if (body.visibility is Visibility.LEVELS) is not bool(body.levels):
        raise invalid("/levels", "says for which levels a chapter is, where it is for levels")
    known = await members.levels()
    for index, code in enumerate(body.levels):
        if code not in known:
            raise invalid(f"/levels/{index}", "there is no such level")


def _check_place(chapters: list[Chapter], chapter_id: str | None, parent_id: str | None) -> None:
    """Whether a chapter (None: a new one) may lie under that one, as the tree stands."""
    if chapter_id is None and len(chapters) >= MOST_CHAPTERS:
        raise HandbookConflict(f"the handbook has {MOST_CHAPTERS} chapters; remove one")
    if parent_id is not None and all(chapter.id != parent_id for chapter in chapters):
        raise invalid("/parent_id", "there is no such chapter")
    if chapter_id is not None and parent_id is not None and tree.lies_below(chapters, parent_id, chapter_id):
        raise invalid("/parent_id", "lies below this chapter")
    height = 1 if chapter_id is None else tree.height_of(chapters, chapter_id)
    if tree.depth_of(chapters, parent_id) + height > tree.DEEPEST:
        raise invalid("/parent_id", f"chapters lie at most {tree.DEEPEST} deep")
