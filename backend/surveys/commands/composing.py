"""Head office composes surveys: every change is written down with who made it; what was published stays as it was."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.audience import service as audience
from backend.auth import queries as auth
from backend.coupons import queries as coupons
from backend.kernel import clock, db, ids, logging, windows
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, NotFound, ValidationFailed, invalid
from backend.members import queries as members

from .. import locks, queries, service
from ..errors import SurveyConflict, SurveyNotPublishable
from ..rules import publishing
from ..schemas.admin import ProjectIn, SurveyIn
from ..types import Content, Project, Survey, SurveyState, Terms

log = logging.get(__name__)

_MOVES: dict[str, tuple[frozenset[SurveyState], SurveyState]] = {
    "pause": (frozenset({SurveyState.OPEN}), SurveyState.PAUSED),
    "resume": (frozenset({SurveyState.PAUSED}), SurveyState.OPEN),
    "close": (frozenset({SurveyState.DRAFT, SurveyState.OPEN, SurveyState.PAUSED}), SurveyState.CLOSED),
}


async def get_project(project_id: str) -> Project:
    """A project; ``NotFound`` for none."""
    found = await queries.list_projects(only=project_id)
    if not found:
        raise NotFound("there is no such project")
    return found[0]


async def create_project(body: ProjectIn) -> Project:
    """Add a project."""
    project_id = ids.new_short("O")
    async with db.transaction() as tx:
        await write_project(tx, project_id, body, clock.now())
    return await get_project(project_id)


async def change_project(project_id: str, body: ProjectIn) -> Project:
    """Put a project in place of what it was."""
    async with db.transaction() as tx:
        if not await db.fetch_in(tx, "SELECT 1 FROM survey_project WHERE id = $1 FOR UPDATE", project_id):
            raise NotFound("there is no such project")
        await write_project(tx, project_id, body, clock.now())
    return await get_project(project_id)


async def write_project(tx: Tx, project_id: str, body: ProjectIn, now: datetime) -> None:
    """Add a project, or put it in place of what it was."""
    await db.raw(tx).execute(
        "INSERT INTO survey_project (id, name, note, archived, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)"
        " ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, note = EXCLUDED.note, archived = EXCLUDED.archived,"
        " updated_at = EXCLUDED.updated_at",
        project_id,
        body.name,
        body.note,
        body.archived,
        now,
    )


async def create_survey(body: SurveyIn, staff_id: int) -> Survey:
    """Add a survey as a draft."""
    terms = await _terms(body)
    survey_id, now = ids.new_short("N"), clock.now()
    async with db.transaction() as tx:
        await _check_project(tx, body.project_id)
        await write(tx, survey_id, body.project_id, terms, body.content, now)
        await queries.changes.note(tx, survey_id, staff_id, "create", _detail(terms), now)
    return await queries.get_survey(survey_id)


async def change_survey(survey_id: str, body: SurveyIn, staff_id: int) -> Survey:
    """Change terms and draft. What members were promised stays: anonymity, the reward, who is invited after a sale.

    ``SurveyConflict`` for these once it was published, for one that is closed, and for one that has changed since it
    was read, where the body says when that was.
    """
    terms = await _terms(body)
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_survey(tx, survey_id)
        if body.updated_at not in (None, found.updated_at):
            raise SurveyConflict("the survey was changed meanwhile; read it again")
        await _check_project(tx, body.project_id)
        _check_promises(found, terms)
        if found.version:
            published = await queries.get_version(survey_id, found.version)
            _refuse(publishing.quota_flaws(terms.quotas, published))
        await write(tx, survey_id, body.project_id, terms, body.content, now)
        if found.version:
            await service.set_quotas(tx, msgspec.structs.replace(found, terms=terms))
        await queries.changes.note(tx, survey_id, staff_id, "change", _detail(terms), now)
    queries.forget_running()
    return await queries.get_survey(survey_id)


def _check_promises(found: Survey, terms: Terms) -> None:
    if found.state is SurveyState.CLOSED:
        raise SurveyConflict("the survey is closed")
    if not found.version:
        return
    for name in ("anonymous", "reward", "after_sale"):
        if getattr(found.terms, name) != getattr(terms, name):
            raise SurveyConflict(f"{name} was promised when the survey was published and stays as it is")


async def write(tx: Tx, survey_id: str, project_id: str, terms: Terms, content: Content, now: datetime) -> None:
    """Add a survey as a draft, or put terms and draft in place of what they were."""
    await db.raw(tx).execute(
        "INSERT INTO survey (id, state, version, created_at, updated_at, project_id, title, anonymous, draft, audience,"
        " after_sale, total, quotas, reward, opens_at, closes_at)"
        " VALUES ($1, 'draft', 0, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        " ON CONFLICT (id) DO UPDATE SET updated_at = EXCLUDED.updated_at, project_id = EXCLUDED.project_id,"
        " title = EXCLUDED.title, anonymous = EXCLUDED.anonymous, draft = EXCLUDED.draft, audience = EXCLUDED.audience,"
        " after_sale = EXCLUDED.after_sale, total = EXCLUDED.total, quotas = EXCLUDED.quotas, reward = EXCLUDED.reward,"
        " opens_at = EXCLUDED.opens_at, closes_at = EXCLUDED.closes_at",
        survey_id,
        now,
        project_id,
        terms.title,
        terms.anonymous,
        _json(content),
        _json(terms.audience),
        _json(terms.after_sale) if terms.after_sale else None,
        terms.total,
        _json(terms.quotas),
        _json(terms.reward) if terms.reward else None,
        terms.opens_at,
        terms.closes_at,
    )


async def publish(survey_id: str, staff_id: int) -> Survey:
    """Let members answer what the draft asks: it becomes the next version, which stays as it is.

    Published again without a change it is the same version. ``SurveyNotPublishable`` names all that does not hold
    together.
    """
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_survey(tx, survey_id)
        if found.state is SurveyState.CLOSED:
            raise SurveyConflict("the survey is closed")
        content = await _draft(tx, survey_id)
        earlier = await queries.list_versions(found)
        await _check_publishable(tx, found, content, list(earlier.values()), now)
        version = found.version
        if earlier.get(version) != content:
            version = await _add_version(tx, survey_id, version + 1, content, staff_id, now)
        await db.raw(tx).execute(
            "UPDATE survey SET state = CASE state WHEN 'draft' THEN 'open' ELSE state END, version = $2,"
            " published_at = coalesce(published_at, $3), updated_at = $3 WHERE id = $1",
            survey_id,
            version,
            now,
        )
        if not found.version:
            await service.set_quotas(tx, found)
            await service.set_prizes(tx, found)
        if version != found.version:
            await queries.changes.note(tx, survey_id, staff_id, "publish", {"version": version}, now)
    queries.forget_running()
    log.info("surveys.published", survey_id=survey_id, version=version, staff_id=staff_id)
    return await queries.get_survey(survey_id)


async def _draft(tx: Tx, survey_id: str) -> Content:
    (row,) = await db.fetch_in(tx, "SELECT draft FROM survey WHERE id = $1", survey_id)
    return msgspec.json.decode(row["draft"], type=Content)


async def _add_version(tx: Tx, survey_id: str, version: int, content: Content, staff_id: int, now: datetime) -> int:
    await db.raw(tx).execute(
        "INSERT INTO survey_version (survey_id, version, content, staff_id, published_at) VALUES ($1, $2, $3, $4, $5)",
        survey_id,
        version,
        _json(content),
        staff_id,
        now,
    )
    return version


async def _check_publishable(tx: Tx, survey: Survey, content: Content, earlier: list[Content], now: datetime) -> None:
    """What it asks holds together, there is room among those that run, and what it promises can be had."""
    terms = survey.terms
    flaws = publishing.flaws(content, earlier)
    flaws += publishing.quota_flaws(terms.quotas, content)
    flaws += publishing.reward_flaws(terms.reward) if terms.reward else []
    flaws += await _template_flaws(terms) if not survey.version else []
    if terms.closes_at is not None and terms.closes_at <= now:
        flaws.append(FieldError("/closes_at", "is over"))
    _refuse(flaws)
    (row,) = await db.fetch_in(tx, "SELECT count(*) FROM survey WHERE state IN ('open', 'paused')")
    if survey.state is SurveyState.DRAFT and row[0] >= queries.MOST_RUNNING:
        raise SurveyConflict(f"{queries.MOST_RUNNING} surveys run already; close one")


async def _template_flaws(terms: Terms) -> list[FieldError]:
    reward = terms.reward
    if reward is None:
        return []
    named = [("/reward/template_id", reward.template_id)]
    named += [(f"/reward/prizes/{place}/template_id", prize.template_id) for place, prize in enumerate(reward.prizes)]
    flaws = []
    for pointer, template_id in named:
        template = await coupons.find_template(template_id) if template_id is not None else None
        if template_id is not None and (template is None or template.state != "active"):
            flaws.append(FieldError(pointer, "this coupon template is not active"))
    return flaws


def _refuse(flaws: list[FieldError]) -> None:
    if flaws:
        raise SurveyNotPublishable(f"{flaws[0].pointer}: {flaws[0].message}", errors=tuple(flaws[:50]))


async def move(survey_id: str, what: str, staff_id: int) -> Survey:
    """Pause, resume or close a survey; repeated, it changes nothing."""
    sources, target = _MOVES[what]
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_survey(tx, survey_id)
        if found.state in sources:
            await db.raw(tx).execute(
                "UPDATE survey SET state = $2, updated_at = $3 WHERE id = $1", survey_id, target.value, now
            )
            await queries.changes.note(tx, survey_id, staff_id, what, {}, now)
        elif found.state is not target:
            raise SurveyConflict(f"the survey is {found.state.value}")
    queries.forget_running()
    log.info("surveys.moved", survey_id=survey_id, staff_id=staff_id, move=what)
    return await queries.get_survey(survey_id)


async def _check_project(tx: Tx, project_id: str) -> None:
    if not await db.fetch_in(tx, "SELECT 1 FROM survey_project WHERE id = $1 FOR KEY SHARE", project_id):
        raise invalid("/project_id", "there is no such project")


async def _terms(body: SurveyIn) -> Terms:
    """The terms in the body; ``ValidationFailed`` for what names nothing that there is."""
    windows.check(body.opens_at, body.closes_at, names=("opens_at", "closes_at"))
    flaws = publishing.quota_flaws(body.quotas, None)
    flaws += publishing.reward_flaws(body.reward) if body.reward else []
    known = await members.levels()
    flaws += [
        FieldError(f"/quotas/{place}/level", "there is no such level")
        for place, quota in enumerate(body.quotas)
        if quota.level is not None and quota.level not in known
    ]
    for place, store_id in enumerate(body.after_sale.store_ids if body.after_sale else ()):
        if await auth.find_store(store_id) is None:
            flaws.append(FieldError(f"/after_sale/store_ids/{place}", "there is no such store"))
    if flaws:
        raise ValidationFailed(f"{flaws[0].pointer}: {flaws[0].message}", errors=tuple(flaws[:50]))
    return Terms(
        title=body.title,
        anonymous=body.anonymous,
        audience=await audience.check(body.audience, None),
        after_sale=body.after_sale,
        total=body.total,
        quotas=body.quotas,
        reward=body.reward,
        opens_at=body.opens_at,
        closes_at=body.closes_at,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _detail(terms: Terms) -> dict[str, object]:
    """The terms as they are written down; whom the audience names one by one is not."""
    detail: dict[str, object] = msgspec.to_builtins(terms)
    named = terms.audience.member_nos
    detail["audience"] = msgspec.to_builtins(msgspec.structs.replace(terms.audience, member_nos=None))
    return detail | ({"member_nos": len(named)} if named else {})
