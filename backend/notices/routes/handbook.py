"""Staff's calls about the handbook: head office writes it, everybody of the staff reads it."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict

from .. import queries, service, views
from ..commands import handbook
from ..errors import HandbookChanged, HandbookConflict
from ..rules import diff, tree
from ..schemas import (
    ChapterIn,
    ChapterOut,
    ChapterRow,
    ChaptersOut,
    ContentsOut,
    DiffOut,
    DiffQuery,
    DraftIn,
    FoundListOut,
    PageOut,
    PlaceIn,
    PreviewIn,
    PreviewOut,
    PublishIn,
    SearchQuery,
    VersionOut,
    VersionsOut,
    VersionsQuery,
)
from ..types import Chapter

router = Router(tag="handbook")

_HANDBOOK = "/v1/admin/handbook"
_CHAPTERS = f"{_HANDBOOK}/chapters"
_CHAPTER = f"{_CHAPTERS}/{{chapter_id}}"
_CHANGING = (NotFound, ValidationFailed, HandbookConflict, HandbookChanged)
LAST = 100


@router.get(_HANDBOOK, guard=staff(Permission.HANDBOOK_READ), summary="服务手册目录")
async def get_contents(caller: StaffCaller) -> ContentsOut:
    """The chapters that staff read: everything that is published."""
    return ContentsOut([views.node(chapter) for chapter in await _readable()])


@router.get(
    f"{_HANDBOOK}/search", guard=staff(Permission.HANDBOOK_READ), summary="搜索服务手册", errors=(ValidationFailed,)
)
async def search(caller: StaffCaller, query: SearchQuery) -> FoundListOut:
    """Chapters that answer a question, what is for staff only among them."""
    found = await queries.search_handbook(query.q, query.limit, staff=True)
    return FoundListOut([views.found(item) for item in found])


@router.get(
    f"{_HANDBOOK}/pages/{{chapter_id}}",
    guard=staff(Permission.HANDBOOK_READ),
    summary="阅读服务手册",
    errors=(NotFound,),
)
async def get_page(caller: StaffCaller, chapter_id: str) -> PageOut:
    """A chapter as staff read it."""
    return await page_of(chapter_id, await _readable())


async def _readable() -> list[Chapter]:
    return tree.shown_to(await queries.list_chapters(), level=None, staff=True)


async def page_of(chapter_id: str, readable: list[Chapter]) -> PageOut:
    """The page of one of these chapters; ``NotFound`` for any other."""
    chapter = next((one for one in readable if one.id == chapter_id), None)
    text = await queries.find_version(chapter.id, chapter.current or 0) if chapter else None
    if chapter is None or text is None:
        raise NotFound("there is no such chapter")
    return views.page(chapter, text, readable)


@router.post(f"{_HANDBOOK}/preview", guard=staff(Permission.HANDBOOK_WRITE), summary="预览", errors=(ValidationFailed,))
async def preview(caller: StaffCaller, body: PreviewIn) -> PreviewOut:
    """A text as phones will draw it; refused where a link or a picture may not be in it."""
    return PreviewOut(await service.read_text(body.body))


@router.get(_CHAPTERS, guard=staff(Permission.HANDBOOK_WRITE), summary="手册章节")
async def list_chapters(caller: StaffCaller) -> ChaptersOut:
    """Every chapter, shown or not, as a book is read."""
    chapters = tree.in_order(await queries.list_chapters(fresh=True))
    return ChaptersOut([views.chapter_row(chapter) for chapter in chapters])


@router.post(
    _CHAPTERS,
    guard=staff(Permission.HANDBOOK_WRITE),
    status=201,
    idempotent=True,
    summary="新建章节",
    errors=(ValidationFailed, HandbookConflict, IdempotencyConflict),
)
async def create(caller: StaffCaller, body: ChapterIn, idem: Idempotency) -> Answer[ChapterRow]:
    """Add a chapter with its first draft; readers see nothing of it before it is published."""
    chapter, known = await handbook.create(caller.staff_id, body, idem)
    return Answer(views.chapter_row(chapter), replayed=known)


@router.get(_CHAPTER, guard=staff(Permission.HANDBOOK_WRITE), summary="章节详情", errors=(NotFound,))
async def get_chapter(caller: StaffCaller, chapter_id: str) -> ChapterOut:
    """A chapter with what is shown of it and with its draft."""
    chapter = await handbook.get_chapter(chapter_id)
    current = await queries.find_version(chapter.id, chapter.current) if chapter.current else None
    draft = await queries.find_version(chapter.id, chapter.draft) if chapter.draft else None
    return ChapterOut(
        chapter=views.chapter_row(chapter),
        current=views.version(current) if current else None,
        draft=views.version(draft) if draft else None,
    )


@router.put(_CHAPTER, guard=staff(Permission.HANDBOOK_WRITE), summary="移动章节、可见范围", errors=_CHANGING)
async def move(caller: StaffCaller, chapter_id: str, body: PlaceIn) -> ChapterRow:
    """Put a chapter elsewhere in the tree, and say whom it is for."""
    return views.chapter_row(await handbook.move(caller.staff_id, chapter_id, body))


@router.delete(
    _CHAPTER, guard=staff(Permission.HANDBOOK_WRITE), summary="删除章节", errors=(NotFound, HandbookConflict)
)
async def remove(caller: StaffCaller, chapter_id: str) -> None:
    """Take a chapter that is not shown out of the tree."""
    await handbook.remove(caller.staff_id, chapter_id)


@router.put(f"{_CHAPTER}/draft", guard=staff(Permission.HANDBOOK_WRITE), summary="保存草稿", errors=_CHANGING)
async def save_draft(caller: StaffCaller, chapter_id: str, body: DraftIn) -> ChapterRow:
    """Save the draft in the place of the one that was read as ``revision``, 0 where there was none."""
    return views.chapter_row(await handbook.save_draft(caller.staff_id, chapter_id, body))


@router.delete(
    f"{_CHAPTER}/draft", guard=staff(Permission.HANDBOOK_WRITE), summary="丢弃草稿", errors=(NotFound, HandbookConflict)
)
async def discard_draft(caller: StaffCaller, chapter_id: str) -> None:
    """Drop the draft."""
    await handbook.discard_draft(caller.staff_id, chapter_id)


@router.post(f"{_CHAPTER}/publish", guard=staff(Permission.HANDBOOK_WRITE), summary="发布章节", errors=_CHANGING)
async def publish(caller: StaffCaller, chapter_id: str, body: PublishIn) -> ChapterRow:
    """Show the draft that was read as ``revision``."""
    return views.chapter_row(await handbook.publish(caller.staff_id, chapter_id, body.revision))


@router.post(f"{_CHAPTER}/withdraw", guard=staff(Permission.HANDBOOK_WRITE), summary="下架章节", errors=(NotFound,))
async def withdraw(caller: StaffCaller, chapter_id: str) -> ChapterRow:
    """Show it, and what lies below it, no longer."""
    return views.chapter_row(await handbook.withdraw(caller.staff_id, chapter_id))


@router.get(
    f"{_CHAPTER}/versions",
    guard=staff(Permission.HANDBOOK_WRITE),
    summary="章节历史版本",
    errors=(NotFound, ValidationFailed),
)
async def list_versions(caller: StaffCaller, chapter_id: str, query: VersionsQuery) -> VersionsOut:
    """Its versions, the newest first."""
    chapter = await handbook.get_chapter(chapter_id)
    found = await queries.list_versions(chapter.id, before=query.before)
    return VersionsOut([views.version_row(one, chapter.current) for one in found])


@router.get(
    f"{_CHAPTER}/versions/{{number}}", guard=staff(Permission.HANDBOOK_WRITE), summary="某个版本", errors=(NotFound,)
)
async def get_version(caller: StaffCaller, chapter_id: str, number: str) -> VersionOut:
    """One of its versions."""
    return views.version(await handbook.get_version(chapter_id, _number(number)))


@router.post(
    f"{_CHAPTER}/versions/{{number}}/restore",
    guard=staff(Permission.HANDBOOK_WRITE),
    summary="恢复版本",
    errors=(NotFound, HandbookConflict),
)
async def restore(caller: StaffCaller, chapter_id: str, number: str) -> ChapterRow:
    """Make a draft of one of its versions."""
    return views.chapter_row(await handbook.restore(caller.staff_id, chapter_id, _number(number)))


@router.get(
    f"{_CHAPTER}/diff", guard=staff(Permission.HANDBOOK_WRITE), summary="版本对比", errors=(NotFound, ValidationFailed)
)
async def compare(caller: StaffCaller, chapter_id: str, query: DiffQuery) -> DiffOut:
    """What changed from one version to another, line by line."""
    old = await handbook.get_version(chapter_id, query.old)
    new = await handbook.get_version(chapter_id, query.new)
    return DiffOut(old.title, new.title, diff.lines(old.body, new.body))


@router.get(f"{_CHAPTER}/changes", guard=staff(Permission.HANDBOOK_WRITE), summary="章节变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, chapter_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    chapter = await handbook.get_chapter(chapter_id)
    return changes_out(await queries.changes.list_of(chapter.id, LAST))


def _number(text: str) -> int:
    """The version that an address names; what is no number is none of them."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else 0
