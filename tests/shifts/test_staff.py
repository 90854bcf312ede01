"""Staff close what was forgotten, answer for differences, and read their reports."""

from __future__ import annotations

import sys
import uuid

import pytest

from backend.kernel import clock
from backend.shifts import queries
from tests.support.members import register
from tests.support.shifts import close_shift, open_shift, sell

SHIFTS = "/v1/admin/shifts"
REPORT = "/v1/admin/reports/shifts"


def today() -> str:
    return clock.local_date(clock.now(), "Asia/Shanghai").isoformat()


async def resolve(who, shift_id, note="找零出错"):
    return await who.post(f"{SHIFTS}/{shift_id}/resolve", {"note": note}, key=uuid.uuid4().hex)


async def test_a_manager_closes_a_forgotten_shift_of_her_store_once(client, till, manager, elsewhere):
    shift = await open_shift(client, till)
    body = {"counted": [{"tender": "cash", "amount_fen": 10_000}], "note": "小李已下班"}

    other = await elsewhere.post(f"{SHIFTS}/{shift['id']}/close", body)
    closed = await manager.post(f"{SHIFTS}/{shift['id']}/close", body)
    again = await manager.post(f"{SHIFTS}/{shift['id']}/close", body)

    detail = (await manager.get(f"{SHIFTS}/{shift['id']}")).json()
    assert other.status_code == 404
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert closed.json()["closed_by"] is not None
    assert (again.status_code, again.json()["code"]) == (409, "shift_closed")
    assert [(step["username"], step["kind"], step["note"]) for step in detail["steps"]] == [
        ("manager-s1", "closed", "小李已下班")
    ]
    assert [report["kind"] for report in detail["reports"]] == ["Z"]


async def test_a_small_difference_is_explained_by_one(client, till, manager):
    await open_shift(client, till)
    closed = await close_shift(client, till, 9_950)

    answered = await resolve(manager, closed["id"])
    again = await resolve(manager, closed["id"])

    assert (closed["difference_fen"], closed["difference"]) == (-50, "open")
    assert (answered.status_code, answered.json()["difference"]) == (200, "explained")
    assert (again.status_code, again.json()["code"]) == (409, "shift_no_difference")


async def test_a_large_one_needs_a_second_person(client, till, manager, admin):
    await open_shift(client, till)
    closed = await close_shift(client, till, 4_999)

    asked = (await resolve(manager, closed["id"])).json()
    too_early = await resolve(manager, closed["id"])
    own = await manager.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})
    approved = await admin.post(f"/v1/admin/approvals/{asked['approval_id']}/approve", {})

    detail = (await manager.get(f"{SHIFTS}/{closed['id']}")).json()
    assert asked["difference"] == "waiting"
    assert too_early.json()["code"] == "shift_no_difference"
    assert own.status_code in (403, 404, 409)
    assert approved.status_code == 200, approved.text
    assert detail["shift"]["difference"] == "approved"
    assert [step["kind"] for step in detail["steps"]] == ["asked", "approved"]


async def test_what_was_rejected_may_be_asked_again(client, till, manager, admin):
    await open_shift(client, till)
    closed = await close_shift(client, till, 0)
    asked = (await resolve(manager, closed["id"])).json()
    rejected = await admin.post(f"/v1/admin/approvals/{asked['approval_id']}/reject", {"note": "再查"})

    again = await resolve(manager, closed["id"], "查过监控")

    assert rejected.status_code == 200, rejected.text
    assert (again.status_code, again.json()["difference"]) == (200, "waiting")
    assert again.json()["approval_id"] != asked["approval_id"]


async def test_over_of_one_tender_does_not_make_up_for_another(client, till, manager):
    await open_shift(client, till)
    closed = await close_shift(
        client,
        till,
        0,
        counted=[{"tender": "cash", "amount_fen": 0}, {"tender": "external", "amount_fen": 10_000}],
    )

    answered = await resolve(manager, closed["id"])

    assert (closed["difference_fen"], closed["difference"]) == (0, "open")
    assert answered.json()["difference"] == "waiting"


async def test_the_list_goes_by_pages_and_by_store(client, chain, till, manager, elsewhere, admin):
    for each in (till, chain.tills["S2"][0], till):
        await open_shift(client, each)
        await close_shift(client, each, 10_000)

    seen, cursor = [], ""
    while True:
        page = (await manager.get(f"{SHIFTS}?limit=2{cursor}")).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    everywhere = (await admin.get(f"{SHIFTS}?limit=100&state=closed")).json()["items"]

    assert {one["store_id"] for one in seen} == {"S1"}
    assert len({one["id"] for one in seen}) == len(seen) >= 2
    assert {one["store_id"] for one in everywhere} == {"S1", "S2"}
    assert (await manager.get(f"{SHIFTS}?store_id=S2")).status_code == 404
    assert (await elsewhere.get(f"{SHIFTS}/{seen[0]['id']}")).status_code == 404
    assert (await elsewhere.get(f"{SHIFTS}/{seen[0]['id']}/entries")).status_code == 404
    assert (await elsewhere.get(f"{SHIFTS}/{seen[0]['id']}/file")).status_code == 404
    assert (await admin.get(f"{SHIFTS}?cursor=x")).status_code == 422


