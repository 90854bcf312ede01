"""Members from a table: one bad row makes nothing, each row is made once, and what it brings stands in the books."""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from backend.kernel import clock, config, db, incoming, sheets, tries
from backend.kernel.jobs import runner
from backend.ledger.plans import HOUSE_OPENING
from backend.members import queries as members
from backend.registration.commands import imports, reading, writing
from tests.registration.test_applications import guest, known
from tests.support.books import fingerprint
from tests.support.members import random_phone
from tests.support.staff import log_in

IMPORTS = "/v1/admin/member-imports"
HEADING = "手机号,姓名,储值本金（元）,储值赠送（元）,积分,积分有效期至\n"


@pytest.fixture
def alone(settings):
    """One person may import value."""
    config.use(msgspec.structs.replace(settings, import_alone_max_fen=10**9, points_adjust_alone_max=10**9))
    yield
    config.use(settings)


async def send(staff, text, *, key=None, query="", encoding="utf-8"):
    body = text if isinstance(text, bytes) else text.encode(encoding)
    headers = {"Content-Type": "text/csv", "Idempotency-Key": key or uuid.uuid4().hex}
    headers |= {"Authorization": f"Bearer {staff.access_token}"}
    return await staff.client.post(f"{IMPORTS}?title=old{query}", content=body, headers=headers)


async def imported(staff, settings, text, **more):
    made = await send(staff, text, **more)
    assert made.status_code == 202, made.text
    await runner.run_waiting(settings)
    return (await staff.get(f"{IMPORTS}/{made.json()['id']}")).json()


def table(*rows, heading=HEADING):
    return heading + "\n".join(rows) + "\n"


async def count():
    return await db.fetchval("SELECT count(*) FROM member")


async def test_members_come_with_what_they_bring_and_claim_it_by_their_phone(
    client, chain, admin, settings, alone, books
):
    phones = [random_phone() for _ in range(3)]
    text = table(
        f"{phones[0]},赵一,500.00,50.00,1200,2027-12-31", f"{phones[1]},钱二,,,0,", f"'{phones[2]},=1+1,0.01,,,"
    )

    done = await imported(admin, settings, text, encoding="gb18030")

    somebody = await guest(client)
    mine = (await somebody.register(phones[0], name="赵一")).json()
    wallet = await somebody.get("/v1/member/wallet")
    lines = await somebody.get("/v1/member/wallet/entries?account=stored")
    await (await guest(client)).register(phones[2], name="孙三")
    shown = (await admin.get(f"{IMPORTS}/{done['id']}")).json()
    (listed,) = (await admin.get(f"{IMPORTS}?limit=1")).json()["items"]
    house = await db.fetch(
        "SELECT unit, sum(amount)::bigint AS sum FROM ledger_entry WHERE kind = $1 GROUP BY 1 ORDER BY 1", HOUSE_OPENING
    )
    assert (done["state"], done["total"], done["made"], done["results"]) == ("done", 3, 3, {"made": 3})
    assert mine["name"] == "赵一"
    assert (done["claimed"], shown["claimed"], listed["claimed"]) == (0, 2, 2)
    assert wallet["stored"] == {"total_fen": 55_000, "principal_fen": 50_000, "bonus_fen": 5_000}
    assert wallet["points"]["available"] == 1_200
    assert [line["title"] for line in lines["items"]] == ["期初余额"]
    assert [tuple(row) for row in house] == [("fen", -55_001), ("points", -1_200)]
    left = "SELECT count(*) FROM registration_import_row WHERE sealed IS NOT NULL OR phone_index <> ''"
    assert await db.fetchval(left) == 0


async def test_who_joined_long_ago_is_a_member_since_then(client, chain, admin, settings):
    """The day begins where the chain is."""
    old, new = random_phone(), random_phone()

    done = await imported(admin, settings, f"手机号,姓名,入会日期\n{old},a,2021-06-18\n{new},b,\n")

    since = [
        await db.fetchval("SELECT created_at FROM member WHERE phone_index = $1", members.phone_index(phone))
        for phone in (old, new)
    ]
    assert done["made"] == 2
    assert since[0] == datetime(2021, 6, 17, 16, tzinfo=UTC)
    assert since[1] > clock.now() - timedelta(minutes=5)


