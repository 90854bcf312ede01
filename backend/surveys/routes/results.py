"""What came of a survey: in numbers, tables and charts, and answer by answer. A store's staff see their own's."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import charts, ids, paging, sheets
from backend.kernel.charts import ChartUnavailable
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Reply, Router
from backend.kernel.http.pictures import as_picture
from backend.mall import queries as mall

from .. import drawing, reporting
from .. import sheets as tables
from ..commands import photos
from ..errors import SurveyTooFew
from ..queries import answers
from ..queries.answers import AnswerRow
from ..queries.counting import Narrow
from ..schemas.results import (
    AnswerOut,
    AnswersOut,
    AnswersQuery,
    BreakdownQuery,
    ChartQuery,
    CrossQuery,
    ExportQuery,
    OverTimeOut,
    OverTimeQuery,
    PhotoOut,
    StatisticsOut,
    StatisticsQuery,
    TableOut,
)
from ..types import Survey
from .reach import reached

router = Router(tag="surveys")

_SURVEY = "/v1/admin/surveys/{survey_id}"
_REFUSALS = (NotFound, ValidationFailed, SurveyTooFew)


@router.get(f"{_SURVEY}/statistics", guard=staff(Permission.SURVEYS_RESULTS), summary="统计", errors=_REFUSALS)
async def get_statistics(caller: StaffCaller, survey_id: str, query: StatisticsQuery) -> StatisticsOut:
    """Counts, shares, averages and NPS; of one version or across all, where questions keep their ids."""
    survey = await _survey(caller, survey_id)
    return await reporting.statistics(survey, narrowed(caller, query.version, query.store_id, query.level))


@router.get(f"{_SURVEY}/cross", guard=staff(Permission.SURVEYS_ANSWERS), summary="交叉分析", errors=_REFUSALS)
async def get_cross(caller: StaffCaller, survey_id: str, query: CrossQuery) -> TableOut:
    """A table of two questions, over all stores."""
    return await reporting.cross(await _survey(caller, survey_id), query)


@router.get(f"{_SURVEY}/breakdown", guard=staff(Permission.SURVEYS_RESULTS), summary="按门店或等级", errors=_REFUSALS)
async def get_breakdown(caller: StaffCaller, survey_id: str, query: BreakdownQuery) -> TableOut:
    """A question by store or level, as they were when it was answered."""
    return await reporting.breakdown(await _survey(caller, survey_id), query, caller.store_id)


@router.get(f"{_SURVEY}/over-time", guard=staff(Permission.SURVEYS_RESULTS), summary="按时间", errors=_REFUSALS)
async def get_over_time(caller: StaffCaller, survey_id: str, query: OverTimeQuery) -> OverTimeOut:
    """Answers by day or week, with a question's average."""
    return await reporting.over_time(await _survey(caller, survey_id), query, caller.store_id)


@router.get(f"{_SURVEY}/chart.svg", guard=staff(Permission.SURVEYS_RESULTS), summary="图表（SVG）", errors=_REFUSALS)
async def get_chart_svg(caller: StaffCaller, survey_id: str, query: ChartQuery) -> Reply:
    """The same results as a drawing."""
    chart = await _chart(caller, survey_id, query)
    return await as_picture(chart, "svg")


@router.get(
    f"{_SURVEY}/chart.png",
    guard=staff(Permission.SURVEYS_RESULTS),
    summary="图表（PNG）",
    errors=(*_REFUSALS, ChartUnavailable),
)
async def get_chart_png(caller: StaffCaller, survey_id: str, query: ChartQuery) -> Reply:
    """The same results as a picture; needs a Chinese font on the server."""
    chart = await _chart(caller, survey_id, query)
    return await as_picture(chart, "png")


async def _chart(caller: StaffCaller, survey_id: str, query: ChartQuery) -> charts.Chart:
    survey = await _survey(caller, survey_id)
    if query.what == "cross" and not caller.may(Permission.SURVEYS_ANSWERS):
        raise NotFound("there is no such table")
    narrow = narrowed(caller, query.version, query.store_id, query.level)
    return await drawing.chart(survey, query, narrow, caller.store_id)


