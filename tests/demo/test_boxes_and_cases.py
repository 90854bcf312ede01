"""The demo's boxes and feedback: something waits, something is overdue, and every list has something to show."""

from __future__ import annotations

from collections import Counter

import httpx

from backend.cases.commands import ageing
from backend.demo import voice
from backend.demo.load import _load_chain
from backend.kernel import db
from tests.support.members import register


async def test_boxes_and_cases_are_as_the_program_makes_them(client: httpx.AsyncClient, settings):
    await _load_chain()
    phone = await register(client)
    members = [phone.member_id] * 100

    await voice.load_boxes(members)
    await voice.load_cases(members)

    states = Counter(row["state"] for row in await db.fetch("SELECT state FROM feedback_case"))
    assert states["received"] >= 6
    assert states["closed"] >= 30
    assert await db.fetchval("SELECT count(*) FROM suggestion WHERE member_id IS NULL AND receipt IS NOT NULL") == 3
    assert len((await phone.call("GET", "/v1/member/suggestion-boxes")).json()["items"]) == 3
    assert len((await phone.call("GET", "/v1/member/cases?limit=100")).json()["items"]) == 48
    steps = await db.fetchval(
        "SELECT count(*) FROM feedback_case c WHERE version"
        " <> (SELECT count(*) FROM feedback_step WHERE case_id = c.id)"
    )
    assert steps == 0
    assert await ageing.escalate() >= 1
