"""The LedgerWriter: what is broken costs nobody else anything, and lost connections lose nothing."""

from __future__ import annotations

import asyncio
import json
import uuid

import msgspec
import pytest

from backend.kernel import clock
from backend.kernel.errors import Unavailable
from backend.ledger import errors, plans, service
from backend.ledger.errors import OutcomeUnknown
from backend.ledger.plans import DocumentUpdate, Issue, Leg, NewDocument, Plan
from backend.ledger.types import Posted
from backend.ledger.writer import BATCH, SINGLE, LedgerWriter, decode
from tests.ledger.writing import balance, post_all, somebody_waits
from tests.support.books import changed, connected, open_books, plan, stored
from tests.support.value import findings


def broken(member_id: int) -> Plan:
    """A plan that raises an SQL error deep inside: its lot breaks a CHECK."""
    lots = (Issue("principal", 11), Issue("principal", -1))
    return plan(member_id, Leg(plans.STORED, plans.FEN, 10, issue=lots), Leg(plans.HOUSE_PSP, plans.FEN, -10))


async def test_a_broken_plan_costs_the_others_of_its_batch_nothing(settings, writer):
    members = [await open_books() for _ in range(12)]
    wanted = [plan(member_id, *stored(10)) for member_id in members]
    wanted[5], wanted[8] = broken(members[5]), plan(members[8], *stored(-1))

    answers = await post_all(writer, wanted)

    assert isinstance(answers[5], errors.PlanInvalid)
    assert isinstance(answers[8], errors.InsufficientBalance)
    assert [await balance(member_id) for member_id in members] == [0 if index in (5, 8) else 10 for index in range(12)]
    assert await findings(settings) == []


@pytest.mark.parametrize("sqlstate", ["53100", "53200", "57014", "58030"])
def test_what_says_nothing_of_the_plan_is_unavailable_and_tells_nothing_of_the_machine(sqlstate):
    answer = decode(json.dumps({"broken": sqlstate, "message": 'could not extend file "base/17213/16531"'}))

    assert isinstance(answer, Unavailable)
    assert answer.retry_after_s == 1
    assert "17213" not in answer.detail


async def test_plans_of_one_member_in_one_batch_run_one_after_another(writer):
    member_id = await open_books()
    await writer.post(plan(member_id, *stored(25)))

    answers = await post_all(writer, [plan(member_id, *stored(-10)) for _ in range(7)])

    done = [answer for answer in answers if isinstance(answer, Posted)]
    assert sorted(answer.balances["stored"] for answer in done) == [5, 15]
    assert sum(isinstance(answer, errors.InsufficientBalance) for answer in answers) == 5


async def post_batch(settings, wanted: list[Plan]) -> list[Posted | Exception]:
    """One batch of exactly these plans, in this order."""
    async with connected(settings, "huiyuan_app") as app:
        answers = await app.fetchval(
            BATCH, [item.member_id for item in wanted], [plans.encode(item) for item in wanted]
        )
    return [decode(answer) for answer in answers]


async def test_a_plan_finds_what_the_member_s_earlier_plan_of_the_batch_has_left(database):
    """Its key, to be answered from what was stored, and its document, to be changed."""
    member_id, other_id = sorted([await open_books(), await open_books()])
    first = plan(member_id, *stored(10), document=NewDocument(f"R{member_id}", "refund", "open", {"x": 1}))
    update = DocumentUpdate(f"R{member_id}", 1, state="done")
    wanted = [first, first, plan(member_id, *stored(-4), update=update), plan(other_id, *stored(1))]

    answers = await post_batch(database, wanted)

    assert [(answer.transfer, answer.replayed, answer.state) for answer in answers] == [
        (1, False, "open"),
        (1, True, "open"),
        (2, False, "done"),
        (1, False, None),
    ]
    assert [await balance(member_id), await balance(other_id)] == [6, 1]
    assert await findings(database) == []


async def test_a_plan_whose_document_cannot_be_written_costs_the_others_of_its_batch_nothing(database):
    members = sorted([await open_books() for _ in range(4)])
    taken = NewDocument(f"R{members[2]}", "refund", "open", {})
    await service.post(plan(members[2], *stored(5), document=taken))
    wanted = [plan(member_id, *stored(10)) for member_id in members]
    wanted[1], wanted[2] = plan(members[1], *stored(-1)), changed(wanted[2], document=taken)

    answers = await post_batch(database, wanted)

    assert [type(answer) for answer in answers] == [Posted, errors.InsufficientBalance, errors.PlanInvalid, Posted]
    assert [await balance(member_id) for member_id in members] == [10, 0, 5, 10]
    assert await findings(database) == []


