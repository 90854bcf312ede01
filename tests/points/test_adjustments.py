"""Staff put points right: with a reason, by a second person's approval, one by one or by a table, each row once."""

from __future__ import annotations

import asyncio
import uuid
from datetime import date, timedelta
from unittest.mock import AsyncMock

import msgspec
import pytest
import pytest_asyncio

from backend.approvals import queries as approval_queries
from backend.kernel import clock as time
from backend.kernel import config, db, tries
from backend.ledger import queries as ledger
from backend.points import queries
from backend.points.commands import adjustments, batches
from backend.points.rules import tables
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.seed import Login
from tests.support.staff import StaffSession, log_in
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")
BATCHES = "/v1/admin/points-batches"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def second(office, chain, admin) -> StaffSession:
    """Another person of head office."""
    body = {"username": "second", "password": "correct horse battery", "role": "admin"}
    assert (await admin.post("/v1/admin/staff", body)).status_code == 201
    chain.staff.append(Login("second", "correct horse battery", "admin", None))
    return await log_in(office, chain, "second")


@pytest_asyncio.fixture(loop_scope="session")
async def alone(settings):
    """One person may give and take up to 100 points a day, and has not yet."""
    await db.fetch("DELETE FROM approval_alone")
    config.use(msgspec.structs.replace(settings, points_adjust_alone_max=100))
    yield
    config.use(settings)


async def adjust(staff, phone, points, *, key=None, **more):
    body = {"points": points, "reason": "compensation", "text": "等了太久"} | more
    path = f"/v1/admin/members/{phone.member_id}/points-adjustments"
    return await staff.post(path, body, key=key or uuid.uuid4().hex)


async def points(phone):
    return (await phone.wallet())["points"]["available"]


async def test_nothing_is_given_before_a_second_person_approves(chain, admin, second, phone):
    key = uuid.uuid4().hex
    twice = await asyncio.gather(*(adjust(admin, phone, 500, key=key, expires_on="2027-03-31") for _ in range(3)))
    asked = twice[0].json()
    before = await points(phone)

    own = await admin.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})
    done = await second.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})
    again = await second.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})

    assert [answer.json() for answer in twice] == [asked] * 3
    assert (asked["status"], before) == ("waiting", 0)
    assert (own.json()["code"], done.status_code, again.json()["code"]) == ("approval_own", 200, "approval_decided")
    (lot,) = await ledger.list_open_lots(phone.member_id, "points")
    assert (lot.part, lot.remaining, lot.expires_on) == ("adjusted", 500, date(2027, 3, 31))
    path = f"/v1/admin/members/{phone.member_id}/points-adjustments"
    (shown,) = (await admin.get(path)).json()["items"]
    assert (shown["points"], shown["text"], shown["approval_id"]) == (500, "等了太久", asked["approval_id"])
    (line, *_) = (await phone.call("GET", "/v1/member/wallet/entries?account=points")).json()["items"]
    assert (line["title"], line["amount"]) == ("积分调整", 500)


async def test_up_to_the_limit_one_person_does_it_once_per_key(chain, admin, phone, alone):
    key = uuid.uuid4().hex
    answers = await asyncio.gather(*(adjust(admin, phone, 100, key=key) for _ in range(3)))
    more = await adjust(admin, phone, 101)
    other = await adjust(admin, phone, 99, key=key)

    assert [answer.json()["status"] for answer in answers] == ["posted"] * 3
    assert (more.json()["status"], other.json()["code"]) == ("waiting", "idempotency_conflict")
    assert await points(phone) == 100


