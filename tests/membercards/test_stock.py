"""Head office's stock: types, batches that go on after a crash, moves within a quota, and what is exported once."""

from __future__ import annotations

import uuid

import asyncpg
import pytest

from backend.kernel import db
from backend.membercards import audit, service
from backend.membercards.commands import batches, moves
from backend.membercards.types import Handing, Way
from backend.members import service as members
from tests.support import kept
from tests.support.books import fingerprint
from tests.support.membercards import (
    BATCHES,
    CARDS,
    ISSUERS,
    MOVES,
    TYPES,
    held,
    issue,
    make_agent,
    make_batch,
    make_type,
    move,
    numbers,
    printed,
)
from tests.support.members import register


async def states(batch: dict) -> dict[str, int]:
    rows = await db.fetch("SELECT state, count(*) FROM membercard WHERE batch_id = $1 GROUP BY state", batch["id"])
    return {row["state"]: row["count"] for row in rows}


async def taken(admin, issuer_id: str) -> int:
    return (await admin.get(f"{ISSUERS}/{issuer_id}")).json()["issuer"]["taken"]


async def test_types_that_could_clash_are_refused_and_move_nothing(admin, settings):
    known = await make_type(admin)
    body = {"code": uuid.uuid4().hex[:12], "name": "卡", "prefix": known["prefix"] + "1", "length": 16}
    before = await fingerprint(settings)
    refused = [
        await admin.post(TYPES, body),
        await admin.post(TYPES, body | {"code": known["code"], "prefix": "7777"}),
        await admin.post(TYPES, body | {"prefix": "88"}),
        await admin.post(TYPES, body | {"prefix": "7778", "level": "nothing"}),
        await admin.post(TYPES, body | {"prefix": "7778", "length": 14}),
        await admin.post(TYPES, body | {"prefix": "7778", "length": 15, "automatic": True}),
    ]

    assert [answer.json()["code"] for answer in refused] == ["card_type_exists"] * 2 + ["validation_failed"] * 4
    assert [answer.json()["errors"][0]["pointer"] for answer in refused[2:]] == [
        "/prefix", "/level", "/prefix", "/automatic",
    ]  # fmt: skip
    assert await fingerprint(settings) == before


async def test_a_changed_type_was_looked_at(admin):
    known = await make_type(admin)
    path = f"{TYPES}/{known['code']}"
    first = await admin.call("PUT", path, {"name": "金卡", "version": known["version"]})
    second = await admin.call("PUT", path, {"name": "银卡", "version": known["version"]})

    assert (first.json()["name"], second.json()["code"]) == ("金卡", "card_stock_conflict")


async def test_a_large_batch_is_made_on_after_a_crash_and_every_number_once(admin, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 40)
    batch = await make_batch(admin, await make_type(admin), 130)
    begun = batch["made"]
    await batches.make_cards(batch["id"], most=1)
    half = (await admin.get(f"{BATCHES}/{batch['id']}")).json()
    await batches.make_cards(batch["id"])
    await batches.make_cards(batch["id"])
    done = (await admin.get(f"{BATCHES}/{batch['id']}")).json()
    made = await numbers(batch)

    assert (begun, half["made"], half["state"]) == (40, 80, "making")
    assert (done["made"], done["state"], len(set(made))) == (130, "ready", 130)
    serials = await db.fetch("SELECT serial FROM membercard WHERE batch_id = $1 ORDER BY serial", batch["id"])
    assert [row["serial"] for row in serials] == list(range(1, 131))


async def test_a_batch_that_is_stopped_is_as_large_as_it_is(admin, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 40)
    kind = await make_type(admin)
    batch = await make_batch(admin, kind, 100)
    stopped = (await admin.post(f"{BATCHES}/{batch['id']}/stop")).json()
    await batches.make_cards(batch["id"])
    left = next(one for one in (await admin.get(TYPES)).json()["items"] if one["code"] == kind["code"])

    assert (stopped["state"], stopped["total"], len(await numbers(batch))) == ("ready", 40, 40)
    assert left["numbers_left"] == 10**11 // 1_000 - 40


async def test_so_many_numbers_that_they_could_be_guessed_are_not_made(admin, settings):
    kind = await make_type(admin, length=10, prefix="9", check_digit=True)
    assert (await admin.post(BATCHES, {"type_code": kind["code"], "total": 60_000})).status_code == 201
    before = await fingerprint(settings)
    scarce = await admin.post(BATCHES, {"type_code": kind["code"], "total": 40_001})

    assert kind["numbers_left"] == 10**8 // 1_000
    assert (scarce.json()["code"], scarce.json()["left"]) == ("card_numbers_scarce", 40_000)
    assert await fingerprint(settings) == before