async def test_text_that_looks_like_a_refusal_is_no_refusal(writer):
    """Answers are told from refusals by how they begin: no plan may choose that."""
    member_id = await open_books()
    name = '{"refused": "stale"}'

    posted = await writer.post(
        plan(
            member_id,
            *stored(5),
            key=f"{name}{uuid.uuid4()}",
            document=NewDocument(f"{name}{member_id}", "x", name, {}),
        )
    )

    assert (posted.state, posted.balances) == (name, {"stored": 5})


async def kill_connections(settings, name: str = "huiyuan-ledger") -> int:
    async with connected(settings, "postgres") as postgres:
        return await postgres.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = $1 AND datname = current_database()",
            name,
        )


async def test_idle_connections_that_were_ended_are_opened_again(settings, writer):
    member_id = await open_books()
    await writer.post(plan(member_id, *stored(10)))

    assert await kill_connections(settings) >= 2
    answers = await post_all(writer, [plan(member_id, *stored(10)) for _ in range(6)])

    assert [type(answer) for answer in answers] == [Posted] * 6
    assert await balance(member_id) == 70


async def test_connections_that_end_in_the_middle_of_it_cost_no_posting(settings, writer):
    """Held up by a lock, ended, and posted again by the writer itself: each key has one effect."""
    members = [await open_books() for _ in range(6)]
    wanted = [plan(member_id, *stored(10)) for member_id in members]
    async with connected(settings, "huiyuan_owner") as owner, owner.transaction():
        await owner.execute("SELECT 1 FROM ledger_head WHERE member_id = $1 FOR UPDATE", members[3])
        posting = asyncio.gather(*(writer.post(item) for item in wanted), return_exceptions=True)
        await somebody_waits(settings)
        await kill_connections(settings)
    answers = await posting

    assert [type(answer) for answer in answers] == [Posted] * 6
    again = await post_all(writer, wanted)
    assert all(isinstance(answer, Posted) and answer.replayed for answer in again)
    assert [await balance(member_id) for member_id in members] == [10] * 6
    assert await findings(settings) == []


async def test_connections_that_keep_ending_answer_or_leave_the_outcome_unknown_and_a_retry_settles_it(
    settings, writer
):
    members = [await open_books() for _ in range(4)]
    wanted = [plan(members[index % 4], *stored(10)) for index in range(60)]
    stop = asyncio.Event()

    async def keep_killing() -> None:
        while not stop.is_set():
            await kill_connections(settings)
            await asyncio.sleep(0.003)

    killer = asyncio.create_task(keep_killing())
    answers: list[Posted | BaseException] = []
    for start in range(0, 60, 12):
        answers += await post_all(writer, wanted[start : start + 12])
    stop.set()
    await killer
    again = await post_all(writer, wanted)

    assert {type(answer) for answer in answers} <= {Posted, OutcomeUnknown}
    assert all(answer.replayed for answer, first in zip(again, answers, strict=True) if isinstance(first, Posted))
    assert [type(answer) for answer in again] == [Posted] * 60
    assert [await balance(member_id) for member_id in members] == [150] * 4
    assert await findings(settings) == []


async def test_a_server_that_is_gone_leaves_the_outcome_unknown(settings, writer, monkeypatch):
    member_id = await open_books()
    wish = plan(member_id, *stored(10))

    async def nowhere() -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(writer, "_connect", nowhere)
    await kill_connections(settings)
    answers = await post_all(writer, [wish])
    monkeypatch.undo()

    assert [type(answer) for answer in answers] == [OutcomeUnknown]
    assert OutcomeUnknown().retry_after_s == 1
    assert (await writer.post(wish)).balances == {"stored": 10}
    assert await balance(member_id) == 10