async def test_the_limit_is_of_a_day_and_of_all_that_one_person_does_alone(
    client, chain, admin, second, phone, alone, clock
):
    others = [await register(client) for _ in range(2)]
    await give(phone.member_id, points=1)
    keys = [uuid.uuid4().hex for _ in range(3)]
    wishes = list(zip((phone, *others), keys, strict=True))
    raced = [
        answer.json() for answer in await asyncio.gather(*(adjust(admin, who, 60, key=key) for who, key in wishes))
    ]
    taken = await adjust(admin, phone, -1)
    whole = [await adjust(admin, others[0], 39), await adjust(second, others[0], 100)]
    one_more = table((phone.member["member_no"], 1, "goodwill", "a", ""))
    dry = await send(admin, f"{BATCHES}/dry-run", one_more)
    begun = (await send(admin, f"{BATCHES}?title=x", one_more, key=uuid.uuid4().hex)).json()
    (approval,) = [
        one
        for one in (await second.get("/v1/admin/approvals?todo=true")).json()["items"]
        if one["kind"] == batches.KIND
    ]
    rejected = await second.post(f"/v1/admin/approvals/{approval['id']}/reject", {"note": "zu viel"})
    await batches.resume()
    over = (await admin.get(f"{BATCHES}/{begun['id']}")).json()

    clock.shift(timedelta(days=1))
    tomorrow = await log_in(client, chain, "admin")
    again = [(await adjust(tomorrow, who, 60, key=key)).json() for who, key in wishes]
    fresh = await adjust(tomorrow, others[1], 100)

    assert sorted(one["status"] for one in raced) == ["posted", "waiting", "waiting"]
    assert (taken.json()["status"], [one.json()["status"] for one in whole]) == ("posted", ["posted", "posted"])
    assert (dry.json()["needs_approval"], begun["state"]) == (True, "waiting")
    assert (rejected.status_code, over["state"]) == (200, "cancelled"), "what nobody will approve is over by itself"
    assert again == raced
    assert fresh.json()["status"] == "posted"
    held = [await ledger.get_balances(who.member_id) for who in (phone, *others)]
    assert sum(one.get("points", 0) for one in held) == 60 + 39 + 100 + 100


async def test_what_is_taken_expires_first_and_never_more_than_there_is(chain, admin, phone, alone):
    await give(phone.member_id, points=60, points_until=date(2027, 1, 31))
    await give(phone.member_id, points=20)

    done = await adjust(admin, phone, -70)
    refused = await adjust(admin, phone, -11)

    assert (done.json()["status"], refused.json()["code"]) == ("posted", "insufficient_balance")
    assert await points(phone) == 10


async def test_what_cannot_be_done_any_more_leaves_the_request_waiting(client, chain, admin, second, phone, clock):
    asked = (await adjust(admin, phone, -5)).json()
    today = time.local_date(time.now(), "Asia/Shanghai").isoformat()
    late = (await adjust(admin, phone, 7, expires_on=today)).json()

    refused = await second.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})
    await give(phone.member_id, points=5)
    done = await second.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})

    clock.shift(timedelta(days=1))
    tomorrow = await log_in(client, chain, "second")
    over = await tomorrow.post(f"/v1/admin/approvals/{late['approval_id']}/approve", {})
    assert (refused.json()["code"], done.status_code) == ("insufficient_balance", 200)
    assert over.json()["errors"][0]["pointer"] == "/expires_on"
    assert await ledger.list_open_lots(phone.member_id, "points") == []


async def test_points_given_pay_what_is_owed_first(client, chain, admin, phone, alone):
    sale = (await chain.till.sell(client, phone.code(), fen=3_000, tenders=[{"type": "cash"}])).json()
    await adjust(admin, phone, -30)
    body = {"reason": "x", "lines": [{"line_no": 1, "qty": 1}]}
    await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", body)
    owed = await points(phone)

    await adjust(admin, phone, 50)

    assert (owed, await points(phone)) == (-30, 20)


async def test_adjustments_that_are_none_are_refused_by_field(client, chain, admin, phone, settings):
    bad: dict[str, dict[str, object]] = {
        "/points": {"points": 0},
        "/expires_on": {"points": -1, "expires_on": "2030-01-01"},
        "/reason": {"reason": "because"},
        "/text": {"text": ""},
    }
    manager = await log_in(client, chain, "manager-S1")
    before = await fingerprint(settings)

    answers = {pointer: await adjust(admin, phone, **({"points": 1} | body)) for pointer, body in bad.items()}
    theirs = await adjust(manager, phone, 1)
    past = await adjust(admin, phone, 1, expires_on="2020-01-01")

    assert {pointer: answer.json()["errors"][0]["pointer"] for pointer, answer in answers.items()} == {
        pointer: pointer for pointer in bad
    }
    assert (theirs.status_code, past.json()["errors"][0]["pointer"]) == (404, "/expires_on")
    assert await fingerprint(settings) == before


# -- tables


