"""The audit log: nothing that staff do happens without its row, nobody rewrites it, and it is found again."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import timedelta

import asyncpg
import pytest

from backend.auth import jobs, queries, trails
from backend.auth.queries import AuditFilter
from backend.auth.queries.log import statement
from backend.kernel import clock as clocks
from backend.kernel import db, ids, trail
from tests.support import kept
from tests.support.approvals import ask
from tests.support.books import connected, fingerprint
from tests.support.staff import StaffSession, hire, log_in
from tests.support.suggestions import make_box

AUDIT = "/v1/admin/audit"


@pytest.fixture
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest.fixture
async def manager(client, chain) -> StaffSession:
    return await log_in(client, chain, "manager-S1")


async def newest(session: StaffSession, query: str = "") -> dict:
    items = (await session.get(f"{AUDIT}?limit=1{query}")).json()["items"]
    return items[0] if items else {}


async def add_till(session: StaffSession, store_id: str = "S1", **headers: str):
    return await session.post("/v1/admin/terminals", {"store_id": store_id, "name": f"till {uuid.uuid4().hex[:6]}"})


async def test_a_write_has_its_row_with_who_what_where_and_how_it_ended(client, manager):
    made = (await add_till(manager)).json()
    answer = await client.request(
        "POST",
        f"/v1/admin/terminals/{made['id']}/rotate-secret",
        json={"overlap_s": 60},
        headers={"Authorization": f"Bearer {manager.access_token}", "X-Request-ID": "request-4711"},
    )
    assert answer.status_code == 200

    row = await newest(manager)

    assert {
        name: row[name] for name in ("staff_name", "role", "store_id", "action", "title", "named", "status", "code")
    } == {
        "staff_name": "manager-s1",
        "role": "manager",
        "store_id": "S1",
        "action": "POST /v1/admin/terminals/{terminal_id}/rotate-secret",
        "title": "更换终端密钥",
        "named": {"terminal_id": made["id"]},
        "status": 200,
        "code": "",
    }
    assert (row["request_id"], row["address"]) == ("request-4711", "127.0.0.1")
    assert answer.json()["secret"] not in str(row)


async def test_the_row_is_in_the_transaction_that_does_it(settings, monkeypatch, manager):
    before = await fingerprint(settings)
    monkeypatch.setattr(trails, "INSERT", trails.INSERT.replace("auth_audit", "auth_nothing"))

    answer = await add_till(manager)

    assert answer.status_code == 500
    assert await fingerprint(settings) == before


async def test_what_is_refused_is_there_with_its_code(client, manager):
    count = await db.fetchval("SELECT count(*) FROM auth_audit")
    refused = [
        (await add_till(manager, "S2"), 404, "not_found"),
        (await manager.post("/v1/admin/terminals", {"store_id": "S1"}), 422, "validation_failed"),
        (await manager.post("/v1/admin/stores", {"id": "S9", "name": "x"}), 403, "forbidden"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer, _, _ in refused] == [one[1:] for one in refused]
    rows = await db.fetch("SELECT status, code FROM auth_audit ORDER BY at DESC, id DESC LIMIT 3")
    assert sorted(tuple(row) for row in rows) == sorted(one[1:] for one in refused)
    assert await db.fetchval("SELECT count(*) FROM auth_audit") == count + 3


async def test_a_read_leaves_nothing(manager):
    count = await db.fetchval("SELECT count(*) FROM auth_audit")

    for path in ("/v1/admin/me", "/v1/admin/terminals", "/v1/admin/stores"):
        assert (await manager.get(path)).status_code == 200

    assert await db.fetchval("SELECT count(*) FROM auth_audit") == count


async def test_what_a_domain_notes_is_there_by_its_fields_not_their_values(admin, manager):
    person = (await admin.get("/v1/admin/me")).json()["staff"]["id"]

    box = (await make_box(admin, person))["id"]

    row = await newest(admin)
    assert row["things"] == [box]
    assert row["detail"]["actions"] == ["create"]
    assert "title" in row["detail"]["fields"]
    title = await db.fetchval("SELECT title FROM suggestion_box WHERE id = $1", box)
    assert title not in str(row["detail"])


async def test_a_phone_number_in_an_address_is_not_written_down(admin):
    answer = await admin.post("/v1/admin/members/13812345678/freeze", {"reason": "x"})

    assert answer.status_code in (404, 422)
    assert "13812345678" not in str(await newest(admin))


async def test_what_no_transaction_holds_is_written_down_before_it_happens(admin, settings):
    caller = await queries.get_caller(await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'"))
    call = trails.What("POST /v1/admin/x/{x_id}", "试", ("X1",), 200, "127.0.0.1", f"begun-{uuid.uuid4().hex[:8]}")
    keeper = trails.CallTrail(trails.who(caller), call)
    mine = AuditFilter(request_id=call.request_id)

    with trail.kept_by(keeper):
        await trail.ahead()
        crashed_here = await queries.list_audit(mine, before=None, limit=9)
        await keeper.end(200, "")

    assert [(row.code, row.status, row.things) for row in crashed_here] == [("begun", 0, ["X1"])]
    assert [(row.code, row.status) for row in await queries.list_audit(mine, before=None, limit=9)] == [("", 200)]
    with trail.kept_by(keeper):  # somebody's task goes on after the call
        await trail.ahead()
        async with db.transaction() as tx:
            await db.raw(tx).execute("SELECT 1")
    assert len(await queries.list_audit(mine, before=None, limit=9)) == 1


async def fail_inside() -> None:
    async with db.transaction():
        trail.said(amount_fen=1)
        raise ZeroDivisionError


async def test_what_is_rolled_back_has_no_row_of_success(manager):
    caller = await queries.get_caller(await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'"))
    call = trails.What("POST /v1/admin/y", "试", (), 200, "127.0.0.1", f"lost-{uuid.uuid4().hex[:8]}")
    keeper = trails.CallTrail(trails.who(caller), call)

    with trail.kept_by(keeper):
        with pytest.raises(ZeroDivisionError):
            await fail_inside()
        await keeper.end(409, "stale")

    rows = await queries.list_audit(AuditFilter(request_id=call.request_id), before=None, limit=9)
    assert [(row.code, row.status, row.detail) for row in rows] == [("stale", 409, {"said": {"amount_fen": 1}})]


async def test_what_fails_after_its_transaction_has_both_rows(admin):
    caller = await queries.get_caller(await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'"))
    call = trails.What("POST /v1/admin/z", "试", (), 200, "127.0.0.1", f"both-{uuid.uuid4().hex[:8]}")
    keeper = trails.CallTrail(trails.who(caller), call)

    with trail.kept_by(keeper):
        async with db.transaction() as tx:
            await db.raw(tx).execute("SELECT 1")
        await keeper.end(503, "unavailable")

    rows = await queries.list_audit(AuditFilter(request_id=call.request_id), before=None, limit=9)
    assert sorted((row.code, row.status) for row in rows) == [("", 200), ("unavailable", 503)]


async def test_a_store_sees_its_own_staff_and_whoever_lacks_the_permission_nothing(client, chain, admin, manager):
    await add_till(admin)
    await add_till(manager)
    neighbour = await log_in(client, chain, "manager-S2")
    await add_till(neighbour, "S2")

    seen = (await neighbour.get(f"{AUDIT}?limit=200")).json()["items"]
    theirs = await neighbour.get(f"{AUDIT}?store_id=S1")
    everything = (await admin.get(f"{AUDIT}?limit=200")).json()["items"]
    of_one = (await admin.get(f"{AUDIT}?store_id=S2")).json()["items"]

    assert {row["store_id"] for row in seen} == {"S2"} == {row["store_id"] for row in of_one}
    assert (theirs.status_code, theirs.json()["code"]) == (404, "not_found")
    assert {"S1", "S2", None} <= {row["store_id"] for row in everything}
    assert (await neighbour.get(f"{AUDIT}.csv?store_id=S1")).status_code == 404


async def test_a_store_reads_what_head_office_did_to_it_and_nothing_of_another(client, chain, admin, manager):
    """One store's thing with all that was meant; what two stores are about without what it named."""
    neighbour = await log_in(client, chain, "manager-S2")
    made = await add_till(admin, "S1")
    staff_id, _ = await hire(admin, "clerk", "S1")
    moved = await admin.call("PUT", f"/v1/admin/staff/{staff_id}", {"role": "clerk", "store_id": "S2"})
    assert (made.status_code, moved.status_code) == (201, 200)

    async def of_office(session, action: str) -> list[dict]:
        page = (await session.get(f"{AUDIT}?action={action}&limit=20")).json()["items"]
        return [row for row in page if row["store_id"] is None]

    (till, *_) = await of_office(manager, "POST /v1/admin/terminals")
    assert (till["about"], till["address"], till["staff_name"]) == (["S1"], "", "admin")
    assert await of_office(neighbour, "POST /v1/admin/terminals") == []
    for session, store_id in ((manager, "S1"), (neighbour, "S2")):
        (move,) = await of_office(session, "PUT /v1/admin/staff/{staff_id}")
        assert (move["about"], move["named"], move["things"], "said" in move["detail"]) == ([store_id], {}, [], False)
    (whole,) = [
        row for row in await of_office(admin, "PUT /v1/admin/staff/{staff_id}") if staff_id in row["named"].values()
    ]
    assert (whole["about"], whole["detail"]["said"]["store_before"]) == (["S1", "S2"], "S1")


