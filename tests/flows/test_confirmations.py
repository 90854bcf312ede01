"""Sales that wait for the phone: limits, PIN, rejection, expiry, cancelling."""

from __future__ import annotations

from datetime import timedelta

from backend.auth import service as auth
from backend.kernel import db
from tests.support.value import findings, give


async def wait(client, chain, phone, *, fen=20_001, **more):
    answer = await chain.till.sell(client, phone.code(), fen=fen, **more)
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "awaiting_confirmation"
    return answer.json()


async def approve(phone, sale, **more):
    return await phone.call("POST", f"/v1/member/confirmations/{sale['id']}", {"decision": "approve"} | more)


async def test_the_limit_itself_passes_and_one_fen_more_waits(client, chain, phone, clock):
    await give(phone.member_id, principal=100_000)

    at_limit = await chain.till.sell(client, phone.code(), fen=20_000)
    clock.shift(timedelta(seconds=15))
    sale = await wait(client, chain, phone)

    assert at_limit.json()["status"] == "completed"
    assert sale["balances"]["stored_fen"] == 80_000
    waiting = (await phone.call("GET", "/v1/member/confirmations")).json()["items"]
    assert [(item["sale_id"], item["payable_fen"], item["store"]["name"]) for item in waiting] == [
        (sale["id"], 20_001, "南京路店")
    ]
    done = await approve(phone, sale)
    assert done.json() == {"sale_id": sale["id"], "status": "completed"}
    assert (await approve(phone, sale)).json()["status"] == "completed"
    polled = (await chain.till.get(client, f"/v1/pos/sales/{sale['id']}")).json()
    assert (polled["status"], polled["balances"]["stored_fen"]) == ("completed", 59_999)
    assert polled["points_earned"] == 200


async def test_cash_does_not_count_towards_the_limit(client, chain, phone):
    sale = await chain.till.sell(client, phone.code(), fen=90_000, tenders=[{"type": "cash"}])

    assert sale.json()["status"] == "completed"


async def test_a_typed_code_waits(client, chain, phone):
    await give(phone.member_id, principal=1_000)

    sale = await wait(client, chain, phone, fen=100, code_entry="typed")

    assert sale["payable_fen"] == 100


async def test_two_stores_within_minutes_wait(client, chain, phone, clock):
    await give(phone.member_id, principal=10_000)
    assert (await chain.till.sell(client, phone.code())).json()["status"] == "completed"
    clock.shift(timedelta(seconds=15))

    elsewhere = await chain.tills["S2"][0].sell(client, phone.code())
    clock.shift(timedelta(seconds=601))
    later = await chain.tills["S1"][0].sell(client, phone.code())

    assert elsewhere.json()["status"] == "awaiting_confirmation"
    assert later.json()["status"] == "completed"


async def test_a_scan_at_the_second_store_does_not_make_the_first_forgotten(client, chain, phone, clock):
    await give(phone.member_id, principal=10_000)
    assert (await chain.till.sell(client, phone.code())).json()["status"] == "completed"
    clock.shift(timedelta(seconds=15))
    there = chain.tills["S2"][0]
    token = (await there.post(client, "/v1/pos/scan", {"code": phone.code()})).json()["scan_token"]
    basket = {"scan_token": token, "lines": [{"sku": "a", "qty": 1, "unit_price_fen": 100}]}

    quoted = await there.post(client, "/v1/pos/quotes", basket)
    by_token = await there.post(client, "/v1/pos/sales", basket | {"order_no": "TWO-1"})
    clock.shift(timedelta(seconds=15))
    by_code = await there.sell(client, phone.code())
    clock.shift(timedelta(seconds=601))
    later = await there.sell(client, phone.code())

    assert quoted.json()["confirmation_required"] is True
    assert by_token.json()["status"] == "awaiting_confirmation"
    assert by_code.json()["status"] == "awaiting_confirmation"
    assert later.json()["status"] == "completed"


async def test_a_scan_between_does_not_hide_that_somebody_guesses_at_the_handle(client, chain, phone):
    await give(phone.member_id, principal=10_000)
    async with db.transaction() as tx:
        await auth.mark_handle_suspect(tx, phone.device["handle"])
    code = phone.code()
    token = (await chain.till.post(client, "/v1/pos/scan", {"code": code})).json()["scan_token"]
    basket = {"scan_token": token, "lines": [{"sku": "a", "qty": 1, "unit_price_fen": 700}]}

    repeated = await chain.till.post(client, "/v1/pos/scan", {"code": code})
    quoted = await chain.till.post(client, "/v1/pos/quotes", basket)
    sale = await chain.till.post(client, "/v1/pos/sales", basket | {"order_no": "GUESSED-1"})

    assert repeated.json()["scan_token"] == token
    assert quoted.json()["confirmation_required"] is True
    assert sale.json()["status"] == "awaiting_confirmation"


async def test_a_member_s_day_above_the_limit_waits(client, chain, phone, clock):
    await give(phone.member_id, principal=200_000)
    statuses = []
    for _ in range(6):
        statuses.append((await chain.till.sell(client, phone.code(), fen=20_000)).json()["status"])
        clock.shift(timedelta(seconds=15))

    assert statuses == ["completed"] * 5 + ["awaiting_confirmation"]


async def test_a_confirmed_sale_does_not_use_up_the_password_free_day(client, chain, phone, clock):
    """The day of 100,000 fen is for what went through without the member's word; what was confirmed had it."""
    await give(phone.member_id, principal=400_000)
    confirmed = await wait(client, chain, phone, fen=90_000)
    assert (await approve(phone, confirmed)).json()["status"] == "completed"
    statuses = []
    for _ in range(6):
        clock.shift(timedelta(seconds=15))
        statuses.append((await chain.till.sell(client, phone.code(), fen=20_000)).json()["status"])

    assert statuses == ["completed"] * 5 + ["awaiting_confirmation"]


