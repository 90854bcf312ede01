"""Issued coupons as staff see them: a member's, and one that is made void."""

from __future__ import annotations

from datetime import date

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, ids, paging
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, Unavailable, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.members import queries as members

from .. import queries, views
from ..commands import voiding
from ..errors import REFUSALS, CouponUnavailable
from ..plans import PREFIX
from ..queries import Standing
from ..schemas import IssuedDetail, IssuedPage, IssuedQuery, VoidIn
from ..types import Reason

router = Router(tag="coupons")

_ISSUED = "/v1/admin/coupons/issued/{coupon_id}"
_ENDED = tuple(REFUSALS[reason] for reason in (Reason.USED, Reason.LOCKED, Reason.GIVEN, Reason.EXPIRED))
LAST = 20


@router.get(
    "/v1/admin/members/{member_id}/coupons",
    guard=staff(Permission.COUPONS_LOOKUP),
    summary="会员的优惠券",
    errors=(NotFound, ValidationFailed),
)
async def list_issued(caller: StaffCaller, member_id: str, query: IssuedQuery) -> IssuedPage:
    """A page of a member's coupons, newest first; another store's member is not found."""
    owner = await _reachable(caller, ids.read_bigint(member_id))
    before = None
    if query.cursor is not None:
        parts = paging.read_cursor(query.cursor, 2)
        at = paging.read_instant(parts[0]) if parts else None
        if parts is None or at is None:
            raise invalid("/query/cursor", "not a cursor of this list")
        before = (at, parts[1])
    found = await queries.list_coupons(
        owner, query.state, _today(), before=before, limit=query.limit + 1, template_id=query.template_id
    )
    page, last = found[: query.limit], None
    if len(found) > query.limit:
        made = page[-1].coupon
        last = paging.make_cursor(paging.instant_part(made.issued_at), made.id)
    return IssuedPage([views.issued(item) for item in page], last)


@router.get(_ISSUED, guard=staff(Permission.COUPONS_LOOKUP), summary="已发优惠券详情", errors=(NotFound,))
async def get_issued(caller: StaffCaller, coupon_id: str) -> IssuedDetail:
    """One coupon: how it stands, where it came from, how it ended, what staff did to it."""
    owner = await _reachable(caller, ids.member_of(coupon_id, PREFIX))
    found = await queries.find_coupon(owner, coupon_id, _today())
    if found is None:
        raise NotFound("there is no such coupon")
    return await _detail(found)


@router.post(
    f"{_ISSUED}/void",
    guard=staff(Permission.COUPONS_VOID),
    summary="作废一张优惠券",
    errors=(NotFound, CouponUnavailable, *_ENDED, Unavailable),
)
async def void(caller: StaffCaller, coupon_id: str, body: VoidIn) -> IssuedDetail:
    """Take all that is left of a coupon, for a reason that is kept; one that is void already stays as it is."""
    return await _detail(await voiding.void(coupon_id, body.reason, caller.staff_id))


async def _reachable(caller: StaffCaller, member_id: int | None) -> int:
    found = await members.find_member(member_id) if member_id is not None else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member or coupon")
    return found.id


async def _detail(found: Standing) -> IssuedDetail:
    names = await queries.names_of(found.version.terms.scope)
    changes = await queries.changes.list_of(found.coupon.template_id, LAST, where=("coupon", found.coupon.id))
    return views.issued_detail(found, names, changes)


def _today() -> date:
    return clock.local_date(clock.now(), settings().timezone)
