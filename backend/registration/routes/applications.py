"""The policy of registration, what waits for staff, and how far one's own registration is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.auth import queries as auth
from backend.auth.guards import session, staff
from backend.auth.types import Permission, SessionCaller, StaffCaller, Standing
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place
from backend.members import joins
from backend.members import queries as members

from .. import views
from ..commands import applications as commands
from ..errors import ApplicationDecided, PolicyChanged
from ..queries import applications as queries
from ..schemas import applications as schemas
from ..types import Application, Policy

router = Router(tag="members")

_DECIDE = staff(Permission.MEMBERS_DECIDE)
_POLICY = "/v1/admin/registration/policy"
_APPLICATIONS = "/v1/admin/registrations"
_APPLICATION = f"{_APPLICATIONS}/{{application_id}}"
LAST = 50


@router.get(_POLICY, guard=_DECIDE, summary="注册审核规则")
async def get_policy(caller: StaffCaller) -> schemas.PolicyOut:
    """What becomes of who registers."""
    (shown,) = await _policies([await queries.read_policy()])
    return shown


@router.put(
    _POLICY,
    guard=staff(Permission.REGISTRATION_RULES),
    errors=(ValidationFailed, PolicyChanged),
    summary="设定注册审核规则",
)
async def put_policy(caller: StaffCaller, body: schemas.PolicyIn) -> schemas.PolicyOut:
    """Set how registrations are decided; it holds within seconds, and for what waits already nothing changes."""
    (shown,) = await _policies([await commands.set_policy(_policy(body), caller)])
    return shown


@router.get(f"{_POLICY}/versions", guard=_DECIDE, summary="注册审核规则的历史")
async def list_policies(caller: StaffCaller) -> schemas.PoliciesOut:
    """The last fifty versions."""
    return schemas.PoliciesOut(await _policies(await queries.list_policies(LAST)))


@router.post("/v1/admin/registration/simulate", guard=_DECIDE, errors=(ValidationFailed,), summary="试算注册审核结果")
async def simulate(caller: StaffCaller, body: schemas.SimulateIn) -> schemas.SimulatedOut:
    """What somebody who registers would get, and by which rule; nothing is written."""
    if body.policy is not None:
        await commands.check_policy(_policy(body.policy), "/policy")
    await auth.check_store(body.store_id, "/store_id")
    policy = _policy(body.policy) if body.policy else await queries.read_policy()
    applicant = joins.Applicant(
        channel=body.channel,
        phone=body.phone,
        name="",
        birthday=body.birthday,
        store_id=body.store_id,
        referred=body.referred,
        attributes=body.attributes,
    )
    said = commands.simulate(policy, applicant, body.hour)
    before = [schemas.UnmetOut(title, list(unmet)) for title, unmet in said.failed]
    return schemas.SimulatedOut(said.outcome, said.rule, said.reason, before)


@router.get(_APPLICATIONS, guard=_DECIDE, errors=(ValidationFailed,), summary="注册申请")
async def list_applications(caller: StaffCaller, query: schemas.ApplicationsQuery) -> schemas.ApplicationsOut:
    """A page of applications, newest first; people of a store see those of their store."""
    if query.store_id is not None and not caller.reaches(query.store_id):
        raise invalid("/query/store_id", "there is no such store")
    store_id = caller.store_id or query.store_id
    found = await queries.list_applications(
        store_id,
        query.state,
        channel=query.channel,
        conflict=query.conflict,
        before=read_place(query.cursor),
        limit=query.limit + 1,
    )
    page = found[: query.limit]
    following = place_cursor(page[-1].applied_at, page[-1].id) if len(found) > query.limit else None
    return schemas.ApplicationsOut(await views.applications(page), await queries.count_pending(store_id), following)


@router.get(_APPLICATION, guard=_DECIDE, errors=(NotFound,), summary="注册申请详情")
async def get_application(caller: StaffCaller, application_id: str) -> schemas.ApplicationOut:
    """One application."""
    return await _one(await commands.get_application(application_id, caller))


@router.post(f"{_APPLICATION}/approve", guard=_DECIDE, errors=(NotFound, ApplicationDecided), summary="通过注册申请")
async def approve(caller: StaffCaller, application_id: str, body: schemas.ApproveIn) -> schemas.ApplicationOut:
    """Make the applicant an active member."""
    return await _one(await commands.decide(application_id, approve=True, reason=body.reason, caller=caller))


@router.post(f"{_APPLICATION}/reject", guard=_DECIDE, errors=(NotFound, ApplicationDecided), summary="拒绝注册申请")
async def reject(caller: StaffCaller, application_id: str, body: schemas.RejectIn) -> schemas.ApplicationOut:
    """Refuse the applicant, who reads why and may register again."""
    return await _one(await commands.decide(application_id, approve=False, reason=body.reason, caller=caller))


@router.post(f"{_APPLICATIONS}/decide", guard=_DECIDE, errors=(ValidationFailed,), summary="批量审核注册申请")
async def decide_many(caller: StaffCaller, body: schemas.DecideIn) -> schemas.DecidedOut:
    """Decide up to a hundred, each for itself."""
    if not body.approve and body.reason is None:
        raise invalid("/reason", "say what the applicants read")
    return schemas.DecidedOut(
        await commands.decide_many(body.application_ids, approve=body.approve, reason=body.reason, caller=caller)
    )


@router.get("/v1/member/registration", guard=session, summary="我的注册进度")
async def own(caller: SessionCaller) -> schemas.OwnOut:
    """How far the caller's registration is, and why it was refused; also before there is a member."""
    found = await queries.find_of_identity(caller.identity_id)
    state = caller.standing.value
    if found is None:
        return schemas.OwnOut(state)
    refused = caller.standing is Standing.NONE and found.state.value == "rejected"
    kept = None
    if found.name_given is not None and caller.member_id == found.member_id:
        member = await members.find_member(found.member_id)
        kept = member.name if member and member.name != found.name_given else None
    return schemas.OwnOut(
        "rejected" if refused else state,
        found.reason if refused else None,
        found.applied_at,
        found.claimed and caller.member_id == found.member_id,
        kept,
    )


def _policy(body: schemas.PolicyIn) -> Policy:
    return Policy(**{name: getattr(body, name) for name in body.__struct_fields__})


async def _policies(found: Sequence[Policy]) -> list[schemas.PolicyOut]:
    names = await auth.staff_names({one.staff_id for one in found if one.staff_id is not None})
    return [
        schemas.PolicyOut(
            **{k: v for k, v in msgspec.structs.asdict(one).items() if k != "staff_id"},
            staff_name=names.get(one.staff_id) if one.staff_id else None,
        )
        for one in found
    ]


async def _one(found: Application) -> schemas.ApplicationOut:
    (shown,) = await views.applications([found])
    return shown