def table(*rows):
    return "\n".join(["member_no,points,reason,text,expires_on", *(",".join(map(str, row)) for row in rows)]).encode()


async def send(staff, path, data, *, key=None):
    headers = {"Authorization": f"Bearer {staff.access_token}", "Content-Type": "text/csv"}
    if key:
        headers["Idempotency-Key"] = key
    return await staff.client.request("POST", path, content=data, headers=headers)


def test_a_table_has_a_hundred_thousand_rows_at_most(monkeypatch):
    assert tables.MOST_ROWS == 100_000
    monkeypatch.setattr(tables, "MOST_ROWS", 2)
    rows = [("1", 1, "goodwill", "x", "") for _ in range(3)]

    good, _ = tables.read(table(*rows[:2]), date(2026, 11, 28))

    assert len(good) == 2
    with pytest.raises(tables.NotATable, match="more than 2 rows"):
        tables.read(table(*rows), date(2026, 11, 28))


async def test_a_bad_row_refuses_the_table_and_names_its_fields(chain, admin, phone, settings):
    number = phone.member["member_no"]
    data = table(
        (number, 10, "goodwill", "a", ""), ("nobody", 10, "goodwill", "b", ""), (number, "1.5", "x", "", "2020-01-01")
    )
    before = await fingerprint(settings)

    dry = (await send(admin, f"{BATCHES}/dry-run", data)).json()
    refused = await send(admin, f"{BATCHES}?title=x", data, key=uuid.uuid4().hex)

    flaws = [(3, "member_no"), (4, "points"), (4, "reason"), (4, "text"), (4, "expires_on")]
    assert (dry["good"], dry["given"], dry["flaws_total"], dry["needs_approval"]) == (1, 10, 5, True)
    assert [(flaw["row"], flaw["field"]) for flaw in dry["flaws"]] == flaws
    assert [error["pointer"] for error in refused.json()["errors"]] == [f"/rows/{row}/{name}" for row, name in flaws]
    assert await fingerprint(settings) == before


async def test_a_table_is_posted_after_approval_row_by_row_and_each_once(client, chain, admin, second, phone):
    poor = await register(client)
    number, key = phone.member["member_no"], uuid.uuid4().hex
    data = table(
        (number, 30, "goodwill", "a", ""),
        (number, 12, "migration", "b", "2027-01-31"),
        (poor.member["member_no"], -1, "abuse", "c", ""),
        ("nobody", 5, "goodwill", "d", ""),
    )
    asked = (await send(admin, f"{BATCHES}?title=中秋&skip_bad=true", data, key=key)).json()
    same = (await send(admin, f"{BATCHES}?title=中秋&skip_bad=true", data, key=key)).json()
    other = await send(admin, f"{BATCHES}?title=元旦&skip_bad=true", data, key=key)
    await batches.run(asked["id"])
    waiting = await points(phone)
    (approval,) = [
        one
        for one in (await second.get("/v1/admin/approvals?todo=true")).json()["items"]
        if one["kind"] == batches.KIND
    ]

    await second.post(f"/v1/admin/approvals/{approval['id']}/approve", {})
    await asyncio.gather(batches.run(asked["id"]), batches.run(asked["id"]))
    done = (await admin.get(f"{BATCHES}/{asked['id']}")).json()

    assert (asked["state"], asked["rows"], asked["skipped"], same["id"]) == ("waiting", 3, 1, asked["id"])
    assert (other.json()["code"], waiting) == ("idempotency_conflict", 0)
    assert (done["state"], done["posted"], done["refused"]) == ("done", 2, 1)
    assert [(row["row"], row["code"]) for row in done["refused_rows"]] == [(4, "insufficient_balance")]
    assert await points(phone) == 42


