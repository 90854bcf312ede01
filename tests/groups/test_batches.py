"""Allotments to many from one table: tried row by row, approved where it is much, posted once, whatever dies."""

from __future__ import annotations

import asyncio
import uuid
from urllib.parse import urlencode

import msgspec
import pytest

from backend.groups import queries, tables
from backend.groups.commands import allotting, batches
from backend.groups.types import AllotmentKind
from backend.kernel import clock as kernel_clock
from backend.kernel import config, db, incoming, outbox, sheets, tries
from tests.groups.test_allotments import group_of, held
from tests.support.books import fingerprint
from tests.support.kept import connection
from tests.support.members import register
from tests.support.merging import ask, merge
from tests.support.staff import log_in
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

MOST = {AllotmentKind.STORED: 500_000, AllotmentKind.POINTS: 50_000}


def path(group_id, tail=""):
    return f"/v1/admin/groups/{group_id}/allotment-batches{tail}"


def table(*rows, heading="会员号,种类,数量,备注"):
    return "\n".join((heading, *(",".join(map(str, row)) for row in rows))).encode()


async def send(staff, where, data, *, key=None, kind="csv", **query):
    headers = {"Authorization": f"Bearer {staff.access_token}", "Content-Type": sheets.MEDIA_TYPES[kind]}
    headers["Idempotency-Key"] = key or uuid.uuid4().hex
    return await staff.client.post(f"{where}?{urlencode({'kind': kind} | query)}", content=data, headers=headers)


async def total(*members):
    return [sum(lot[2] for lot in await held(one)) for one in members]


def no(member):
    return member.member["member_no"]


@pytest.mark.parametrize(
    ("row", "flaws"),
    [
        (["1", "储值", "12.5", ""], []),
        (["1", "stored", "1,000.00", "x"], []),
        (["1", "积分", "7"], []),
        (["", "积分", "7.5", "x"], ["amount", "member_no"]),
        (["1", "现金", "5", ""], ["kind"]),
        (["1", "储值", "0.00", ""], ["amount"]),
        (["1", "储值", "-5", ""], ["amount"]),
        (["1", "储值", "5000.01", ""], ["amount"]),
        (["1", "储值", "1e3", ""], ["amount"]),
        (["1", "积分", "٣", ""], ["amount"]),
        (["1", "储值", "5.123", ""], ["amount"]),
        (["1", "积分", "5", "x" * 201], ["note"]),
        (["1", "积分", "5", "a\u202eb"], ["note"]),
    ],
)
def test_each_field_of_a_row_is_judged(row, flaws):
    good, found = tables.read([list(tables.COLUMNS), row], MOST)

    assert [one.field for one in found] == flaws
    assert len(good) == (not flaws)


def test_a_table_is_one_or_is_none():
    row = ["1", "积分", "5", ""]
    good, flaws = tables.read([list(tables.COLUMNS.values()), row, row, [], ["1", "储值", "5.5", ""]], MOST)

    assert [(one.row, one.amount) for one in good] == [(2, 5), (5, 550)]
    assert [(one.row, one.message) for one in flaws] == [(3, "says the same as row 2")]
    many = [[str(number), "积分", "5"] for number in range(tables.MOST_ROWS + 1)]
    for rows in ([], [["会员号", "种类"]], [["会员号", "种类", "数量", "电话"]], [list(tables.COLUMNS)]):
        with pytest.raises(incoming.NotATable):
            tables.read(rows, MOST)
    with pytest.raises(incoming.NotATable, match="more than"):
        tables.read([list(tables.COLUMNS), *many], MOST)


