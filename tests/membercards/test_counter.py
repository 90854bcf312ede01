"""Cards at the counter: given, found by a till, lost, found again, replaced, ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.kernel import db, outbox
from backend.kernel.errors import DomainError
from backend.membercards import service
from backend.membercards.commands import ageing
from backend.membercards.types import Handing, Way
from backend.members import service as members
from tests.support.books import fingerprint
from tests.support.levels import levels, no_other_rules  # noqa: F401 - fixtures
from tests.support.membercards import (
    CARDS,
    held,
    issue,
    make_agent,
    make_batch,
    make_store,
    make_type,
    move,
    numbers,
    printed,
)
from tests.support.members import random_phone, register
from tests.support.merging import another, merge
from tests.support.messages import inbox
from tests.support.staff import log_in


async def found(number: str) -> object:
    """Whose card a till finds, or why nobody's."""
    try:
        return (await service.find_member(number)).member_id
    except DomainError as refused:
        return refused.code


async def test_a_card_is_given_to_who_shows_their_code_and_a_till_finds_them(client, admin, phone, books, settings):
    (number, other) = await printed(admin, 2, validity_months=12)
    before = await found(number)
    made = await issue(admin, phone, number)
    card = made.json()
    again = await admin.get(f"{CARDS}/{card['id']}")

    assert (made.status_code, before) == (201, "card_invalid")
    assert (card["number"], card["state"], card["member_id"]) == (number, "issued", phone.member["id"])
    assert card["valid_until"] is not None
    assert (await found(number), await found(other)) == (phone.member_id, "card_invalid")
    assert [(step["state"], step["way"]) for step in again.json()["history"]] == [
        ("printed", "system"),
        ("issued", "counter"),
    ]


async def test_a_code_gives_one_card(client, admin, phone, settings):
    (number, other) = await printed(admin, 2)
    code = phone.code()
    first = await admin.post(f"{CARDS}/issue", {"card_no": number, "code": code})
    before = await fingerprint(settings)
    second = await admin.post(f"{CARDS}/issue", {"card_no": other, "code": code})

    assert (first.status_code, second.status_code, second.json()["code"]) == (201, 409, "code_used")
    assert await fingerprint(settings) == before
    assert await held(phone.member_id) == [(number, "issued")]


async def test_a_card_is_one_members_and_a_member_has_one(client, admin, clock, settings):
    number_of = [random_phone() for _ in range(2)]
    one, _ = [await register(client, phone=number) for number in number_of]
    first, second = await printed(admin, 2)
    assert (await issue(admin, one, first)).status_code == 201
    before = await fingerprint(settings)
    taken = await admin.post(f"{CARDS}/issue", {"card_no": first, "phone": number_of[1]})
    more = await admin.post(f"{CARDS}/issue", {"card_no": second, "phone": number_of[0]})
    nobody = await admin.post(f"{CARDS}/issue", {"card_no": "9" * 16, "phone": number_of[1]})

    assert [answer.json()["code"] for answer in (taken, more, nobody)] == ["card_taken", "card_held", "card_invalid"]
    assert await fingerprint(settings) == before


async def test_a_lost_card_is_dead_until_it_is_found_and_for_good_once_replaced(
    client, admin, phone, clock, books, settings
):
    old, new = await printed(admin, 2)
    card = (await issue(admin, phone, old)).json()
    lost = await phone.call("POST", "/v1/member/card/lost")
    dead = await found(old)
    back = await phone.call("POST", "/v1/member/card/found")
    alive = await found(old)
    await admin.post(f"{CARDS}/{card['id']}/lost", {"reason": "会员来电"})
    clock.shift(timedelta(seconds=30))
    body = {"card_no": new, "code": phone.code(), "reason": "遗失"}
    replaced = await admin.post(f"{CARDS}/{card['id']}/replace", body)
    before = await fingerprint(settings)
    too_late = await admin.post(f"{CARDS}/{card['id']}/found", {"reason": "找到了"})

    assert (lost.json()["state"], dead, back.json()["state"], alive) == ("lost", "card_lost", "issued", phone.member_id)
    assert (replaced.status_code, too_late.json()["code"]) == (201, "card_conflict")
    assert await fingerprint(settings) == before
    assert (await found(old), await found(new)) == ("card_ended", phone.member_id)
    assert await held(phone.member_id) == [(old, "replaced"), (new, "issued")]
    detail = (await admin.get(f"{CARDS}/{card['id']}")).json()
    assert detail["card"]["replaced_by"] == replaced.json()["id"]
    assert [step["state"] for step in detail["history"]] == ["printed", "issued", "lost", "issued", "lost", "replaced"]


