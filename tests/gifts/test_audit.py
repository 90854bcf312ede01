"""The proof of gifts says what is wrong, and of what."""

from __future__ import annotations

import pytest

from backend.gifts import audit
from backend.stock import audit as stock
from tests.support import kept
from tests.support.gifts import GOODS, make_gift, redeemed
from tests.support.mall import put
from tests.support.value import give

LIES = {
    "a state": ("UPDATE gifts_redemption SET state = 'handed_over' WHERE id = $1", "is handed_over, its document"),
    "a price": ("UPDATE gifts_redemption SET points = points + 1 WHERE id = $1", "it costs 101 points"),
    "money": ("UPDATE gifts_redemption SET pay_fen = 5 WHERE id = $1", "and 5 fen, 100 and 0 were taken"),
    "another gift": ("UPDATE gifts_redemption SET gift_id = 'GFOTHER' WHERE id = $1", "0 and 0 were taken"),
    "no redemption": ("DELETE FROM gifts_redemption WHERE id = $1", "and no redemption"),
    "a count": (
        "UPDATE gifts_redemption SET counted = false WHERE id = $1",
        "taken 1 times, its redemptions say 0",
    ),
}


@pytest.fixture
async def made(admin, phone):
    await put("S1", "6902", 1, 750)
    await give(phone.member_id, points=100)
    return await redeemed(phone, await make_gift(admin, GOODS))


@pytest.mark.parametrize("lie", LIES)
async def test_each_lie_is_found(settings, made, lie):
    owner = await kept.connection(settings, "huiyuan_owner")
    sql, words = LIES[lie]
    row = await owner.fetchrow("SELECT * FROM gifts_redemption WHERE id = $1", made["id"])
    assert await audit.prove(owner) == []

    await owner.execute(sql, made["id"])
    found = await audit.prove(owner)

    assert any(words in finding.what for finding in found), found
    assert {finding.check for finding in found} == {audit.CHECK}
    await owner.execute("DELETE FROM gifts_redemption WHERE id = $1", made["id"])
    names = list(row.keys())
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    await owner.execute(f"INSERT INTO gifts_redemption ({', '.join(names)}) VALUES ({places})", *row.values())
    assert await audit.prove(owner) == []


async def test_a_promise_to_a_gift_that_does_not_wait_is_found(settings, made):
    owner = await kept.connection(settings, "huiyuan_owner")
    assert await stock.prove(owner) == []

    await owner.execute("UPDATE gifts_redemption SET state = 'cancelled' WHERE id = $1", made["id"])
    found = await stock.prove(owner)
    await owner.execute("UPDATE gifts_redemption SET state = 'waiting' WHERE id = $1", made["id"])

    assert [finding.what for finding in found] == [f"order {made['id']} is not open"]
