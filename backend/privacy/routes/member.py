"""The member's own calls: what they agree to, their archive, and leaving."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Reply, Router, public
from backend.members.errors import PinInvalid, PinLocked

from .. import queries, views
from ..commands import consents, erasures, exports
from ..errors import (
    ConsentOutdated,
    ConsentRequired,
    ErasureBlocked,
    ErasureProofNeeded,
    ErasureUnderWay,
    ErasureValueLeft,
    ExportDaily,
    ExportGone,
    ExportNotReady,
)
from ..schemas import (
    ConsentsIn,
    ErasureIn,
    ErasureOut,
    ExportOut,
    ExportsOut,
    OwnConsentsOut,
    OwnErasureOut,
    PurposesOut,
)
from ..types import Place

router = Router(tag="privacy")

_OWN = "/v1/member/privacy"
LAST = 20


@router.get("/v1/privacy/purposes", guard=public, summary="协议与授权文本")
async def list_purposes() -> PurposesOut:
    """What members are asked to agree to, with the texts in force; also before registering."""
    return PurposesOut([views.purpose(item) for item in await queries.list_purposes()])


@router.get(f"{_OWN}/consents", guard=member, summary="我的授权")
async def list_consents(caller: MemberCaller) -> OwnConsentsOut:
    """What the caller agreed to; what `asks` is to be shown at once, and so is an erasure that cools off."""
    return await _own(caller.member_id)


@router.put(
    f"{_OWN}/consents",
    guard=member,
    summary="同意或撤回授权",
    errors=(ValidationFailed, ConsentOutdated, ConsentRequired),
)
async def put_consents(caller: MemberCaller, body: ConsentsIn) -> OwnConsentsOut:
    """Agree, or take it back, which holds at once; saying the same again changes nothing."""
    await consents.say(caller.member_id, body.items, place=Place.PHONE)
    return await _own(caller.member_id)


async def _own(member_id: int) -> OwnConsentsOut:
    wish = await queries.find_open_erasure(member_id)
    found = views.consents(await queries.list_consents(member_id))
    return OwnConsentsOut(found.items, wish.due_at if wish else None)


@router.post(f"{_OWN}/exports", guard=member, status=202, summary="申请个人数据", errors=(ExportDaily, ErasureUnderWay))
async def ask_for_export(caller: MemberCaller) -> ExportOut:
    """Ask for an archive of everything that is known of the caller; once a day."""
    return views.export(await exports.ask(caller.member_id))


@router.get(f"{_OWN}/exports", guard=member, summary="我的个人数据")
async def list_exports(caller: MemberCaller) -> ExportsOut:
    """The caller's archives, newest first."""
    found = await queries.list_exports_of(caller.member_id, limit=LAST)
    return ExportsOut([views.export(item) for item in found])


@router.get(
    f"{_OWN}/exports/{{export_id}}/archive",
    guard=member,
    summary="下载个人数据",
    errors=(NotFound, ExportNotReady, ExportGone),
)
async def fetch_export(caller: MemberCaller, export_id: str) -> Reply:
    """The archive: a ZIP with a page to read, and every list as CSV and JSON."""
    pieces = await exports.fetch(caller.member_id, export_id)
    headers = {
        "content-disposition": f'attachment; filename="personal-data-{export_id}.zip"',
        "cache-control": "no-store",
    }
    return Reply(pieces, "application/zip", headers=headers)


@router.get(f"{_OWN}/erasure", guard=member, summary="注销账号前须知")
async def get_erasure(caller: MemberCaller) -> OwnErasureOut:
    """What must be settled before, what would be lost, and the wish there is."""
    found = await queries.find_open_erasure(caller.member_id)
    return OwnErasureOut(
        [views.stake(item) for item in await erasures.look(caller.member_id)],
        settings().privacy_cooling_days,
        views.erasure(found) if found else None,
    )


@router.post(
    f"{_OWN}/erasure",
    guard=member,
    status=202,
    summary="申请注销账号",
    errors=(
        ValidationFailed,
        ErasureProofNeeded,
        PinInvalid,
        PinLocked,
        ErasureBlocked,
        ErasureValueLeft,
        ErasureUnderWay,
    ),
)
async def ask_for_erasure(caller: MemberCaller, body: ErasureIn) -> ErasureOut:
    """Ask to be erased once the days are over; what is left is lost only where that is said."""
    return views.erasure(await erasures.ask(caller.member_id, body))


@router.post(f"{_OWN}/erasure/withdraw", guard=member, summary="撤回注销申请", errors=(NotFound, ErasureUnderWay))
async def withdraw_erasure(caller: MemberCaller) -> None:
    """Take the wish back, while the days last."""
    await erasures.withdraw(caller.member_id)
