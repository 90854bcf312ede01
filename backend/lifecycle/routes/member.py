"""A member's own level."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import ValidationFailed
from backend.kernel.http import Router

from .. import views
from ..commands.standing import read_history
from ..schemas import HistoryOut, MyLevelOut, PageQuery

router = Router(tag="member")


@router.get("/v1/member/level", guard=member, summary="我的等级")
async def get_level(caller: MemberCaller) -> MyLevelOut:
    """The caller's level: what it gives, until when, what keeps it, and how far the next ones are."""
    found = await views.show(caller.member_id)
    return MyLevelOut(**{name: getattr(found, name) for name in MyLevelOut.__struct_fields__})


@router.get("/v1/member/level/history", guard=member, summary="我的等级变更", errors=(ValidationFailed,))
async def get_history(caller: MemberCaller, query: PageQuery) -> HistoryOut:
    """How the caller's level changed, newest first."""
    return await read_history(caller.member_id, query, for_staff=False)
