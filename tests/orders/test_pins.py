"""The payment PIN at checkout: asked for above the password-free limits of members who have one, and of nobody else."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from backend.kernel import config, db
from backend.kernel.http.decoding import request_hash
from backend.ledger.errors import Stale
from backend.ledger.types import Posted
from backend.orders.commands import pins, place
from tests.support.books import fingerprint
from tests.support.gift_cards import bound_card
from tests.support.mall import checkout, order, put
from tests.support.members import Phone
from tests.support.races import codes_of
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

PIN, WRONG = "135790", "135791"
APPLES = checkout(a6902=2)
"""¥25: more than may be paid without a PIN here, and one apple is not."""


@pytest.fixture(scope="module")
def settings(settings):
    made = msgspec.structs.replace(settings, password_free_sale_fen=2_000, password_free_day_fen=4_000)
    config.use(made)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(phone: Phone) -> Phone:
    """Has ¥500 and a PIN."""
    await give(phone.member_id, principal=50_000, points=5_000)
    for store in ("S1", "S2"):
        await put(store, "6902", 40, 2_000)
    assert (await phone.call("PUT", "/v1/member/pin", {"pin": PIN})).status_code == 204
    return phone


async def buy(phone: Phone, body: dict[str, Any], fen: int, *, pin: str | None = None, key: str | None = None) -> Any:
    return await order(phone, body | ({} if pin is None else {"pin": pin}), fen, key=key)


async def is_told(phone: Phone, body: dict[str, Any]) -> bool:
    quoted = await phone.call("POST", "/v1/member/orders/quote", body)
    told: bool = quoted.json()["pin_required"]
    return told


async def test_above_the_limit_the_pin_comes_with_the_order(buyer, settings):
    assert await is_told(buyer, APPLES)
    before = await fingerprint(settings)
    asked = await buy(buyer, APPLES, 2_500, key="above")
    assert (asked.status_code, asked.json()["code"]) == (409, "pin_required")
    assert await fingerprint(settings) == before
    wrong = await buy(buyer, APPLES, 2_500, pin=WRONG, key="above")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "pin_invalid")
    counted = before | {"member_pin": ""}
    assert await fingerprint(settings) | {"member_pin": ""} == counted  # the try is counted, and nothing else

    placed = await buy(buyer, APPLES, 2_500, pin=PIN, key="above")
    again = [await buy(buyer, APPLES, 2_500, pin=pin, key="above") for pin in (PIN, None)]

    assert placed.status_code == 201, placed.text
    assert [(one.json(), one.headers["idempotency-replayed"]) for one in again] == [(placed.json(), "true")] * 2


async def test_a_retry_with_another_pin_gets_the_first_answer_and_is_no_wrong_try(buyer, settings):
    placed = await buy(buyer, APPLES, 2_500, pin=PIN, key="again")
    before = await fingerprint(settings)

    again = [await buy(buyer, APPLES, 2_500, pin=WRONG, key="again") for _ in range(6)]
    other = await buy(buyer, checkout(a6902=1), 1_250, pin=WRONG, key="again")

    assert [one.json() for one in again] == [placed.json()] * 6
    assert other.json()["code"] == "idempotency_conflict"
    assert await fingerprint(settings) == before
    assert (await buy(buyer, APPLES, 2_500, pin=PIN)).status_code == 201


async def test_a_pin_that_nothing_asked_for_yet_is_looked_at_once_something_does(buyer, settings, monkeypatch):
    """A coupon that paid all of it at first pays less when it is planned again: the PIN was looked at by nobody."""
    taken, submit = pins.value_fen, place._submit
    times: list[int] = []

    async def moved(checkout: place.Checkout) -> Posted:
        times.append(1)
        if len(times) == 1:
            raise Stale
        return await submit(checkout)

    monkeypatch.setattr(place, "_submit", moved)
    monkeypatch.setattr(pins, "value_fen", lambda parts: taken(parts) if times else 0)
    before = await fingerprint(settings)

    asked = await buy(buyer, APPLES, 2_500, pin=WRONG)

    assert asked.json()["code"] == "pin_invalid"
    assert await fingerprint(settings) | {"member_pin": ""} == before | {"member_pin": ""}


async def test_five_wrong_ones_lock_it_here_and_at_the_till(buyer, chain, client, settings):
    tries = [await buy(buyer, APPLES, 2_500, pin=WRONG) for _ in range(5)]
    before = await fingerprint(settings)

    locked = [await buy(buyer, APPLES, 2_500, pin=pin) for pin in (WRONG, PIN)]

    assert [one.json()["code"] for one in tries] == ["pin_invalid"] * 5
    assert [(one.status_code, one.json()["code"]) for one in locked] == [(429, "pin_locked")] * 2
    assert await fingerprint(settings) == before
    waits = await chain.till.sell(client, buyer.code(), fen=2_500)
    path = f"/v1/member/confirmations/{waits.json()['id']}"
    assert (await buyer.call("POST", path, {"decision": "approve", "pin": PIN})).json()["code"] == "pin_locked"
    assert (await buyer.call("POST", path, {"decision": "reject"})).status_code == 200


async def test_a_day_is_counted_with_the_tills_and_what_was_confirmed_is_not(buyer, chain, client, settings):
    codes = await codes_of(buyer, 2)
    assert (await buy(buyer, APPLES, 2_500, pin=PIN)).status_code == 201
    assert (await buy(buyer, checkout(a6902=1), 1_250)).status_code == 201
    assert (await chain.till.sell(client, codes[0], fen=1_400)).json()["status"] == "completed"
    both = {"orders": [*checkout(a6902=1)["orders"], *checkout("S2", a6901=1)["orders"]]}
    await put("S2", "6901", 5, 500)
    assert await is_told(buyer, both)
    before = await fingerprint(settings)

    over = await buy(buyer, both, 1_450)

    assert over.json()["code"] == "pin_required"
    assert await fingerprint(settings) == before
    assert (await buy(buyer, checkout(a6902=1), 1_250)).status_code == 201  # 3,900 of 4,000 fen
    assert (await chain.till.sell(client, codes[1], fen=200)).json()["status"] == "awaiting_confirmation"
    assert (await buy(buyer, both, 1_450, pin=PIN)).status_code == 201


async def test_orders_at_once_share_one_day(buyer):
    answers = await asyncio.gather(*(buy(buyer, checkout(a6902=1), 1_250) for _ in range(6)))

    assert Counter(one.json().get("code", "placed") for one in answers) == {"placed": 3, "pin_required": 3}


async def test_gift_cards_and_points_count_and_what_wechat_pays_does_not(buyer, admin, chain):
    card = (await bound_card(admin, chain.till, buyer, 3_000))["id"]
    gift = {"type": "gift_card", "reference": card}
    held = APPLES | {"tenders": [gift | {"amount_fen": 1_500}, {"type": "points", "points": 900}, {"type": "wechat"}]}
    free = APPLES | {"tenders": [{"type": "wechat"}]}

    codes = [
        (await buy(buyer, APPLES | {"tenders": [gift]}, 2_500)).json()["code"],
        (await buy(buyer, held, 2_500)).json()["code"],
    ]
    by_wechat = await buy(buyer, free, 2_500, pin=WRONG)

    assert codes == ["pin_required"] * 2
    assert (by_wechat.status_code, await is_told(buyer, free)) == (201, False)
    placed = await buy(buyer, held, 2_500, pin=PIN)
    assert placed.json()["payment"]["pay_fen"] == 100
    for made in (placed, by_wechat):
        await buyer.call("POST", f"/v1/member/orders/{made.json()['checkout_id']}/cancel")


async def test_who_has_set_no_pin_pays_by_the_session_alone(phone, chain, client):
    await give(phone.member_id, principal=50_000)
    await put("S1", "6902", 20, 2_000)

    placed = [await buy(phone, checkout(a6902=4), 5_000, pin=pin) for pin in (None, PIN)]

    assert [one.status_code for one in placed] == [201, 201]
    assert not await is_told(phone, checkout(a6902=4))
    sold = await chain.till.sell(client, phone.code(), fen=1_900)
    assert sold.json()["status"] == "completed"  # what no PIN could confirm is not counted at the till either


async def test_neither_a_log_nor_the_fingerprint_of_the_request_knows_the_pin(buyer, capsys):
    body = APPLES | {"payable_fen": 2_500}
    canonical = msgspec.json.encode(body, order="deterministic")

    await buy(buyer, APPLES, 2_500, pin=WRONG, key="secret")
    placed = await buy(buyer, APPLES, 2_500, pin=PIN, key="secret")

    assert placed.status_code == 201
    stored = await db.fetchval("SELECT hash FROM ledger_key WHERE member_id = $1 AND key = 'secret'", buyer.member_id)
    assert stored == request_hash("POST", "/v1/member/orders", canonical)
    printed = capsys.readouterr()
    assert PIN not in printed.out + printed.err
    assert WRONG not in printed.out + printed.err