async def test_a_store_hands_out_its_own_cards_and_an_agents(client, admin, chain, clock, settings):
    manager = await log_in(client, chain, "manager-S1")
    batch = await make_batch(admin, await make_type(admin), 4)
    own, others, agents, office = await numbers(batch)
    agent = await make_agent(admin)
    for serial, to in ((1, await make_store(admin, "S1")), (2, await make_store(admin, "S2")), (3, agent["id"])):
        assert (await move(admin, batch, serial, serial, to=to)).status_code == 201
    phones = [await register(client) for _ in range(4)]
    answers = [
        await issue(manager, phone, number) for phone, number in zip(phones, (own, others, agents, office), strict=True)
    ]

    assert [answer.status_code for answer in answers] == [201, 409, 201, 409]
    assert {answer.json().get("code") for answer in answers[1::2]} == {"card_elsewhere"}
    assert (await admin.get(f"/v1/admin/member-card-issuers/{agent['id']}")).json()["stock"] == [
        {"type_code": batch["type_code"], "state": "issued", "cards": 1}
    ]


async def test_a_card_ends_with_its_last_day(client, chain, admin, phone, clock):
    number, other = await printed(admin, 2, validity_months=1)
    await issue(admin, phone, number)
    clock.shift(timedelta(days=62))
    at_once = await found(number)
    later = await log_in(client, chain, "admin")
    again = await issue(later, phone, other)
    replaced = await held(phone.member_id)
    clock.shift(timedelta(days=62))

    assert (at_once, again.status_code) == ("card_expired", 201)  # no job came in between
    assert replaced == [(number, "expired"), (other, "issued")]
    assert (await ageing.expire_cards(), await ageing.expire_cards()) == (1, 0)
    assert await held(phone.member_id) == [(number, "expired"), (other, "expired")]


async def test_any_store_replaces_the_card_of_who_shows_their_code_there(client, admin, chain, phone, clock, settings):
    manager = await log_in(client, chain, "manager-S2")
    batch = await make_batch(admin, await make_type(admin), 2)
    old, new = await numbers(batch)
    assert (await move(admin, batch, 2, 2, to=await make_store(admin, "S2"))).status_code == 201
    card = (await issue(admin, phone, old)).json()
    other = await register(client)
    clock.shift(timedelta(seconds=30))
    path, body = f"{CARDS}/{card['id']}/replace", {"card_no": new, "reason": "遗失"}
    before = await fingerprint(settings)
    refused = [
        await manager.post(path, body | {"code": other.code()}),
        await manager.post(path, body | {"phone": "13900000000"}),
        await manager.post(path, body),
        await manager.post(f"{CARDS}/4711/replace", body | {"code": phone.code()}),
    ]
    unchanged = await fingerprint(settings) == before
    done = await manager.post(path, body | {"code": phone.code()})

    assert [answer.status_code for answer in refused] == [404] * 4
    assert unchanged
    assert done.status_code == 201
    assert await held(phone.member_id) == [(old, "replaced"), (new, "issued")]


