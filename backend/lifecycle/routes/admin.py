"""Head office's rules of levels, and staff's calls about members' levels."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict

from .. import queries, views
from ..commands import rules, runs, standing
from ..errors import GrantEnded, RulesChanged, RunEnded
from ..schemas import (
    EndGrantIn,
    GrantIn,
    GrantOut,
    HistoryOut,
    MemberLevelOut,
    PageQuery,
    PreviewIn,
    RulesIn,
    RulesOut,
    RunOut,
    RunsOut,
)

router = Router(tag="levels")

_READ = staff(Permission.MEMBERS_READ)
_GRANT = staff(Permission.LEVELS_GRANT)
_WRITE = staff(Permission.LEVELS_WRITE)
_RULES = "/v1/admin/level-rules"
_RUNS = "/v1/admin/level-runs"
_MEMBER = "/v1/admin/members/{member_id}"


@router.get(_RULES, guard=_READ, summary="等级规则")
async def get_rules() -> RulesOut:
    """What reaches, keeps and loses each level; version 0: levels go by growth, and are never lost."""
    queries.forget_rules()
    found = await queries.find_programme()
    if found is None:
        return RulesOut(version=0, since=None, rules=[])
    return views.rules(found)


@router.put(_RULES, guard=_WRITE, summary="修改等级规则", errors=(ValidationFailed, RulesChanged))
async def put_rules(caller: StaffCaller, body: RulesIn) -> RunOut:
    """Put rules in force from now on; periods under way go on. The answer is the run that looks at every member."""
    return views.run(await runs.get_run(await rules.put_rules(body, caller)))


@router.post(f"{_RULES}/preview", guard=_WRITE, status=201, summary="试算等级规则", errors=(ValidationFailed,))
async def preview(caller: StaffCaller, body: PreviewIn) -> RunOut:
    """Count how many members these rules would move, and from where to where; it changes nothing."""
    return views.run(await rules.preview(body, caller))


@router.get(_RUNS, guard=_WRITE, summary="等级批次", errors=(ValidationFailed,))
async def list_runs(caller: StaffCaller, query: PageQuery) -> RunsOut:
    """Runs over many members, newest first."""
    found = await queries.list_runs(read_place(query.cursor), query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return RunsOut([views.run(one) for one in page], following)


@router.get(f"{_RUNS}/{{run_id}}", guard=_WRITE, summary="批次进度", errors=(NotFound,))
async def get_run(caller: StaffCaller, run_id: str) -> RunOut:
    """How far a run is."""
    return views.run(await runs.get_run(run_id))


@router.post(f"{_RUNS}/{{run_id}}/cancel", guard=_WRITE, summary="取消批次", errors=(NotFound, RunEnded))
async def cancel_run(caller: StaffCaller, run_id: str) -> RunOut:
    """End a run where it is; the members it did not come to are looked at with their next purchase."""
    return views.run(await runs.cancel(run_id))


@router.get(f"{_MEMBER}/level", guard=_READ, summary="会员等级", errors=(NotFound,))
async def get_level(caller: StaffCaller, member_id: str) -> MemberLevelOut:
    """A member's level: until when, what keeps it, what was given; another store's member is not found."""
    return await views.show((await standing.reached_member(caller, member_id)).id)


@router.get(f"{_MEMBER}/level-history", guard=_READ, summary="会员等级变更", errors=(NotFound, ValidationFailed))
async def get_history(caller: StaffCaller, member_id: str, query: PageQuery) -> HistoryOut:
    """How a member's level changed, why and by what, newest first."""
    return await standing.read_history((await standing.reached_member(caller, member_id)).id, query, for_staff=True)


@router.post(
    f"{_MEMBER}/level-grants",
    guard=_GRANT,
    status=201,
    summary="手工授予等级",
    idempotent=True,
    errors=(NotFound, ValidationFailed, IdempotencyConflict),
)
async def give(caller: StaffCaller, member_id: str, body: GrantIn, idem: Idempotency) -> GrantOut:
    """Give a member a level, with a reason; it never lowers what they reached."""
    made = await standing.give(caller, member_id, body, idem.key)
    return views.grant(made, clock.local_date(clock.now(), settings().timezone))


@router.post(
    f"{_MEMBER}/level-grants/{{grant_id}}/end",
    guard=_GRANT,
    summary="收回授予的等级",
    errors=(NotFound, ValidationFailed, GrantEnded),
)
async def end(caller: StaffCaller, member_id: str, grant_id: str, body: EndGrantIn) -> GrantOut:
    """Take a given level away; the member is back at what they reached."""
    ended = await standing.take(caller, member_id, grant_id, body)
    return views.grant(ended, clock.local_date(clock.now(), settings().timezone))
