"""The log of what is changed about a member: who, when, from what to what, and who may read it."""

from __future__ import annotations

import asyncpg
import pytest

from backend.kernel import db
from backend.members import queries, service
from backend.members.types import SYSTEM, Actor, ActorKind, NewMember, Status
from tests.support.members import random_phone, register
from tests.support.staff import log_in


def of(changes, field):
    return [(one.by, one.before, one.after) for one in changes if one.field == field]


async def history(admin, member_id, query=""):
    answer = await admin.get(f"/v1/admin/members/{member_id}/changes{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_a_member_changes_is_kept_with_who_and_from_what_to_what(client, chain):
    phone = await register(client, name="旧名")
    body = {"name": "新名", "birthday": "1980-01-02", "gender": "female", "store_id": "S1"}

    await phone.call("POST", "/v1/member/profile", body)
    await phone.call("POST", "/v1/member/profile", body)  # as it is: nothing to keep

    changes = await queries.list_changes(phone.member_id, before=None, limit=50)
    me = Actor.member(phone.member_id)
    assert of(changes, "name") == [(me, "旧名", "新名")]
    assert of(changes, "birthday") == [(me, None, "1980-01-02")]
    assert of(changes, "gender") == [(me, "unknown", "female")]
    assert of(changes, "store_id") == [(me, None, "S1")]
    assert of(changes, "status") == [(Actor(ActorKind.MEMBER), None, "active")]
    assert len(changes) == 5
    assert all(one.id for one in await queries.list_changes_by_id([changes[0].id]))


async def test_values_lie_sealed_in_the_database(client, database, chain):
    phone = await register(client, name="旧名")
    await phone.call("POST", "/v1/member/profile", {"name": "新名字"})

    rows = await db.fetch("SELECT * FROM member_change WHERE member_id = $1", phone.member_id)

    assert all("新名字" not in str(value) and "旧名" not in str(value) for row in rows for value in row.values())


async def test_staff_read_it_newest_first_page_by_page(client, chain):
    phone = await register(client, name="王小明")
    await phone.call("POST", "/v1/member/profile", {"store_id": "S1"})
    manager = await log_in(client, chain, "manager-S1")
    await manager.post(f"/v1/admin/members/{phone.member_id}/freeze")

    first = await history(manager, phone.member_id, "?limit=2")
    rest = await history(manager, phone.member_id, f"?limit=2&cursor={first['next_cursor']}")

    assert [(one["field"], one["before"], one["after"]) for one in first["items"]] == [
        ("status", "active", "frozen"),
        ("store_id", None, "S1"),
    ]
    assert first["items"][0]["by"]["kind"] == "staff"
    assert first["items"][0]["by"]["name"]
    assert first["items"][1]["by"] == {"kind": "member", "id": str(phone.member_id), "name": None}
    assert [one["field"] for one in rest["items"]] == ["status"]
    assert rest["next_cursor"] is None


async def test_another_stores_history_is_not_there_and_a_cashier_may_not_ask(client, chain):
    phone = await register(client)
    await phone.call("POST", "/v1/member/profile", {"store_id": "S2"})
    path = f"/v1/admin/members/{phone.member_id}/changes"

    of_another = await (await log_in(client, chain, "manager-S1")).get(path)
    bad = await (await log_in(client, chain, "admin")).get(f"{path}?cursor=x")

    assert (of_another.status_code, of_another.json()["code"]) == (404, "not_found")
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/query/cursor")


async def test_a_change_moves_the_version_and_tells_of_itself_once(database, chain):
    async with db.transaction() as tx:
        member_id = await service.create_member(tx, NewMember(phone=random_phone(), name="李", status=Status.ACTIVE))
    assert member_id is not None
    version = await db.fetchval("SELECT version FROM member WHERE id = $1", member_id)
    async with db.transaction() as tx:
        changes = {"valid_until": (None, "2027-01-01"), "name": ("李", "李"), "card_type": (None, "gold")}
        await service.changed(tx, member_id, by=SYSTEM, changes=changes, reason="年度续期")
        await service.changed(tx, member_id, by=SYSTEM, changes={"name": ("李", "李")})

    assert await db.fetchval("SELECT version FROM member WHERE id = $1", member_id) == version + 1
    last = (await queries.list_changes(member_id, before=None, limit=2))[::-1]
    assert [(one.field, one.after, one.reason) for one in last] == [
        ("valid_until", "2027-01-01", "年度续期"),
        ("card_type", "gold", "年度续期"),
    ]
    bodies = await db.fetch(
        "SELECT body->>'fields' AS fields, body->'change_ids' AS ids FROM outbox"
        " WHERE member_id = $1 AND name = 'MemberChanged' ORDER BY id DESC LIMIT 1",
        member_id,
    )
    assert [(row["fields"], row["ids"]) for row in bodies] == [
        ('["valid_until", "card_type"]', f"[{last[0].id}, {last[1].id}]")
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM member_change",
        "UPDATE member_change SET field = 'x'",
        "UPDATE member_change SET erased = true",
        "UPDATE member_change SET erased = true, before_sealed = NULL, after_sealed = NULL, reason = NULL, field = 'x'",
        "UPDATE member_change SET before_sealed = NULL, after_sealed = NULL, reason = NULL",
    ],
)
async def test_nobody_rewrites_it(client, database, chain, sql):
    phone = await register(client)
    await phone.call("POST", "/v1/member/profile", {"name": "新名字"})

    with pytest.raises(asyncpg.RestrictViolationError):
        await db.pool().execute(sql)


async def test_an_erasure_takes_the_values_out_and_leaves_that_there_was_a_change(client, database, chain):
    phone = await register(client)
    await phone.call("POST", "/v1/member/profile", {"name": "新名字"})

    await db.pool().execute(
        "UPDATE member_change SET erased = true, before_sealed = NULL, after_sealed = NULL, reason = NULL"
        " WHERE member_id = $1",
        phone.member_id,
    )

    changes = await queries.list_changes(phone.member_id, before=None, limit=9)
    assert [(one.field, one.before, one.after, one.erased) for one in changes] == [
        ("name", None, None, True),
        ("status", None, None, True),
    ]