@router.get(
    f"{_SURVEY}/answers", guard=staff(Permission.SURVEYS_RESULTS), summary="答卷", errors=(NotFound, ValidationFailed)
)
async def list_answers(caller: StaffCaller, survey_id: str, query: AnswersQuery) -> AnswersOut:
    """Answer by answer, newest first; those of an anonymous survey for head office, in no order."""
    survey = await _readable(caller, survey_id)
    found = await answers.list_answers(
        survey,
        version=query.version,
        medium=query.medium,
        store_id=caller.store_id,
        after=_after(survey, query.cursor),
        limit=query.limit + 1,
    )
    page = found[: query.limit]
    return AnswersOut([_answer(survey, item) for item in page], _more(page[-1]) if len(found) > query.limit else None)


@router.get(
    f"{_SURVEY}/export",
    guard=staff(Permission.SURVEYS_RESULTS),
    summary="导出答卷",
    errors=(NotFound, ValidationFailed),
)
async def export(caller: StaffCaller, survey_id: str, query: ExportQuery) -> Reply:
    """All answers as CSV or XLSX, as they are read; a column for each question."""
    survey = await _readable(caller, survey_id)
    questions = await reporting.questions_of(survey, query.version)
    pages = tables.pages(survey, questions, version=query.version, store_id=caller.store_id)
    body = await sheets.stream(query.format, "答卷", tables.heading(survey, questions), pages)
    name = f"survey-{survey.id}.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Reply(body, media_type=sheets.MEDIA_TYPES[query.format], headers=headers)


def narrowed(caller: StaffCaller, version: int | None, store_id: str | None, level: str | None) -> Narrow:
    """What is asked for, of the caller's own store if they have one."""
    if caller.store_id is not None and store_id not in (None, caller.store_id):
        raise NotFound("there is no such store")
    return Narrow(version, caller.store_id or store_id, level)


async def _survey(caller: StaffCaller, survey_id: str) -> Survey:
    """A survey that was published, and that this person may see."""
    survey = await reached(caller, survey_id)
    if not survey.version:
        raise NotFound("this survey was not published yet")
    return survey


async def _readable(caller: StaffCaller, survey_id: str) -> Survey:
    survey = await _survey(caller, survey_id)
    if survey.terms.anonymous and not caller.may(Permission.SURVEYS_ANSWERS):
        raise NotFound("there is no such survey")
    return survey


def _after(survey: Survey, cursor: str | None) -> answers.Place | None:
    if cursor is None:
        return None
    at, answer_id = paging.read_cursor(cursor, 2) or ("", "")
    instant, id_ = paging.read_instant(at), ids.read_bigint(answer_id)
    if id_ is None or (instant is None) is not survey.terms.anonymous:
        raise invalid("/query/cursor", "not a cursor of this list")
    return instant, id_


def _more(last: AnswerRow) -> str:
    return paging.make_cursor(paging.instant_part(last.at) if last.at else "-", str(last.id))


def _answer(survey: Survey, row: AnswerRow) -> AnswerOut:
    named = [photo for given in row.given for photo in given.photos]
    return AnswerOut(
        id=str(row.id),
        version=row.version,
        member_no=row.member_no,
        at=row.at,
        store_id=row.store_id,
        level=row.level,
        medium=row.medium,
        entered_by=str(row.entered_by) if row.entered_by is not None else None,
        score=row.score,
        answers=list(row.given),
        photos=[_photo(survey, photo_id) for photo_id in named],
        prize=row.outcome.title or None if row.outcome else None,
        points=row.outcome.points if row.outcome else None,
        coupon_ids=list(row.outcome.coupon_ids) if row.outcome else [],
        paid=row.paid if row.outcome else None,
    )


def _photo(survey: Survey, photo_id: str) -> PhotoOut:
    if survey.terms.anonymous:
        return PhotoOut(photo_id, *photos.PHOTOS.address(photo_id))
    found = mall.upload_address(photo_id)
    return PhotoOut(found.id, found.url, found.small_url)


photos.PHOTOS.serve(router, photos.find, summary="匿名答卷照片")
