"""One asks, another decides, once, and what is approved is done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from backend.approvals import commands, errors
from backend.kernel import config, db
from backend.kernel.config import Settings
from tests.support import kept
from tests.support.approvals import ask, staff_id
from tests.support.books import fingerprint
from tests.support.races import held_by_us
from tests.support.seed import Login
from tests.support.staff import PASSWORD, STAFF, StaffSession, enter, hire, log_in, refused

ALL = "/v1/admin/approvals"


async def name_of(store_id: str) -> str:
    """What the store is called."""
    found: str = await db.fetchval("SELECT name FROM auth_store WHERE id = $1", store_id)
    return found


async def test_what_a_second_person_approves_is_done(admin, manager):
    made = await ask(admin, "新街口店")
    assert await name_of("S1") == "南京路店"

    seen = await manager.get(f"{ALL}?todo=true")
    answer = await manager.post(f"{ALL}/{made.id}/approve", {"note": "好"})

    (waiting,) = seen.json()["items"]
    assert waiting["id"] == made.id
    assert (waiting["decidable"], waiting["withdrawable"], waiting["asked_by_name"]) == (True, False, "admin")
    assert (waiting["title"], waiting["body"]) == ("改店名", {"store_id": "S1", "name": "新街口店"})
    shown = answer.json()
    assert (answer.status_code, shown["state"], shown["note"]) == (200, "approved", "好")
    assert (shown["asked_by_name"], shown["decided_by_name"]) == ("admin", "manager-s1")
    assert await name_of("S1") == "新街口店"
    assert (await manager.get(f"{ALL}?todo=true")).json()["items"] == []


async def test_nobody_decides_what_they_asked_for(settings, manager):
    made = await ask(manager, "自己批")
    before = await fingerprint(settings)

    answers = [await manager.post(f"{ALL}/{made.id}/{what}", {"note": "x"}) for what in ("approve", "reject")]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(409, "approval_own")}
    assert made.id not in {one["id"] for one in (await manager.get(f"{ALL}?todo=true")).json()["items"]}
    assert await fingerprint(settings) == before


@pytest.fixture
def _three_days(settings: Settings) -> Iterator[None]:
    """New logins count as their maker's, as they do where nobody says otherwise."""
    config.use(msgspec.structs.replace(settings, approval_login_days=3))
    yield
    config.use(settings)


@pytest.mark.usefixtures("_three_days")
async def test_a_second_login_in_the_same_hands_is_no_second_person(client, settings, clock, chain, admin, manager):
    """Neither one that the asker made, nor one whose password they reset; after some days it is somebody's own."""
    puppet_id, puppet = await hire(admin, "manager")
    session = await enter(client, puppet)
    made, theirs = await ask(admin, "两个账号"), await ask(session, "反过来")
    before = await fingerprint(settings)

    answers = [await session.post(f"{ALL}/{made.id}/approve", {}), await admin.post(f"{ALL}/{theirs.id}/approve", {})]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(409, "approval_same_hands")}
    assert await fingerprint(settings) == before
    assert (await manager.post(f"{ALL}/{theirs.id}/approve", {})).status_code == 200

    clock.shift(timedelta(days=3, seconds=1))
    boss = await log_in(client, chain, "admin")
    link = (await boss.post(f"{STAFF}/{puppet_id}/reset-password")).json()
    assert (await client.post("/v1/admin/links/use", json={"token": link["token"], "password": PASSWORD})).is_success
    refused(await (await enter(client, puppet)).post(f"{ALL}/{made.id}/approve", {}), 409, "approval_same_hands")
    clock.shift(timedelta(days=3, seconds=1))
    assert (await (await enter(client, puppet)).post(f"{ALL}/{made.id}/approve", {})).status_code == 200


@pytest.mark.usefixtures("_three_days")
async def test_whoever_may_hold_both_logins_is_one_person(client, settings, clock, chain, admin):
    """Two logins of one maker, and what such a one makes; not two who once had a third's password to set."""
    (first_id, first), (_, second) = await hire(admin, "manager"), await hire(admin, "admin", None)
    asks, decides = await enter(client, first), await enter(client, second)
    _, third = await hire(decides, "manager")
    grandchild = await enter(client, third)
    made = await ask(asks, "一个人的三只手")
    before = await fingerprint(settings)

    for session in (decides, grandchild, admin):
        refused(await session.post(f"{ALL}/{made.id}/approve", {}), 409, "approval_same_hands")
    assert await fingerprint(settings) == before

    clock.shift(timedelta(days=3, seconds=1))
    boss = await log_in(client, chain, "admin")
    refused(await boss.post(f"{ALL}/{made.id}/approve", {}), 409, "approval_same_hands")  # new when it asked
    _, other = await hire(boss, "admin", None)
    link = (await (await enter(client, second)).post(f"{STAFF}/{first_id}/reset-password")).json()
    assert (await client.post("/v1/admin/links/use", json={"token": link["token"], "password": PASSWORD})).is_success
    once_more = await ask(await enter(client, second), "两个人")
    assert (await boss.post(f"{ALL}/{once_more.id}/approve", {})).status_code == 200
    refused(await (await enter(client, other)).post(f"{ALL}/{made.id}/approve", {}), 409, "approval_same_hands")

    config.use(settings)  # nothing is refused; an auditor sees it afterwards
    assert (await (await enter(client, other)).post(f"{ALL}/{made.id}/approve", {})).status_code == 200
    seen = {one["id"]: one for one in (await boss.get(f"{ALL}/tied?days=30")).json()["items"]}
    assert {one["name"] for one in seen[made.id]["held_by"]} == {"admin"}
    assert once_more.id in seen, "within thirty days"
    assert once_more.id not in {one["id"] for one in (await boss.get(f"{ALL}/tied?days=3")).json()["items"]}
    other_store = await log_in(client, chain, "manager-S2")
    assert (await other_store.get(f"{ALL}/tied")).json() == {"items": [], "next_cursor": None}