async def test_a_table_is_tried_row_by_row_and_one_bad_row_moves_nothing(client, admin, phone, settings):
    person, stranger = await register(client), await register(client)
    group_id, _ = await group_of(admin, phone, person)
    await give(phone.member_id, principal=90_000, points=100)
    bad = table(
        (no(person), "储值", "8.00", "a"), (no(stranger), "积分", 5, ""), (no(phone), "积分", 5, ""), (1, "x", 0)
    )
    before = await fingerprint(settings)

    tried = await send(admin, path(group_id, "/dry-run"), bad)
    refused = await send(admin, path(group_id), bad)
    others = [
        await send(admin, path(group_id), table((no(person), "积分", 101, ""))),
        await send(admin, path(group_id), b"\x00\xff"),
        await send(admin, path(group_id), b"PK\x03\x04", kind="xlsx"),
        await send(admin, path(group_id), table((no(person), "积分", 1, ""), heading="a,b")),
        await send(admin, path("GA000000000000"), bad),
    ]
    after = await fingerprint(settings)

    shown = tried.json()
    assert (shown["good"], shown["stored_fen"], shown["has_fen"], shown["has_points"]) == (1, 800, 90_000, 100)
    assert [(one["row"], one["field"]) for one in shown["flaws"]] == [(3, "member_no"), (4, "member_no"), (5, "kind")]
    assert [one["pointer"] for one in refused.json()["errors"]] == [
        f"/rows/{one['row']}/{one['field']}" for one in shown["flaws"]
    ]
    codes = [one.json()["code"] for one in others]
    assert codes == ["group_allotment_too_much", *["validation_failed"] * 3, "not_found"]
    assert {name for name in before if before[name] != after[name]} <= {"auth_audit"}


async def test_a_workbook_is_posted_once_and_what_cannot_be_is_named(client, admin, phone):
    people = [await register(client) for _ in range(3)]
    group_id, (_, _, _, gone) = await group_of(admin, phone, *people)
    await give(phone.member_id, principal=50_000, points=400)
    rows = [
        [no(people[0]), "储值", "100.50", "差旅"],
        [no(people[1]), "积分", "300", None],
        [no(people[2]), "积分", "9", None],
    ]
    data = sheets.write("xlsx", "x", tuple(tables.COLUMNS.values()), [*rows, ["999", "储值", "1", None]])
    key = uuid.uuid4().hex

    strict = await send(admin, path(group_id), data, kind="xlsx", key=uuid.uuid4().hex)
    made = [await send(admin, path(group_id), data, kind="xlsx", key=key, skip_bad="true", title="九月") for _ in "12"]
    other = await send(admin, path(group_id), data, kind="xlsx", key=key, skip_bad="true", title="十月")
    await admin.post(f"/v1/admin/groups/{group_id}/members/{gone}/remove")
    batch_id = made[0].json()["id"]
    await batches.run(batch_id)
    await batches.run(batch_id)
    done = (await admin.get(path(group_id, f"/{batch_id}"))).json()
    late = await admin.post(path(group_id, f"/{batch_id}/cancel"))

    assert strict.json()["errors"][0]["pointer"] == "/rows/5/member_no"
    assert (made[0].status_code, made[0].json()) == (202, made[1].json())
    assert (other.json()["code"], late.json()["code"]) == ("idempotency_conflict", "group_allot_batch_over")
    assert (done["state"], done["rows"], done["posted"], done["refused"], done["skipped"]) == ("done", 3, 2, 1, 1)
    assert [(one["row"], one["code"]) for one in done["refused_rows"]] == [(4, "group_allotment_over")]
    assert await total(phone, *people) == [50_000 - 10_050 + 100, 10_050, 300, 0]
    (letter,) = await db.fetch("SELECT template FROM message_letter WHERE member_id = $1", people[0].member_id)
    assert letter["template"] == "groups.allotted_stored"
    assert [one["by_staff"] for one in (await phone.call("GET", "/v1/member/group/allotments")).json()["items"]] == [
        True,
        True,
    ]


