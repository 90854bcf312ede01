"""A group's owner allots value and points to its people, lot by lot and within limits, and takes back what is left."""

from __future__ import annotations

import asyncio
import uuid
from datetime import date

import msgspec
import pytest

from backend.kernel import config, db, outbox
from backend.ledger import queries as ledger
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.merging import merge
from tests.support.races import outcomes
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")
OWN = "/v1/member/group/allotments"
PIN = "246810"


async def group_of(admin, owner, *others):
    """A group with its owner, who has a PIN, and others; the ids of its people."""
    made = await admin.post("/v1/admin/groups", {"number": uuid.uuid4().hex[:12], "name": "一号公司"})
    group_id = made.json()["id"]
    ids = []
    for member, role in ((owner, "owner"), *((other, "member") for other in others)):
        body = {"member_no": member.member["member_no"], "role": role}
        ids.append((await admin.post(f"/v1/admin/groups/{group_id}/members", body)).json()["id"])
    assert (await owner.call("PUT", "/v1/member/pin", {"pin": PIN})).status_code == 204
    return group_id, ids


async def allot(owner, person_id, amount, *, kind="stored", key=None, pin=PIN):
    body = {"person_id": person_id, "kind": kind, "amount": amount, "note": "差旅", "pin": pin}
    return await owner.call("POST", OWN, body, key=key or uuid.uuid4().hex)


async def take_back(owner, made, amount=None, *, key=None):
    body = {} if amount is None else {"amount": amount}
    return await owner.call("POST", f"{OWN}/{made['id']}/take-back", body, key=key or uuid.uuid4().hex)


async def held(member):
    found = await ledger.list_open_lots(member.member_id, "stored", "points")
    return [(lot.kind, lot.part, lot.remaining, lot.expires_on) for lot in found]


async def test_lots_keep_part_and_last_day_and_go_back_to_where_they_came_from(client, admin, phone):
    person = await register(client)
    _, (_, person_id) = await group_of(admin, phone, person)
    await give(phone.member_id, principal=3_000, bonus=500, bonus_until=date(2027, 5, 1))
    before = await held(phone)
    key = uuid.uuid4().hex

    made = [await allot(phone, person_id, 1_200, key=key) for _ in range(2)]
    given = await held(person)
    back = await take_back(phone, made[0].json(), 200)
    rest = await take_back(phone, made[0].json())
    empty = await take_back(phone, made[0].json())

    assert [answer.status_code for answer in made] == [201, 201], made[0].text
    assert made[0].json() == made[1].json()
    assert sorted(given) == [("stored", "bonus", 500, date(2027, 5, 1)), ("stored", "principal", 700, None)]
    assert (back.json()["taken"], back.json()["left"], rest.json()["taken"]) == (200, 1_000, 1_200)
    assert empty.json()["code"] == "group_allotment_too_much"
    assert (await held(phone), await held(person)) == (before, [])
    (line,) = (await phone.call("GET", OWN)).json()["items"]
    assert (line["amount"], line["taken"], line["left"], line["by_staff"]) == (1_200, 1_200, 0, False)


async def test_what_was_spent_cannot_be_taken_back(client, chain, admin, phone):
    person = await register(client)
    _, (_, person_id) = await group_of(admin, phone, person)
    await give(phone.member_id, principal=3_000)
    made = (await allot(phone, person_id, 1_000)).json()
    sold = await chain.till.sell(client, person.code(), fen=600, tenders=[{"type": "stored"}])

    too_much = await take_back(phone, made, 401)
    rest = await take_back(phone, made)

    assert sold.status_code == 201, sold.text
    assert (too_much.json()["code"], too_much.json()["left"]) == ("group_allotment_too_much", 400)
    assert (rest.json()["taken"], await held(phone)) == (400, [("stored", "principal", 2_400, None)])


