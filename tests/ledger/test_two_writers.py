"""Two writers at once, as two processes have them: they never lose a plan to each other, and never hang."""

from __future__ import annotations

import asyncio
import uuid

import pytest_asyncio

from backend.ledger import errors, plans
from backend.ledger.plans import NewDocument, Plan
from backend.ledger.types import Posted
from backend.ledger.writer import BATCH, SINGLE, LedgerWriter
from tests.ledger.writing import balance, post_all, somebody_waits
from tests.support.books import connected, open_books, plan, stored
from tests.support.value import findings


@pytest_asyncio.fixture(loop_scope="session")
async def other(database):
    """Another process's writer."""
    made = LedgerWriter(database)
    await made.open()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def statements(writer, other):
    """What both post from now on, in batches and one by one."""
    sent: list[str] = []

    def note(record) -> None:
        if record.query in (BATCH, SINGLE):
            sent.append(record.query)

    for connection in (*writer._connections, *other._connections):
        connection.add_query_logger(note)
    return sent


def sale(member_id: int, order: str) -> Plan:
    document = NewDocument(f"S{uuid.uuid4().hex}", "sale", "completed", {"paid": {}})
    return plan(member_id, *stored(1), document=document, claim=plans.Claim("order/S1", order))


async def test_crosswise_claims_in_two_batches_are_settled(settings, writer, other, statements):
    """Two order numbers in opposite order. Each batch has claimed its first before either asks for its second: the
    books of who asks for it are held until both wait for them."""
    first, second, third, fourth = members = sorted([await open_books() for _ in range(4)])

    async with connected(settings, "huiyuan_owner") as owner, owner.transaction():
        await owner.execute("SELECT FROM ledger_head WHERE member_id IN ($1, $2) FOR UPDATE", third, fourth)
        posting = asyncio.gather(
            post_all(writer, [sale(first, "A"), sale(third, "B")]),
            post_all(other, [sale(second, "B"), sale(fourth, "A")]),
        )
        await somebody_waits(settings, 2)
    (one, three), (two, four) = await posting

    kinds = [type(answer) for answer in (one, two, three, four)]
    assert kinds in ([Posted, errors.Claimed, Posted, errors.Claimed], [errors.Claimed, Posted, errors.Claimed, Posted])
    assert [await balance(member_id) for member_id in members] == [int(kind is Posted) for kind in kinds]
    # They did meet: one died of it, and its plans were posted again.
    assert sorted(statements) == sorted([BATCH, BATCH, SINGLE, SINGLE])
    assert await findings(settings) == []


async def test_batches_over_the_same_members_never_wait_for_each_other_crosswise(writer, other, statements):
    """In whatever order plans arrive: a deadlock costs everybody a second, and shows as plans posted one by one."""
    members = [await open_books() for _ in range(24)]

    for _ in range(6):
        answers = await asyncio.gather(
            post_all(writer, [plan(member_id, *stored(1)) for member_id in members]),
            post_all(other, [plan(member_id, *stored(1)) for member_id in reversed(members)]),
        )
        assert {type(answer) for pair in answers for answer in pair} == {Posted}

    assert set(statements) == {BATCH}
    assert [await balance(member_id) for member_id in members] == [12] * 24


async def test_two_processes_that_post_for_one_member_take_turns(settings, writer, other):
    member_id = await open_books()
    answers: list[Posted | BaseException] = []

    for _ in range(4):
        wanted = [[plan(member_id, *stored(1)) for _ in range(10)] for _ in range(2)]
        for done in await asyncio.gather(post_all(writer, wanted[0]), post_all(other, wanted[1])):
            answers += done

    assert {type(answer) for answer in answers} == {Posted}
    assert sorted(answer.balances["stored"] for answer in answers) == list(range(1, 81))
    assert await findings(settings) == []
