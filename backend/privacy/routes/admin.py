"""Staff's calls: texts, what a member agreed to, and asking for an archive or an erasure in a member's name."""

from __future__ import annotations

from backend.approvals.errors import ApprovalKeyReused, TooManyApprovals
from backend.auth.errors import CodeExpired, CodeInvalid, CodeUsed
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import ids
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Reply, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict
from backend.members.errors import MemberNotPresent
from backend.wechat.errors import PhoneCodeInvalid

from .. import queries, views
from ..commands import consents, erasures, exports, handouts
from ..errors import (
    ConsentOutdated,
    ConsentRequired,
    ErasureBlocked,
    ErasureUnderWay,
    ErasureValueLeft,
    ExportDaily,
    ExportGone,
    ExportNotReady,
    HandoutNotGranted,
    PurposeChanged,
)
from ..schemas import (
    AskedOut,
    ChangesOut,
    ConsentsOut,
    ErasuresQuery,
    ExportIn,
    HandoutIn,
    HandoutOut,
    HandoutsOut,
    MemberArchivesOut,
    PageQuery,
    PurposeIn,
    PurposeOut,
    PurposesOut,
    StaffErasureIn,
    StaffErasureOut,
    StaffErasuresOut,
    StaffExportOut,
    StaffExportsOut,
    TextOut,
    TextsOut,
    WithdrawIn,
    WrittenIn,
)
from ..types import Place

router = Router(tag="privacy")

_READ = staff(Permission.PRIVACY_READ)
_TEXTS = staff(Permission.PRIVACY_TEXTS)
_SERVE = staff(Permission.PRIVACY_SERVE)
_ERASE = staff(Permission.PRIVACY_ERASE)
_PRIVACY = "/v1/admin/privacy"
_OF_MEMBER = "/v1/admin/members/{member_id}/consents"
_SHOWN = 20
"""How many of a member's archives and hand-outs are shown: one archive a day is made, and kept for days."""


@router.get(f"{_PRIVACY}/purposes", guard=_READ, summary="授权用途")
async def list_purposes() -> PurposesOut:
    """Every purpose, those no longer asked for too."""
    return PurposesOut([views.purpose(item) for item in await queries.list_purposes(active=False)])


@router.put(
    f"{_PRIVACY}/purposes/{{purpose}}", guard=_TEXTS, summary="发布授权文本", errors=(ValidationFailed, PurposeChanged)
)
async def publish(caller: StaffCaller, purpose: str, body: PurposeIn) -> PurposeOut:
    """Put a text in force, or make a purpose; what is required is asked for again at members' next opening."""
    return views.purpose(await consents.publish(consents.code_of(purpose), body, caller))


@router.get(f"{_PRIVACY}/purposes/{{purpose}}/texts", guard=_READ, summary="授权文本的版本", errors=(NotFound,))
async def list_texts(purpose: str) -> TextsOut:
    """Every version of a text, newest first."""
    found = await queries.list_texts(purpose)
    if not found:
        raise NotFound("there is no such purpose")
    return TextsOut(
        [TextOut(item.version, item.body, item.at, str(item.staff_id) if item.staff_id else None) for item in found]
    )


@router.get(_OF_MEMBER, guard=_READ, summary="会员的授权", errors=(NotFound,))
async def list_consents(caller: StaffCaller, member_id: str) -> ConsentsOut:
    """What a member agreed to; a store's staff see their own members."""
    member = await consents.reached(caller, member_id)
    return views.consents(await queries.list_consents(member.id))


@router.put(
    _OF_MEMBER,
    guard=_SERVE,
    summary="登记书面授权",
    errors=(NotFound, ValidationFailed, ConsentOutdated, ConsentRequired),
)
async def put_consents(caller: StaffCaller, member_id: str, body: WrittenIn) -> ConsentsOut:
    """Write down what a member said on paper; who wrote it is kept."""
    member = await consents.reached(caller, member_id)
    await consents.say(member.id, body.items, place=Place.STAFF, staff_id=caller.staff_id, note=body.note)
    return views.consents(await queries.list_consents(member.id))


@router.get(f"{_OF_MEMBER}/changes", guard=_READ, summary="授权的变更记录", errors=(NotFound, ValidationFailed))
async def list_changes(caller: StaffCaller, member_id: str, query: PageQuery) -> ChangesOut:
    """Each word of a member: when, to which version, where, and who wrote it down."""
    member = await consents.reached(caller, member_id)
    place = read_place(query.cursor)
    before = (place[0], ids.read_bigint(place[1]) or 0) if place else None
    found = await queries.list_changes(member.id, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].at, str(page[-1].id)) if len(found) > query.limit else None
    return ChangesOut([views.change(item) for item in page], following)


@router.post(
    f"{_PRIVACY}/exports",
    guard=_SERVE,
    status=202,
    summary="代会员申请个人数据",
    errors=(NotFound, ValidationFailed, ExportDaily, ErasureUnderWay),
)
async def ask_for_export(caller: StaffCaller, body: ExportIn) -> StaffExportOut:
    """Ask for the archive of a member who is present; they fetch it on the phone, nobody else can."""
    member = await consents.reached(caller, body.member_id)
    made = await exports.ask(member.id, by=caller, reason=body.reason)
    return (await views.staff_exports([made]))[0]