async def test_one_bad_row_makes_nothing_unless_bad_ones_are_skipped(client, chain, admin, settings):
    taken, twice = random_phone(), random_phone()
    await known(taken)
    text = table(f"{twice},a,,,,", "123,b,,,,", f"{taken},c,,,,", f"{twice},d,,,,", f"{random_phone()},e,1.234,,,")
    before = await count()

    refused = await imported(admin, settings, text)
    after = await count()
    skipped = await imported(admin, settings, text, query="&skip_bad=true")
    report = await admin.get(f"{IMPORTS}/{skipped['id']}/report.csv")

    assert (refused["state"], refused["made"], after) == ("refused", 0, before)
    assert [(flaw["row"], flaw["field"]) for flaw in refused["flaws"]] == [
        (3, "phone"),
        (4, "phone"),
        (5, "phone"),
        (6, "principal"),
    ]
    assert refused["flaws"][2]["message"] == "is in row 2 already"
    assert (skipped["state"], skipped["made"], skipped["bad"]) == ("done", 1, 4)
    rows = list(csv.reader(io.StringIO(report.content.decode("utf-8-sig"))))
    assert rows[1:] == [
        ["2", "已导入", "", ""],
        ["3", "有误", "手机号", "不是手机号"],
        ["4", "有误", "手机号", "该手机号已是会员"],
        ["5", "有误", "手机号", "与第 2 行重复"],
        ["6", "有误", "储值本金（元）", "不是金额，应如 500.00"],
    ]
    assert taken not in report.text


async def test_a_dry_run_says_what_is_wrong_and_is_started_later(client, chain, admin, settings):
    text = table(f"{random_phone()},a,,,,", "x,b,,,,")
    before = await count()

    checked = await imported(admin, settings, text, query="&dry_run=true")
    refused = await admin.post(f"{IMPORTS}/{checked['id']}/start", {})
    between = await count()
    started = await asyncio.gather(
        *(admin.post(f"{IMPORTS}/{checked['id']}/start", {"skip_bad": True}) for _ in range(2))
    )
    await runner.run_waiting(settings)
    done = (await admin.get(f"{IMPORTS}/{checked['id']}")).json()

    assert (checked["state"], checked["good"], checked["bad"], between) == ("checked", 1, 1, before)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"pointer": "/rows/3/phone", "message": "is no phone number"}]
    assert sorted(one.status_code for one in started) == [200, 409]
    assert (done["state"], done["made"], await count()) == ("done", 1, before + 1)


async def test_value_is_not_imported_by_one_person_alone(client, chain, admin, second, settings, books):
    asked = await imported(admin, settings, table(f"{random_phone()},a,10,,,"))
    before = await count()

    own = await admin.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})
    done = await second.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})
    await runner.run_waiting(settings)

    assert (asked["state"], asked["principal_fen"], own.json()["code"]) == ("approving", 1_000, "approval_own")
    assert (done.status_code, await count()) == (200, before + 1)


async def test_what_nobody_approves_or_somebody_cancels_makes_nobody(client, chain, admin, second, settings):
    rejected, cancelled = [await imported(admin, settings, table(f"{random_phone()},a,10,,,")) for _ in range(2)]
    before = await count()

    await second.post(f"/v1/admin/approvals/{rejected['approval_id']}/reject", {"note": "x"})
    await admin.post(f"{IMPORTS}/{cancelled['id']}/cancel", {})
    late = await second.post(f"/v1/admin/approvals/{cancelled['approval_id']}/approve", {})
    await imports.resume()

    assert late.json()["code"] == "import_not_ready"
    states = [(await admin.get(f"{IMPORTS}/{one['id']}")).json()["state"] for one in (rejected, cancelled)]
    assert (states, await count()) == (["cancelled", "cancelled"], before)


async def test_an_import_that_was_cut_short_goes_on_and_doubles_nothing(
    client, chain, admin, settings, alone, books, monkeypatch
):
    monkeypatch.setattr(writing, "AT_ONCE", 2)
    phones = [random_phone() for _ in range(5)]
    made = (await send(admin, table(*(f"{phone},a,1,,5," for phone in phones)))).json()
    before = await count()

    await imports.run(made["id"], most=0)  # read, and no more
    await imports.run(made["id"], most=1)
    between = await count()
    await known(phones[3])  # somebody with that phone is there by now
    await asyncio.gather(imports.run(made["id"]), imports.run(made["id"]))

    done = (await admin.get(f"{IMPORTS}/{made['id']}")).json()
    assert (between - before, done["state"], done["results"]) == (2, "done", {"made": 4, "phone_taken": 1})
    held = "SELECT count(*), sum(a.balance)::bigint FROM ledger_account a JOIN member m ON m.id = a.member_id"
    held += " WHERE a.kind = 'stored' AND m.id IN (SELECT member_id FROM registration_import_row WHERE import_id = $1)"
    assert [tuple(row) for row in await db.fetch(held, made["id"])] == [(4, 400)]