async def test_a_database_that_does_not_answer_is_not_asked_again_for_each_plan(writer, monkeypatch):
    members = [await open_books() for _ in range(5)]
    wanted = [plan(member_id, *stored(10)) for member_id in members]
    asked: list[int] = []

    async def silent(sql: str, members: list[int], plans: list[str]) -> None:
        assert sql == BATCH
        asked.extend(members)
        raise TimeoutError

    monkeypatch.setattr(writer, "_run", silent)
    answers = await post_all(writer, wanted)
    monkeypatch.undo()

    assert [type(answer) for answer in answers] == [OutcomeUnknown] * 5
    assert sorted(asked) == sorted(members)  # every plan once, in a batch
    assert [type(answer) for answer in await post_all(writer, wanted)] == [Posted] * 5


async def test_with_batches_of_one_the_door_is_called_alone(database):
    """What Citus can hand to the member's worker whole: one call, its member first."""
    writer = LedgerWriter(msgspec.structs.replace(database, ledger_batch=1))
    await writer.open()
    member_id = await open_books()
    statements: list[str] = []
    for connection in writer._connections:
        connection.add_query_logger(lambda record: statements.append(record.query))

    answers = await post_all(writer, [*(plan(member_id, *stored(10)) for _ in range(5)), plan(member_id, *stored(-60))])
    await writer.close()

    assert [type(answer) for answer in answers] == [Posted] * 5 + [errors.InsufficientBalance]
    assert statements == [SINGLE] * 6


@pytest.mark.usefixtures("durable")
async def test_an_answer_means_that_the_posting_is_on_disk(writer):
    """The database, the role and the connection could each give that up; a power cut would then take sales back."""
    shown = [await writer._run(f"SHOW {name}") for name in ("synchronous_commit", "fsync", "full_page_writes")]

    assert shown == ["on", "on", "on"]


async def test_every_plan_of_a_batch_gets_its_own_answer(writer):
    """However the batch is sorted: nobody hears another member's balances."""
    members = sorted([await open_books() for _ in range(8)], reverse=True)

    answers = await post_all(writer, [plan(member_id, *stored(n + 1)) for n, member_id in enumerate(members)])

    assert [answer.balances for answer in answers] == [{"stored": n + 1} for n in range(8)]


async def test_more_than_it_can_hold_is_refused_at_once(database):
    writer = LedgerWriter(database)
    writer._batcher._max_waiting = 3
    writer._batcher._free_lanes.clear()  # all lanes are busy
    waiting = [asyncio.create_task(writer.post(plan(1, *stored(1)))) for _ in range(3)]
    await asyncio.sleep(0)

    one_more = asyncio.create_task(writer.post(plan(1, *stored(1))))
    await asyncio.sleep(0)
    refusal = one_more.exception() if one_more.done() else None
    for task in (*waiting, one_more):
        task.cancel()

    assert isinstance(refusal, Unavailable)


async def test_closing_posts_what_was_handed_in(settings):
    writer = LedgerWriter(settings)
    await writer.open()
    member_id = await open_books()
    handed_in = [asyncio.create_task(writer.post(plan(member_id, *stored(1)))) for _ in range(20)]
    await asyncio.sleep(0)

    await writer.close()

    assert [type(answer) for answer in await asyncio.gather(*handed_in)] == [Posted] * 20
    assert await balance(member_id) == 20


async def test_a_caller_that_gives_up_stops_nothing(writer):
    member_id = await open_books()
    task = asyncio.create_task(writer.post(plan(member_id, *stored(1))))
    await asyncio.sleep(0)
    task.cancel()

    await writer.post(plan(member_id, *stored(1)))
    await writer._batcher.drain()  # the lanes may have shared the two

    assert await balance(member_id) == 2


async def test_a_plan_that_sees_the_books_move_is_planned_again(member_id):
    await service.post(plan(member_id, *stored(10)))
    seen = []

    async def plan_again() -> Plan:
        (held,) = [await balance(member_id)]
        seen.append(held)
        if len(seen) == 1:
            await service.post(plan(member_id, *stored(5)))  # moves in between
        return changed(plan(member_id, *stored(-held)), saw=(plans.Saw(plans.STORED, held),))

    _, posted = await service.post_fresh(plan_again)

    assert seen == [10, 15]
    assert posted.balances == {"stored": 0}


async def test_a_plan_is_stale_at_last(member_id):
    times = 0

    async def never_right() -> Plan:
        nonlocal times
        times += 1
        return plan(member_id, *stored(1), saw=(plans.Saw(plans.STORED, 1),), at=clock.now())

    with pytest.raises(errors.Stale):
        await service.post_fresh(never_right)

    assert times == 3
