"""What time does to passes: days earn, a warning, and the end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import pytest_asyncio

from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.passes.commands import ageing
from tests.support.coupons import log_in_again
from tests.support.passes import (
    CLUB,
    PARKING,
    WASHES,
    booked,
    buy,
    held,
    line_of,
    make_pass_product,
    passes_of,
    scan,
    undo,
    use,
)
from tests.support.staff import StaffSession, log_in

START = datetime(2027, 3, 20, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_march(clock) -> None:
    clock.freeze(START)


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain, _in_march) -> StaffSession:
    """Logged in in March: sessions of other days have ended."""
    return await log_in(client, chain, "admin")


async def bought(client, chain, admin, phone, terms, *, fen: int = 10_000) -> tuple[str, str, str]:
    """A pass, its product, and the scan token it was bought with."""
    await log_in_again(phone)
    product = await make_pass_product(admin, terms)
    token = (await scan(client, chain.till, phone))["scan_token"]
    await buy(client, chain.till, token, line_of(product, fen=fen))
    (card,) = await passes_of(phone)
    await outbox.drain()
    return card["id"], product["id"], token


async def on(clock, day: date) -> datetime:
    """Noon of that day in Shanghai."""
    clock.freeze(datetime(day.year, day.month, day.day, 4, tzinfo=UTC))
    return kernel_clock.now()


async def test_a_counted_pass_expires_with_what_nobody_used(client, chain, admin, phone, clock, books):
    pass_id, product_id, token = await bought(client, chain, admin, phone, WASHES | {"days": 10})
    await use(client, chain.till, token, pass_id)

    last_day = await ageing.expire_passes(await on(clock, date(2027, 3, 29)))
    after = await ageing.expire_passes(await on(clock, date(2027, 3, 30)))
    again = await ageing.expire_passes(kernel_clock.now())

    assert (last_day, after, again) == (0, 1, 0)
    assert await booked(pass_id) == {
        ("house.services_issued", product_id): -3,
        ("house.services_used", product_id): 1,
        ("house.services_expired", product_id): 2,
        ("house.service_income", "S1"): 3_333,
        ("house.breakage", ""): 6_667,
    }
    await outbox.drain()
    await log_in_again(phone)
    assert [(item["state"], item["uses_left"]) for item in await passes_of(phone, "ended")] == [("expired", 0)]


async def test_an_expired_pass_is_refused_also_before_the_job_came(client, chain, admin, phone, clock, books):
    pass_id, _, token = await bought(client, chain, admin, phone, WASHES | {"days": 1})
    used = await use(client, chain.till, token, pass_id)
    await on(clock, date(2027, 3, 21))
    token = (await scan(client, chain.till, phone))["scan_token"]

    late = await use(client, chain.till, token, pass_id)
    undone = await undo(client, chain.till, used.json()["id"])

    assert (late.status_code, late.json()["code"]) == (409, "pass_expired")
    assert (undone.status_code, undone.json()["code"]) == (409, "pass_expired")
    assert await held(pass_id) == (2, 6_667)


async def test_days_are_earned_month_by_month_and_all_by_the_last(client, chain, admin, phone, clock, books):
    """30 days from 20 March: 12 of them in March, the rest at the end."""
    pass_id, product_id, _ = await bought(client, chain, admin, phone, PARKING)

    early = await ageing.recognise_days(await on(clock, date(2027, 3, 31)))
    april = await ageing.recognise_days(await on(clock, date(2027, 4, 1)))
    twice = await ageing.recognise_days(kernel_clock.now())
    in_april = await booked(pass_id)
    await ageing.expire_passes(await on(clock, date(2027, 4, 19)))

    assert (early, april, twice) == (0, 1, 0)
    assert in_april["house.service_income", "S1"] == 4_000
    assert await booked(pass_id) == {
        ("house.services_issued", product_id): -1,
        ("house.services_expired", product_id): 1,
        ("house.service_income", "S1"): 10_000,
    }


async def test_a_worker_that_slept_for_months_earns_them_at_once(client, chain, admin, phone, clock, books):
    pass_id, _, _ = await bought(client, chain, admin, phone, CLUB, fen=36_500)

    late = await ageing.recognise_days(await on(clock, date(2027, 7, 9)))

    assert late == 1
    assert (await booked(pass_id))["house.service_income", "S1"] == 100 * (12 + 30 + 31 + 30)
    assert await held(pass_id) == (1, 36_500 - 10_300)
    assert await db.fetchval("SELECT recognise_on FROM pass_card WHERE id = $1", pass_id) == date(2027, 8, 1)


async def test_an_unused_timed_pass_goes_back_whole_also_after_a_month(client, chain, admin, phone, clock, books):
    await log_in_again(phone)
    product = await make_pass_product(admin, PARKING)
    token = (await scan(client, chain.till, phone))["scan_token"]
    sale = await buy(client, chain.till, token, line_of(product))
    (card,) = await passes_of(phone)
    await outbox.drain()
    await ageing.recognise_days(await on(clock, date(2027, 4, 2)))

    answer = await chain.till.post(
        client, f"/v1/pos/sales/{sale['id']}/refunds", {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}
    )

    assert (answer.status_code, answer.json()["refund_fen"]) == (201, 10_000)
    assert await held(card["id"]) == (0, 0)
    assert ("house.service_income", "S1") not in await booked(card["id"])


async def test_a_pass_is_warned_of_once(client, chain, admin, phone, clock, settings):
    """30 days from 20 March end on 18 April: a week before that is the 11th."""
    pass_id, _, _ = await bought(client, chain, admin, phone, WASHES | {"days": 30})

    said = []
    for day in (10, 11, 12):
        await ageing.warn_of_expiry(await on(clock, date(2027, 4, day)), 7)
        said.append(await warnings_of(phone.member_id))

    assert said == [[], [pass_id], [pass_id]]
    assert await ageing.warn_of_expiry(kernel_clock.now(), 0) == 0


async def warnings_of(member_id: int) -> list[str]:
    """The passes whose end was announced."""
    rows = await db.fetch(
        "SELECT body->>'pass_id' FROM outbox WHERE name = 'PassExpiring' AND member_id = $1", member_id
    )
    return [row[0] for row in rows]


async def test_a_pass_without_a_last_day_never_ends(client, chain, admin, phone, clock, books):
    pass_id, _, _ = await bought(client, chain, admin, phone, {"kind": "counted", "uses": 2})

    await ageing.expire_passes(kernel_clock.now() + timedelta(days=9_999))

    assert await held(pass_id) == (2, 10_000)