async def test_two_at_once_never_allot_more_than_there_is(client, admin, phone):
    people = [await register(client) for _ in range(2)]
    _, (_, *ids) = await group_of(admin, phone, *people)
    await give(phone.member_id, points=100)

    answers = await asyncio.gather(*(allot(phone, ids[turn % 2], 60, kind="points") for turn in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    everything = [lot for who in (phone, *people) for lot in await held(who)]
    assert sum(lot[2] for lot in everything) == 100


async def test_refusals_move_nothing(client, admin, phone, settings):
    person, stranger = await register(client), await register(client)
    _, (owner_id, person_id) = await group_of(admin, phone, person)
    await give(phone.member_id, principal=600_000)
    config.use(msgspec.structs.replace(settings, group_allot_max_fen=5_000, group_allot_day_fen=6_000))
    try:
        assert (await allot(phone, person_id, 5_000)).status_code == 201
        before = await fingerprint(settings)
        refused = [
            await allot(phone, person_id, 5_001),
            await allot(phone, person_id, 1_001),
            await allot(phone, owner_id, 10),
            await allot(phone, "GM000000000000", 10),
            await allot(phone, person_id, 10, pin="000000"),
            await allot(person, owner_id, 10),
            await allot(stranger, person_id, 10),
        ]
        after = await fingerprint(settings)
    finally:
        config.use(settings)

    codes = [answer.json()["code"] for answer in refused]
    assert codes == [
        "group_allotment_limit",
        "group_allotment_limit",
        "validation_failed",
        "validation_failed",
        "pin_invalid",
        "forbidden",
        "not_found",
    ]
    assert [answer.json().get("limit") for answer in refused[:2]] == ["allotment", "day"]
    assert {name for name in before if before[name] != after[name]} <= {"member_pin"}


async def test_what_staff_allot_in_pieces_is_no_more_than_they_decide_alone_in_a_day(client, admin, phone, settings):
    people = [await register(client) for _ in range(2)]
    group_id, (_, *ids) = await group_of(admin, phone, *people)
    await give(phone.member_id, points=1_000)
    path = f"/v1/admin/groups/{group_id}/allotments"
    await db.fetch("DELETE FROM approval_alone")
    config.use(msgspec.structs.replace(settings, group_allot_alone_max_points=100))
    try:
        body = {"kind": "points", "amount": 60}
        keys = [uuid.uuid4().hex for _ in ids]
        raced = await asyncio.gather(
            *(admin.post(path, body | {"person_id": who}, key=key) for who, key in zip(ids, keys, strict=True))
        )
        before = await fingerprint(settings)
        more = await admin.post(path, body | {"person_id": ids[0], "amount": 41}, key=uuid.uuid4().hex)
        after = await fingerprint(settings)
        again = [await admin.post(path, body | {"person_id": who}, key=key) for who, key in zip(ids, keys, strict=True)]
        rest = await admin.post(path, body | {"person_id": ids[0], "amount": 40}, key=uuid.uuid4().hex)
    finally:
        config.use(settings)

    assert outcomes(raced) == {201: 1, "group_allotment_limit": 1}
    assert (more.json()["code"], more.json()["limit"]) == ("group_allotment_limit", "alone")
    assert {name for name in before if before[name] != after[name]} <= {"auth_audit"}
    assert [one.status_code for one in again] == [one.status_code for one in raced]
    assert rest.status_code == 201
    assert (await ledger.get_balances(phone.member_id))["points"] == 900


async def test_staff_allot_for_the_owner_within_what_a_person_may_hold(client, admin, phone):
    person = await register(client)
    group_id, (_, person_id) = await group_of(admin, phone, person)
    await give(phone.member_id, principal=700_000)
    await give(person.member_id, principal=499_000)
    path = f"/v1/admin/groups/{group_id}/allotments"
    body = {"person_id": person_id, "kind": "stored", "amount": 1_001}

    full = await admin.post(path, body, key=uuid.uuid4().hex)
    made = await admin.post(path, body | {"amount": 1_000}, key=uuid.uuid4().hex)
    back = await admin.post(f"{path}/{made.json()['id']}/take-back", {}, key=uuid.uuid4().hex)
    shown = (await admin.get(path)).json()["items"]

    assert (full.json()["code"], full.json()["limit"]) == ("group_allotment_limit", "holds")
    assert (made.status_code, back.json()["taken"]) == (201, 1_000)
    assert [(one["by_staff"], one["taken"]) for one in shown] == [(True, 1_000)]


async def test_a_pin_that_was_reset_just_now_allots_no_more_than_it_may_spend(client, admin, phone):
    person = await register(client)
    _, (_, person_id) = await group_of(admin, phone, person)
    await give(phone.member_id, principal=300_000, points=90_000)
    reset = {"reason": "忘记密码", "code": phone.code()}
    assert (await admin.post(f"/v1/admin/members/{phone.member_id}/pin/initialise", reset)).status_code == 200
    assert (await phone.call("PUT", "/v1/member/pin", {"pin": PIN})).status_code in (204, 409)
    before = await held(phone)

    too_much = await allot(phone, person_id, 60_000)

    assert (too_much.json()["code"], await held(phone)) == ("pin_allowance", before)
    assert (await allot(phone, person_id, 40_000)).status_code == 201
    assert (await allot(phone, person_id, 20_000, kind="points")).json()["code"] == "pin_allowance"


async def test_the_same_taking_back_takes_once_and_ten_at_once_no_more_than_there_is(client, admin, phone):
    person = await register(client)
    _, (_, person_id) = await group_of(admin, phone, person)
    await give(phone.member_id, principal=5_000)
    made = (await allot(phone, person_id, 5_000)).json()
    key = uuid.uuid4().hex

    same = await asyncio.gather(*(take_back(phone, made, 600, key=key) for _ in range(4)))
    other = await take_back(phone, made, 700, key=key)
    without = await phone.call("POST", f"{OWN}/{made['id']}/take-back", {})
    many = await asyncio.gather(*(take_back(phone, made, 600) for _ in range(10)))

    assert [(one.status_code, one.json()["taken"]) for one in same] == [(200, 600)] * 4
    assert (other.json()["code"], without.json()["code"]) == ("idempotency_conflict", "idempotency_key_required")
    assert sorted(one.status_code for one in many) == [200] * 7 + [409] * 3
    assert (sum(lot[2] for lot in await held(phone)), sum(lot[2] for lot in await held(person))) == (4_800, 200)


async def test_what_was_allotted_is_found_with_whoever_has_it_after_merges(client, admin, second, phone):
    person, twin, heir = [await register(client) for _ in range(3)]
    group_id, (_, person_id) = await group_of(admin, phone, person)
    until = date(2027, 5, 1)
    await give(phone.member_id, principal=1_000)
    await give(phone.member_id, principal=1_000, bonus=300, bonus_until=until)
    before = await held(phone)
    made = (await allot(phone, person_id, 2_000)).json()
    path = f"/v1/admin/groups/{group_id}/allotments/{made['id']}/take-back"

    part = await take_back(phone, made, 400)
    await merge(admin, second, person, twin)
    left = (await phone.call("GET", OWN)).json()["items"][0]["left"]
    more = await take_back(phone, made, 700)
    await merge(admin, second, phone, heir)
    login = await client.post("/v1/member/login", json={"js_code": f"demo-{phone.openid.removeprefix('openid-')}"})
    phone.access_token = login.json()["access_token"]
    rest = await take_back(phone, made)
    await outbox.drain()
    empty = await admin.post(path, {}, key=uuid.uuid4().hex)

    assert (part.status_code, left, more.json()["taken"], rest.json()["taken"]) == (200, 1_600, 1_100, 2_000)
    assert (empty.json()["code"], empty.json()["left"]) == ("group_allotment_too_much", 0)
    assert (await held(person), await held(twin), await held(phone)) == ([], [], [])
    together = [sum(lot[2] for lot in lots if lot[1] == "bonus") for lots in (before, await held(heir))]
    assert together == [300, 300]
    assert sum(lot[2] for lot in await held(heir)) == 2_300


async def test_who_is_merged_with_the_one_they_allotted_to_has_nothing_to_take_back(client, admin, second, phone):
    person = await register(client)
    _, (_, person_id) = await group_of(admin, phone, person)
    await give(phone.member_id, points=80)
    made = (await allot(phone, person_id, 50, kind="points")).json()

    await merge(admin, second, person, phone)
    back = await take_back(phone, made)

    assert (back.json()["code"], back.json()["left"]) == ("group_allotment_too_much", 0)
    assert (await phone.call("GET", OWN)).json()["items"][0]["left"] == 0
    assert sum(lot[2] for lot in await held(phone)) == 80


async def test_a_statement_of_days_that_no_calendar_has_is_refused(admin, phone):
    group_id, _ = await group_of(admin, phone)

    for days, end in (
        ("from=0001-01-01&to=0001-01-02", "from"),
        ("from=9999-12-30&to=9999-12-31", "from"),
        ("from=2026-02-02&to=2026-02-01", "to"),
    ):
        refused = await admin.get(f"/v1/admin/groups/{group_id}/statement?{days}")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"/query/{end}"), days


async def test_a_new_owner_is_shown_people_page_by_page_and_only_what_is_out_of_their_own(client, admin, phone):
    heir, person = await register(client), await register(client)
    group_id, (_, heir_id, person_id) = await group_of(admin, phone, heir, person)
    await give(phone.member_id, points=90)
    made = (await allot(phone, person_id, 30, kind="points")).json()
    await admin.call("PUT", f"/v1/admin/groups/{group_id}/members/{heir_id}/role", {"role": "owner"})

    first = (await heir.call("GET", "/v1/member/group/members?limit=2")).json()
    rest = (await heir.call("GET", f"/v1/member/group/members?limit=2&cursor={first['next_cursor']}")).json()
    refused = await person.call("GET", "/v1/member/group/members")
    theirs = (await heir.call("GET", OWN)).json()["items"]
    back = await take_back(heir, made)
    former = await take_back(phone, made)
    by_staff = await admin.post(
        f"/v1/admin/groups/{group_id}/allotments/{made['id']}/take-back", {}, key=uuid.uuid4().hex
    )

    assert [one["role"] for one in (*first["items"], *rest["items"])] == ["manager", "owner", "member"]
    assert (rest["next_cursor"], refused.json()["code"], theirs) == (None, "forbidden", [])
    assert (back.json()["code"], former.json()["code"], by_staff.json()["taken"]) == ("not_found", "forbidden", 30)
    assert sum(lot[2] for lot in await held(phone)) == 90
