"""Staff and robot write to one customer at once: never more is sent than WeChat takes; one of the staff has it."""

from __future__ import annotations

import asyncio

import pytest_asyncio

from backend.app import simulator_config
from backend.conversations.commands import sending
from backend.conversations.commands.sending import Saying
from backend.conversations.types import Kind
from backend.kernel import db
from tests.support.chat import DESK, Customer, newest, say
from tests.support.races import at_once, held_up, outcomes
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest_asyncio.fixture(loop_scope="session")
async def asked(client, phone) -> tuple[Customer, str]:
    """A customer who asks for a person, and the conversation."""
    customer = Customer(client, phone.openid)
    await customer.write("人工")
    return customer, await newest()


async def refused_by_wechat(settings, openid: str) -> int:
    import asyncpg

    connection = await asyncpg.connect(simulator_config(settings).database_url)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM send_refusal WHERE openid = $1", openid)
        return count
    finally:
        await connection.close()


async def test_twelve_answers_at_once_are_five(admin, asked, settings):
    customer, conversation_id = asked
    await admin.post(f"{DESK}/{conversation_id}/claim")

    lock = f"SELECT FROM conversation WHERE id = {conversation_id} FOR UPDATE"
    answers = await held_up(settings, lock, (say(admin, conversation_id, f"第 {n} 条") for n in range(12)))

    assert outcomes(answers) == {201: 5, "reply_quota_spent": 7}
    assert len(await customer.answers()) == 5
    assert await refused_by_wechat(settings, customer.openid) == 0


async def test_the_robot_and_a_person_share_what_is_left(admin, asked, settings):
    customer, conversation_id = asked
    robot = [
        sending.say(int(conversation_id), Saying(kind=Kind.TEXT, text=f"机器人 {n}"), f"race:{n}") for n in range(8)
    ]

    await asyncio.gather(*robot, admin.post(f"{DESK}/{conversation_id}/claim"))
    await at_once(say(admin, conversation_id, f"店员 {n}") for n in range(8))

    assert len(await customer.answers()) == 5
    assert await refused_by_wechat(settings, customer.openid) == 0
    sent = await db.fetchval("SELECT wrote_sent FROM conversation WHERE id = $1", int(conversation_id))
    assert sent == 5


async def test_one_key_sent_many_times_at_once_is_one_message(admin, asked):
    customer, conversation_id = asked
    await admin.post(f"{DESK}/{conversation_id}/claim")

    answers = await at_once(say(admin, conversation_id, "您好", key="same") for _ in range(8))

    assert outcomes(answers) == {201: 8}
    assert len({answer.json()["message"]["id"] for answer in answers}) == 1
    assert (await customer.answers()).count("您好") == 1


async def test_two_of_the_staff_claim_one_conversation(client, chain, admin, asked, phone):
    _, conversation_id = asked
    assert (await phone.call("PATCH", "/v1/member/profile", {"store_id": "S1"})).status_code == 200
    manager = await log_in(client, chain, "manager-S1")

    answers = await at_once(who.post(f"{DESK}/{conversation_id}/claim") for who in (admin, manager) * 4)

    assert set(outcomes(answers)) == {200, "conversation_taken"}
    assert outcomes(answers)[200] == 4
