"""Schemes are written, tried on real purchases, put in force, changed and ended; runs are closed by two people."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from backend.kernel import db
from backend.rebates import service
from backend.rebates.commands import clockwork, runs
from backend.rebates.queries import schemes
from tests.support.books import fingerprint
from tests.support.levels import buy, give_back
from tests.support.members import register
from tests.support.races import outcomes
from tests.support.rebates import (
    RUNS,
    SCHEMES,
    TWO_TIERS,
    again,
    draft,
    look,
    mine,
    over,
    settle,
    start_scheme,
    this_month,
    today,
    work,
)

pytestmark = pytest.mark.usefixtures("a_month_of_its_own")

NEXT_YEAR = "2999-01-01"


def scheme(**more):
    return {"title": "x", "period": "month", "first_on": this_month().isoformat(), "terms": TWO_TIERS} | more


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({"tiers": [{"from_fen": 5, "rate_bp": 1}, {"from_fen": 5, "rate_bp": 2}]}, "/terms/tiers/1/from_fen"),
        ({"tiers": [{"from_fen": 0, "rate_bp": 0}]}, "/terms/tiers/0/rate_bp"),
        (TWO_TIERS | {"cap_fen": 5, "min_payout_fen": 6}, "/terms/cap_fen"),
        (TWO_TIERS | {"counts": ["money", "money"]}, "/terms/counts"),
        (TWO_TIERS | {"levels": ["basic", "none"]}, "/terms/levels/1"),
        (TWO_TIERS | {"groups": ["GA0"]}, "/terms/groups/0"),
    ],
)
async def test_a_scheme_that_makes_no_sense_is_refused(office, chain, settings, terms, pointer):
    admin = await again(office, chain)
    before = await fingerprint(settings)

    answer = await admin.post(SCHEMES, scheme(terms=terms))

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await fingerprint(settings) == before


async def test_a_draft_counts_for_nobody_and_a_living_one_changes_with_the_next_period(
    client, office, chain, phone, books
):
    admin = await again(office, chain, phone)
    made = (await admin.post(SCHEMES, scheme(title="新方案"))).json()
    path = f"{SCHEMES}/{made['id']}"
    await buy(client, chain.till, phone, 10_000)
    as_draft = (await mine(phone))["running"]
    flat = {"tiers": [{"from_fen": 0, "rate_bp": 1000}]}
    wrong = await admin.call("PUT", path, {"version": 7, "terms": flat})
    await admin.post(f"{path}/activate")
    repeated = await admin.post(f"{path}/activate")
    later = await admin.call("PUT", path, {"version": 1, "terms": flat})
    fixed = await admin.call("PUT", path, {"version": 2, "terms": flat, "first_on": NEXT_YEAR})
    now = (await mine(phone))["running"]
    admin, month = await over(office, chain, phone)
    november = await settle(admin, month)
    await buy(client, chain.till, phone, 10_000)
    from_now = (await mine(phone))["running"]
    at_once = await admin.call("PUT", path, {"version": 2, "terms": TWO_TIERS, "counts_from": "current_period"})
    after = (await mine(phone))["running"]
    versions = (await admin.get(f"{path}/versions")).json()["items"]
    changes = (await admin.get(f"{path}/changes")).json()["items"]

    assert (as_draft, repeated.json()["state"]) == ([], "active")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "rebate_scheme_conflict")
    assert (fixed.status_code, fixed.json()["errors"][0]["pointer"]) == (422, "/first_on")
    assert (later.status_code, later.json()["version"], later.json()["since"]) == (200, 2, this_month().isoformat())
    assert [one["fen"] for one in now] == [200]
    assert (november["amount_fen"], [one["fen"] for one in from_now], at_once.json()["version"]) == (200, [1_000], 3)
    assert [one["fen"] for one in after] == [200]
    assert [(one["version"], one["since"]) for one in versions] == [
        (3, this_month().isoformat()),
        (2, this_month().isoformat()),
        (1, month.isoformat()),
    ]
    assert [one["action"] for one in changes] == ["change", "change", "active", "create"]


async def test_a_scheme_begins_no_earlier_than_the_period_and_ends_with_a_day(office, chain, monkeypatch):
    admin = await again(office, chain)
    old = (await admin.post(SCHEMES, scheme(first_on="2020-01-01"))).json()["id"]
    future = (await admin.post(SCHEMES, scheme(first_on=NEXT_YEAR))).json()["id"]
    running = await start_scheme(admin)

    refused = await admin.post(f"{SCHEMES}/{old}/activate")
    await admin.post(f"{SCHEMES}/{future}/activate")
    not_begun = await admin.post(f"{SCHEMES}/{future}/close", {})
    past = await admin.post(f"{SCHEMES}/{running}/close", {"last_on": this_month().isoformat()})
    beyond = await admin.post(f"{SCHEMES}/{running}/close", {"last_on": "9999-12-31"})
    ended = await admin.post(f"{SCHEMES}/{running}/close", {"last_on": today().isoformat()})
    more = [(await admin.post(SCHEMES, scheme())).json()["id"] for _ in range(2)]
    monkeypatch.setattr(schemes, "MOST_APPLIED", 2)  # one that ended today counts in this month, too
    at_once = await asyncio.gather(*(admin.post(f"{SCHEMES}/{one}/activate") for one in more))
    states = [(await admin.get(f"{SCHEMES}/{one}")).json()["state"] for one in more]
    twice = await admin.post(f"{SCHEMES}/{running}/close", {})

    assert (refused.status_code, refused.json()["code"]) == (409, "rebate_scheme_conflict")
    assert (not_begun.json()["state"], past.status_code, beyond.status_code) == ("draft", 422, 422)
    assert (ended.json()["state"], ended.json()["last_on"]) == ("closed", today().isoformat())
    assert outcomes(at_once) == {200: 1, "rebate_scheme_conflict": 1}
    assert sorted(states) == ["active", "draft"]
    assert (twice.status_code, twice.json()["code"]) == (409, "rebate_scheme_conflict")


async def test_a_simulation_says_what_real_purchases_would_have_cost_and_changes_nothing(
    client, office, chain, books, settings
):
    phones = [await register(client) for _ in range(3)]
    admin = await again(office, chain, *phones)
    pairs = zip(phones, (50_000, 99_999, 300_000), strict=True)
    sold = [await buy(client, chain.till, phone, fen) for phone, fen in pairs]
    await give_back(client, chain.till, sold[-1], 100_000)
    admin, month = await over(office, chain)
    made = (await admin.post(SCHEMES, scheme())).json()["id"]

    run = await admin.post(f"{SCHEMES}/{made}/simulations", {})
    await work()
    shown = (await admin.get(f"{RUNS}/{run.json()['id']}")).json()
    pictures = [await admin.get(f"{RUNS}/{run.json()['id']}/chart?format={form}") for form in ("svg", "png")]
    odd = await admin.post(f"{SCHEMES}/{made}/simulations", {"first_on": "2026-11-02"})
    held = await admin.post(f"{RUNS}/{run.json()['id']}/pay")

    assert run.status_code == 201
    assert (shown["run"]["state"], shown["run"]["first_on"], shown["run"]["amount_fen"]) == (
        *("done", month.isoformat()),
        1_000 + 1_999 + 2_000 + 5_000,
    )
    assert [(one["tier"], one["members"], one["base_fen"], one["fen"]) for one in shown["tiers"]] == [
        (0, 2, 149_999, 2_999),
        (1, 1, 200_000, 7_000),
    ]
    assert [(one["store_id"], one["fen"]) for one in shown["stores"]] == [("S1", 9_999)]
    assert "第2档" in pictures[0].text
    assert pictures[1].content.startswith(b"\x89PNG")
    assert (odd.status_code, held.status_code, held.json()["code"]) == (422, 409, "rebate_run_conflict")
    assert await db.fetchval("SELECT count(*) FROM rebate_statement WHERE run_id = $1", run.json()["id"]) == 0


async def test_above_the_bound_a_second_person_closes_and_the_first_cannot(client, office, chain, phone, books):
    admin = await again(office, chain, phone)
    await start_scheme(admin, tiers=[{"from_fen": 0, "rate_bp": 5000}])
    await buy(client, chain.till, phone, 3_000_000)
    admin, month = await over(office, chain, phone)
    run = await draft(admin, month)

    asked = await admin.post(f"{RUNS}/{run['id']}/close", {"reason": "十一月"}, key=uuid.uuid4().hex)
    approval = f"/v1/admin/approvals/{asked.json()['approval_id']}"
    own = await admin.post(f"{approval}/approve", {})
    still = await look(admin, run["id"])
    unpaid = await admin.post(f"{RUNS}/{run['id']}/pay")
    cancelled = await admin.post(f"{RUNS}/{run['id']}/cancel")
    shown = (await admin.get(approval)).json()

    assert (run["payout_fen"], asked.status_code, asked.json()["state"]) == (1_500_000, 200, "draft")
    assert (own.status_code, own.json()["code"]) == (409, "approval_own")
    assert (still["state"], unpaid.json()["code"], cancelled.json()["state"]) == (
        *("draft", "rebate_run_conflict"),
        "cancelled",
    )
    assert (shown["kind"], "15000" in shown["summary"].replace(",", "")) == ("rebate_close", True)


async def test_one_draft_at_a_time_and_no_month_that_is_not_over(client, office, chain, phone, books, settings):
    admin = await again(office, chain, phone)
    await start_scheme(admin)
    open_ = await admin.post(RUNS, {"period": "month", "first_on": this_month().isoformat()})
    odd = await admin.post(RUNS, {"period": "quarter", "first_on": "2026-02-01"})
    admin, first = await over(office, chain, phone)
    admin, second = await over(office, chain, phone)
    early = await admin.post(RUNS, {"period": "month", "first_on": second.isoformat()})

    answers = await asyncio.gather(
        *(admin.post(RUNS, {"period": "month", "first_on": first.isoformat()}) for _ in range(3))
    )
    other = await admin.post(RUNS, {"period": "year", "first_on": "2020-01-01"})
    await work()
    made = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    await admin.post(f"{RUNS}/{made}/cancel")

    assert (open_.status_code, open_.json()["code"]) == (409, "rebate_period_open")
    assert (odd.status_code, early.status_code, early.json()["code"]) == (422, 409, "rebate_period_open")
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert (other.status_code, other.json()["code"]) == (409, "rebate_run_open")


async def test_two_members_that_become_one_are_paid_as_one(client, office, chain, books):
    source, target = await register(client), await register(client)
    admin = await again(office, chain, source, target)
    await start_scheme(admin)
    sold = await buy(client, chain.till, source, 60_000)
    await buy(client, chain.till, target, 60_000)
    admin, month = await over(office, chain, source, target)
    run = await draft(admin, month)
    await admin.post(f"{RUNS}/{run['id']}/close", {}, key=uuid.uuid4().hex)

    async with db.transaction() as tx:  # as a merge does: tables that move, then the rest
        for table in ("rebate_purchase", "rebate_return"):
            await db.raw(tx).execute(
                f"UPDATE {table} SET member_id = $2 WHERE member_id = $1", source.member_id, target.member_id
            )
        await service.move(tx, source.member_id, target.member_id)
    await admin.post(f"{RUNS}/{run['id']}/pay")
    await work()
    both = await mine(target)
    await give_back(client, chain.till, sold, 30_000)
    admin, month = await over(office, chain, source, target)
    after = await settle(admin, month)

    assert (both["rebate_fen"], (await mine(source))["statements"]) == (2_400, [])
    assert sorted(one["payout_fen"] for one in both["statements"]) == [1_200, 1_200]
    assert after["statements"] == 1
    # together ¥900: 1,800; 2,400 were paid
    assert (await mine(target))["waiting_fen"] == -600


async def test_what_was_bought_before_is_read_once(client, office, chain, phone, books):
    await again(office, chain, phone)
    sold = await buy(client, chain.till, phone, 10_000)
    await give_back(client, chain.till, sold, 2_500)
    told = await db.fetch("SELECT * FROM rebate_purchase WHERE member_id = $1", phone.member_id)
    for table in ("rebate_purchase", "rebate_return"):
        await db.pool().execute(f"DELETE FROM {table} WHERE member_id = $1", phone.member_id)
    await db.pool().execute("UPDATE rebate_backfill SET member_id = 0, document_id = '', done = false")

    read = [await clockwork.look_back(), await clockwork.look_back()]

    assert (read[0] >= 2, read[1]) == (True, 0)
    assert await db.fetch("SELECT * FROM rebate_purchase WHERE member_id = $1", phone.member_id) == told
    assert await db.fetchval("SELECT lines FROM rebate_return WHERE member_id = $1", phone.member_id) == "[[1, 2500]]"


async def test_the_current_month_is_estimated_once_a_night(client, office, chain, phone, books):
    admin = await again(office, chain, phone)
    await start_scheme(admin)
    await buy(client, chain.till, phone, 10_000)

    begun = [await runs.estimate(), await runs.estimate()]
    await work()
    await runs.estimate()
    await work()
    day = this_month().isoformat()
    report = (await admin.get(f"/v1/admin/rebates/report?from={day}&to={day}")).json()

    assert begun == [1, 0]
    assert [(one["state"], one["accrued_fen"], one["store_id"]) for one in report["items"]] == [("estimate", 200, "S1")]
    assert await db.fetchval("SELECT count(*) FROM rebate_run WHERE kind = 'estimate'") == 1
