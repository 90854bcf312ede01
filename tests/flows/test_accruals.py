"""Points for sales taken while the till was offline."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock as kernel_clock
from tests.support.value import findings


def accrual(phone, **more):
    body = {
        "order_no": more.pop("order_no"),
        "total_fen": 5_000,
        "lines": [{"sku": "a", "qty": 2, "unit_price_fen": 2_500}],
        "occurred_at": kernel_clock.now().isoformat(),
    }
    return body | more


async def test_by_member_number_and_by_code(client, chain, phone, settings):
    by_number = await chain.till.post(
        client, "/v1/pos/accruals", accrual(phone, order_no="OFF-1", member_no=phone.member["member_no"])
    )
    by_code = await chain.till.post(client, "/v1/pos/accruals", accrual(phone, order_no="OFF-2", code=phone.code()))

    assert (by_number.status_code, by_code.status_code) == (201, 201), by_number.text + by_code.text
    assert by_code.json()["points_earned"] == 50
    assert by_code.json()["balances"]["points"] == 100
    assert await findings(settings) == []


async def test_a_code_taken_offline_counts_once_whatever_came_after(client, chain, phone, clock):
    code, taken_at = phone.code(), kernel_clock.now().isoformat()
    clock.shift(timedelta(days=6))
    online = await chain.till.sell(client, phone.code(), tenders=[{"type": "cash"}])
    assert online.status_code == 201

    first = await chain.till.post(
        client, "/v1/pos/accruals", accrual(phone, order_no="OFF-3", code=code, occurred_at=taken_at)
    )
    second = await chain.till.post(
        client, "/v1/pos/accruals", accrual(phone, order_no="OFF-4", code=code, occurred_at=taken_at)
    )

    assert first.status_code == 201, first.text
    assert (second.status_code, second.json()["code"]) == (409, "code_used")


async def test_a_code_spent_online_earns_nothing_offline(client, chain, phone):
    code = phone.code()
    assert (await chain.till.sell(client, code, tenders=[{"type": "cash"}])).status_code == 201

    again = await chain.till.post(client, "/v1/pos/accruals", accrual(phone, order_no="OFF-9", code=code))

    assert (again.status_code, again.json()["code"]) == (409, "code_used")


async def test_the_total_is_before_the_till_s_discount_and_points_are_after_it(client, chain, phone):
    lines = [{"sku": "a", "qty": 2, "unit_price_fen": 2_500, "discount_fen": 1_000}]

    answer = await chain.till.post(
        client,
        "/v1/pos/accruals",
        accrual(phone, order_no="OFF-10", lines=lines, member_no=phone.member["member_no"]),
    )

    assert answer.status_code == 201, answer.text
    assert answer.json()["points_earned"] == 40


async def test_order_numbers_are_shared_with_sales(client, chain, phone):
    await chain.till.sell(client, phone.code(), order_no="OFF-5", tenders=[{"type": "cash"}])

    twice = await chain.till.post(
        client, "/v1/pos/accruals", accrual(phone, order_no="OFF-5", member_no=phone.member["member_no"])
    )

    assert (twice.status_code, twice.json()["code"]) == (409, "order_exists")


async def test_too_old_too_new_wrong_sum_and_nobody(client, chain, phone):
    number, now = phone.member["member_no"], kernel_clock.now()

    async def send(**more):
        answer = await chain.till.post(client, "/v1/pos/accruals", accrual(phone, order_no="OFF-6", **more))
        return answer.status_code, answer.json()["code"]

    assert await send(member_no=number, occurred_at=(now - timedelta(days=8)).isoformat()) == (
        422,
        "occurred_out_of_range",
    )
    assert await send(member_no=number, occurred_at=(now + timedelta(minutes=5)).isoformat()) == (
        422,
        "occurred_out_of_range",
    )
    assert await send(member_no=number, total_fen=4_999) == (422, "validation_failed")
    assert await send(member_no="199999999999") == (404, "not_found")
    assert await send() == (422, "validation_failed")
    assert (await phone.wallet())["points"]["available"] == 0


async def test_a_terminal_s_day_is_capped(client, chain, phone):
    body = {"total_fen": 400_000, "lines": [{"sku": "a", "qty": 1, "unit_price_fen": 400_000}]}
    number = phone.member["member_no"]

    first = await chain.till.post(
        client, "/v1/pos/accruals", accrual(phone, order_no="OFF-7", member_no=number, **body)
    )
    second = await chain.till.post(
        client, "/v1/pos/accruals", accrual(phone, order_no="OFF-8", member_no=number, **body)
    )

    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "accrual_limit")


async def test_a_time_without_its_zone_is_refused(client, chain, phone):
    number = phone.member["member_no"]
    naive = accrual(phone, order_no="OFF-20", member_no=number, occurred_at="2026-01-01T00:00:00")

    accrued = await chain.till.post(client, "/v1/pos/accruals", naive)
    sale = await chain.till.sell(client, phone.code(), tenders=[{"type": "cash"}], occurred_at="2026-01-01T00:00:00")

    for refused in (accrued, sale):
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/occurred_at"), refused.text


async def test_a_code_of_another_minute_is_no_guess(client, chain, phone):
    """A till whose clock is wrong is not taken for one that guesses: right codes of other steps are not counted."""
    body = accrual(phone, order_no="OFF-21", code=phone.code(steps_ago=20))

    answers = [await chain.till.post(client, "/v1/pos/accruals", body) for _ in range(22)]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "code_expired")}
