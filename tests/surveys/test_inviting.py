"""Who is told of a survey: all who are meant and have not answered, some times at most; and buyers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.kernel import db, events, outbox
from backend.ledger.events import SaleCompleted
from backend.surveys.commands import inviting
from tests.support.members import register
from tests.support.staff import log_in
from tests.support.surveys import SURVEYS, enter, make_survey, move, send

pytestmark = pytest.mark.usefixtures("books")


async def letters(survey) -> list[int]:
    """Who was written to, a letter each."""
    rows = await db.fetch("SELECT member_id FROM message_letter WHERE link = $1", f"#/survey?{survey['id']}")
    return sorted(row["member_id"] for row in rows)


async def test_all_who_are_meant_and_have_not_answered_are_written_to(client, chain, admin, phone, clock):
    other, stranger = await register(client), await register(client)
    meant = [one.member["member_no"] for one in (phone, other)]
    survey = await make_survey(admin, audience={"member_nos": meant})
    path = f"{SURVEYS}/{survey['id']}/invitations"

    asked = await admin.post(path)
    assert await inviting.invite_due() == 2
    again = await admin.post(path)
    first = (await admin.get(path)).json()["items"]

    assert (asked.status_code, asked.json()["invited"]) == (201, 0)
    assert again.json()["code"] == "survey_conflict"
    assert await letters(survey) == sorted([phone.member_id, other.member_id])
    assert [(one["round"], one["invited"], one["ended_at"] is None) for one in first] == [(1, 2, False)]
    assert stranger.member_id not in await letters(survey)
    assert (await send(phone, survey)).status_code == 201
    clock.shift(timedelta(days=2))
    admin = await log_in(client, chain, "admin")
    assert (await admin.post(path)).status_code == 201
    assert await inviting.invite_due() == 1
    assert (await letters(survey)).count(other.member_id) == 2


async def test_nobody_is_invited_to_what_takes_no_answers_or_asks_buyers(admin):
    paused, buyers = await make_survey(admin), await make_survey(admin, after_sale={})
    await move(admin, paused["id"], "pause")

    for survey in (paused, buyers):
        assert (await admin.post(f"{SURVEYS}/{survey['id']}/invitations")).json()["code"] == "survey_conflict"
    assert await inviting.invite_due() == 0


async def test_a_survey_that_is_paused_meanwhile_writes_no_more(admin, phone):
    survey = await make_survey(admin)
    await admin.post(f"{SURVEYS}/{survey['id']}/invitations")
    await move(admin, survey["id"], "pause")

    assert await inviting.invite_due() == 0
    assert await letters(survey) == []


async def test_a_buyer_is_written_to_once(admin, phone):
    survey = await make_survey(admin, after_sale={"within_days": 3})

    for number in range(2):
        async with db.transaction() as tx:
            sale = SaleCompleted(member_id=phone.member_id, sale_id=f"S{number}", store_id="S1", payable_fen=100)
            await events.publish(tx, sale)
        await outbox.drain()

    assert await letters(survey) == [phone.member_id]


async def test_nobody_is_invited_to_what_has_all_its_answers(admin, phone):
    full, buyers = await make_survey(admin, total=1), await make_survey(admin, after_sale={}, total=1)
    asked = await make_survey(admin, total=1)
    await admin.post(f"{SURVEYS}/{asked['id']}/invitations")
    for survey in (full, buyers, asked):
        assert (await enter(admin, survey)).status_code == 201

    assert (await admin.post(f"{SURVEYS}/{full['id']}/invitations")).json()["code"] == "survey_conflict"
    assert await inviting.invite_due() == 0
    async with db.transaction() as tx:
        await events.publish(tx, SaleCompleted(member_id=phone.member_id, sale_id="S9", store_id="S1", payable_fen=1))
    await outbox.drain()
    assert await letters(buyers) == await letters(asked) == []
