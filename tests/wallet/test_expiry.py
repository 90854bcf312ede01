"""How long points last: by what they come from, as head office says it, and when members hear of it."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel import clock as time
from backend.kernel import config, db
from backend.ledger import queries as ledger
from backend.wallet import queries
from backend.wallet.commands import expiring
from backend.wallet.rules import last_day
from backend.wallet.types import Expiry, ExpiryMode
from backend.wallet.warned import days_to_warn
from tests.support.books import fingerprint
from tests.support.value import give

PATH = "/v1/admin/points-expiry"
DAYS = {
    Expiry(ExpiryMode.NEVER): None,
    Expiry(ExpiryMode.MONTH_END, 0): date(2026, 1, 31),
    Expiry(ExpiryMode.MONTH_END, 13): date(2027, 2, 28),
    Expiry(ExpiryMode.YEAR_END, 0): date(2026, 12, 31),
    Expiry(ExpiryMode.YEAR_END, 2): date(2028, 12, 31),
    Expiry(ExpiryMode.MONTHS, 1): date(2026, 2, 28),
    Expiry(ExpiryMode.MONTHS, 25): date(2028, 2, 29),
    Expiry(ExpiryMode.FIXED_DAY, 0, 1, 31): date(2027, 1, 31),
    Expiry(ExpiryMode.FIXED_DAY, 0, 2, 30): date(2026, 2, 28),
    Expiry(ExpiryMode.FIXED_DAY, 6, 6, 30): date(2027, 6, 30),
}


def test_the_last_day_of_points_given_on_the_last_of_january():
    on = date(2026, 1, 31)

    assert {expiry: last_day(expiry, on) for expiry in DAYS} == DAYS


@given(st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.integers(0, 36), st.integers(1, 12), st.integers(1, 31))
def test_a_fixed_day_is_that_day_and_never_before_its_months(on, months, month, day):
    found = last_day(Expiry(ExpiryMode.FIXED_DAY, months, month, day), on)

    least = last_day(Expiry(ExpiryMode.MONTHS, months), on)
    assert found is not None
    assert least is not None
    assert max(least, on + timedelta(days=1)) <= found <= least + timedelta(days=367)
    assert (found.month, found.day) == (month, day) or (found + timedelta(days=1)).day == 1


@pytest.fixture
async def unsaid(chain):
    yield
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM wallet_points_expiry")
    queries.forget_expiry()


async def test_what_is_earned_from_now_on_lasts_as_head_office_says(client, chain, admin, phone, unsaid):
    before = (await admin.get(PATH)).json()["items"]
    said = await admin.call("PUT", f"{PATH}/sale", {"mode": "fixed_day", "count": 3, "month": 6, "day": 30})
    await chain.till.sell(client, phone.code(), fen=2_000, tenders=[{"type": "cash"}])
    (lot,) = await ledger.list_open_lots(phone.member_id, "points")
    back = (await admin.call("DELETE", f"{PATH}/sale")).json()["items"]

    assert [one["standard"] for one in before] == [True] * 4
    (sale,) = (one for one in said.json()["items"] if one["source"] == "sale")
    assert lot.expires_on == date.fromisoformat(sale["example"])
    assert (lot.expires_on.month, lot.expires_on.day) == (6, 30)
    assert back == before


async def test_what_is_no_expiry_is_refused_by_field(chain, admin, settings):
    bad = {
        "/month": {"mode": "fixed_day", "day": 1},
        "/day": {"mode": "months", "count": 1, "day": 1},
        "/count": {"mode": "months"},
    }
    before = await fingerprint(settings)

    answers = {pointer: await admin.call("PUT", f"{PATH}/sale", body) for pointer, body in bad.items()}
    never = await admin.call("PUT", f"{PATH}/sale", {"mode": "never", "count": 1})
    unknown = await admin.call("PUT", f"{PATH}/gifts", {"mode": "never"})

    assert {pointer: answer.json()["errors"][0]["pointer"] for pointer, answer in answers.items()} == {
        pointer: pointer for pointer in bad
    }
    assert (never.json()["errors"][0]["pointer"], unknown.status_code) == ("/count", 404)
    assert await fingerprint(settings) == before


async def test_members_hear_of_a_last_day_early_and_again_each_once(chain, phone, settings):
    now = time.now()
    on = time.local_date(now, "Asia/Shanghai")
    await give(phone.member_id, points=40, points_until=on + timedelta(days=30))
    await give(phone.member_id, points=9, points_until=on + timedelta(days=27))  # no run comes on the 20th day
    config.use(msgspec.structs.replace(settings, points_warn_early_days=30))
    try:
        early = await expiring.warn_of_expiring_points(now)
        again = await expiring.warn_of_expiring_points(now)
        before = await expiring.warn_of_expiring_points(now + timedelta(days=19))
        late = await expiring.warn_of_expiring_points(now + timedelta(days=23))
    finally:
        config.use(settings)

    assert (early, again, before, late) == (1, 0, 0, 2)
    letters = (await phone.call("GET", "/v1/member/inbox")).json()["items"]
    assert [letter["title"] for letter in letters].count("积分即将到期") == 3


TODAY = date(2027, 3, 1)


AHEAD = date(2099, 1, 1)  # a clock was ahead for a while


@pytest.mark.parametrize(
    ("through", "first"),
    [(None, 8), (date(2027, 3, 7), 8), (date(2027, 3, 8), 8), (date(2027, 3, 5), 6), (date(2026, 1, 1), 1), (AHEAD, 8)],
)
def test_last_days_that_no_run_came_to_are_warned_of_later(through, first):
    assert [day.day for day in days_to_warn(TODAY, 7, through)] == list(range(first, 9))
