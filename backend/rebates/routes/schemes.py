"""Head office's schemes: written, tried on real figures, put in force, changed, ended."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place

from .. import views
from ..commands import runs, schemes
from ..errors import RebateRunConflict, RebateSchemeConflict
from ..queries import schemes as queries
from ..schemas import (
    ChangeSchemeIn,
    CloseSchemeIn,
    PageQuery,
    RunOut,
    SchemeIn,
    SchemeOut,
    SchemesOut,
    SimulateIn,
    VersionsOut,
)

router = Router(tag="rebates")

_READ = staff(Permission.REBATES_READ)
_WRITE = staff(Permission.REBATES_WRITE)
_SCHEMES = "/v1/admin/rebates/schemes"
_SCHEME = f"{_SCHEMES}/{{scheme_id}}"
MOST_CHANGES = 100


@router.get(_SCHEMES, guard=_READ, summary="返利方案", errors=(ValidationFailed,))
async def list_schemes(caller: StaffCaller, query: PageQuery) -> SchemesOut:
    """Schemes, newest first."""
    found = await queries.list_schemes(read_place(query.cursor), query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return SchemesOut([views.scheme(one) for one in page], following)


@router.post(_SCHEMES, guard=_WRITE, status=201, summary="新建返利方案", errors=(ValidationFailed,))
async def create(caller: StaffCaller, body: SchemeIn) -> SchemeOut:
    """Write a scheme; it is a draft and counts for nobody."""
    return views.scheme(await schemes.create(body, caller))


@router.get(_SCHEME, guard=_READ, summary="返利方案详情", errors=(NotFound,))
async def get_scheme(caller: StaffCaller, scheme_id: str) -> SchemeOut:
    """One scheme with its latest terms."""
    return views.scheme(await schemes.get_scheme(scheme_id))


@router.put(_SCHEME, guard=_WRITE, summary="修改返利方案", errors=(NotFound, ValidationFailed, RebateSchemeConflict))
async def change(caller: StaffCaller, scheme_id: str, body: ChangeSchemeIn) -> SchemeOut:
    """Give it other terms: a draft at once, a living one from the next period on, unless the current one is named."""
    return views.scheme(await schemes.change(scheme_id, body, caller))


@router.post(f"{_SCHEME}/activate", guard=_WRITE, summary="启用返利方案", errors=(NotFound, RebateSchemeConflict))
async def activate(caller: StaffCaller, scheme_id: str) -> SchemeOut:
    """Let it count from its first day on; not before the current period. Repeated, nothing changes."""
    return views.scheme(await schemes.activate(scheme_id, caller))


@router.post(
    f"{_SCHEME}/close", guard=_WRITE, summary="结束返利方案", errors=(NotFound, ValidationFailed, RebateSchemeConflict)
)
async def close(caller: StaffCaller, scheme_id: str, body: CloseSchemeIn) -> SchemeOut:
    """Count purchases up to that day, or to the end of the current period; one that has not begun is a draft again."""
    return views.scheme(await schemes.close(scheme_id, body, caller))


@router.get(f"{_SCHEME}/versions", guard=_READ, summary="返利方案的版本", errors=(NotFound,))
async def list_versions(caller: StaffCaller, scheme_id: str) -> VersionsOut:
    """What it said from which period on."""
    await schemes.get_scheme(scheme_id)
    return VersionsOut([views.version(one) for one in await queries.list_versions(scheme_id)])


@router.get(f"{_SCHEME}/changes", guard=_READ, summary="返利方案的变更", errors=(NotFound,))
async def list_changes(caller: StaffCaller, scheme_id: str) -> ChangesOut:
    """Who did what to it."""
    await schemes.get_scheme(scheme_id)
    return changes_out(await queries.changes.list_of(scheme_id, MOST_CHANGES))


@router.post(
    f"{_SCHEME}/simulations",
    guard=_WRITE,
    status=201,
    summary="试算返利方案",
    errors=(NotFound, ValidationFailed, RebateRunConflict),
)
async def simulate(caller: StaffCaller, scheme_id: str, body: SimulateIn) -> RunOut:
    """Count what it would have cost on a period's real purchases, alone; the answer is the run that counts."""
    return views.run(await runs.simulate(scheme_id, body.first_on, caller))
