"""Many members are changed at once: as counted, each once, whatever dies; above a bound by two people."""

from __future__ import annotations

import asyncio
import uuid

import msgspec
import pytest

from backend.kernel import clock, config, db, tries
from backend.kernel.jobs import runner
from backend.registration.commands import batches
from tests.support.books import fingerprint
from tests.support.members import register

BATCHES = "/v1/admin/member-batches"
FREEZE = {"kind": "freeze", "reason": "年度清理"}


@pytest.fixture
def alone(settings):
    """One person may change up to two members."""
    config.use(msgspec.structs.replace(settings, member_batch_alone_max=2))
    yield
    config.use(settings)


@pytest.fixture
def small(monkeypatch):
    """Chunks of two."""
    monkeypatch.setattr(batches, "AT_ONCE", 2)


async def people(client, count, store_id=None):
    phones = await asyncio.gather(*(register(client) for _ in range(count)))
    for phone in phones if store_id else ():
        await phone.call("POST", "/v1/member/profile", {"store_id": store_id})
    return phones


def these(phones):
    return {"member_nos": [phone.member["member_no"] for phone in phones]}


async def begin(staff, body, key=None):
    return await staff.post(BATCHES, body, key=key or uuid.uuid4().hex)


async def statuses(phones):
    rows = await db.fetch("SELECT id, status FROM member WHERE id = ANY($1)", [phone.member_id for phone in phones])
    found = dict(map(tuple, rows))
    return [found[phone.member_id] for phone in phones]


async def test_a_batch_changes_who_was_counted_and_says_what_became_of_each(client, chain, admin, settings):
    phones = await people(client, 3)
    preview = (await admin.post(f"{BATCHES}/preview", FREEZE | {"audience": these(phones)})).json()
    made = await begin(admin, FREEZE | {"audience": these(phones)}, "k1")
    await admin.post(f"/v1/admin/members/{phones[0].member_id}/freeze", {})  # meanwhile, by hand
    again = await begin(admin, FREEZE | {"audience": these(phones)}, "k1")
    other = await begin(admin, FREEZE | {"audience": these(phones[:1])}, "k1")

    await runner.run_waiting(settings)

    done = (await admin.get(f"{BATCHES}/{made.json()['id']}")).json()
    rows = (await admin.get(f"{BATCHES}/{made.json()['id']}/rows")).json()["items"]
    table = await admin.get(f"{BATCHES}/{made.json()['id']}/rows.csv")
    assert (preview["members"], preview["needs_approval"], len(preview["first"])) == (3, False, 3)
    assert (made.status_code, again.json()["id"]) == (202, made.json()["id"])
    assert other.json()["code"] == "idempotency_conflict"
    assert (done["state"], done["done"], done["changed"]) == ("done", 3, 2)
    assert done["results"] == {"changed": 2, "unchanged": 1}
    assert {row["member_id"]: row["result"] for row in rows}[str(phones[0].member_id)] == "unchanged"
    assert table.text.count("changed") == 3
    assert await statuses(phones) == ["frozen"] * 3
    assert (await phones[1].call("GET", "/v1/member/wallet")).json()["code"] == "member_frozen"


async def test_above_the_bound_a_second_person_decides_and_nothing_happens_before(
    client, chain, admin, second, alone, settings
):
    phones = await people(client, 3)
    asked = (await begin(admin, FREEZE | {"audience": these(phones)})).json()
    await runner.run_waiting(settings)
    before = await statuses(phones)

    own = await admin.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})
    done = await second.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})
    await runner.run_waiting(settings)

    assert (asked["state"], before, own.json()["code"]) == ("waiting", ["active"] * 3, "approval_own")
    assert (done.status_code, done.json()["summary"]) == (200, "冻结会员：3 名会员")
    assert await statuses(phones) == ["frozen"] * 3


async def test_what_nobody_approves_is_over_and_a_cancelled_one_cannot_be_approved(client, chain, admin, second, alone):
    phones = await people(client, 3)
    rejected, cancelled = [(await begin(admin, FREEZE | {"audience": these(phones)})).json() for _ in range(2)]

    await second.post(f"/v1/admin/approvals/{rejected['approval_id']}/reject", {"note": "不必"})
    await admin.post(f"{BATCHES}/{cancelled['id']}/cancel", {})
    late = await second.post(f"/v1/admin/approvals/{cancelled['approval_id']}/approve", {})
    await batches.resume()

    assert late.json()["code"] == "member_batch_over"
    assert (await admin.get(f"{BATCHES}/{rejected['id']}")).json()["state"] == "cancelled"
    assert await statuses(phones) == ["active"] * 3


async def test_a_batch_that_was_cut_short_goes_on_and_a_cancelled_one_stops_where_it_is(client, chain, admin, small):
    phones = sorted(await people(client, 5), key=lambda phone: phone.member_id)
    made = (await begin(admin, FREEZE | {"audience": these(phones)})).json()

    await batches.run(made["id"], most=1)
    halfway = (await admin.get(f"{BATCHES}/{made['id']}")).json()
    first = await statuses(phones)
    await asyncio.gather(batches.run(made["id"], most=1), batches.run(made["id"], most=1))  # two workers at once
    whole = (await admin.get(f"{BATCHES}/{made['id']}")).json()
    thaw = (await begin(admin, FREEZE | {"kind": "unfreeze", "audience": {"stages": ["new"]}})).json()
    other = (await begin(admin, FREEZE | {"audience": these(await people(client, 3))})).json()
    await batches.run(other["id"], most=1)
    cancelled = (await admin.post(f"{BATCHES}/{other['id']}/cancel", {})).json()
    await batches.run(other["id"])
    late = await admin.post(f"{BATCHES}/{made['id']}/cancel", {})

    assert (halfway["done"], first) == (2, ["frozen"] * 2 + ["active"] * 3)
    assert (whole["done"], whole["changed"]) == (5, 5)
    assert await statuses(phones) == ["frozen"] * 5
    assert thaw["code"] == "nobody_meant"
    assert (cancelled["state"], cancelled["done"]) == ("cancelled", 2)
    assert (await admin.get(f"{BATCHES}/{other['id']}")).json()["done"] == 2
    assert late.json()["code"] == "member_batch_over"


