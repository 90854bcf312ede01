"""A coupon goes to a friend: held until one accepts, taken back, or over; refusals move nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.coupons.commands import ageing, gifts
from backend.kernel import db, outbox
from backend.kernel.clock import local_date
from backend.ledger import plans, service
from backend.ledger.plans import Plan
from tests.support.books import fingerprint
from tests.support.coupons import (
    CASH,
    VALUE,
    accept_gift,
    coupons_of,
    give_coupon,
    give_to_friend,
    log_in_again,
)
from tests.support.members import register

pytestmark = pytest.mark.usefixtures("books")

GIFT = CASH | {"transferable": True}
VALUE_GIFT = VALUE | {"transferable": True}


async def booked(member_id: int, coupon_id: str) -> dict[str, int]:
    """What is left on the accounts of a coupon."""
    rows = await db.fetch(
        "SELECT kind, balance FROM ledger_account WHERE member_id = $1 AND ref = $2", member_id, coupon_id
    )
    return {row["kind"]: row["balance"] for row in rows}


async def detail(phone, coupon_id: str) -> dict:
    return (await phone.call("GET", f"/v1/member/coupons/{coupon_id}")).json()


async def test_a_friend_gets_a_coupon_of_their_own_and_the_giver_s_ends_as_given(admin, phone, client):
    friend = await register(client)
    coupon_id = await give_coupon(admin, phone, GIFT)
    before = await detail(phone, coupon_id)

    given = await give_to_friend(phone, coupon_id)
    waiting = await detail(phone, coupon_id)
    listed = await coupons_of(phone)
    held = await booked(phone.member_id, coupon_id)
    accepted = await accept_gift(friend, given.json()["token"])
    at_once = await detail(phone, coupon_id)
    await outbox.drain()

    assert given.status_code == 201, given.text
    assert (waiting["state"], waiting["balance"], waiting["gift"]) == ("locked", 0, given.json())
    assert [(one["state"], one["in_gift"]) for one in (before, *listed)] == [("available", False), ("locked", True)]
    assert held == {"coupon": 0, "coupon_held": 1}
    assert accepted.status_code == 201, accepted.text
    received = accepted.json()
    assert received["id"] != coupon_id
    for name in ("template_id", "headline", "valid_from", "expires_on", "unit"):
        assert received[name] == before[name]
    assert (received["state"], received["balance"]) == ("available", 1)
    assert await coupons_of(friend) == [received]
    assert await coupons_of(phone) == []
    assert (at_once["state"], at_once["gift"], at_once["used_in"]) == ("given", None, None)
    assert await detail(phone, coupon_id) == at_once
    assert await booked(phone.member_id, coupon_id) == {"coupon": 0, "coupon_held": 0}
    assert await booked(friend.member_id, received["id"]) == {"coupon": 1}
    source = await db.fetchval("SELECT source FROM coupon WHERE member_id = $1", friend.member_id)
    assert source == f"gift:{given.json()['gift_id']}"
    row = await db.fetchrow("SELECT version, issued FROM coupon_template WHERE id = $1", before["template_id"])
    assert (row["version"], row["issued"]) == (1, 1)  # the offer counts it once


async def test_a_partly_used_value_coupon_is_given_with_its_rest_and_given_on(admin, phone, client, clock):
    friend, third = await register(client), await register(client)
    coupon_id = await give_coupon(admin, phone, VALUE_GIFT)
    now = clock.now()
    template_id = (await detail(phone, coupon_id))["template_id"]
    await service.post(
        Plan(
            member_id=phone.member_id,
            kind="coupon_used",
            at=now,
            on=local_date(now, "Asia/Shanghai"),
            scope="test",
            key=coupon_id,
            hash="00" * 32,
            legs=plans.use_coupon(coupon_id, template_id, "fen", 1_200),
        )
    )

    received = (await accept_gift(friend, (await give_to_friend(phone, coupon_id)).json()["token"])).json()
    on = (await accept_gift(third, (await give_to_friend(friend, received["id"])).json()["token"])).json()

    assert (received["unit"], received["balance"], on["balance"]) == ("fen", 3_800, 3_800)
    assert await coupons_of(third) == [on]
    assert await coupons_of(friend) == []
    assert await booked(third.member_id, on["id"]) == {"coupon": 3_800}


async def test_the_link_shows_the_coupon_and_the_giver_s_masked_name_only(admin, phone, client):
    friend = await register(client)
    coupon_id = await give_coupon(admin, phone, GIFT)
    token = (await give_to_friend(phone, coupon_id)).json()["token"]

    shown = (await friend.call("GET", f"/v1/member/coupon-gifts/{token}")).json()
    to_giver = (await phone.call("GET", f"/v1/member/coupon-gifts/{token}")).json()

    assert (shown["state"], shown["giver"], shown["own"]) == ("open", "王**", False)
    assert (shown["headline"], shown["balance"]) == ("满100元减20元", 1)
    assert "可转赠好友" in shown["lines"]
    assert to_giver["own"] is True
    text = str(shown)
    assert str(phone.member_id) not in text
    assert phone.member["member_no"] not in text
    assert coupon_id not in text
    stored = await db.fetchval("SELECT t::text FROM coupon_gift t WHERE coupon_id = $1", coupon_id)
    assert token not in stored


async def test_retries_get_the_first_answers_whatever_became_of_the_gift(admin, phone, client):
    friend = await register(client)
    coupon_id = await give_coupon(admin, phone, GIFT)
    given = await give_to_friend(phone, coupon_id, key="give")
    token = given.json()["token"]
    accepted = await accept_gift(friend, token, key="accept")

    given_again = await give_to_friend(phone, coupon_id, key="give")
    accepted_again = await accept_gift(friend, token, key="accept")
    other = await accept_gift(friend, "A" * 22, key="accept")

    assert (given_again.status_code, given_again.json()) == (201, given.json())
    assert (accepted_again.status_code, accepted_again.json()) == (201, accepted.json())
    assert accepted_again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert len(await coupons_of(friend)) == 1


async def test_refuses_what_is_not_transferable_not_there_or_given_and_nothing_moves(admin, phone, client, settings):
    stranger = await register(client)
    bound = await give_coupon(admin, phone, CASH)
    waiting = await give_coupon(admin, phone, GIFT)
    gone = await give_coupon(admin, phone, GIFT)
    await give_to_friend(phone, waiting)
    await accept_gift(stranger, (await give_to_friend(phone, gone)).json()["token"])
    await outbox.drain()
    before = await fingerprint(settings)

    answers = [
        await give_to_friend(phone, bound),
        await give_to_friend(phone, waiting),
        await give_to_friend(phone, gone),
        await give_to_friend(stranger, waiting),
        await give_to_friend(phone, "C" + "0" * 26),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "coupon_not_transferable"),
        (409, "coupon_locked"),
        (409, "coupon_given"),
        (404, "not_found"),
        (404, "not_found"),
    ]
    assert await fingerprint(settings) == before


async def test_refuses_the_giver_a_second_friend_and_what_is_no_link_and_nothing_moves(admin, phone, client, settings):
    friend, late = await register(client), await register(client)
    mine = (await give_to_friend(phone, await give_coupon(admin, phone, GIFT))).json()["token"]
    taken = (await give_to_friend(phone, await give_coupon(admin, phone, GIFT))).json()["token"]
    await accept_gift(friend, taken)
    await outbox.drain()
    before = await fingerprint(settings)

    answers = [
        await accept_gift(phone, mine),
        await accept_gift(late, taken),
        await accept_gift(friend, taken),
        await accept_gift(late, "A" * 22),
        await accept_gift(late, "nothing"),
        await late.call("GET", f"/v1/member/coupon-gifts/{'A' * 22}"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "coupon_gift_own"),
        (409, "coupon_gift_over"),
        (409, "coupon_gift_over"),
        (404, "not_found"),
        (404, "not_found"),
        (404, "not_found"),
    ]
    assert await fingerprint(settings) == before


async def test_guesses_are_limited_and_a_slip_is_no_guess(phone):
    slips = [await phone.call("GET", "/v1/member/coupon-gifts/short") for _ in range(3)]
    guesses = [await phone.call("GET", f"/v1/member/coupon-gifts/{n:022d}") for n in range(gifts.TRIES + 1)]

    assert {answer.status_code for answer in slips} == {404}
    assert [answer.status_code for answer in guesses] == [404] * gifts.TRIES + [429]
    assert guesses[-1].json()["code"] == "rate_limited"


async def test_only_its_giver_takes_it_back_and_then_the_link_is_dead(admin, phone, client, settings):
    friend = await register(client)
    coupon_id = await give_coupon(admin, phone, VALUE_GIFT)
    other_id = await give_coupon(admin, phone, GIFT)
    gift = (await give_to_friend(phone, coupon_id)).json()
    path = f"/v1/member/coupons/{coupon_id}/gifts/{gift['gift_id']}"
    before = await fingerprint(settings)
    refused = [
        await friend.call("DELETE", path),
        await phone.call("DELETE", f"/v1/member/coupons/{other_id}/gifts/{gift['gift_id']}"),
    ]
    assert await fingerprint(settings) == before

    back = [(await phone.call("DELETE", path)).status_code for _ in range(2)]
    late = await accept_gift(friend, gift["token"])
    shown = await friend.call("GET", f"/v1/member/coupon-gifts/{gift['token']}")

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(404, "not_found")] * 2
    assert back == [204, 204]
    assert (late.status_code, late.json()["code"]) == (409, "coupon_gift_over")
    assert shown.json()["state"] == "taken_back"
    assert await booked(phone.member_id, coupon_id) == {"coupon": 5_000, "coupon_held": 0}
    assert sorted(item["id"] for item in await coupons_of(phone)) == sorted([coupon_id, other_id])
    again = await give_to_friend(phone, coupon_id)
    assert (again.status_code, again.json()["token"] != gift["token"]) == (201, True)
    accepted = await accept_gift(friend, again.json()["token"])
    too_late = await phone.call("DELETE", f"/v1/member/coupons/{coupon_id}/gifts/{again.json()['gift_id']}")
    assert (accepted.status_code, too_late.status_code, too_late.json()["code"]) == (201, 409, "coupon_gift_over")


async def test_what_nobody_accepts_in_time_comes_back(admin, phone, client, clock, settings):
    friend = await register(client)
    coupon_id = await give_coupon(admin, phone, GIFT)
    gift = (await give_to_friend(phone, coupon_id)).json()
    too_soon = await gifts.return_gifts(clock.now())

    clock.shift(timedelta(hours=settings.coupon_gift_hours, seconds=1))
    for each in (phone, friend):
        await log_in_again(each)
    late = await accept_gift(friend, gift["token"])
    shown = await friend.call("GET", f"/v1/member/coupon-gifts/{gift['token']}")
    returned = [await gifts.return_gifts(clock.now()) for _ in range(2)]

    assert too_soon == 0
    assert (late.status_code, late.json()["code"]) == (409, "coupon_gift_over")
    assert shown.json()["state"] == "over"
    assert returned[0] >= 1
    assert returned[1] == 0
    assert await booked(phone.member_id, coupon_id) == {"coupon": 1, "coupon_held": 0}
    assert [item["id"] for item in await coupons_of(phone)] == [coupon_id]


async def test_a_gift_ends_with_the_coupon_s_last_day_and_then_it_expires_as_usual(admin, phone, clock):
    coupon_id = await give_coupon(admin, phone, GIFT | {"validity": {"days": 1}})
    gift = (await give_to_friend(phone, coupon_id)).json()
    last = (await detail(phone, coupon_id))["expires_on"]

    clock.shift(timedelta(days=1))
    await ageing.expire_coupons(clock.now())
    held = await booked(phone.member_id, coupon_id)
    await gifts.return_gifts(clock.now())
    await ageing.expire_coupons(clock.now())
    await outbox.drain()
    await log_in_again(phone)

    assert gift["expires_at"].startswith(f"{last}T16:00:00")  # midnight in Shanghai
    assert held == {"coupon": 0, "coupon_held": 1}
    assert await booked(phone.member_id, coupon_id) == {"coupon": 0, "coupon_held": 0}
    assert [item["id"] for item in await coupons_of(phone, "expired")] == [coupon_id]


async def test_what_is_good_to_the_end_of_the_calendar_is_given_like_any_other(admin, phone, client):
    coupon_id = await give_coupon(admin, phone, GIFT | {"validity": {"until_on": "9999-12-31"}})

    given = await give_to_friend(phone, coupon_id)
    accepted = await accept_gift(await register(client), given.json()["token"])

    assert given.status_code == 201, given.text
    assert accepted.json()["expires_on"] == "9999-12-31"


async def test_who_is_frozen_gives_nothing_and_gets_nothing(admin, phone, client):
    friend = await register(client)
    one, two = [(await give_to_friend(phone, await give_coupon(admin, phone, GIFT))).json()["token"] for _ in range(2)]
    await admin.post(f"/v1/admin/members/{friend.member_id}/freeze")
    frozen_friend = await accept_gift(friend, one)
    await admin.post(f"/v1/admin/members/{phone.member_id}/freeze")

    frozen_giver = await accept_gift(await register(client), two)

    assert frozen_friend.status_code == 403
    assert (frozen_giver.status_code, frozen_giver.json()["code"]) == (409, "coupon_gift_over")
    assert (
        await db.fetchval("SELECT count(*) FROM coupon_gift WHERE member_id = $1 AND ended_as IS NULL", phone.member_id)
        == 2
    )