@router.get(f"{_PRIVACY}/exports", guard=_READ, summary="个人数据申请", errors=(ValidationFailed,))
async def list_exports(caller: StaffCaller, query: PageQuery) -> StaffExportsOut:
    """Archives that were asked for, newest first; never what is in them."""
    found = await queries.list_exports(caller.store_id, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].asked_at, page[-1].id) if len(found) > query.limit else None
    return StaffExportsOut(await views.staff_exports(page), following)


@router.get("/v1/admin/members/{member_id}/archives", guard=_READ, summary="会员的个人数据", errors=(NotFound,))
async def list_archives(caller: StaffCaller, member_id: str) -> MemberArchivesOut:
    """A member's newest archives, never what is in them, and who was handed one; a store's staff see their own's."""
    member = await consents.reached(caller, member_id)
    made = await queries.list_exports_of(member.id, limit=_SHOWN)
    handed = await queries.list_handouts_of(member.id, limit=_SHOWN)
    return MemberArchivesOut(
        str(member.id), member.member_no, await views.staff_exports(made), await views.handouts(handed)
    )


@router.post(
    f"{_PRIVACY}/exports/{{export_id}}/hand-outs",
    guard=_SERVE,
    status=201,
    idempotent=True,
    summary="当面交付个人数据",
    errors=(
        NotFound,
        ValidationFailed,
        ExportNotReady,
        ExportGone,
        MemberNotPresent,
        CodeInvalid,
        CodeExpired,
        CodeUsed,
        PhoneCodeInvalid,
        RateLimited,
        IdempotencyConflict,
        ApprovalKeyReused,
        TooManyApprovals,
    ),
)
async def hand_out(caller: StaffCaller, export_id: str, body: HandoutIn, idem: Idempotency) -> Answer[HandoutOut]:
    """Hand an archive to its member, who stands there and has no phone to fetch it with; perhaps a second person first.

    Whoever asked fetches it then, within half an hour, or a day where somebody had to approve it.
    """
    made = await handouts.ask(export_id, body, caller, key=idem.key)
    return Answer((await views.handouts([made]))[0])


@router.get(f"{_PRIVACY}/hand-outs", guard=_READ, summary="当面交付记录", errors=(ValidationFailed,))
async def list_handouts(caller: StaffCaller, query: PageQuery) -> HandoutsOut:
    """Archives that staff handed out, newest first; a store's staff see their own members'."""
    found = await queries.list_handouts(caller.store_id, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].asked_at, page[-1].id) if len(found) > query.limit else None
    return HandoutsOut(await views.handouts(page), following)


@router.post(
    f"{_PRIVACY}/hand-outs/{{hand_out_id}}/archive",
    guard=_SERVE,
    summary="下载当面交付的个人数据",
    errors=(NotFound, HandoutNotGranted, ExportNotReady, ExportGone),
)
async def fetch_handout(caller: StaffCaller, hand_out_id: str) -> Reply:
    """The archive, to be given to the member: only to who asked for it, within its time. It stands in the audit log."""
    export_id, pieces = await handouts.fetch(hand_out_id, caller)
    headers = {
        "content-disposition": f'attachment; filename="personal-data-{export_id}.zip"',
        "cache-control": "no-store",
    }
    return Reply(pieces, "application/zip", headers=headers)


@router.post(
    f"{_PRIVACY}/erasures",
    guard=_ERASE,
    status=202,
    idempotent=True,
    summary="代会员申请注销",
    errors=(
        NotFound,
        ValidationFailed,
        ErasureBlocked,
        ErasureValueLeft,
        ErasureUnderWay,
        ApprovalKeyReused,
        TooManyApprovals,
    ),
)
async def ask_for_erasure(caller: StaffCaller, body: StaffErasureIn, idem: Idempotency) -> Answer[AskedOut]:
    """Ask a second person to have a member erased; once approved it cools off, and the member can take it back."""
    member = await consents.reached(caller, body.member_id)
    approval = await erasures.ask_for(member, reason=body.reason, give_up=body.give_up, caller=caller, key=idem.key)
    return Answer(AskedOut(approval.id, approval.state.value))


@router.get(f"{_PRIVACY}/erasures", guard=_READ, summary="注销申请", errors=(ValidationFailed,))
async def list_erasures(caller: StaffCaller, query: ErasuresQuery) -> StaffErasuresOut:
    """Wishes to be erased, newest first; a store's staff see their own members'."""
    found = await queries.list_erasures(
        caller.store_id, query.state, before=read_place(query.cursor), limit=query.limit + 1
    )
    page = found[: query.limit]
    following = place_cursor(page[-1].asked_at, page[-1].id) if len(found) > query.limit else None
    return StaffErasuresOut(await views.staff_erasures(page), following)


@router.post(
    f"{_PRIVACY}/erasures/{{erasure_id}}/withdraw",
    guard=_SERVE,
    summary="代会员撤回注销",
    errors=(NotFound, ValidationFailed, ErasureUnderWay),
)
async def withdraw(caller: StaffCaller, erasure_id: str, body: WithdrawIn) -> StaffErasureOut:
    """Take a wish back that a member regrets."""
    found = await erasures.withdraw_for(erasure_id, caller, body.reason)
    return (await views.staff_erasures([found]))[0]
