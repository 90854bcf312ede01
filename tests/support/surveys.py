"""Surveys for tests: composed and published by head office over HTTP, and answered by phones."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from backend.kernel import db
from backend.kernel.config import Settings
from backend.surveys import queries
from tests.support.members import Phone
from tests.support.staff import StaffSession

SURVEYS = "/v1/admin/surveys"
MINE = "/v1/member/surveys"

Question = dict[str, Any]

TASTE: Question = {
    "id": "taste",
    "kind": "single",
    "title": "味道如何",
    "options": [
        {"id": "good", "text": "好"},
        {"id": "bad", "text": "不好"},
        {"id": "other", "text": "其他", "free": True},
    ],
}
NPS: Question = {"id": "nps", "kind": "nps", "title": "您愿意把我们推荐给朋友吗"}
WHY: Question = {"id": "why", "kind": "text", "title": "为什么", "required": False}


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_other_survey(database: Settings) -> AsyncIterator[None]:
    """No survey of one test runs in the next."""
    yield
    await db.pool().execute("UPDATE survey SET state = 'closed' WHERE state <> 'closed'")
    queries.forget_running()


def pages(*questions: dict[str, Any]) -> dict[str, Any]:
    """A content with a question a page."""
    return {"pages": [{"questions": [question]} for question in questions]}


async def make_project(admin: StaffSession) -> str:
    """A project."""
    made = await admin.post(f"{SURVEYS}/projects", {"name": "服务质量"})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def make_survey(admin: StaffSession, *questions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A published survey (a draft with ``published=False``); taste and recommendation unless questions are given."""
    published = fields.pop("published", True)
    body = {
        "project_id": await make_project(admin),
        "title": "到店体验",
        "content": pages(*(questions or (TASTE, NPS))),
    }
    made = await admin.post(SURVEYS, body | fields)
    assert made.status_code == 201, made.text
    survey: dict[str, Any] = made.json()
    return await move(admin, survey["id"], "publish") if published else survey


async def move(admin: StaffSession, survey_id: str, what: str) -> dict[str, Any]:
    """Publish, pause, resume or close it."""
    moved = await admin.post(f"{SURVEYS}/{survey_id}/{what}")
    assert moved.status_code == 200, moved.text
    queries.forget_running()
    survey: dict[str, Any] = moved.json()
    return survey


def taste(choice: str = "good", nps: int = 9) -> list[dict[str, Any]]:
    """An answer to the two questions."""
    return [{"question": "taste", "choices": [choice]}, {"question": "nps", "number": nps}]


async def send(
    phone: Phone,
    survey: dict[str, Any],
    answers: list[dict[str, Any]] | None = None,
    *,
    key: str = "",
    version: int = 0,
) -> httpx.Response:
    """Send an answer from a phone."""
    body = {"version": version or survey["version"], "answers": taste() if answers is None else answers}
    return await phone.call("POST", f"{MINE}/{survey['id']}/answers", body, key=key or uuid.uuid4().hex)


async def gain(phone: Phone, survey: dict[str, Any]) -> dict[str, Any]:
    """What the answer was given, as the phone reads it."""
    found: dict[str, Any] = (await phone.call("GET", f"{MINE}/{survey['id']}")).json()["gain"]
    return found


async def enter(staff: StaffSession, survey: dict[str, Any], *, key: str = "", **fields: Any) -> httpx.Response:
    """Enter an answer from paper."""
    body = {"medium": "paper", "answers": taste()} | fields
    return await staff.post(f"{SURVEYS}/{survey['id']}/answers", body, key=key or uuid.uuid4().hex)


async def count(survey: dict[str, Any]) -> int:
    """How many answers are stored."""
    return int(await db.fetchval("SELECT count(*) FROM survey_answer WHERE survey_id = $1", survey["id"]))