async def test_it_is_found_by_person_action_thing_code_and_time_page_by_page(clock, admin, manager):
    made = (await add_till(manager)).json()
    await manager.post("/v1/admin/stores", {"id": "S9", "name": "x"})
    staff_id = (await manager.get("/v1/admin/me")).json()["staff"]["id"]
    revoked = f"/v1/admin/terminals/{made['id']}/revoke"
    assert (await manager.call("POST", revoked)).status_code == 204

    async def rows(query: str) -> list[dict]:
        answer = await admin.get(f"{AUDIT}?limit=200&{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    assert {row["staff_id"] for row in await rows(f"staff_id={staff_id}")} == {staff_id}
    (by_thing,) = await rows(f"thing={made['id']}")
    assert by_thing["action"] == "POST /v1/admin/terminals/{terminal_id}/revoke"
    by_action = await rows("action=POST%20/v1/admin/terminals/{terminal_id}/revoke")
    assert by_thing in by_action
    assert {row["code"] for row in await rows("code=forbidden")} == {"forbidden"}
    assert all(row["code"] for row in await rows("done=false"))
    assert not any(row["code"] for row in await rows("done=true"))
    assert await rows("since=2999-01-01T00:00:00Z") == []
    assert await rows("until=2000-01-01T00:00:00Z") == []
    for time in ("2026-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00%2B14:00"):
        assert (await admin.get(f"{AUDIT}?since={time}")).status_code == 422
    assert (await admin.get(f"{AUDIT}?staff_id=x")).status_code == 422
    assert (await admin.get(f"{AUDIT}?cursor=x")).status_code == 422

    all_of_them = [row["id"] for row in await rows(f"staff_id={staff_id}")]
    walked, target = [], f"{AUDIT}?limit=2&staff_id={staff_id}"
    while target:
        page = (await admin.get(target)).json()
        walked += [row["id"] for row in page["items"]]
        target = page["next_cursor"] and f"{AUDIT}?limit=2&staff_id={staff_id}&cursor={page['next_cursor']}"
    assert walked == all_of_them
    assert {"action": "POST /v1/admin/terminals", "title": "新增收银终端"} in (
        await admin.get(f"{AUDIT}/actions")
    ).json()["items"]


async def test_it_leaves_as_a_table(admin, manager):
    await add_till(manager)

    answer = await admin.get(f"{AUDIT}.csv?store_id=S1")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    heading, *rows = csv.reader(io.StringIO(answer.text.removeprefix("﻿")))
    assert heading[:4] == ["id", "at", "staff_id", "staff_name"]
    first = dict(zip(heading, rows[0], strict=True))
    assert (first["staff_name"], first["action"], first["status"]) == ("manager-s1", "POST /v1/admin/terminals", "201")


async def test_of_an_approval_both_people_are_there(admin, manager):
    made = await ask(admin, "审计店")
    asked_by = str(made.asked_by)

    await manager.post(f"/v1/admin/approvals/{made.id}/approve", {})

    row = await newest(admin, f"&thing={made.id}")
    assert (row["staff_name"], row["named"], row["things"]) == ("manager-s1", {"approval_id": made.id}, [asked_by])
    assert row["detail"]["said"] == {"kind": "test_rename", "asked_by": asked_by}


async def test_nobody_rewrites_it_and_what_is_old_goes_through_one_door(settings, clock, manager):
    await add_till(manager)
    any_id = await db.fetchval("SELECT id FROM auth_audit LIMIT 1")
    owner = await kept.connection(settings, "huiyuan_owner")

    async with connected(settings, "huiyuan_app") as app:
        for statement_ in ("UPDATE auth_audit SET code = 'x'", "DELETE FROM auth_audit", "TRUNCATE auth_audit"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement_)
            with pytest.raises(asyncpg.RestrictViolationError):
                await owner.execute(statement_)
        assert await app.fetchval("SELECT auth_audit_forget(now() + interval '1 day', 1000)") == 0
    assert await db.fetchval("SELECT count(*) FROM auth_audit WHERE id = $1", any_id) == 1

    await owner.execute(
        "INSERT INTO auth_audit SELECT id + 1, at - interval '1094 days', staff_id, role, store_id, 'old', title,"
        " things, status, code, address, request_id, detail FROM auth_audit WHERE id = $1 UNION ALL"
        " SELECT id + 2, at - interval '1096 days', staff_id, role, store_id, 'old', title,"
        " things, status, code, address, request_id, detail FROM auth_audit WHERE id = $1",
        any_id,
    )
    await jobs.forget_audit()
    assert await db.fetchval("SELECT array_agg(id) FROM auth_audit WHERE route = 'old'") == [any_id + 1]


async def test_each_search_goes_by_an_index(settings, admin):
    owner = await kept.connection(settings, "huiyuan_owner")
    await owner.execute(
        "INSERT INTO auth_audit (id, at, staff_id, role, store_id, route, title, things, status, code, address,"
        " request_id, detail) SELECT $1::bigint + n, now() - n * interval '1 minute', n % 500, 'manager',"
        " 'S' || n % 200, 'POST /v1/admin/' || n % 300, 't', ARRAY['T' || n], 200, '', '127.0.0.1', 'r' || n, '{}'"
        " FROM generate_series(1, 40000) AS n",
        ids.new_bigint() >> 2,
    )
    await owner.execute("ANALYZE auth_audit")
    place = (clocks.now() - timedelta(days=3), "1")
    for wanted in (
        AuditFilter(),
        AuditFilter(staff_id=7),
        AuditFilter(store_id="S7"),
        AuditFilter(route="POST /v1/admin/7"),
        AuditFilter(thing="T77"),
        AuditFilter(request_id="r77"),
        AuditFilter(staff_id=7, done=True, since=place[0] - timedelta(days=9)),
    ):
        for before in (None, place):
            sql, args = statement(wanted, before, 50)
            plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {sql}", *args))
            assert "Seq Scan on auth_audit a" not in plan, (wanted, plan)