async def test_much_waits_for_a_second_person_and_keeps_the_owner_from_being_merged(
    client, admin, second, phone, settings, chain, office
):
    person = await register(client)
    group_id, _ = await group_of(admin, phone, person)
    await give(phone.member_id, principal=80_000)
    data = table((no(person), "储值", "300", ""))
    manager = await log_in(office, chain, "manager-S1")
    config.use(msgspec.structs.replace(settings, group_allot_alone_max_fen=29_999))
    try:
        made = (await send(admin, path(group_id), data)).json()
        rejected = (await send(admin, path(group_id), data)).json()
        forbidden = await send(manager, path(group_id), data)
    finally:
        config.use(settings)
    approvals = {
        one["body"]["batch_id"]: one["id"]
        for one in (await second.get("/v1/admin/approvals?todo=true")).json()["items"]
    }
    merging = await ask(admin, phone, await register(client))
    own = await admin.post(f"/v1/admin/approvals/{approvals[made['id']]}/approve", {})
    await batches.run(made["id"])
    before = await total(phone, person)
    await second.post(f"/v1/admin/approvals/{approvals[rejected['id']]}/reject", {"note": "不对"})
    yes = await second.post(f"/v1/admin/approvals/{approvals[made['id']]}/approve", {})
    await batches.run(made["id"])

    assert (made["state"], forbidden.status_code) == ("waiting", 403)
    assert [one["code"] for one in merging.json()["obstacles"]] == ["approval_waiting"]
    assert (own.json()["code"], before, yes.status_code) == ("approval_own", [80_000, 0], 200)
    assert await total(phone, person) == [50_000, 30_000]
    states = [(await admin.get(path(group_id, f"/{one['id']}"))).json()["state"] for one in (made, rejected)]
    assert states == ["done", "cancelled"]
    assert [one["id"] for one in (await admin.get(path(group_id, "?limit=1"))).json()["items"]] == [rejected["id"]]


async def test_a_job_that_dies_goes_on_where_it_was_and_a_new_owner_is_not_bound(
    client, admin, second, phone, settings, clock, monkeypatch
):
    people = [await register(client) for _ in range(4)]
    group_id, (_, heir, leaver, *_) = await group_of(admin, phone, *people)
    await give(phone.member_id, points=100)
    rows = [(no(one), "积分", 10, "") for one in people]
    batch_id = (await send(admin, path(group_id), table(*rows))).json()["id"]
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    real, posted = allotting.allot, []

    async def dies(*args, **more):
        posted.append(await real(*args, **more))
        if len(posted) == 2:
            raise asyncio.CancelledError("the worker was killed")

    monkeypatch.setattr(allotting, "allot", dies)
    with pytest.raises(asyncio.CancelledError):
        await batches.run(batch_id)
    monkeypatch.setattr(allotting, "allot", real)
    halfway = await total(phone, *people)
    await admin.post(f"/v1/admin/groups/{group_id}/members/{leaver}/remove")  # was posted to, which nobody noted
    await batches.run(batch_id, most=1)
    clock.freeze(kernel_clock.now() + batches.STUCK_AFTER * 2)
    await merge(admin, second, people[3], await register(client))
    await admin.call("PUT", f"/v1/admin/groups/{group_id}/members/{heir}/role", {"role": "owner"})
    resumed = await batches.resume()
    done = (await admin.get(path(group_id, f"/{batch_id}"))).json()

    assert halfway == [80, 10, 10, 0, 0]
    assert resumed == 1
    assert (done["state"], done["posted"], done["refused"]) == ("done", 2, 2)
    assert await total(phone, *people) == [80, 10, 10, 0, 0]
    await outbox.drain()