async def test_a_row_that_always_fails_is_named_and_given_up_and_others_go_on(
    client, chain, admin, settings, monkeypatch, clock
):
    """All before it are made. Staff have it go on once the cause is gone, or call it off."""
    monkeypatch.setattr(writing, "AT_ONCE", 4)
    monkeypatch.setattr(tries, "MOST_TRIES", 2)
    real, broken = writing._make, True

    async def fails(tx, current, rows):
        if broken and "c" in {row.name for row in rows}:
            raise ValueError("the row says 13900000000")
        return await real(tx, current, rows)

    monkeypatch.setattr(writing, "_make", fails)
    bad, fine = [
        (await send(admin, table(*(f"{random_phone()},{name},,,," for name in names)))).json()["id"]
        for names in ("abcd", "xy")
    ]
    before = await count()

    await imports.run(bad)
    first = (await admin.get(f"{IMPORTS}/{bad}")).json()
    early = await admin.post(f"{IMPORTS}/{bad}/resume", {})
    clock.shift(timedelta(minutes=2))
    resumed = [await imports.resume(), await imports.resume()]
    clock.shift(timedelta(minutes=2))
    resumed.append(await imports.resume())
    staff = await log_in(client, chain, "admin")
    given_up, other = [(await staff.get(f"{IMPORTS}/{one}")).json() for one in (bad, fine)]
    made = await count() - before
    broken = False
    on = await staff.post(f"{IMPORTS}/{bad}/resume", {})
    again = await staff.post(f"{IMPORTS}/{bad}/resume", {})
    await imports.run(bad)
    done = (await staff.get(f"{IMPORTS}/{bad}")).json()

    assert (first["state"], first["done"], first["failed_row"], first["failure"]) == ("writing", 2, 4, "ValueError")
    assert (early.status_code, resumed) == (200, [2, 0, 0])
    assert (given_up["state"], given_up["failed_row"], other["state"], made) == ("failed", 4, "done", 4)
    assert (on.json()["state"], on.json()["failed_row"], again.status_code) == ("writing", None, 200)
    assert (done["state"], done["made"], done["failure"]) == ("done", 4, None)


async def test_a_table_is_read_by_one_at_a_time_and_by_nobody_once_it_is_cancelled(
    client, chain, admin, settings, monkeypatch
):
    monkeypatch.setattr(reading, "READ_AT_ONCE", 1)
    found = [(await send(admin, table(*(f"{random_phone()},a,,,," for _ in range(40))))).json() for _ in range(2)]
    before = await count()

    await asyncio.gather(*(imports.run(found[0]["id"]) for _ in range(3)))  # taken up again by several at once
    stopped = asyncio.create_task(imports.run(found[1]["id"]))
    while not await db.fetchval("SELECT count(*) FROM registration_import_row WHERE import_id = $1", found[1]["id"]):
        await asyncio.sleep(0)
    await admin.post(f"{IMPORTS}/{found[1]['id']}/cancel", {})
    await stopped
    await runner.run_waiting(settings)

    whole, cancelled = [(await admin.get(f"{IMPORTS}/{one['id']}")).json() for one in found]
    assert (whole["state"], whole["total"], whole["good"], whole["results"]) == ("done", 40, 40, {"made": 40})
    assert (cancelled["state"], await count()) == ("cancelled", before + 40)
    assert not await db.fetchval("SELECT count(sealed) FROM registration_import_row")


async def test_what_cannot_be_read_or_is_asked_for_by_nobody_any_more_makes_nobody(client, chain, admin, settings):
    hopeless, left = [(await send(admin, table(f"{random_phone()},a,,,,"))).json() for _ in range(2)]
    before = await count()
    await db.pool().execute(
        "UPDATE registration_import SET turn = $2 WHERE id = $1", hopeless["id"], reading.MOST_TURNS
    )
    await db.pool().execute("UPDATE registration_import SET staff_id = 1 WHERE id = $1", left["id"])
    await runner.run_waiting(settings)

    refused, waits = [(await admin.get(f"{IMPORTS}/{one['id']}")).json() for one in (hopeless, left)]
    between = await count()
    started = await admin.post(f"{IMPORTS}/{left['id']}/start", {})
    await runner.run_waiting(settings)

    assert (refused["state"], refused["flaws"][0]["row"]) == ("refused", 1)
    assert (waits["state"], between, started.status_code, await count()) == ("checked", before, 200, before + 1)