async def test_numbers_go_to_the_printer_once_and_who_took_them_is_written_down(admin, settings):
    batch = await make_batch(admin, await make_type(admin), 3)
    first = await admin.post(f"{BATCHES}/{batch['id']}/export")
    before = await fingerprint(settings)
    second = await admin.post(f"{BATCHES}/{batch['id']}/export")
    lines = first.content.decode("utf-8-sig").splitlines()
    changes = (await admin.get(f"{BATCHES}/{batch['id']}/changes")).json()["items"]
    listed = (await admin.get(f"{CARDS}?batch_id={batch['id']}")).json()["items"]
    log = (await admin.get("/v1/admin/audit?limit=20")).text

    assert [line.split(",")[0].replace(" ", "") for line in lines[1:]] == await numbers(batch)
    assert (second.status_code, second.json()["code"]) == (409, "card_stock_conflict")
    assert await fingerprint(settings) == before
    assert [change["action"] for change in changes] == ["export", "create"]
    assert "/export" in log
    assert all(item["number"].startswith("*" * 12) for item in listed)


async def test_cards_go_to_an_agent_and_back_and_the_quota_follows(admin):
    batch = await make_batch(admin, await make_type(admin), 10)
    agent = await make_agent(admin, quota=6)
    there = await move(admin, batch, 1, 6, to=agent["id"])
    full = await move(admin, batch, 7, 7, to=agent["id"])
    back = await move(admin, batch, 5, 6, kind="return", to=agent["id"])
    ended = await move(admin, batch, 1, 2, kind="void")
    again = await move(admin, batch, 7, 8, to=agent["id"])
    stock = (await admin.get(f"{ISSUERS}/{agent['id']}")).json()["stock"]

    assert [answer.status_code for answer in (there, back, ended, again)] == [201] * 4
    assert (full.json()["code"], full.json().get("left")) == ("card_quota", 0)
    assert await taken(admin, agent["id"]) == 6
    assert {one["state"]: one["cards"] for one in stock} == {"allotted": 4, "void": 2}
    assert await states(batch) == {"allotted": 4, "printed": 4, "void": 2}


async def test_refused_moves_move_nothing(admin, settings):
    batch = await make_batch(admin, await make_type(admin), 4)
    agent, other = await make_agent(admin), await make_agent(admin)
    await move(admin, batch, 2, 2, to=agent["id"])
    before = await fingerprint(settings)
    refused = [
        await move(admin, batch, 1, 3, to=agent["id"]),
        await move(admin, batch, 2, 2, kind="return", to=other["id"]),
        await move(admin, batch, 1, 5, to=agent["id"]),
        await move(admin, batch, 1, 1, to="office"),
        await move(admin, batch, 1, 1),
        await move(admin, batch, 1, 1, to="S-S9"),
        await move(admin, {"id": "CB9"}, 1, 1, to=agent["id"]),
    ]

    assert [answer.json()["code"] for answer in refused] == ["cards_not_there"] * 2 + ["validation_failed"] * 5
    assert refused[0].json()["first_serial"] == 2
    assert await fingerprint(settings) == before


async def test_a_large_move_goes_on_after_a_crash_is_cancelled_and_gives_unused_quota_back(admin, monkeypatch):
    monkeypatch.setattr(moves, "CHUNK", 10)
    batch = await make_batch(admin, await make_type(admin), 60)
    agent = await make_agent(admin, quota=60)
    begun = (await move(admin, batch, 1, 60, to=agent["id"])).json()
    reserved = await taken(admin, agent["id"])
    phone_card = (await numbers(batch))[15]
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE membercard SET state = 'void' WHERE number = $1", phone_card)
    await moves.run(begun["id"], most=2)
    half = (await admin.get(f"{MOVES}/{begun['id']}")).json()
    cancelled = (await admin.post(f"{MOVES}/{begun['id']}/cancel")).json()
    await moves.run(begun["id"])

    assert (begun["moved"], begun["state"], reserved) == (10, "running", 60)
    assert (half["moved"], half["skipped"]) == (29, 1)
    assert (cancelled["state"], await taken(admin, agent["id"])) == ("cancelled", 29)
    assert await states(batch) == {"allotted": 29, "printed": 30, "void": 1}


async def test_the_same_key_moves_once_and_with_anything_else_conflicts(admin):
    batch = await make_batch(admin, await make_type(admin), 4)
    agent = await make_agent(admin)
    body = {"kind": "allot", "batch_id": batch["id"], "from_serial": 1, "to_serial": 2, "issuer_id": agent["id"]}
    key = uuid.uuid4().hex
    first = await admin.post(MOVES, body | {"reason": "x"}, key=key)
    again = await admin.post(MOVES, body | {"reason": "x"}, key=key)
    other = await admin.post(MOVES, body | {"reason": "y"}, key=key)

    assert (first.json(), other.json()["code"]) == (again.json(), "idempotency_conflict")
    assert await taken(admin, agent["id"]) == 2


