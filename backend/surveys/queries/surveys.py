"""Projects, surveys and their versions."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.audience.types import Audience
from backend.kernel import db
from backend.kernel.changes import Changes
from backend.kernel.errors import NotFound
from backend.kernel.kept import Kept
from backend.kernel.paging import Place
from backend.kernel.versions import Key, Versions

from ..types import AfterSale, Content, Project, Quota, Reward, Survey, SurveyState, Terms

KEPT_S = 1.0
"""How old the surveys that run may be; whoever answers one reads its state again, held."""

MOST_RUNNING = 50
"""Surveys that are open or paused: every process keeps them in mind."""

SURVEY = (
    "SELECT id, project_id, title, state, anonymous, version, audience, after_sale, total, quotas, reward, opens_at,"
    " closes_at, created_at, updated_at, published_at FROM survey"
)
_audience = msgspec.json.Decoder(Audience)
_after_sale = msgspec.json.Decoder(AfterSale)
_quotas = msgspec.json.Decoder(tuple[Quota, ...])
_reward = msgspec.json.Decoder(Reward)
_content = msgspec.json.Decoder(Content)

changes = Changes("survey_change", "survey_id")


def survey_of(row: db.Record) -> Survey:
    """A row of ``SURVEY``."""
    terms = Terms(
        title=row["title"],
        anonymous=row["anonymous"],
        audience=_audience.decode(row["audience"]),
        after_sale=_after_sale.decode(row["after_sale"]) if row["after_sale"] else None,
        total=row["total"],
        quotas=_quotas.decode(row["quotas"]),
        reward=_reward.decode(row["reward"]) if row["reward"] else None,
        opens_at=row["opens_at"],
        closes_at=row["closes_at"],
    )
    return Survey(
        id=row["id"],
        project_id=row["project_id"],
        state=SurveyState(row["state"]),
        terms=terms,
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        published_at=row["published_at"],
    )


async def find_survey(survey_id: str) -> Survey | None:
    """A survey as it stands, or None."""
    row = await db.fetchrow(f"{SURVEY} WHERE id = $1", survey_id)
    return survey_of(row) if row else None


async def find_surveys(survey_ids: Sequence[str]) -> dict[str, Survey]:
    """These surveys as they stand, by id."""
    rows = await db.fetch(f"{SURVEY} WHERE id = ANY($1)", list(survey_ids))
    return {row["id"]: survey_of(row) for row in rows}


async def get_survey(survey_id: str) -> Survey:
    """A survey; ``NotFound`` for none."""
    found = await find_survey(survey_id)
    if found is None:
        raise NotFound("there is no such survey")
    return found


async def find_draft(survey_id: str) -> Content:
    """The content that is being written; ``NotFound`` for no such survey."""
    draft = await db.fetchval("SELECT draft FROM survey WHERE id = $1", survey_id)
    if draft is None:
        raise NotFound("there is no such survey")
    return _content.decode(draft)


_ASKED_AT = """
($6::text IS NULL OR (version > 0
    AND (audience->'store_ids' IS NULL OR audience->'store_ids' ? $6)
    AND (after_sale->'store_ids' IS NULL OR after_sale->'store_ids' ? $6)))"""


async def list_surveys(
    *, project_id: str | None, state: SurveyState | None, store_id: str | None, before: Place | None, limit: int
) -> list[Survey]:
    """Surveys of that project and state (or of any), newest first; with a store only published ones that ask there."""
    rows = await db.fetch(
        f"{SURVEY} WHERE ($1::text IS NULL OR project_id = $1) AND ($2::text IS NULL OR state = $2)"
        f" AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4)) AND {_ASKED_AT}"
        " ORDER BY created_at DESC, id DESC LIMIT $5",
        project_id,
        state.value if state else None,
        *(before or (None, None)),
        limit,
        store_id,
    )
    return [survey_of(row) for row in rows]


async def list_projects(*, only: str | None = None, before: Place | None = None, limit: int = 100) -> list[Project]:
    """Projects with how many surveys each has, newest first; or only the one of that id."""
    rows = await db.fetch(
        "SELECT id, name, note, archived, (SELECT count(*) FROM survey s WHERE s.project_id = p.id) AS surveys,"
        " created_at, updated_at FROM survey_project p WHERE ($1::text IS NULL OR id = $1)"
        " AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3)) ORDER BY created_at DESC, id DESC LIMIT $4",
        only,
        *(before or (None, None)),
        limit,
    )
    return [Project(**dict(row)) for row in rows]


async def _read_versions(wanted: list[Key]) -> dict[Key, Content]:
    rows = await db.fetch(
        "SELECT v.survey_id, v.version, v.content FROM survey_version v"
        " JOIN unnest($1::text[], $2::int[]) AS w (s, n) ON v.survey_id = w.s AND v.version = w.n",
        [key[0] for key in wanted],
        [key[1] for key in wanted],
    )
    return {(row[0], row[1]): _content.decode(row[2]) for row in rows}


_versions = Versions(_read_versions)


async def get_version(survey_id: str, version: int) -> Content:
    """What was published as that version; ``NotFound`` for none."""
    found = (await _versions.find([(survey_id, version)])).get((survey_id, version))
    if found is None:
        raise NotFound("there is no such version")
    return found


async def list_versions(survey: Survey) -> dict[int, Content]:
    """All that was published of a survey, by version."""
    keys = [(survey.id, version) for version in range(1, survey.version + 1)]
    return {key[1]: content for key, content in (await _versions.find(keys)).items()}


Running = dict[str, Survey]


async def _read_running() -> Running:
    rows = await db.fetch(
        f"{SURVEY} WHERE state IN ('open', 'paused') ORDER BY created_at DESC, id LIMIT $1", MOST_RUNNING
    )
    return {row["id"]: survey_of(row) for row in rows}


_running = Kept(_read_running, keep_s=KEPT_S)


async def running() -> Running:
    """The surveys that are open or paused, newest first, at most a second old; mostly no read."""
    return await _running.get()


def forget_running() -> None:
    """Read them again at the next question: one was changed here."""
    _running.forget()
