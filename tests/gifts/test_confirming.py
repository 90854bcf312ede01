"""What a member confirms before a gift is taken: the price that they saw, and by PIN what is beyond the free limits."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from backend.kernel import config
from backend.ledger import queries as ledger
from backend.ledger.plans import POINTS
from backend.ledger.plans import STORED as STORED_VALUE
from backend.sales import service as sales
from tests.support.books import fingerprint
from tests.support.gifts import GIFTS, GOODS, make_gift, points_of, redeem, redeemed
from tests.support.mall import put
from tests.support.races import outcomes
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

PIN = "121212"


@pytest.fixture(scope="module")
def settings(settings):
    """Without the PIN go ¥5 at once and ¥8 a day; a point pays half a fen."""
    made = msgspec.structs.replace(
        settings, password_free_sale_fen=500, password_free_day_fen=800, point_value_fen_bp=5_000
    )
    config.use(made)
    return made


async def test_points_and_money_count_together_and_beyond_the_limits_the_pin_is_asked_for(settings, admin, phone):
    await put("S1", "6902", 20, 3_750)
    await give(phone.member_id, points=5_000, principal=1_000)
    dear = await make_gift(admin, GOODS, points=1_002)
    mixed = await make_gift(admin, GOODS, points=100, pay_fen=451)
    cheap = await make_gift(admin, GOODS, points=800)
    await redeemed(phone, dear)  # no PIN is set: their session is their word
    assert (await phone.call("PUT", "/v1/member/pin", {"pin": PIN})).status_code == 204
    before = await fingerprint(settings)

    refused = [await redeem(phone, dear), await redeem(phone, mixed), await redeem(phone, cheap, quantity=2)]
    assert await fingerprint(settings) == before
    wrong = await redeem(phone, dear, pin="000000")
    with_pin = [await redeem(phone, gift, pin=PIN) for gift in (dear, mixed)]
    raced = await asyncio.gather(*(redeem(phone, cheap) for _ in range(3)))  # ¥4 each, of ¥8 a day

    assert [one.json()["code"] for one in refused] == ["pin_required"] * 3
    assert wrong.json()["code"] == "pin_invalid"
    assert outcomes(with_pin) == {201: 2}
    assert outcomes(raced) == {201: 2, "pin_required": 1}
    balances = await ledger.get_balances(phone.member_id)
    assert (balances[POINTS], balances[STORED_VALUE]) == (5_000 - 2 * 1_002 - 100 - 2 * 800, 1_000 - 451)


async def test_a_price_that_is_not_the_one_that_was_shown_is_refused_with_the_new_one(settings, admin, phone):
    await put("S1", "6902", 5, 3_750)
    await give(phone.member_id, points=500, principal=100)
    gift = await make_gift(admin, GOODS, pay_fen=10)
    raised = await admin.call("PUT", f"{GIFTS}/{gift['id']}", GOODS | {"points": 120, "version": gift["version"]})
    assert raised.status_code == 200, raised.text
    before = await fingerprint(settings)

    dearer = await redeem(phone, gift, quantity=2, points=200, pay_fen=0)
    cheaper = await redeem(phone, gift, quantity=2, points=240, pay_fen=20)
    unmoved = await fingerprint(settings)
    made = await redeemed(phone, gift, quantity=2, points=240, pay_fen=0)

    for refused in (dearer, cheaper):
        told = refused.json()
        assert (refused.status_code, told["code"]) == (409, "gift_price_changed")
        assert (told["points"], told["pay_fen"]) == (240, 0)
    assert unmoved == before
    assert made["points"] == 240
    assert await points_of(phone) == 260


async def test_a_price_that_is_raised_after_it_was_confirmed_is_not_taken(settings, admin, phone, monkeypatch):
    """Head office saves between the look at the price and the gift's lock; the member's client names no price."""
    await put("S1", "6902", 5, 3_750)
    await give(phone.member_id, points=500)
    gift = await make_gift(admin, GOODS)
    confirm = sales.confirm_spending

    async def slow(member_id, taken_fen, pin):
        assert taken_fen == 50
        body = GOODS | {"points": 400, "version": gift["version"]}
        assert (await admin.call("PUT", f"{GIFTS}/{gift['id']}", body)).status_code == 200
        return await confirm(member_id, taken_fen, pin)

    monkeypatch.setattr(sales, "confirm_spending", slow)

    refused = await redeem(phone, gift)

    assert (refused.json()["code"], refused.json()["points"]) == ("gift_price_changed", 400)
    assert await points_of(phone) == 500
