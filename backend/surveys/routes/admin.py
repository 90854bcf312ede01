"""Head office's calls that compose surveys, and the staff's that enter answers."""

from __future__ import annotations

import msgspec

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import paging
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict

from .. import queries, views
from ..commands import composing, entering, inviting, rewards
from ..errors import SurveyAnswered, SurveyClosed, SurveyConflict, SurveyFull, SurveyNotPublishable
from ..queries import counting
from ..rules import privacy
from ..schemas.admin import (
    EntryIn,
    EntryOut,
    InvitationOut,
    InvitationsOut,
    PageQuery,
    ProjectIn,
    ProjectOut,
    ProjectsOut,
    SurveyIn,
    SurveyOut,
    SurveysOut,
    SurveysQuery,
    VersionOut,
)
from ..types import Survey, SurveyState
from .reach import reached

router = Router(tag="surveys")

_PROJECTS = "/v1/admin/surveys/projects"
_PROJECT = f"{_PROJECTS}/{{project_id}}"
_SURVEYS = "/v1/admin/surveys"
_SURVEY = f"{_SURVEYS}/{{survey_id}}"
LAST = 100


@router.get(_PROJECTS, guard=staff(Permission.SURVEYS_WRITE), summary="问卷项目")
async def list_projects(caller: StaffCaller, query: PageQuery) -> ProjectsOut:
    """Projects, newest first."""
    found = await queries.list_projects(before=paging.read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    more = paging.place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return ProjectsOut([views.project(item) for item in page], more)


@router.post(_PROJECTS, guard=staff(Permission.SURVEYS_WRITE), status=201, summary="新建问卷项目")
async def create_project(caller: StaffCaller, body: ProjectIn) -> ProjectOut:
    """Add what surveys are kept together under."""
    return views.project(await composing.create_project(body))


@router.put(_PROJECT, guard=staff(Permission.SURVEYS_WRITE), summary="修改问卷项目", errors=(NotFound,))
async def change_project(caller: StaffCaller, project_id: str, body: ProjectIn) -> ProjectOut:
    """Put a project in place of what it was."""
    return views.project(await composing.change_project(project_id, body))


@router.get(_SURVEYS, guard=staff(Permission.SURVEYS_READ), summary="问卷列表")
async def list_surveys(caller: StaffCaller, query: SurveysQuery) -> SurveysOut:
    """Surveys, newest first; how many answers each has, a store's staff see of their own store."""
    found = await queries.list_surveys(
        project_id=query.project_id,
        state=query.state,
        store_id=caller.store_id,
        before=paging.read_place(query.cursor),
        limit=query.limit + 1,
    )
    page = found[: query.limit]
    counts = await counting.count_each([survey.id for survey in page], caller.store_id)
    more = paging.place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return SurveysOut([views.row(survey, _count(caller, survey, counts)) for survey in page], more)


@router.post(
    _SURVEYS, guard=staff(Permission.SURVEYS_WRITE), status=201, summary="新建问卷", errors=(ValidationFailed,)
)
async def create_survey(caller: StaffCaller, body: SurveyIn) -> SurveyOut:
    """Add a survey as a draft; members see nothing of it before it is published."""
    return await _detail(caller, await composing.create_survey(body, caller.staff_id))


@router.get(_SURVEY, guard=staff(Permission.SURVEYS_READ), summary="问卷详情", errors=(NotFound,))
async def get_survey(caller: StaffCaller, survey_id: str) -> SurveyOut:
    """One survey: terms, draft, quotas and how much of them is taken."""
    return await _detail(caller, await reached(caller, survey_id))


@router.put(
    _SURVEY,
    guard=staff(Permission.SURVEYS_WRITE),
    summary="修改问卷",
    errors=(NotFound, ValidationFailed, SurveyConflict, SurveyNotPublishable),
)
async def change_survey(caller: StaffCaller, survey_id: str, body: SurveyIn) -> SurveyOut:
    """Change terms and draft; what was published stays until the draft is."""
    return await _detail(caller, await composing.change_survey(survey_id, body, caller.staff_id))


@router.post(
    f"{_SURVEY}/publish",
    guard=staff(Permission.SURVEYS_WRITE),
    summary="发布",
    errors=(NotFound, SurveyConflict, SurveyNotPublishable),
)
async def publish(caller: StaffCaller, survey_id: str) -> SurveyOut:
    """Let members answer what the draft asks: the next version, which never changes."""
    return await _detail(caller, await composing.publish(survey_id, caller.staff_id))


@router.post(
    f"{_SURVEY}/pause", guard=staff(Permission.SURVEYS_WRITE), summary="暂停", errors=(NotFound, SurveyConflict)
)
async def pause(caller: StaffCaller, survey_id: str) -> SurveyOut:
    """Take no answers from members for a while."""
    return await _detail(caller, await composing.move(survey_id, "pause", caller.staff_id))


@router.post(
    f"{_SURVEY}/resume", guard=staff(Permission.SURVEYS_WRITE), summary="恢复", errors=(NotFound, SurveyConflict)
)
async def resume(caller: StaffCaller, survey_id: str) -> SurveyOut:
    """Take answers again."""
    return await _detail(caller, await composing.move(survey_id, "resume", caller.staff_id))


@router.post(
    f"{_SURVEY}/close", guard=staff(Permission.SURVEYS_WRITE), summary="结束", errors=(NotFound, SurveyConflict)
)
async def close(caller: StaffCaller, survey_id: str) -> SurveyOut:
    """Take no answers any more, for good; what is due is paid still."""
    return await _detail(caller, await composing.move(survey_id, "close", caller.staff_id))


@router.post(
    f"{_SURVEY}/invitations",
    guard=staff(Permission.SURVEYS_WRITE),
    status=201,
    summary="发出邀请",
    errors=(NotFound, SurveyConflict),
)
async def invite(caller: StaffCaller, survey_id: str) -> InvitationOut:
    """Write to all who are meant and have not answered: three times at most, a day apart; a job does it."""
    return InvitationOut(*msgspec.structs.astuple(await inviting.ask(survey_id, caller.staff_id)))


@router.get(f"{_SURVEY}/invitations", guard=staff(Permission.SURVEYS_WRITE), summary="邀请记录", errors=(NotFound,))
async def list_invitations(caller: StaffCaller, survey_id: str) -> InvitationsOut:
    """The invitations that were sent, and how far the last one is."""
    found = await queries.get_survey(survey_id)
    return InvitationsOut(
        [InvitationOut(*msgspec.structs.astuple(one)) for one in await inviting.list_rounds(found.id)]
    )


@router.get(
    f"{_SURVEY}/versions/{{version}}", guard=staff(Permission.SURVEYS_READ), summary="已发布版本", errors=(NotFound,)
)
async def get_version(caller: StaffCaller, survey_id: str, version: int) -> VersionOut:
    """What was published as that version."""
    found = await reached(caller, survey_id)
    if not 0 < version <= found.version:
        raise NotFound("there is no such version")
    return VersionOut(version, await queries.get_version(survey_id, version))


@router.get(f"{_SURVEY}/changes", guard=staff(Permission.SURVEYS_WRITE), summary="变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, survey_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await queries.get_survey(survey_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.post(
    f"{_SURVEY}/answers",
    guard=staff(Permission.SURVEYS_READ),
    status=201,
    idempotent=True,
    summary="录入答卷",
    errors=(NotFound, ValidationFailed, SurveyClosed, SurveyAnswered, SurveyFull, IdempotencyConflict),
)
async def enter_answer(caller: StaffCaller, survey_id: str, body: EntryIn, idem: Idempotency) -> Answer[EntryOut]:
    """Enter an answer that came on paper or by telephone, once per key; a member who is named has then answered."""
    await reached(caller, survey_id)
    answer_id, member_id, replayed = await entering.enter(survey_id, body, caller, idem)
    if member_id is not None:
        await rewards.try_pay(survey_id, member_id)
    return Answer(await counting.get_entry(survey_id, answer_id), replayed=replayed)


async def _detail(caller: StaffCaller, survey: Survey) -> SurveyOut:
    draft = await queries.find_draft(survey.id)
    published = await queries.get_version(survey.id, survey.version) if survey.version else None
    if survey.state is not SurveyState.DRAFT and not caller.may(Permission.SURVEYS_WRITE) and published is not None:
        draft = published  # what head office is still writing is not the stores'
    counts = await counting.count_each([survey.id], caller.store_id)
    taken = await counting.list_quotas(survey.id)
    if not caller.office:
        survey, taken = _of_store(survey), []  # quotas are counted over all stores
    if survey.terms.anonymous:
        taken = [msgspec.structs.replace(quota, taken=_told(quota.key, quota.taken or 0)) for quota in taken]
    return views.detail(survey, draft, published, taken, _count(caller, survey, counts))


def _of_store(survey: Survey) -> Survey:
    """The survey as a store's staff see it: whom head office named one by one may be another store's."""
    audience = survey.terms.audience
    if audience.member_nos is None:
        return survey
    nameless = msgspec.structs.replace(audience, member_nos=())
    return msgspec.structs.replace(survey, terms=msgspec.structs.replace(survey.terms, audience=nameless))


def _count(caller: StaffCaller, survey: Survey, counts: dict[str, int]) -> int | None:
    """How many answers there are; of an anonymous survey no small number of one store."""
    count = counts.get(survey.id, 0)
    small = survey.terms.anonymous and caller.store_id is not None and 0 < count < privacy.LEAST
    return None if small else count


def _told(key: str, taken: int) -> int | None:
    return None if key.startswith("level:") and 0 < taken < privacy.LEAST else taken
