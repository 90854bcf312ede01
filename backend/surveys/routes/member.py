"""The phone's surveys: what waits, answering page by page, and sending."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.coupons import queries as coupons
from backend.kernel import clock, paging
from backend.kernel.errors import NotFound, RateLimited, Unavailable, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Request, Router
from backend.kernel.http.errors import UnsupportedMediaType
from backend.kernel.pictures import MOST_BYTES
from backend.ledger.errors import IdempotencyConflict
from backend.members import queries as members

from .. import queries, views
from ..commands import answering, photos, rewards
from ..errors import SurveyAnswered, SurveyClosed, SurveyFull, SurveyVersionChanged
from ..queries import counting
from ..schemas.admin import PageQuery
from ..schemas.phone import MyPhotoOut, MySurveyOut, MySurveyRow, MySurveysOut, SavedOut, SaveIn, SendIn, SentOut
from ..types import Outcome, Participation, Survey

router = Router(tag="surveys")

_SURVEYS = "/v1/member/surveys"
_SURVEY = f"{_SURVEYS}/{{survey_id}}"
_OPEN = frozenset({"open", "begun"})
_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})


@router.get(_SURVEYS, guard=member, summary="我的问卷")
async def list_surveys(caller: MemberCaller, query: PageQuery) -> MySurveysOut:
    """The surveys that wait for this member (with the first page), and those that were answered, newest first."""
    before = _before(query.cursor)
    done = await queries.list_of_member(caller.member_id, before=before, limit=query.limit + 1)
    page = [part for _, part in done[: query.limit]]
    more = None
    if len(done) > query.limit and page[-1].done_on is not None:
        more = paging.make_cursor(str(page[-1].done_on.toordinal()), page[-1].survey_id)
    surveys = await queries.find_surveys([part.survey_id for part in page])
    return MySurveysOut(
        await _waiting(caller.member_id) if query.cursor is None else [],
        await _rows(caller.member_id, [(surveys[part.survey_id], part) for part in page]),
        more,
    )


def _before(cursor: str | None) -> tuple[date, str] | None:
    if cursor is None:
        return None
    day, survey_id = paging.read_cursor(cursor, 2) or ("", "")
    number = int(day) if day.isascii() and day.isdigit() and len(day) <= 7 else 0
    if not 0 < number <= date.max.toordinal():
        raise invalid("/query/cursor", "not a cursor of this list")
    return date.fromordinal(number), survey_id


async def _waiting(member_id: int) -> list[MySurveyRow]:
    """Of the surveys that run those that this member may answer now; what runs is few, and kept in mind."""
    now, running = clock.now(), await queries.running()
    begun = await queries.list_participations(member_id, list(running))
    found = []
    for survey in running.values():
        part = begun.get(survey.id) or Participation(survey_id=survey.id, member_id=member_id)
        if not part.done and survey.takes_answers(now) and await answering.is_meant(survey, part, now):
            found.append((survey, part))
    return [row for row in await _rows(member_id, found) if row.standing in _OPEN]


async def _full(member_id: int, found: Sequence[tuple[Survey, Participation]]) -> set[str]:
    """Which of these surveys this member need not begin: there are as many answers as were wanted."""
    asked = [survey for survey, part in found if not part.done and (survey.terms.total or survey.terms.quotas)]
    return await counting.list_full(asked, (await members.get_card(member_id)).level.code) if asked else set()


async def _rows(member_id: int, found: Sequence[tuple[Survey, Participation]]) -> list[MySurveyRow]:
    now, full = clock.now(), await _full(member_id, found)
    titles = await _titles([survey for survey, _ in found], [part.outcome for _, part in found])
    return [
        views.mine(
            survey,
            part,
            await queries.get_version(survey.id, survey.version),
            titles,
            full=survey.id in full,
            now=now,
        )
        for survey, part in found
    ]


@router.get(_SURVEY, guard=member, summary="问卷详情", errors=(NotFound,))
async def get_survey(caller: MemberCaller, survey_id: str) -> MySurveyOut:
    """A survey that is meant for this member, with what was saved of the answer."""
    survey, part = await answering.get_own(caller.member_id, survey_id)
    content = await queries.get_version(survey.id, survey.version)
    full = survey.id in await _full(caller.member_id, [(survey, part)])
    titles = await _titles([survey], [part.outcome])
    return views.mine_whole(survey, part, content, titles, full=full, now=clock.now())


@router.put(
    f"{_SURVEY}/progress",
    guard=member,
    summary="保存进度",
    errors=(NotFound, ValidationFailed, SurveyAnswered, SurveyClosed, SurveyVersionChanged),
)
async def save_progress(caller: MemberCaller, survey_id: str, body: SaveIn) -> SavedOut:
    """Keep the answers so far; what another phone saved later stays, and comes back."""
    part = await answering.save(caller.member_id, survey_id, body)
    return SavedOut(part.version or body.version, part.revision, part.page, list(part.saved))


@router.post(
    f"{_SURVEY}/photos",
    guard=member,
    status=201,
    body_limit=MOST_BYTES,
    private=True,
    summary="上传匿名照片",
    errors=(NotFound, ValidationFailed, SurveyClosed, UnsupportedMediaType, RateLimited, Unavailable),
)
async def add_photo(caller: MemberCaller, survey_id: str, body: bytes, request: Request) -> MyPhotoOut:
    """Keep a photo for an anonymous answer (JPEG, PNG or WebP, as the body, at most 8 MiB); whose it is is not kept."""
    if request.headers.get("content-type", "image/jpeg").partition(";")[0].strip().lower() not in _PICTURES:
        raise UnsupportedMediaType("the body must be a picture: Content-Type image/jpeg, image/png or image/webp")
    return MyPhotoOut(await photos.add(caller.member_id, survey_id, body))


@router.post(
    f"{_SURVEY}/answers",
    guard=member,
    status=201,
    idempotent=True,
    summary="提交答卷",
    errors=(
        NotFound,
        ValidationFailed,
        SurveyAnswered,
        SurveyClosed,
        SurveyFull,
        SurveyVersionChanged,
        IdempotencyConflict,
    ),
)
async def send_answer(caller: MemberCaller, survey_id: str, body: SendIn, idem: Idempotency) -> Answer[SentOut]:
    """Send the whole answer, once; what it is given is paid at once, or as soon as it can be had."""
    survey, part, replayed = await answering.send(caller.member_id, survey_id, body, idem)
    if part.outcome is not None and not part.paid:
        await rewards.try_pay(survey_id, caller.member_id)
    content = await queries.get_version(survey_id, part.version or body.version)
    titles = await _titles([survey], [part.outcome])
    return Answer(views.sent(part, content, body.answers, titles), replayed=replayed)


async def _titles(surveys: Iterable[Survey], outcomes: Iterable[Outcome | None]) -> dict[str, str]:
    rewards_ = [survey.terms.reward for survey in surveys if survey.terms.reward]
    named = {reward.template_id for reward in rewards_} | {outcome.template_id for outcome in outcomes if outcome}
    return await coupons.list_titles([template_id for template_id in named if template_id is not None])