async def test_imports_are_listed_by_page(chain, admin):
    first = (await admin.get(f"{IMPORTS}?limit=2")).json()
    rest = (await admin.get(f"{IMPORTS}?limit=100&cursor={first['next_cursor']}")).json()

    listed = [one["id"] for one in first["items"] + rest["items"]]
    assert len(first["items"]) == 2
    assert rest["next_cursor"] is None
    assert len(set(listed)) == len(listed) == await db.fetchval("SELECT count(*) FROM registration_import")


async def test_the_same_key_is_the_same_import_and_what_is_no_table_is_none(client, chain, admin, manager, settings):
    text = table(f"{random_phone()},a,,,,")
    first = await send(admin, text, key="same")
    again = await send(admin, text, key="same")
    other = await send(admin, text + "x", key="same")
    await runner.run_waiting(settings)
    before = await fingerprint(settings)
    forbidden = await send(manager, text)

    assert first.json()["id"] == again.json()["id"]
    assert other.json()["code"] == "idempotency_conflict"
    assert forbidden.status_code == 403
    assert {name for name, value in (await fingerprint(settings)).items() if before[name] != value} <= {"auth_audit"}
    for body in (b"", b"\xff\xfe\x00", b"phone,name\n", b"phone,x\n1,2\n", b"name\nx\n"):
        assert (await imported(admin, settings, body))["state"] == "refused"


async def test_a_workbook_is_read_and_the_template_with_it(client, chain, admin, settings):
    workbook = (await admin.get(f"{IMPORTS}/template.xlsx")).content
    rows = incoming.read_xlsx(workbook)
    rows[1][0] = random_phone()
    body = sheets.write("xlsx", "会员", rows[0], [[*rows[1][:8], None, None, None, None]])
    headers = {"Content-Type": sheets.MEDIA_TYPES["xlsx"], "Idempotency-Key": uuid.uuid4().hex}
    headers |= {"Authorization": f"Bearer {admin.access_token}"}

    made = await admin.client.post(f"{IMPORTS}?title=x&kind=xlsx", content=body, headers=headers)
    await runner.run_waiting(settings)

    assert (await admin.get(f"{IMPORTS}/{made.json()['id']}")).json()["results"] == {"made": 1}


async def test_staff_and_tills_make_members_of_their_store_by_the_policy(client, chain, admin, manager, settings):
    phone, other = random_phone(), random_phone()

    made = await manager.post("/v1/admin/members", {"phone": phone, "name": "周五", "birthday": "1980-01-02"})
    lost = await manager.post("/v1/admin/members", {"phone": phone, "name": "周五", "birthday": "1980-01-02"})
    again = await manager.post("/v1/admin/members", {"phone": phone, "name": "周五"})
    elsewhere = await manager.post("/v1/admin/members", {"phone": other, "name": "周五", "store_id": "S2"})
    future = await manager.post("/v1/admin/members", {"phone": other, "name": "周五", "birthday": "2099-01-02"})
    card = await manager.post("/v1/admin/members", {"phone": other, "name": "周五", "card_no": "99999999"})
    before = await count()
    till, repeated = [await chain.till.post(client, "/v1/pos/members", {"phone": other, "name": "吴六"}) for _ in "ab"]

    somebody = await guest(client)
    claimed = await somebody.register(phone, name="周五")
    assert (made.status_code, made.json()["store_id"], made.json()["status"]) == (201, "S1", "active")
    assert lost.json() == made.json()
    assert (repeated.status_code, repeated.json()) == (201, till.json())
    assert (again.json()["code"], card.json()["code"]) == ("phone_taken", "card_invalid")
    assert [one.json()["errors"][0]["pointer"] for one in (elsewhere, future)] == ["/store_id", "/birthday"]
    assert (till.status_code, till.json()["store_id"], await count()) == (201, "S1", before + 1)
    assert (claimed.status_code, claimed.json()["id"]) == (201, made.json()["id"])
    listed = (await admin.get("/v1/admin/registrations?limit=3")).json()["items"]
    assert [one["channel"] for one in listed] == ["phone", "till", "staff"]