async def test_a_pin_once_set_is_needed_and_locks_after_five_wrong_ones(client, chain, phone):
    await give(phone.member_id, principal=100_000)
    pin = {"pin": "271828", "phone_code": "phone-00000000000"}
    own_number = await phone.call("GET", "/v1/member/profile")
    assert own_number.status_code == 200
    first = await phone.call("PUT", "/v1/member/pin", {"pin": "271828"})
    if first.status_code != 204:  # a first PIN is proven with the phone
        assert first.status_code in (401, 403, 409, 422), first.text
        assert (await phone.call("PUT", "/v1/member/pin", pin)).status_code != 204
        return
    sale = await wait(client, chain, phone)

    missing = await approve(phone, sale)
    wrong = [await approve(phone, sale, pin="000000") for _ in range(5)]
    locked = await approve(phone, sale, pin="271828")

    assert (missing.status_code, missing.json()["code"]) == (409, "pin_required")
    assert [(answer.status_code, answer.json()["code"]) for answer in wrong] == [(422, "pin_invalid")] * 5
    assert (locked.status_code, locked.json()["code"]) == (429, "pin_locked")
    assert (await phone.wallet())["stored"]["total_fen"] == 100_000


async def test_a_rejected_sale_moves_nothing_and_frees_its_order_number(client, chain, phone, clock, settings):
    await give(phone.member_id, principal=100_000)
    sale = await wait(client, chain, phone, order_no="REJ-1")

    rejected = await phone.call("POST", f"/v1/member/confirmations/{sale['id']}", {"decision": "reject"})
    too_late = await approve(phone, sale)
    clock.shift(timedelta(seconds=15))
    again = await chain.till.sell(client, phone.code(), order_no="REJ-1")

    assert rejected.json()["status"] == "rejected"
    assert (too_late.status_code, too_late.json()["code"]) == (409, "sale_not_waiting")
    assert again.status_code == 201
    assert (await phone.wallet())["stored"]["total_fen"] == 99_000
    assert await findings(settings) == []


async def test_a_waiting_sale_expires(client, chain, phone, clock):
    await give(phone.member_id, principal=100_000)
    sale = await wait(client, chain, phone)

    clock.shift(timedelta(seconds=121))

    assert (await chain.till.get(client, f"/v1/pos/sales/{sale['id']}")).json()["status"] == "expired"
    assert (await approve(phone, sale)).status_code == 409
    assert (await phone.call("GET", "/v1/member/confirmations")).json()["items"] == []


async def test_a_sale_that_waited_too_long_cannot_be_approved_whoever_looks_first(client, chain, phone, clock):
    await give(phone.member_id, principal=100_000)
    sale = await wait(client, chain, phone)
    clock.shift(timedelta(seconds=121))

    late = await approve(phone, sale)

    assert (late.status_code, late.json()["code"]) == (409, "sale_not_waiting")
    assert (await phone.wallet())["stored"]["total_fen"] == 100_000


async def test_an_order_number_is_free_again_as_soon_as_its_sale_has_waited_too_long(client, chain, phone, clock):
    await give(phone.member_id, principal=100_000)
    first = await wait(client, chain, phone, order_no="LATE-1")
    clock.shift(timedelta(seconds=60))
    held = await chain.till.sell(client, phone.code(), order_no="LATE-1")
    clock.shift(timedelta(seconds=61))

    again = await chain.till.sell(client, phone.code(), order_no="LATE-1")

    assert (held.status_code, held.json()["code"], held.json()["id"]) == (409, "order_exists", first["id"])
    assert again.status_code == 201, again.text


async def test_the_till_cancels_while_it_waits_and_not_after(client, chain, phone, clock):
    await give(phone.member_id, principal=100_000)
    sale = await wait(client, chain, phone)

    cancelled = await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/cancel", None, key="c-1")
    replay = await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/cancel", None, key="c-1")
    clock.shift(timedelta(seconds=15))
    done = await wait(client, chain, phone)
    await approve(phone, done)
    refused = await chain.till.post(client, f"/v1/pos/sales/{done['id']}/cancel", None)

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert replay.headers["idempotency-replayed"] == "true"
    assert (refused.status_code, refused.json()["code"]) == (409, "sale_completed")


async def test_a_waiting_sale_reserves_nothing_and_an_empty_wallet_leaves_it_waiting(client, chain, phone, clock):
    await give(phone.member_id, principal=30_000)
    sale = await wait(client, chain, phone)
    clock.shift(timedelta(seconds=15))
    assert (await chain.till.sell(client, phone.code(), fen=15_000)).json()["status"] == "completed"

    poor = await approve(phone, sale)
    await give(phone.member_id, principal=10_000)
    enough = await approve(phone, sale)

    assert (poor.status_code, poor.json()["code"]) == (409, "insufficient_balance")
    assert enough.json()["status"] == "completed"


async def test_an_answer_that_is_neither_moves_nothing(client, chain, phone):
    await give(phone.member_id, principal=100_000)
    sale = await wait(client, chain, phone)

    for decision in ("approve\n", "APPROVE", "", None):
        path = f"/v1/member/confirmations/{sale['id']}"
        answer = await phone.call("POST", path, {"decision": decision})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/decision")

    assert (await phone.wallet())["stored"]["total_fen"] == 100_000


async def test_another_member_cannot_decide(client, chain, phone):
    from tests.support.members import register

    await give(phone.member_id, principal=100_000)
    sale = await wait(client, chain, phone)
    stranger = await register(client)

    assert (await approve(stranger, sale)).status_code == 404
