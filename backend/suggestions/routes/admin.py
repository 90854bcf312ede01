"""The staff's calls about boxes and what is in them."""

from __future__ import annotations

from datetime import date

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.kernel.paging import make_cursor, read_cursor

from .. import queries, views
from ..commands import boxes, serving
from ..errors import BoxConflict, SuggestionConflict
from ..schemas import (
    AnswerIn,
    AssignIn,
    BoxChangeIn,
    BoxesOut,
    BoxIn,
    BoxOut,
    CloseIn,
    InboxDetail,
    InboxOut,
    InboxQuery,
)
from ..types import Box, BoxState

router = Router(tag="suggestion boxes")

_BOXES = "/v1/admin/suggestion-boxes"
_BOX = f"{_BOXES}/{{box_id}}"
_SUGGESTIONS = "/v1/admin/suggestions"
_SUGGESTION = f"{_SUGGESTIONS}/{{suggestion_id}}"
LAST = 100


@router.get(_BOXES, guard=staff(Permission.SUGGESTIONS_HANDLE), summary="意见箱列表")
async def list_boxes(caller: StaffCaller) -> BoxesOut:
    """The boxes that this person administers; head office is shown all of them, but reads only these."""
    everything = caller.may(Permission.SUGGESTION_BOXES)
    found = await queries.list_boxes() if everything else await serving.reached_boxes(caller)
    return BoxesOut(await _boxes_out(caller, found))


async def _boxes_out(caller: StaffCaller, found: list[Box]) -> list[BoxOut]:
    names, waiting = await views.staff_names(), await queries.waiting_in([box.id for box in found])
    return [views.box(box, caller.staff_id, names, waiting) for box in found]


async def _box_out(caller: StaffCaller, found: Box) -> BoxOut:
    (shown,) = await _boxes_out(caller, [found])
    return shown


@router.post(
    _BOXES,
    guard=staff(Permission.SUGGESTION_BOXES),
    status=201,
    summary="新建意见箱",
    errors=(ValidationFailed, BoxConflict),
)
async def create_box(caller: StaffCaller, body: BoxIn) -> BoxOut:
    """Add a box and name its administrators; it takes suggestions at once."""
    return await _box_out(caller, await boxes.create_box(body, caller.staff_id))


@router.get(_BOX, guard=staff(Permission.SUGGESTION_BOXES), summary="意见箱详情", errors=(NotFound,))
async def get_box(caller: StaffCaller, box_id: str) -> BoxOut:
    """One box; not what is in it."""
    return await _box_out(caller, await boxes.get_box(box_id))


@router.put(
    _BOX,
    guard=staff(Permission.SUGGESTION_BOXES),
    summary="修改意见箱",
    errors=(NotFound, ValidationFailed, BoxConflict),
)
async def change_box(caller: StaffCaller, box_id: str, body: BoxChangeIn) -> BoxOut:
    """Put another description and other administrators in place."""
    return await _box_out(caller, await boxes.change_box(box_id, body, caller.staff_id))


@router.post(f"{_BOX}/open", guard=staff(Permission.SUGGESTION_BOXES), summary="开启意见箱", errors=(NotFound,))
async def open_box(caller: StaffCaller, box_id: str) -> BoxOut:
    """Let it take suggestions again."""
    return await _box_out(caller, await boxes.move_box(box_id, BoxState.OPEN, caller.staff_id))


@router.post(f"{_BOX}/close", guard=staff(Permission.SUGGESTION_BOXES), summary="关闭意见箱", errors=(NotFound,))
async def close_box(caller: StaffCaller, box_id: str) -> BoxOut:
    """Take no more suggestions; what is in it is answered all the same."""
    return await _box_out(caller, await boxes.move_box(box_id, BoxState.CLOSED, caller.staff_id))


@router.get(f"{_BOX}/changes", guard=staff(Permission.SUGGESTION_BOXES), summary="意见箱变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, box_id: str) -> ChangesOut:
    """Who of the staff did what to a box and to what is in it."""
    found = await boxes.get_box(box_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.get(
    _SUGGESTIONS, guard=staff(Permission.SUGGESTIONS_HANDLE), summary="意见列表", errors=(NotFound, ValidationFailed)
)
async def list_inbox(caller: StaffCaller, query: InboxQuery) -> InboxOut:
    """A page of what is in the caller's boxes, the newest day first; within a day in no order of time."""
    titles = {box.id: box.title for box in await serving.reached_boxes(caller)}
    if query.box_id is not None and query.box_id not in titles:
        raise NotFound("there is no such box")
    wanted = [query.box_id] if query.box_id is not None else list(titles)
    found = await queries.list_inbox(wanted, query.state, before=_read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = page[-1][0] if len(found) > query.limit else None
    return InboxOut(
        [views.inbox_item(one, text, titles) for one, text in page],
        make_cursor(last.day.isoformat(), last.id) if last else None,
    )


def _read_place(cursor: str | None) -> tuple[date, str] | None:
    if cursor is None:
        return None
    parts = read_cursor(cursor, 2)
    try:
        return (date.fromisoformat(parts[0]), parts[1]) if parts else _no_cursor()
    except ValueError:
        return _no_cursor()


def _no_cursor() -> tuple[date, str]:
    raise invalid("/query/cursor", "not a cursor of this list")


@router.get(_SUGGESTION, guard=staff(Permission.SUGGESTIONS_HANDLE), summary="意见详情", errors=(NotFound,))
async def get_suggestion(caller: StaffCaller, suggestion_id: str) -> InboxDetail:
    """A suggestion in one of the caller's boxes."""
    return await _shown(caller, suggestion_id)


@router.post(
    f"{_SUGGESTION}/answers",
    guard=staff(Permission.SUGGESTIONS_HANDLE),
    status=201,
    summary="答复意见",
    errors=(NotFound, ValidationFailed, SuggestionConflict),
)
async def answer(caller: StaffCaller, suggestion_id: str, body: AnswerIn) -> InboxDetail:
    """Answer it, and close it where nothing more is awaited."""
    await serving.answer(suggestion_id, body, caller)
    return await _shown(caller, suggestion_id)


@router.post(
    f"{_SUGGESTION}/close",
    guard=staff(Permission.SUGGESTIONS_HANDLE),
    summary="关闭意见",
    errors=(NotFound, SuggestionConflict),
)
async def close(caller: StaffCaller, suggestion_id: str, body: CloseIn) -> InboxDetail:
    """Close it without another word."""
    await serving.close(suggestion_id, body, caller)
    return await _shown(caller, suggestion_id)


@router.post(
    f"{_SUGGESTION}/assign",
    guard=staff(Permission.SUGGESTIONS_HANDLE),
    summary="指派意见",
    errors=(NotFound, ValidationFailed, SuggestionConflict),
)
async def assign(caller: StaffCaller, suggestion_id: str, body: AssignIn) -> InboxDetail:
    """Say who of the box's administrators sees to it."""
    await serving.assign(suggestion_id, body, caller)
    return await _shown(caller, suggestion_id)


async def _shown(caller: StaffCaller, suggestion_id: str) -> InboxDetail:
    found, box = await serving.reached(suggestion_id, caller)
    return await views.inbox_detail(found, box)