async def test_what_somebody_asked_for_who_was_closed_since_is_not_done(client, settings, admin, manager):
    """Nor where they are closed at that moment."""
    person_id, name = await hire(admin, "manager")
    made = await ask(await enter(client, name), "走了的人要的")
    async with db.transaction() as tx:
        await db.fetch_in(tx, "SELECT FROM auth_staff WHERE id = $1 FOR UPDATE", int(person_id))
        approving = await held_by_us(manager.post(f"{ALL}/{made.id}/approve", {}))
        await db.raw(tx).execute("UPDATE auth_staff SET active = false WHERE id = $1", int(person_id))
    refused(await approving, 409, "approval_asker_gone")
    before = await fingerprint(settings)

    refused(await manager.post(f"{ALL}/{made.id}/approve", {}), 409, "approval_asker_gone")

    assert await fingerprint(settings) == before
    assert (await manager.post(f"{ALL}/{made.id}/reject", {"note": "人已离职"})).json()["state"] == "rejected"


async def test_it_is_decided_once_whoever_comes_second(settings, admin, manager):
    made = await ask(admin, "只改一次")
    assert (await manager.post(f"{ALL}/{made.id}/reject", {"note": "不好听"})).json()["state"] == "rejected"
    before = await fingerprint(settings)

    answers = [
        await manager.post(f"{ALL}/{made.id}/approve", {}),
        await manager.post(f"{ALL}/{made.id}/reject", {"note": "x"}),
        await admin.call("POST", f"{ALL}/{made.id}/withdraw"),
    ]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(409, "approval_decided")}
    assert await fingerprint(settings) == before


async def test_many_who_approve_at_once_do_it_once(office, chain, admin, manager):
    body = {"username": "manager-S1b", "password": "correct horse", "role": "manager", "store_id": "S1"}
    assert (await admin.post("/v1/admin/staff", body)).status_code == 201
    chain.staff.append(Login("manager-S1b", "correct horse", "manager", "S1"))
    other = await log_in(office, chain, "manager-S1b")
    made = await ask(admin, "抢着批")

    answers = await asyncio.gather(*(one.post(f"{ALL}/{made.id}/approve", {}) for one in (manager, other) * 6))

    codes = sorted(one.status_code for one in answers)
    assert codes == [200] + [409] * 11
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"approval_decided"}


async def test_what_cannot_be_done_is_refused_and_waits_on(settings, admin, manager):
    made = await ask(admin, "refused")
    before = await fingerprint(settings)

    answer = await manager.post(f"{ALL}/{made.id}/approve", {})

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"] == [{"pointer": "/name", "message": "is no name"}]
    assert await fingerprint(settings) == before
    assert (await manager.get(f"{ALL}/{made.id}")).json()["state"] == "waiting"
    assert (await manager.post(f"{ALL}/{made.id}/reject", {"note": "办不到"})).status_code == 200


async def test_another_store_s_and_whoever_lacks_the_permission_find_nothing(settings, admin, neighbour, clerk):
    made = await ask(admin, "别店的")
    before = await fingerprint(settings)

    for stranger in (neighbour, clerk):
        answers = [
            await stranger.get(f"{ALL}/{made.id}"),
            await stranger.post(f"{ALL}/{made.id}/approve", {}),
            await stranger.post(f"{ALL}/{made.id}/reject", {"note": "x"}),
            await stranger.call("POST", f"{ALL}/{made.id}/withdraw"),
        ]
        assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "not_found")}
        assert (await stranger.get(ALL)).json()["items"] == []
    assert await fingerprint(settings) == before


async def test_what_belongs_to_no_store_is_decided_in_head_office(office, chain, admin, manager):
    made = await ask(manager, "总部定", store_id=None)
    assert (await manager.get(f"{ALL}/{made.id}")).json()["withdrawable"] is True

    answer = await admin.post(f"{ALL}/{made.id}/approve", {})

    assert answer.json()["state"] == "approved"


