"""A membership is good for its days: before and after them codes, sales, recharges and log-ins say so."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest

from backend.kernel import clock, db, outbox
from backend.kernel.jobs import runner
from backend.members.types import Status, Validity
from backend.registration.commands import validity
from backend.registration.rules.validity import extended
from tests.support.members import register

BATCHES = "/v1/admin/member-batches"
TODAY = date(2026, 11, 28)


def test_the_days_are_both_included_and_frozen_members_stay_so():
    days = Validity(TODAY, TODAY)

    assert [days.holds(TODAY + timedelta(days=by)) for by in (-1, 0, 1)] == [False, True, False]
    assert days.status_of(Status.ACTIVE, TODAY + timedelta(days=1)) is Status.EXPIRED
    assert days.status_of(Status.EXPIRED, TODAY) is Status.ACTIVE
    assert days.status_of(Status.FROZEN, TODAY) is Status.FROZEN
    assert Validity(None, date(2020, 1, 1)).status_of(Status.PENDING, TODAY) is Status.PENDING


@pytest.mark.parametrize(
    ("until", "months", "days", "expected"),
    [
        (date(2027, 1, 31), 1, 0, date(2027, 2, 28)),
        (date(2020, 1, 1), 12, 0, date(2027, 11, 28)),
        (date(2026, 12, 1), 0, 31, date(2027, 1, 1)),
        (date(2999, 12, 1), 1, 0, date(2999, 12, 31)),
        (None, 12, 0, None),
    ],
)
def test_it_is_extended_from_its_end_or_from_today(until, months, days, expected):
    assert extended(Validity(None, until), months, days, TODAY) == Validity(None, expected)


async def change(staff, phone, settings, kind, **body):
    asked = {
        "kind": kind,
        "reason": "年卡",
        "change": body,
        "audience": {"member_nos": [phone.member["member_no"]], "statuses": ["active", "frozen", "expired"]},
    }
    made = await staff.post(BATCHES, asked, key=uuid.uuid4().hex)
    assert made.status_code == 202, made.text
    await runner.run_waiting(settings)
    return (await staff.get(f"{BATCHES}/{made.json()['id']}")).json()


async def test_an_expired_member_is_refused_everywhere_by_one_code(client, chain, admin, phone, settings, books):
    today = clock.local_date(clock.now(), settings.timezone)
    await phone.enrol()
    code = phone.code()

    done = await change(admin, phone, settings, "validity", valid_until=str(today - timedelta(days=1)))

    sale = await chain.till.sell(client, code, fen=1_000, tenders=[{"type": "cash"}])
    recharge = await phone.call("POST", "/v1/member/recharges", {"amount_fen": 10_000}, key="r1")
    profile = await phone.call("GET", "/v1/member/profile")
    assert done["results"] == {"changed": 1}
    assert (recharge.status_code, recharge.json()["code"]) == (403, "member_expired")
    shown = (await admin.get(f"/v1/admin/members/{phone.member_id}")).json()
    assert (profile.json()["status"], shown["status"]) == ("expired", "expired")
    assert {one["valid_until"] for one in (profile.json(), shown)} == {str(today - timedelta(days=1))}
    assert (sale.status_code, sale.json()["code"]) == (409, "member_inactive"), sale.text


async def test_the_day_ends_it_the_member_hears_of_it_before_and_after(client, chain, admin, settings, books):
    phone = await register(client)
    today = clock.local_date(clock.now(), settings.timezone)
    await change(admin, phone, settings, "validity", valid_until=str(today + timedelta(days=7)))

    warned = [await validity.warn_of_ending() for _ in range(2)]
    await db.pool().execute(
        "UPDATE member SET valid_until = $2 WHERE id = $1", phone.member_id, today - timedelta(days=1)
    )
    moved = [await validity.follow_days() for _ in range(2)]
    await outbox.drain()

    assert (warned, moved) == ([1, 0], [1, 0])
    assert (await phone.call("GET", "/v1/member/wallet")).json()["code"] == "member_expired"
    letters = await db.fetch("SELECT template FROM message_letter WHERE member_id = $1 ORDER BY id", phone.member_id)
    assert {row["template"] for row in letters} >= {"membership.ending", "membership.ended"}


async def test_a_membership_that_is_yet_to_begin_is_told_of_when_it_does(client, chain, admin, settings):
    phone = await register(client)
    tomorrow = clock.local_date(clock.now(), settings.timezone) + timedelta(days=1)
    letters = "SELECT template FROM message_letter WHERE member_id = $1 AND template LIKE 'membership.%'"

    await change(admin, phone, settings, "validity", valid_from=str(tomorrow))
    await outbox.drain()
    before = await db.fetch(letters, phone.member_id)
    status = (await phone.call("GET", "/v1/member/profile")).json()["status"]
    await db.pool().execute("UPDATE member SET valid_from = $2 WHERE id = $1", phone.member_id, date(2026, 1, 1))
    await validity.follow_days()
    await outbox.drain()

    assert (status, before) == ("expired", [])
    assert [row["template"] for row in await db.fetch(letters, phone.member_id)] == ["membership.resumed"]


async def test_freezing_keeps_its_reason_and_thawing_looks_at_the_days(client, chain, admin, settings):
    phone = await register(client)
    path = f"/v1/admin/members/{phone.member_id}"
    today = clock.local_date(clock.now(), settings.timezone)

    frozen = await admin.post(f"{path}/freeze", {"reason": "盗刷嫌疑"})
    await change(admin, phone, settings, "validity", valid_until=str(today - timedelta(days=1)))
    thawed = await admin.post(f"{path}/unfreeze", {"reason": "已核实"})
    await change(admin, phone, settings, "validity_extend", days=30)

    history = (await admin.get(f"{path}/changes")).json()["items"]
    said = [(one["field"], one["before"], one["after"], one["reason"]) for one in history if one["field"] == "status"]
    assert (frozen.json()["status"], thawed.json()["status"]) == ("frozen", "expired")
    assert said[:-1] == [
        ("status", "expired", "active", "年卡"),
        ("status", "frozen", "expired", "已核实"),
        ("status", "active", "frozen", "盗刷嫌疑"),
    ]