async def test_a_row_that_always_fails_is_named_and_given_up_and_what_nobody_approves_is_over(
    client, admin, second, phone, settings, clock, monkeypatch
):
    people = [await register(client) for _ in range(3)]
    group_id, _ = await group_of(admin, phone, *people)
    await give(phone.member_id, points=1_000)
    config.use(msgspec.structs.replace(settings, group_allot_alone_max_points=30))
    try:
        await db.fetch("DELETE FROM approval_alone")
        rows = [(no(one), "积分", 10, f"{place}") for place, one in enumerate(people)]
        bad = (await send(admin, path(group_id), table(*rows))).json()
        waits = (await send(admin, path(group_id), table(rows[0]))).json()  # the day's 30 are used up
    finally:
        config.use(settings)
    real = allotting.allot

    async def fails(group, owner, body, *args, **more):
        if body.note == "1":
            raise ValueError
        return await real(group, owner, body, *args, **more)

    monkeypatch.setattr(allotting, "allot", fails)
    monkeypatch.setattr(tries, "MOST_TRIES", 2)
    await batches.run(bad["id"])
    (approval,) = [
        one["id"]
        for one in (await second.get("/v1/admin/approvals?todo=true")).json()["items"]
        if one["body"].get("batch_id") == waits["id"]
    ]
    await second.post(f"/v1/admin/approvals/{approval}/reject", {"note": "不对"})
    await db.pool().execute(
        "UPDATE group_allot_batch SET state = 'waiting', ended_at = NULL WHERE id = $1", waits["id"]
    )
    clock.shift(batches.STUCK_AFTER * 2)  # as one that expired, of which nobody told the table
    resumed = [await batches.resume(), await batches.resume()]
    given_up, over = [(await admin.get(path(group_id, f"/{one['id']}"))).json() for one in (bad, waits)]
    halfway = await total(phone, *people)
    monkeypatch.setattr(allotting, "allot", real)
    on = await admin.post(path(group_id, f"/{bad['id']}/resume"))
    await batches.run(bad["id"])
    done = (await admin.get(path(group_id, f"/{bad['id']}"))).json()

    assert (bad["state"], waits["state"], resumed) == ("running", "waiting", [1, 0])
    assert (given_up["state"], given_up["failed_row"], given_up["failure"]) == ("failed", 3, "ValueError")
    assert (over["state"], halfway) == ("cancelled", [990, 10, 0, 0])
    assert (on.json()["state"], done["state"], done["posted"]) == ("running", "done", 3)
    assert await total(phone, *people) == [970, 10, 10, 10]


async def test_once_it_is_cancelled_no_further_row_is_posted(client, admin, phone, monkeypatch):
    people = [await register(client) for _ in range(3)]
    group_id, _ = await group_of(admin, phone, *people)
    await give(phone.member_id, points=100)
    batch_id = (await send(admin, path(group_id), table(*((no(one), "积分", 10, "") for one in people)))).json()["id"]
    real = allotting.allot

    async def is_cancelled_then(*args, **more):
        made = await real(*args, **more)
        assert (await admin.post(path(group_id, f"/{batch_id}/cancel"))).status_code == 200
        return made

    monkeypatch.setattr(allotting, "allot", is_cancelled_then)
    await batches.run(batch_id)

    assert await total(phone, *people) == [90, 10, 0, 0]
    done = (await admin.get(path(group_id, f"/{batch_id}"))).json()
    assert (done["state"], done["posted"], done["refused"]) == ("cancelled", 1, 0)


async def test_lists_go_by_an_index(settings, chain):
    owner = await connection(settings, "huiyuan_owner")
    await owner.execute(
        "INSERT INTO group_allot_batch (id, key, digest, group_id, owner_id, title, state, rows, skipped, stored_fen,"
        " points, staff_id, created_at, updated_at, ended_at) SELECT 'B' || n, 'k' || n, '', 'G' || n % 50, 'x', 'x',"
        " 'done', 1, 0, 1, 0, 1, now() - n * interval '1 minute', now(), now() FROM generate_series(1, 5000) AS n"
    )
    await owner.execute(
        "INSERT INTO group_allot_row (batch_id, row_no, person_id, member_no, kind, amount, note, state)"
        " SELECT 'B' || 1 + n % 4, n, 'x', 'x', 'points', 1, '', CASE WHEN n < 50 THEN 'waiting' ELSE 'posted' END"
        " FROM generate_series(1, 8000) AS n"
    )
    await owner.execute("ANALYZE group_allot_batch, group_allot_row")
    for sql, args in {
        queries.OPEN_ROWS: ("B1", "waiting", 20),
        queries.COUNT_ROWS: (["B1", "B2"],),
        queries.BATCHES: ("G1", None, None, 50),
    }.items():
        plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {sql}", *args))
        assert "Seq Scan" not in plan, plan