async def test_who_asked_takes_it_back_and_nobody_else(settings, admin, manager):
    made = await ask(admin, "算了")
    before = await fingerprint(settings)
    refused = await manager.call("POST", f"{ALL}/{made.id}/withdraw")
    assert (refused.status_code, refused.json()["code"]) == (409, "approval_not_own")
    assert await fingerprint(settings) == before

    answer = await admin.call("POST", f"{ALL}/{made.id}/withdraw")

    assert (answer.json()["state"], answer.json()["decided_by_name"]) == ("withdrawn", "admin")
    again = await manager.post(f"{ALL}/{made.id}/approve", {})
    assert (again.status_code, again.json()["code"]) == (409, "approval_decided")


async def test_after_a_week_it_is_over(settings, clock, admin, manager):
    made = await ask(admin, "太晚了")
    clock.freeze(made.asked_at + timedelta(days=7))
    manager = await relogged(manager)
    before = await fingerprint(settings)

    answers = [await manager.post(f"{ALL}/{made.id}/{what}", {"note": "x"}) for what in ("approve", "reject")]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(409, "approval_expired")}
    assert await fingerprint(settings) == before
    assert (await manager.get(f"{ALL}/{made.id}")).json()["state"] == "expired"
    assert made.id in {one["id"] for one in (await manager.get(f"{ALL}?state=expired")).json()["items"]}
    assert await commands.expire() >= 1
    assert await db.fetchval("SELECT state FROM approval WHERE id = $1", made.id) == "expired"
    assert await commands.expire() == 0


async def relogged(session: StaffSession) -> StaffSession:
    answer = await session.client.post("/v1/admin/login", json={"username": "manager-S1", "password": "correct horse"})
    return StaffSession(session.client, answer.json()["access_token"], answer.json()["refresh_token"])


async def test_the_same_request_again_is_the_same_approval_and_another_under_its_key_is_refused(admin):
    first = await ask(admin, "一次", key="k1")

    assert (await ask(admin, "一次", key="k1")).id == first.id
    with pytest.raises(errors.ApprovalKeyReused):
        await ask(admin, "两次", key="k1")
    assert await db.fetchval("SELECT count(*) FROM approval WHERE key = 'k1'") == 1


async def test_nobody_asks_without_end(monkeypatch, admin):
    monkeypatch.setattr("backend.approvals.rules.MOST_WAITING", 2)
    caller = await staff_id(admin)
    waiting = "SELECT count(*) FROM approval WHERE asked_by = $1 AND state = 'waiting'"
    while await db.fetchval(waiting, caller) < 2:
        await ask(admin, "多")
    before = await db.fetchval(waiting, caller)

    with pytest.raises(errors.TooManyApprovals):
        await ask(admin, "再多")
    assert await db.fetchval(waiting, caller) == before


async def test_the_list_goes_page_by_page_and_knows_its_filters(admin, manager):
    made = [(await ask(manager, f"第{number}页")).id for number in range(5)]

    seen, target = [], f"{ALL}?mine=true&limit=2"
    while target:
        page = (await manager.get(target)).json()
        seen += [one["id"] for one in page["items"]]
        target = page["next_cursor"] and f"{ALL}?mine=true&limit=2&cursor={page['next_cursor']}"

    assert seen[:5] == made[::-1]
    assert len(seen) == len(set(seen))
    assert (await manager.get(f"{ALL}?kind=other")).json()["items"] == []
    assert (await manager.get(f"{ALL}?cursor=x")).status_code == 422
    todo = (await admin.get(f"{ALL}?todo=true&limit=100")).json()["items"]
    assert set(made) <= {one["id"] for one in todo}
    kinds = (await manager.get(f"{ALL}/kinds")).json()["items"]
    assert {"code": "test_rename", "title": "改店名", "permission": "terminals.manage"} in kinds


async def test_the_database_lets_nobody_rewrite_a_decision(settings, admin, manager):
    made = await ask(admin, "铁证")
    await manager.post(f"{ALL}/{made.id}/reject", {"note": "否"})
    owner = await kept.connection(settings, "huiyuan_owner")

    for statement in (
        "UPDATE approval SET state = 'approved' WHERE id = $1",
        "UPDATE approval SET note = 'x' WHERE id = $1",
        "DELETE FROM approval WHERE id = $1",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await owner.execute(statement, made.id)
    waiting = await ask(admin, "还没定")
    for statement in (
        "UPDATE approval SET body = '{}' WHERE id = $1",
        "UPDATE approval SET asked_by = 1 WHERE id = $1",
        "DELETE FROM approval WHERE id = $1",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await owner.execute(statement, waiting.id)
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "UPDATE approval SET state = 'approved', decided_by = asked_by, decided_at = asked_at WHERE id = $1",
            waiting.id,
        )
