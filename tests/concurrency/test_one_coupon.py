"""Many claim few: exactly as many are issued as there are, and no member has more than their share."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
import pytest_asyncio

from backend.coupons import service
from backend.coupons.commands import claims
from backend.coupons.plans import Wish
from backend.kernel import db
from tests.support.books import open_books
from tests.support.coupons import (
    CASH,
    TEMPLATES,
    Counts,
    accept_gift,
    claim,
    counts,
    coupons_of,
    give_coupon,
    give_to_friend,
    make_template,
)
from tests.support.members import register
from tests.support.races import at_once, outcomes
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings, give


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest.mark.parametrize(("total", "who"), [(7, 40), (40, 40), (1, 25)])
async def test_exactly_as_many_are_claimed_as_there_are(client, chain, admin, settings, total, who):
    template = await make_template(admin, total=total)
    phones = await asyncio.gather(*(register(client) for _ in range(who)))

    answers = await at_once(claim(phone, template_id=template["id"]) for phone in phones)

    expected = {201: total, "coupon_sold_out": who - total}
    assert outcomes(answers) == {key: count for key, count in expected.items() if count}
    assert await counts(template["id"]) == Counts(booked=total, rows=total, issued=total, reserved=0)
    held = [len(await coupons_of(phone)) for phone in phones]
    assert held == [1 if answer.status_code == 201 else 0 for answer in answers]
    assert await findings(settings) == []


async def test_one_member_gets_no_more_than_their_share_however_often_they_ask(client, chain, admin, phone, settings):
    template = await make_template(admin, per_member=3, total=100)

    answers = await at_once(claim(phone, template_id=template["id"]) for _ in range(30))

    assert outcomes(answers) == {201: 3, "coupon_limit_reached": 27}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 3
    assert await counts(template["id"]) == Counts(booked=3, rows=3, issued=3, reserved=0)
    assert await findings(settings) == []


async def test_the_same_key_gets_one_coupon_and_everybody_hears_of_it(client, chain, admin, phone, settings):
    template = await make_template(admin, per_member=None, total=100)

    answers = await at_once(claim(phone, template_id=template["id"], key="the-same") for _ in range(20))

    assert outcomes(answers) == {201: 20}
    assert len({answer.text for answer in answers}) == 1
    assert Counter(answer.headers.get("idempotency-replayed") for answer in answers) == {None: 1, "true": 19}
    assert await counts(template["id"]) == Counts(booked=1, rows=1, issued=1, reserved=0)
    assert await findings(settings) == []


async def test_one_code_is_redeemed_by_one(client, chain, admin, settings):
    template = await make_template(admin, claim_by="nobody", total=12)
    batch = (await admin.post(f"{TEMPLATES}/{template['id']}/batches", {"total": 12})).json()
    file = await admin.post(f"/v1/admin/coupons/batches/{batch['id']}/export")
    code = file.content.decode("utf-8-sig").splitlines()[1].split(",")[0]
    phones = await asyncio.gather(*(register(client) for _ in range(12)))

    answers = await at_once(claim(phone, code=code) for phone in phones)

    assert outcomes(answers) == {201: 1, "coupon_code_used": 11}
    assert await counts(template["id"]) == Counts(booked=1, rows=1, issued=1, reserved=11)
    assert await findings(settings) == []


async def test_two_templates_and_sales_of_the_same_members_do_not_block_each_other(client, chain, admin, settings):
    one, other = await make_template(admin, total=10), await make_template(admin, total=10)
    phones = await asyncio.gather(*(register(client) for _ in range(16)))
    await asyncio.gather(*(give(phone.member_id, principal=1_000) for phone in phones))

    answers = await at_once(
        call
        for n, phone in enumerate(phones)
        for call in (
            claim(phone, template_id=one["id"]),
            chain.tills["S1"][n % 2].sell(client, phone.code(), fen=100),
            claim(phone, template_id=other["id"]),
        )
    )

    assert outcomes(answers) == {201: 36, "coupon_sold_out": 12}
    assert await findings(settings) == []


@pytest.mark.slow
async def test_a_hundred_for_ten_thousand(database, client, chain, admin, settings):
    """Past HTTP, so that all of them are there before the first is answered."""
    template = await make_template(admin, total=100, per_member=1)
    members = [await open_books() for _ in range(500)]

    def wish(number: int) -> Wish:
        member_id = members[number % len(members)]
        return Wish(
            member_id=member_id,
            coupon_id=service.new_coupon_id(member_id),
            source="claim",
            scope=f"member/{member_id}",
            key=f"{template['id']}-{number}",
            hash="00" * 32,
        )

    answers = await asyncio.gather(
        *(claims.submit(template["id"], wish(number)) for number in range(10_000)), return_exceptions=True
    )

    issued = [answer for answer in answers if isinstance(answer, service.Issued)]
    refused = Counter(type(answer).__name__ for answer in answers if isinstance(answer, BaseException))
    assert len(issued) == 100
    assert refused == {"CouponSoldOut": 9_900}
    assert await counts(template["id"]) == Counts(booked=100, rows=100, issued=100, reserved=0)
    most = await db.fetchval(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM coupon WHERE template_id = $1 GROUP BY member_id) AS c",
        template["id"],
    )
    assert most == 1
    assert await findings(settings) == []


async def test_a_gift_is_accepted_by_one_of_many_friends(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone, CASH | {"transferable": True})
    token = (await give_to_friend(phone, coupon_id)).json()["token"]
    friends = await asyncio.gather(*(register(client) for _ in range(12)))

    answers = await at_once(accept_gift(friend, token) for friend in friends)

    assert outcomes(answers) == {201: 1, "coupon_gift_over": 11}
    held = [len(await coupons_of(friend)) for friend in friends]
    assert held == [1 if answer.status_code == 201 else 0 for answer in answers]
    assert await coupons_of(phone) == []
    assert await findings(settings) == []


async def test_a_gift_is_accepted_or_taken_back_and_one_friend_asking_often_hears_of_one_coupon(
    client, chain, admin, phone, settings
):
    friend = await register(client)
    offer = {"per_member": None}
    for _ in range(4):
        coupon_id = await give_coupon(admin, phone, CASH | {"transferable": True}, **offer)
        gift = (await give_to_friend(phone, coupon_id)).json()
        back = f"/v1/member/coupons/{coupon_id}/gifts/{gift['gift_id']}"

        answers = await at_once(
            [
                *(accept_gift(friend, gift["token"], key=gift["gift_id"]) for _ in range(4)),
                phone.call("DELETE", back),
            ]
        )

        accepted = [answer for answer in answers[:4] if answer.status_code == 201]
        assert len(accepted) in (0, 4)
        assert len({answer.text for answer in accepted}) == (1 if accepted else 0)
        assert answers[4].status_code == (409 if accepted else 204)
    assert await findings(settings) == []


async def test_a_coupon_is_given_once_however_often_it_is_asked_at_once(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone, CASH | {"transferable": True})

    same = await at_once(give_to_friend(phone, coupon_id, key="same") for _ in range(6))
    others = await at_once(give_to_friend(phone, coupon_id) for _ in range(4))

    assert outcomes(same) == {201: 6}
    assert len({answer.text for answer in same}) == 1
    assert outcomes(others) == {"coupon_locked": 4}
    assert await findings(settings) == []
