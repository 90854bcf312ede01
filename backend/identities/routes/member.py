"""The phone's side: tills that ask, and the document by which one may be found."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.auth.guards import member, staff
from backend.auth.types import MemberCaller, Permission, StaffCaller
from backend.kernel import clock, ids
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router
from backend.members import queries as members
from backend.members.errors import PinInvalid, PinLocked

from .. import commands, queries, service
from ..errors import DocumentTaken, IdentityDecided
from ..schemas import DocumentIn, DocumentOut, IdentitiesOut, IdentityDecisionIn, IdentityDecisionOut, IdentityOut

router = Router(tag="member")

_IDENTITIES = "/v1/member/identities"
_DOCUMENT = "/v1/member/document"


@router.get(_IDENTITIES, guard=member, summary="收银台的身份确认")
async def list_waiting(caller: MemberCaller) -> IdentitiesOut:
    """Tills that ask whether it is you, and wait."""
    items = []
    for one in await queries.list_waiting(caller.member_id, clock.now()):
        store = await auth.get_store(one.store_id)
        shop = {"id": store.id, "name": store.name}
        items.append(IdentityOut(str(one.id), shop, one.way.value, one.at, one.expires_at))
    return IdentitiesOut(items)


@router.post(
    f"{_IDENTITIES}/{{identity_id}}",
    guard=member,
    summary="确认身份",
    errors=(NotFound, IdentityDecided, PinInvalid, PinLocked),
)
async def decide(caller: MemberCaller, identity_id: str, body: IdentityDecisionIn) -> IdentityDecisionOut:
    """Say that it is you, or not."""
    decided = await service.decide(
        identity_id, caller.member_id, approve=body.decision == "approve", pin=body.pin, now=clock.now()
    )
    return IdentityDecisionOut(str(decided.id), decided.state.value, decided.rights.value if decided.rights else None)


@router.get(_DOCUMENT, guard=member, summary="我的证件")
async def get_document(caller: MemberCaller) -> DocumentOut:
    """Whether a document is registered by which a till may ask for you."""
    return DocumentOut(await queries.document_last4(caller.member_id))


@router.put(_DOCUMENT, guard=member, summary="登记证件", errors=(DocumentTaken, ValidationFailed))
async def set_document(caller: MemberCaller, body: DocumentIn) -> DocumentOut:
    """Register a document's number, or forget it."""
    await commands.set_document(caller.member_id, body.number)
    return DocumentOut(await queries.document_last4(caller.member_id))


@router.put(
    "/v1/admin/members/{member_id}/document",
    guard=staff(Permission.MEMBERS_DECIDE),
    summary="登记会员证件",
    errors=(NotFound, DocumentTaken, ValidationFailed),
)
async def set_document_of(caller: StaffCaller, member_id: str, body: DocumentIn) -> DocumentOut:
    """The same by staff, with the member and the document present."""
    wanted = ids.read_bigint(member_id)
    found = await members.find_member(wanted) if wanted else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member")
    await commands.set_document(found.id, body.number)
    return DocumentOut(await queries.document_last4(found.id))
