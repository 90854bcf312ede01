"""A member is found by what they show or call from, as far as the viewer may see; every look is kept."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio

from backend.audience.commands import purchases
from backend.contact import service
from backend.contact.commands import card, lookup
from backend.contact.schemas import ContactOut
from backend.contact.sections import SECTIONS, Section
from backend.kernel import db, guessing, metrics, outbox
from tests.contact.conftest import join
from tests.support.books import fingerprint
from tests.support.coupons import give_coupon
from tests.support.mall import checkout, open_mall, order, put
from tests.support.members import random_phone, register
from tests.support.staff import StaffSession
from tests.support.value import give

LOOKUP = "/v1/admin/contacts/lookup"
EVERY = {section.code for section in SECTIONS}
OF_MANAGERS = {"movements", "letters", "suggestions", "surveys"}
WITHOUT_LOOKS = frozenset({"contact_look", "auth_staff_session", "auth_audit"})


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def mall(database, chain):
    await open_mall("S1", "S2")
    await put("S1", "6902", 100, 500)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def number() -> str:
    return random_phone()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def somebody(office, chain, admin, number, mall):
    """王小明 of store S1, born on a 3 May, who recharged, bought at two stores and online, and holds a coupon."""
    phone = await register(office, phone=number)
    await join(phone, "S1")
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE member SET birthday = '1990-05-03', gender = 'male',"
            ' attributes = \'{"pet": "cat"}\' WHERE id = $1',
            phone.member_id,
        )
    await give(phone.member_id, principal=50_000, bonus=1_000, points=80)
    await give_coupon(admin, phone)
    for store, qty in (("S1", 2), ("S2", 1)):
        await phone.enrol(store)
        lines = [{"sku": "6901", "qty": qty, "unit_price_fen": 200}]
        sold = await chain.tills[store][0].sell(office, phone.code(), lines=lines, tenders=[{"type": "cash"}])
        assert sold.status_code == 201, sold.text
    (waiting,) = (await phone.call("GET", "/v1/member/confirmations")).json()["items"]  # two stores within minutes
    approved = await phone.call("POST", f"/v1/member/confirmations/{waiting['id']}", {"decision": "approve"})
    assert approved.status_code == 200, approved.text
    placed = await order(phone, checkout(a6902=1), 1250)
    assert placed.status_code == 201, placed.text
    await outbox.drain()
    await purchases.count_due()
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE member SET growth_fen = 12345 WHERE id = $1", phone.member_id)
    await phone.enrol("looked up")
    return phone


async def new_clerk(office, admin) -> StaffSession:
    """Somebody who has not looked yet."""
    who = {"username": f"c{uuid.uuid4().hex[:8]}", "password": "correct horse", "role": "clerk", "store_id": "S1"}
    assert (await admin.post("/v1/admin/staff", who)).status_code == 201
    body = {"username": who["username"], "password": who["password"]}
    tokens = (await office.post("/v1/admin/login", json=body)).json()
    return StaffSession(office, tokens["access_token"], tokens["refresh_token"])


async def looks(admin, **query) -> list[tuple]:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await admin.get(f"/v1/admin/contacts/looks?{text}")
    assert answer.status_code == 200, answer.text
    return [(one["by"], one["outcome"], one["view"], one["member_id"]) for one in answer.json()["items"]]


async def test_head_office_sees_all_of_it_found_by_any_of_the_four(admin, somebody, number):
    shown = {
        "code": somebody.code(),
        "phone": number,
        "member_no": somebody.member["member_no"],
        "openid": somebody.openid,
    }

    cards = {by: (await admin.post(LOOKUP, {by: value})) for by, value in shown.items()}
    typed = await admin.post(LOOKUP, {"text": f"+86 {number[:3]} {number[3:]}"})

    assert {by: answer.status_code for by, answer in cards.items()} == dict.fromkeys(shown, 200)
    found = {by: answer.json() for by, answer in cards.items()}
    assert {one["profile"]["id"] for one in [*found.values(), typed.json()]} == {str(somebody.member_id)}
    assert {one.pop("found_by") for one in found.values()} == set(shown)
    one = found["code"]
    assert all(other == one for other in found.values())
    assert (one["view"], one["partial"], one["hidden"]) == ("chain", [], [])
    profile = one["profile"]
    assert (profile["name"], profile["birthday"], profile["birthday_day"]) == ("王小明", "1990-05-03", "05-03")
    assert (profile["store_name"], profile["attributes"], profile["growth_fen"]) == ("南京路店", {"pet": "cat"}, 12345)
    assert number not in cards["phone"].text
    assert profile["phone_masked"][-4:] == number[-4:]
    assert one["wallet"]["stored"]["total_fen"] == 51_000 - 1250
    assert one["coupons"]["available"] == 1
    assert [(item["kind"], item["store_id"], item["pieces"]) for item in one["purchases"]["items"]] == [
        ("order", "S1", 1),
        ("sale", "S2", 1),
        ("sale", "S1", 2),
    ]
    assert one["purchases"]["items"][0]["articles"] == ["苹果"]
    assert one["habits"]["visits_90_days"] == 3
    assert [(item["name"], item["pieces"], item["times"]) for item in one["habits"]["favourites"]] == [
        ("纯净水", 3, 2),
        ("苹果", 1, 1),
    ]
    assert [item["amount_fen"] for item in one["movements"]["items"]] == [-1250, 51_000]


async def test_an_order_is_shown_as_it_stands_now(admin, manager, somebody):
    placed = await order(somebody, checkout(a6902=2), 2500)
    (made,) = placed.json()["orders"]
    ready = await manager.post(f"/v1/admin/orders/{made['id']}/ready")
    assert ready.status_code == 200, ready.text

    found = (await admin.get(f"/v1/admin/contacts/{somebody.member_id}")).json()

    newest = found["purchases"]["items"][0]
    assert (newest["id"], newest["state"], newest["pieces"]) == (made["id"], "ready_for_pickup", 2)


async def test_a_store_sees_its_own_part_of_its_own_members(manager, clerk, somebody, number):
    of_manager = (await manager.post(LOOKUP, {"phone": number})).json()
    of_clerk = (await clerk.post(LOOKUP, {"phone": number})).json()

    assert (of_manager["view"], of_manager["hidden"]) == ("manager", [])
    assert {item["store_id"] for item in of_manager["purchases"]["items"]} == {"S1"}
    assert of_manager["profile"]["attributes"] == {"pet": "cat"}
    assert (of_clerk["view"], set(of_clerk["hidden"])) == ("clerk", OF_MANAGERS)
    assert {item["store_id"] for item in of_clerk["purchases"]["items"]} == {"S1"}
    assert [of_clerk["profile"][name] for name in ("birthday", "attributes", "growth_fen")] == [None, None, None]
    assert of_clerk["profile"]["birthday_day"] == "05-03"
    assert all(of_clerk[name] is None for name in of_clerk["hidden"])


async def test_another_stores_member_is_found_by_their_code_alone_and_shown_as_a_guest(
    manager, clerk, office, client, admin
):
    number = random_phone()
    guest = await register(office, phone=number)
    await join(guest, "S2")
    asked = [
        {"phone": number},
        {"member_no": guest.member["member_no"]},
        {"openid": guest.openid},
        {"text": number},
    ]

    refused = [await who.post(LOOKUP, body) for who in (manager, clerk) for body in asked]
    refused.append(await manager.get(f"/v1/admin/contacts/{guest.member_id}"))
    shown = await clerk.post(LOOKUP, {"code": guest.code()})

    assert {(one.status_code, one.json()["code"]) for one in refused} == {(404, "not_found")}
    found = shown.json()
    assert (shown.status_code, found["view"]) == (200, "guest")
    assert set(found["hidden"]) == EVERY - {"wallet", "coupons", "cards", "purchases"}
    assert found["profile"] == found["profile"] | {
        "name": "王**",
        "member_no": None,
        "phone_masked": None,
        "gender": None,
        "birthday_day": None,
        "joined_at": None,
        "store_id": None,
        "next_level": None,
    }
    assert await looks(admin, member_id=guest.member_id) == [("code", "found", "guest", str(guest.member_id))]


async def test_a_look_spends_nothing_and_the_code_still_pays(chain, client, admin, somebody, settings):
    await somebody.enrol("pays afterwards")
    code = somebody.code()
    before = await fingerprint(settings, without=WITHOUT_LOOKS)

    first, again = [await admin.post(LOOKUP, {"code": code}) for _ in range(2)]
    after = await fingerprint(settings, without=WITHOUT_LOOKS)
    lines = [{"sku": "6901", "qty": 1, "unit_price_fen": 200}]
    sold = await chain.till.sell(client, code, lines=lines, tenders=[{"type": "cash"}])
    late = await admin.post(LOOKUP, {"code": code})

    assert (first.status_code, again.status_code) == (200, 200)
    assert before == after
    assert sold.status_code == 201
    assert (late.status_code, late.json()["code"]) == (409, "code_used")


async def test_a_code_that_is_old_or_none_finds_nobody(admin, somebody, clock):
    await somebody.enrol("dies")
    code = somebody.code()
    wrong = code[:-9] + "".join(str((int(digit) + 1) % 10) for digit in code[-9:-1]) + code[-1]
    clock.shift(timedelta(seconds=31))

    old = await admin.post(LOOKUP, {"code": code})
    none = await admin.post(LOOKUP, {"code": wrong})

    assert (old.status_code, old.json()["code"]) == (422, "code_expired")
    assert (none.status_code, none.json()["code"]) == (422, "code_invalid")


async def test_every_look_is_kept_with_who_whom_and_by_what(admin, manager, chain, somebody, number, settings):
    nobody = random_phone()
    await manager.post(LOOKUP, {"phone": nobody})
    await manager.post(LOOKUP, {"code": "70" + "1" * 18})
    await manager.post(LOOKUP, {"phone": number})
    await manager.get(f"/v1/admin/contacts/{somebody.member_id}")
    me = (await manager.get("/v1/admin/me")).json()["staff"]["id"]

    mine = await looks(admin, staff_id=me, limit=4)
    pages = [await admin.get(f"/v1/admin/contacts/looks?staff_id={me}&limit=3")]
    pages.append(await admin.get(f"/v1/admin/contacts/looks?limit=1&cursor={pages[0].json()['next_cursor']}"))
    refused = await manager.get("/v1/admin/contacts/looks")
    stored = await db.fetch("SELECT contact_look::text AS line FROM contact_look")

    who = str(somebody.member_id)
    assert mine == [
        ("id", "found", "manager", who),
        ("phone", "found", "manager", who),
        ("code", "refused", None, None),
        ("phone", "missed", None, None),
    ]
    assert [one["by"] for page in pages for one in page.json()["items"]] == ["id", "phone", "code", "phone"]
    assert refused.status_code == 403
    assert not [row["line"] for row in stored if nobody in row["line"] or number in row["line"]]
    with pytest.raises(Exception, match="never rewritten"):
        async with db.transaction() as tx:
            await db.raw(tx).execute("UPDATE contact_look SET staff_id = 1")


async def test_no_card_is_shown_where_its_look_cannot_be_kept(admin, somebody, number, monkeypatch):
    async def fails(*_):
        raise TimeoutError

    monkeypatch.setattr(service, "note", fails)

    answer = await admin.post(LOOKUP, {"phone": number})

    assert answer.status_code == 503
    assert "王小明" not in answer.text


async def test_guessing_phone_numbers_ends_and_is_told(office, admin, somebody, number, monkeypatch, capfd):
    guesser = await new_clerk(office, admin)
    monkeypatch.setattr(guessing.of_staff, "most", 3)
    before = metrics.CONTACT_MISSES.labels("phone")._value.get()

    guesses = [await guesser.post(LOOKUP, {"phone": random_phone()}) for _ in range(5)]
    right = await guesser.post(LOOKUP, {"phone": number})
    other = await admin.post(LOOKUP, {"phone": number})

    assert [one.status_code for one in guesses] == [404, 404, 404, 429, 429]
    assert (right.status_code, right.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(right.headers["retry-after"]) <= 1201
    assert other.status_code == 200
    assert metrics.CONTACT_MISSES.labels("phone")._value.get() == before + 4
    told = capfd.readouterr()
    assert "contact.guessing" in told.out + told.err
    assert number not in told.out + told.err


async def test_somebody_who_looks_too_often_is_slowed_down(office, admin, number, somebody, monkeypatch):
    hurried = await new_clerk(office, admin)
    monkeypatch.setattr(lookup, "LOOKS_A_MINUTE", 2)

    answers = [await hurried.post(LOOKUP, {"phone": number}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_a_slow_section_is_marked_and_holds_no_other_up(admin, number, somebody, monkeypatch):
    async def slow(_):
        await asyncio.Event().wait()

    async def broken(_):
        raise ValueError("a phone number, perhaps")

    parts = [
        msgspec.structs.replace(one, read={"habits": slow, "cards": broken}.get(one.code, one.read)) for one in SECTIONS
    ]
    monkeypatch.setattr(card.read, "__defaults__", (tuple(parts),))

    answer = await admin.post(LOOKUP, {"phone": number})

    found = answer.json()
    assert answer.status_code == 200
    assert found["partial"] == ["cards", "habits"]
    assert (found["cards"], found["habits"]) == (None, None)
    assert [code for code in sorted(EVERY - {"cards", "habits", "conversation"}) if found[code] is None] == []


async def test_refuses_what_names_nobody_in_one_way(admin, settings):
    bodies = [
        {},
        {"phone": "13912345678", "text": "13912345678"},
        {"phone": "13912345678", "member_no": "123456789012"},
        {"text": "王小明"},
        {"text": "x" * 81},
        {"phone": "139123456789"},
        {"code": "7012345678901234567"},
        {"member_no": "012345678901"},
        {"openid": "o'--"},
        {"name": "王小明"},
    ]
    before = await fingerprint(settings)

    answers = [await admin.post(LOOKUP, body) for body in bodies]
    answers.append(await admin.get("/v1/admin/contacts/looks?cursor=abc"))
    answers.append(await admin.get("/v1/admin/contacts/looks?member_id=abc"))

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(422, "validation_failed")}
    assert await fingerprint(settings) == before


async def test_every_section_names_a_field_of_the_card_and_somebody_who_sees_it():
    fields = {field.name for field in msgspec.structs.fields(ContactOut)}

    assert fields >= EVERY
    assert len(EVERY) == len(SECTIONS)
    assert all(isinstance(section, Section) and section.views for section in SECTIONS)


async def test_ids_that_are_none_are_not_found(admin):
    answers = [await admin.get(f"/v1/admin/contacts/{text}") for text in ("1", "x", str(uuid.uuid4()))]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "not_found")}