async def test_another_stores_card_and_member_are_not_found(client, admin, chain, phone, settings):
    manager = await log_in(client, chain, "manager-S1")
    (number,) = await printed(admin, 1)
    card = (await issue(admin, phone, number)).json()
    before = await fingerprint(settings)
    answers = [
        await manager.get(f"{CARDS}/{card['id']}"),
        await manager.post(f"{CARDS}/{card['id']}/lost", {"reason": "x"}),
        await manager.post(f"{CARDS}/search", {"card_no": number}),
        await manager.get(f"/v1/admin/members/{phone.member['id']}/cards"),
        await manager.get("/v1/admin/member-card-issuers/office"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert await fingerprint(settings) == before


async def test_a_new_member_gets_a_number_where_the_chain_gives_them(client, admin, books, settings):
    kind = await make_type(admin, length=16, automatic=True)
    try:
        phone = await register(client)
        await outbox.drain()
        ((virtual, state),) = await held(phone.member_id)
        shown = (await phone.call("GET", "/v1/member/card")).json()
        (number,) = await printed(admin, 1)
        plastic = await issue(admin, phone, number)

        assert (state, shown["card"]["number"], shown["card"]["virtual"]) == ("issued", virtual, True)
        assert virtual.startswith(kind["prefix"])
        assert plastic.status_code == 201
        assert await held(phone.member_id) == [(virtual, "replaced"), (number, "issued")]
    finally:
        body = {"name": kind["name"], "automatic": False, "version": kind["version"]}
        await admin.call("PUT", f"/v1/admin/member-card-types/{kind['code']}", body)


@pytest.mark.parametrize("self_service", [True, False])
async def test_a_member_binds_a_card_where_its_type_lets_them(client, admin, phone, self_service, settings):
    batch = await make_batch(admin, await make_type(admin, self_service=self_service), 2)
    allotted, central = await numbers(batch)
    await move(admin, batch, 1, 1, to=(await make_agent(admin))["id"])
    bound = await phone.call("POST", "/v1/member/card", {"card_no": allotted})

    if self_service:
        other = await register(client)
        assert (bound.status_code, bound.json()["number"]) == (201, allotted)
        answer = await other.call("POST", "/v1/member/card", {"card_no": central})
        assert answer.json()["code"] == "card_elsewhere"
    else:
        assert bound.json()["code"] == "card_elsewhere"
        assert await held(phone.member_id) == []


@pytest.mark.usefixtures("levels", "no_other_rules")
async def test_the_card_gives_its_level_and_the_member_hears_of_card_and_loss(client, admin, phone, books):
    (number,) = await printed(admin, 1, level="gold")
    await issue(admin, phone, number)
    await phone.call("POST", "/v1/member/card/lost")
    await outbox.drain()
    level = (await phone.call("GET", "/v1/member/profile")).json()["level"]["code"]
    letters = (await inbox(phone))["items"]

    assert level == "gold"
    assert {letter["title"] for letter in letters} >= {"您有了一张会员卡", "您的会员卡已挂失"}


@pytest.mark.usefixtures("levels", "no_other_rules")
async def test_a_level_that_a_card_gave_goes_with_the_card(client, chain, office, admin, books):
    """Voided, replaced by a plainer one, replaced by one of its kind; and after the card came by a merge."""
    gold, plain = await printed(admin, 5, level="gold"), await printed(admin, 1)
    number_of = [random_phone() for _ in range(4)]
    phones = [await register(client, phone=number) for number in number_of]
    cards = [(await issue(admin, phone, number)).json() for phone, number in zip(phones, gold, strict=False)]
    await outbox.drain()
    before = [await level_of(phone) for phone in phones]
    stays = await register(client)
    await merge(admin, await another(office, chain, admin), phones.pop(), stays)
    merged = await level_of(stays)
    assert (await admin.post(f"{CARDS}/{cards[3]['id']}/void", {"reason": "退卡"})).status_code == 200
    await admin.post(f"{CARDS}/{cards[0]['id']}/void", {"reason": "退卡"})
    for card, number, phone in ((cards[1], plain[0], number_of[1]), (cards[2], gold[4], number_of[2])):
        body = {"card_no": number, "phone": phone, "reason": "换卡"}
        assert (await admin.post(f"{CARDS}/{card['id']}/replace", body)).status_code == 201
    await outbox.drain()

    assert (before, merged, await level_of(stays)) == (["gold"] * 4, "gold", "basic")
    assert [await level_of(phone) for phone in phones] == ["basic", "basic", "gold"]


async def level_of(phone) -> str:
    code: str = (await phone.call("GET", "/v1/member/profile")).json()["level"]["code"]
    return code


async def test_of_two_cards_of_one_person_the_one_at_hand_stays(client, admin):
    lost, good = await printed(admin, 2)
    target, source = await register(client), await register(client)
    for phone, number in ((target, lost), (source, good)):
        await issue(admin, phone, number)
    await target.call("POST", "/v1/member/card/lost")
    async with db.transaction() as tx:
        for member_id in sorted((target.member_id, source.member_id)):
            await members.lock(tx, member_id)
        await service.hand_over(tx, source.member_id, target.member_id, Handing(Way.MERGE))

    assert sorted(await held(target.member_id)) == sorted([(lost, "void"), (good, "issued")])
    assert await held(source.member_id) == []


async def test_what_becomes_of_the_card_stands_in_the_members_history(client, admin, phone):
    old, new = await printed(admin, 2)
    card = (await issue(admin, phone, old)).json()
    await admin.post(f"{CARDS}/{card['id']}/void", {"reason": "退卡"})
    rows = (await admin.get(f"/v1/admin/members/{phone.member['id']}/changes")).json()["items"]
    found = [(row["field"], row["before"], row["after"]) for row in rows if row["field"].startswith("card")]
    stands = await db.fetchval("SELECT card_type FROM member WHERE id = $1", phone.member_id)

    assert ("card_no", None, old) in found
    assert ("card_no", old, None) in found
    assert stands is None
    assert new is not None


async def test_a_store_finds_only_its_own_members_by_phone(client, admin, chain, settings):
    manager = await log_in(client, chain, "manager-S1")
    number_of = random_phone()
    phone = await register(client, phone=number_of)
    batch = await make_batch(admin, await make_type(admin), 1)
    await move(admin, batch, 1, 1, to=await make_store(admin, "S1"))
    (number,) = await numbers(batch)
    before = await fingerprint(settings)
    stranger = await manager.post(f"{CARDS}/issue", {"card_no": number, "phone": number_of})
    unchanged = await fingerprint(settings) == before
    await phone.call("PATCH", "/v1/member/profile", {"store_id": "S1"})
    own = await manager.post(f"{CARDS}/issue", {"card_no": number, "phone": number_of})

    assert (stranger.json()["code"], unchanged) == ("member_not_present", True)
    assert own.status_code == 201