async def test_a_batch_that_was_cut_short_goes_on_and_a_cancelled_one_does_not(
    chain, admin, phone, settings, clock, monkeypatch
):
    config.use(msgspec.structs.replace(settings, points_adjust_alone_max=1_000_000))
    try:
        rows = [(phone.member["member_no"], 1, "goodwill", f"row {n}", "") for n in range(250)]
        first = (await send(admin, f"{BATCHES}?title=x", table(*rows), key=uuid.uuid4().hex)).json()
        third = (await send(admin, f"{BATCHES}?title=y", table(*rows[:3]), key=uuid.uuid4().hex)).json()
    finally:
        config.use(settings)
    await batches.run(first["id"], most=1)
    async with db.transaction() as tx:  # the worker died after it posted ten, before it noted them
        await db.raw(tx).execute(
            "UPDATE points_batch_row SET state = 'waiting' WHERE batch_id = $1 AND row_no < 12", first["id"]
        )
    half = (await admin.get(f"{BATCHES}/{first['id']}")).json()
    cancelled = await admin.post(f"{BATCHES}/{third['id']}/cancel")
    clock.shift(timedelta(minutes=2))

    # As a list of what nobody approves any more says that was read while somebody approved it.
    with monkeypatch.context() as read_before:
        read_before.setattr(queries, "list_waiting", AsyncMock(return_value={first["id"]: ""}))
        read_before.setattr(approval_queries, "list_over", AsyncMock(return_value=[first["id"]]))
        assert await batches.resume() == 1

    done = (await admin.get(f"{BATCHES}/{first['id']}")).json()
    over = await admin.post(f"{BATCHES}/{first['id']}/cancel")
    assert (half["posted"], done["posted"], done["state"]) == (90, 250, "done")
    assert (cancelled.json()["state"], cancelled.json()["posted"]) == ("cancelled", 0)
    assert over.json()["code"] == "points_batch_over"
    assert await points(phone) == 250


async def test_a_row_that_always_fails_is_named_and_given_up_and_a_cancelled_table_posts_no_further_row(
    chain, admin, phone, alone, monkeypatch
):
    rows = [(phone.member["member_no"], 1, "goodwill", note, "") for note in ("a", "b", "c")]
    failing, cancelled = [
        (await send(admin, f"{BATCHES}?title=x", table(*rows), key=uuid.uuid4().hex)).json()["id"] for _ in range(2)
    ]
    real, cured, planned = adjustments.plan_at, [], []

    async def fails(wish, now, on):
        if wish.text == "b" and not cured:
            raise ValueError
        return await real(wish, now, on)

    async def is_cancelled(wish, now, on):
        planned.append(wish.text)
        assert (await admin.post(f"{BATCHES}/{cancelled}/cancel")).status_code == 200
        return await real(wish, now, on)

    monkeypatch.setattr(tries, "MOST_TRIES", 2)
    monkeypatch.setattr(batches, "plan_at", fails)
    await batches.run(failing)
    first = (await admin.get(f"{BATCHES}/{failing}")).json()
    await batches.run(failing)
    given_up = (await admin.get(f"{BATCHES}/{failing}")).json()
    halfway = await points(phone)
    cured.append(True)
    on = await admin.post(f"{BATCHES}/{failing}/resume")
    await batches.run(failing)
    done = (await admin.get(f"{BATCHES}/{failing}")).json()
    monkeypatch.setattr(batches, "plan_at", is_cancelled)
    await batches.run(cancelled)
    over = await admin.post(f"{BATCHES}/{cancelled}/resume")

    assert (first["state"], first["failed_row"], first["failure"]) == ("running", 3, "ValueError")
    assert (given_up["state"], given_up["posted"], halfway) == ("failed", 1, 1)
    assert (on.json()["state"], on.json()["failed_row"], done["state"], done["posted"]) == ("running", None, "done", 3)
    assert (planned, over.json()["code"]) == (["a"], "points_batch_over")
    assert await points(phone) == 4


async def test_staff_take_a_transfer_back_through_a_second_person(client, chain, admin, second, phone, settings):
    from tests.points.test_transfers import earn, with_pin
    from tests.points.test_transfers import give as hand

    friend = await register(client)
    await earn(await with_pin(phone), (100, None))
    made = (await hand(phone, friend, 40)).json()
    path = f"/v1/admin/points-transfers/{made['id']}/take-back"
    asked = (await admin.post(path, {"text": "误转"}, key=uuid.uuid4().hex)).json()
    unknown = await admin.post("/v1/admin/points-transfers/X1/take-back", {"text": "x"}, key=uuid.uuid4().hex)

    done = await second.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})

    assert (asked["status"], done.status_code, unknown.status_code) == ("waiting", 200, 404)
    assert (await points(phone), await points(friend)) == (100, 0)