async def test_a_member_whose_change_always_fails_is_named_and_the_batch_given_up(client, chain, admin, monkeypatch):
    phones = sorted(await people(client, 4), key=lambda phone: phone.member_id)
    made = (await begin(admin, FREEZE | {"audience": these(phones)})).json()
    monkeypatch.setattr(tries, "MOST_TRIES", 2)
    real, bad = batches._change, phones[2].member_id

    async def fails(tx, batch, member_ids):
        if bad in member_ids:
            raise ValueError
        await real(tx, batch, member_ids)

    monkeypatch.setattr(batches, "_change", fails)
    for _ in range(3):
        await batches.run(made["id"])
    given_up = (await admin.get(f"{BATCHES}/{made['id']}")).json()
    before = await statuses(phones)
    monkeypatch.setattr(batches, "_change", real)
    on = await admin.post(f"{BATCHES}/{made['id']}/resume", {})
    await batches.run(made["id"])
    done = (await admin.get(f"{BATCHES}/{made['id']}")).json()
    late = await admin.post(f"{BATCHES}/{made['id']}/resume", {})

    assert (given_up["state"], given_up["done"], given_up["failed_member_id"]) == ("failed", 2, str(bad))
    assert given_up["failed_member_no"] == await db.fetchval("SELECT member_no FROM member WHERE id = $1", bad)
    assert before == ["frozen"] * 2 + ["active"] * 2
    assert (on.json()["state"], done["state"], late.status_code) == ("running", "done", 200)
    assert await statuses(phones) == ["frozen"] * 4


async def test_a_filter_above_the_bound_is_what_was_read_when_it_is_approved(
    client, chain, admin, second, alone, settings
):
    phones = await people(client, 4, store_id="S1")
    today = clock.local_date(clock.now(), settings.timezone)
    change = {"kind": "validity", "change": {"valid_until": "2027-12-31"}, "reason": "统一年卡"}
    meant = {"store_ids": ["S1"], "registered_from": str(today), "statuses": ["active"]}
    preview = (await admin.post(f"{BATCHES}/preview", change | {"audience": meant})).json()

    asked = (await begin(admin, change | {"audience": meant})).json()
    (late,) = await people(client, 1, store_id="S1")  # fits the filter, and was not counted
    await erase(phones[0].member_id)
    approved = await second.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})
    await runner.run_waiting(settings)

    done = (await admin.get(f"{BATCHES}/{asked['id']}")).json()
    assert (preview["members"], preview["needs_approval"], asked["members"]) == (asked["members"], True, done["done"])
    assert approved.json()["summary"] == f"设定会员有效期（至 2027-12-31）：{asked['members']} 名会员"
    assert (done["state"], done["results"]["not_registered"]) == ("done", 1)
    assert await until_of([*phones, late]) == [None, *["2027-12-31"] * 3, None]


async def until_of(phones):
    rows = await db.fetch("SELECT id, valid_until FROM member WHERE id = ANY($1)", [one.member_id for one in phones])
    found = dict(map(tuple, rows))
    return [str(day) if (day := found[one.member_id]) else None for one in phones]


async def erase(member_id):
    await db.pool().execute("UPDATE member SET status = 'erased' WHERE id = $1", member_id)


async def test_a_store_changes_its_own_members_only(client, chain, admin, manager, settings):
    (ours,), (theirs,) = await people(client, 1, store_id="S1"), await people(client, 1, store_id="S2")
    made = (await begin(manager, FREEZE | {"audience": these([ours, theirs])})).json()
    theirs_batch = (await begin(admin, FREEZE | {"audience": these([theirs])})).json()
    before = await fingerprint(settings)

    refused = [
        await begin(manager, FREEZE | {"audience": {"store_ids": ["S2"]}}),
        await begin(manager, FREEZE | {"audience": these([theirs])}),
        await manager.get(f"{BATCHES}/{theirs_batch['id']}"),
        await manager.get(f"{BATCHES}/{theirs_batch['id']}/rows"),
        await manager.get(f"{BATCHES}/{theirs_batch['id']}/rows.csv"),
        await manager.post(f"{BATCHES}/{theirs_batch['id']}/cancel", {}),
    ]

    assert made["members"] == 1
    assert [one.status_code for one in refused] == [422, 409, 404, 404, 404, 404]
    assert await fingerprint(settings) == before


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "nothing"}, "/kind"),
        ({"kind": "validity", "change": {"valid_until": "soon"}}, "/change/valid_until"),
        ({"kind": "validity", "change": {"until": "2027-01-01"}}, "/change/until"),
        (
            {"kind": "validity", "change": {"valid_from": "2027-01-02", "valid_until": "2027-01-01"}},
            "/change/valid_until",
        ),
        ({"kind": "validity", "change": {"valid_until": "9999-01-01"}}, "/change/valid_until"),
        ({"kind": "validity_extend", "change": {}}, "/change/months"),
        ({"kind": "freeze", "audience": {"levels": ["platin"]}}, "/audience/levels/0"),
        ({"kind": "freeze", "reason": ""}, "/reason"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_by_field(chain, admin, change, pointer):
    refused = await begin(admin, FREEZE | change)

    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"] == pointer