async def test_a_quota_is_never_below_what_was_taken_and_a_closed_agent_hands_out_nothing(admin, client):
    batch = await make_batch(admin, await make_type(admin), 3)
    agent = await make_agent(admin, quota=5)
    await move(admin, batch, 1, 3, to=agent["id"])
    path, body = f"{ISSUERS}/{agent['id']}", {"name": "城东代理", "quota": 2, "version": agent["version"]}
    low = await admin.call("PUT", path, body)
    closed = await admin.call("PUT", path, body | {"quota": 3, "active": False})
    phone = await register(client)
    refused = await issue(admin, phone, (await numbers(batch))[0])

    assert (low.json()["code"], low.json()["taken"]) == ("card_quota", 3)
    assert (closed.status_code, refused.json()["code"]) == (200, "card_issuer_closed")
    assert await held(phone.member_id) == []


async def test_what_an_agent_issued_is_reported(admin, client):
    batch = await make_batch(admin, await make_type(admin), 3)
    agent = await make_agent(admin)
    await move(admin, batch, 1, 3, to=agent["id"])
    await move(admin, batch, 3, 3, kind="return", to=agent["id"])
    await issue(admin, await register(client), (await numbers(batch))[0])
    report = await admin.get(f"{ISSUERS}/{agent['id']}/report?begin=2026-01-01&end=2026-12-31")
    ends = [
        await admin.get(f"{ISSUERS}/{agent['id']}/report?begin={begin}&end={end}")
        for begin, end in (("0001-01-01", "0001-01-02"), ("9999-12-01", "9999-12-31"), ("2026-02-02", "2026-02-01"))
    ]

    assert [answer.status_code for answer in ends] == [422] * 3
    assert {name: report.json()[name] for name in ("allotted", "returned", "issued")} == {
        "allotted": 3, "returned": 1, "issued": 1,
    }  # fmt: skip


async def test_head_office_hands_out_within_its_own_quota(admin, client, settings):
    first, second = await printed(admin, 2)
    known = (await admin.get(f"{ISSUERS}/office")).json()["issuer"]
    body = {"name": known["name"], "quota": known["taken"] + 1, "version": known["version"]}
    try:
        assert (await admin.call("PUT", f"{ISSUERS}/office", body)).status_code == 200
        assert (await issue(admin, await register(client), first)).status_code == 201
        phone = await register(client)
        before = await fingerprint(settings)
        refused = await issue(admin, phone, second)
        assert refused.json()["code"] == "card_quota"
        assert await fingerprint(settings) == before
    finally:
        version = (await admin.get(f"{ISSUERS}/office")).json()["issuer"]["version"]
        await admin.call("PUT", f"{ISSUERS}/office", body | {"quota": 1_000_000, "version": version})


async def test_an_import_brings_old_cards_if_their_numbers_fit(admin, client):
    kind = await make_type(admin, length=11, prefix="8", check_digit=False)
    number, wrong = "81234567890", "71234567890"
    one, two = await register(client), await register(client)
    by = Handing(Way.IMPORT, 1)
    obstacles = await service.adopt_obstacles([number, wrong])
    async with db.transaction() as tx:
        await members.lock(tx, one.member_id)
        card_id = await service.issue(tx, one.member_id, number, by)
    after = await service.adopt_obstacles([number])

    assert obstacles == {wrong: "card_invalid"}
    assert after == {number: "card_taken"}
    assert (await service.find_member(number)).card_id == card_id
    assert (await service.find_member(number)).type_code == kind["code"]
    assert await held(two.member_id) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE membercard SET member_id = 4711 WHERE id = $1",
        "UPDATE membercard SET number = '1' WHERE id = $1",
        "UPDATE membercard_step SET state = 'printed' WHERE card_id = $1",
        "DELETE FROM membercard_step WHERE card_id = $1",
        "UPDATE membercard SET state = 'printed' WHERE id = $1",
    ],
)
async def test_the_database_itself_keeps_owner_number_and_history(admin, client, change):
    old, new = await printed(admin, 2)
    phone = await register(client)
    card = (await issue(admin, phone, old)).json()
    async with db.transaction() as tx:
        await members.lock(tx, phone.member_id)
        await service.issue(tx, phone.member_id, new, Handing(Way.COUNTER, 1), replacing=True)

    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with db.transaction() as tx:
            await db.raw(tx).execute(change, int(card["id"]))


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("UPDATE membercard_issuer SET taken = taken + 1 WHERE id = $2 OR $1::bigint = 0", "has taken"),
        ("UPDATE membercard SET state = 'void' WHERE id = $1 OR $2 = ''", "its history says"),
        ("UPDATE member SET card_type = NULL FROM membercard c WHERE c.id = $1 AND c.member_id = member.id OR $2 = ''",
         "and holds"),
    ],
)  # fmt: skip
async def test_the_audit_finds_what_somebody_wrote_by_hand(admin, client, settings, broken, says):
    batch = await make_batch(admin, await make_type(admin), 2)
    agent = await make_agent(admin)
    await move(admin, batch, 1, 2, to=agent["id"])
    card = (await issue(admin, await register(client), (await numbers(batch))[0])).json()
    connection = await kept.connection(settings, "postgres")
    before = {finding.what for finding in await audit.prove(connection)}

    await connection.execute(broken, int(card["id"]), agent["id"])

    found = [finding.what for finding in await audit.prove(connection) if finding.what not in before]
    assert [what for what in found if says in what]
