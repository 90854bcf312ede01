"""Staff: limits, the trail of what was authorised, and the report of it by person."""

from __future__ import annotations

from datetime import date, datetime

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, ids, paging, windows
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from .. import commands, queries
from ..queries import GrantFilter
from ..schemas import (
    GrantOut,
    GrantsOut,
    GrantsQuery,
    LimitIn,
    LimitOut,
    LimitsOut,
    ReportOut,
    ReportQuery,
    SumOut,
)
from ..types import CASHIER, Grant, Limit

router = Router(tag="overrides")

_LIMITS = "/v1/admin/override-limits"
_READ = staff(Permission.OVERRIDES_READ)
_RULE = staff(Permission.OVERRIDES_LIMITS)
NAMED_CASHIER = "cashier"
MOST_DAYS = 366


@router.get(_LIMITS, guard=_READ, summary="特价授权额度")
async def list_limits(caller: StaffCaller) -> LimitsOut:
    """How much each role may authorise, and what a cashier may give alone."""
    return LimitsOut([_limit(limit) for limit in await queries.list_limits()])


@router.put(f"{_LIMITS}/{{role_code}}", guard=_RULE, summary="设定特价授权额度", errors=(NotFound, ValidationFailed))
async def put_limit(caller: StaffCaller, role_code: str, body: LimitIn) -> LimitOut:
    """Say how much a role may authorise; the role ``cashier`` is what needs nobody."""
    limit = Limit(
        role=_role(role_code),
        sale_bp=body.sale_bp,
        sale_fen=body.sale_fen,
        day_fen=body.day_fen,
        day_count=body.day_count,
    )
    return _limit(await commands.put_limit(limit, caller.staff_id))


@router.delete(f"{_LIMITS}/{{role_code}}", guard=_RULE, status=204, summary="取消特价授权额度", errors=(NotFound,))
async def end_limit(caller: StaffCaller, role_code: str) -> None:
    """Let a role authorise nothing; of ``cashier``: let tills give what they like."""
    await commands.end_limit(_role(role_code), caller.staff_id)


@router.get("/v1/admin/overrides", guard=_READ, summary="特价授权记录", errors=(NotFound, ValidationFailed))
async def list_grants(caller: StaffCaller, query: GrantsQuery) -> GrantsOut:
    """Who authorised what, newest first; somebody of a store sees what was authorised there."""
    store_id = await auth.reached_store(caller, query.store_id)
    since, until = _window(query.from_on, query.to_on)
    wanted = GrantFilter(
        store_id=store_id,
        staff_id=_staff_id(query.staff_id),
        subject=query.subject,
        order_no=query.order_no,
        reason=query.reason.value if query.reason else None,
        since=since,
        until=until,
    )
    found = await queries.list_grants(wanted, before=paging.read_place(query.cursor), limit=query.limit + 1)
    names = await auth.staff_names({one.staff_id for one in found})
    page = found[: query.limit]
    more = len(found) > query.limit
    cursor = paging.place_cursor(page[-1].at, page[-1].id) if more else None
    return GrantsOut([_grant(one, names) for one in page], cursor)


@router.get("/v1/admin/reports/overrides", guard=_READ, summary="特价授权报表", errors=(NotFound, ValidationFailed))
async def report(caller: StaffCaller, query: ReportQuery) -> ReportOut:
    """What everybody authorised over some days, by person and store."""
    store_id = await auth.reached_store(caller, query.store_id)
    since, until = _window(query.from_on, query.to_on)
    assert since is not None
    assert until is not None
    sums = await queries.sum_grants(since, until, store_id=store_id)
    names = await auth.staff_names({one.staff_id for one in sums})
    return ReportOut(
        [
            SumOut(
                staff_id=str(one.staff_id),
                username=names.get(one.staff_id, ""),
                store_id=one.store_id,
                grants=one.grants,
                fen=one.fen,
                total_fen=one.total_fen,
            )
            for one in sums
        ]
    )


def _role(role: str) -> str:
    return CASHIER if role == NAMED_CASHIER else role


def _limit(limit: Limit) -> LimitOut:
    return LimitOut(
        role=limit.role or NAMED_CASHIER,
        sale_bp=limit.sale_bp,
        sale_fen=limit.sale_fen,
        day_fen=limit.day_fen,
        day_count=limit.day_count,
    )


def _grant(one: Grant, names: dict[int, str]) -> GrantOut:
    return GrantOut(
        id=one.id,
        at=one.at,
        act=one.act,
        subject=one.subject,
        order_no=one.order_no,
        store_id=one.store_id,
        terminal_id=one.terminal_id,
        cashier=one.cashier,
        staff_id=str(one.staff_id),
        username=names.get(one.staff_id, ""),
        role=one.role,
        fen=one.fen,
        total_fen=one.total_fen,
        reason=one.reason,
        note=one.note,
    )


def _staff_id(text: str | None) -> int | None:
    """The person's id; what cannot be one finds nobody."""
    return None if text is None else ids.read_bigint(text) or 0


def _window(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """These days of the chain's zone, as instants."""
    windows.check_days(first, last, most=MOST_DAYS)
    zone = settings().timezone
    since = clock.midnight(first, zone) if first else None
    until = clock.midnight(clock.days_after(last, 1), zone) if last else None
    return since, until