async def test_the_entries_of_a_shift_go_by_pages(client, till, manager):
    await open_shift(client, till)
    sold = [await sell(client, till, await register(client), 1_000) for _ in range(3)]
    closed = await close_shift(client, till, 13_000)

    first = (await manager.get(f"{SHIFTS}/{closed['id']}/entries?limit=2")).json()
    rest = (await manager.get(f"{SHIFTS}/{closed['id']}/entries?limit=2&cursor={first['next_cursor']}")).json()

    assert [one["source_id"] for one in (*first["items"], *rest["items"])] == sold
    assert rest["next_cursor"] is None
    assert first["items"][0]["by_tender"] == {"cash": 1_000}


@pytest.mark.parametrize("by", ["store", "terminal", "cashier", "day", "shift"])
async def test_the_report_adds_shifts_up(client, chain, till, admin, manager, by):
    await open_shift(client, till, cashier=f"by-{by}")
    await sell(client, till, await register(client), 1_000)
    closed = await close_shift(client, till, 10_900)
    key = {
        "store": "S1",
        "terminal": "S1-T1",
        "cashier": f"by-{by}",
        "day": today(),
        "shift": f"S1-T1 Z{closed['z_number']}",
    }[by]

    rows = (await admin.get(f"{REPORT}?from={today()}&to={today()}&by={by}")).json()["items"]
    own = (await manager.get(f"{REPORT}?from={today()}&to={today()}&by={by}")).json()["items"]

    row = next(one for one in rows if one["key"] == key)
    assert row in own or by == "day"
    if by in ("cashier", "shift"):
        assert row == {
            "key": key,
            "store_id": "S1",
            "shifts": 1,
            "sales": 1,
            "sales_fen": 1_000,
            "discount_fen": 0,
            "refunds_fen": 0,
            "recharges_fen": 0,
            "gift_cards_fen": 0,
            "cash_expected_fen": 11_000,
            "cash_counted_fen": 10_900,
            "difference_fen": -100,
            "unresolved": 1,
        }


@pytest.mark.parametrize(
    ("form", "magic"), [("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("pdf", b"%PDF")], ids=lambda one: str(one)
)
async def test_the_report_as_files(client, till, admin, form, magic):
    await open_shift(client, till, cashier="=1+1")
    closed = await close_shift(client, till, 10_000)

    answer = await admin.get(f"{REPORT}/file?from={today()}&to={today()}&by=cashier&format={form}")
    one = await admin.get(f"{SHIFTS}/{closed['id']}/file")

    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(magic)
    assert b'"=1+1' not in answer.content
    assert b"\n=1+1" not in answer.content
    assert one.content.startswith(b"%PDF")


async def test_a_report_that_is_cut_says_so_and_a_file_is_whole_or_none(client, till, admin, monkeypatch):
    for _ in range(2):
        await open_shift(client, till)
        await close_shift(client, till, 10_500)
    span = f"from={today()}&to={today()}&by=shift"
    whole = (await admin.get(f"{REPORT}?{span}")).json()
    for module in (queries, sys.modules["backend.shifts.queries.reports"]):
        monkeypatch.setattr(module, "MOST_ROWS", len(whole["items"]) - 1)

    cut = (await admin.get(f"{REPORT}?{span}")).json()
    file = await admin.get(f"{REPORT}/file?{span}")

    assert whole["more"] is False
    assert (cut["items"], cut["more"]) == (whole["items"][:-1], True)
    assert (file.status_code, file.json()["errors"][0]["pointer"]) == (422, "/query/to")


async def test_the_chart_and_a_span_that_is_too_long(client, till, admin, elsewhere):
    await open_shift(client, till)
    await close_shift(client, till, 10_500)

    chart = await admin.get(f"{REPORT}/chart?from={today()}&to={today()}")
    long = await admin.get(f"{REPORT}?from=2020-01-01&to=2026-01-01")
    other = await elsewhere.get(f"{REPORT}?from={today()}&to={today()}&store_id=S1")

    assert chart.status_code == 200
    assert chart.text.startswith("<svg")
    assert (long.status_code, long.json()["errors"][0]["pointer"]) == (422, "/query/to")
    assert other.status_code == 404
