"""Head office keeps templates: versions, states, the offer, and who did what."""

from __future__ import annotations

import uuid
from datetime import timedelta

import asyncpg
import pytest

from backend.coupons import queries
from backend.kernel import db
from tests.support.coupons import CASH, TEMPLATES, changes, claim, counts, coupons_of, make_template
from tests.support.staff import log_in


async def test_a_template_is_drafted_activated_paused_and_ended(admin, phone):
    draft = await make_template(admin, active=False)
    assert (draft["state"], draft["version"], draft["headline"]) == ("draft", 1, "满100元减20元")
    path = f"{TEMPLATES}/{draft['id']}"
    early = await claim(phone, template_id=draft["id"])

    states = [(await admin.post(f"{path}/{move}")).json()["state"] for move in ("activate", "pause", "activate", "end")]
    again = await admin.post(f"{path}/end")
    refused = await admin.post(f"{path}/activate")

    assert states == ["active", "paused", "active", "ended"]
    assert (again.status_code, again.json()["state"]) == (200, "ended")
    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_template_conflict")
    assert (early.status_code, early.json()["code"]) == (409, "coupon_not_claimable")
    assert await changes(admin, draft["id"]) == ["create", "activate", "pause", "activate", "end"]


async def test_what_was_issued_keeps_its_terms_when_a_new_version_comes(admin, phone, client):
    template = await make_template(admin, per_member=2)
    first = (await claim(phone, template_id=template["id"])).json()

    changed = await admin.post(
        f"{TEMPLATES}/{template['id']}/versions", {"terms": CASH | {"face_fen": 3_000}, "title": "满100减30"}
    )
    second = (await claim(phone, template_id=template["id"])).json()

    assert (changed.status_code, changed.json()["version"]) == (201, 2)
    assert (first["title"], first["headline"]) == ("满100减20", "满100元减20元")
    assert (second["title"], second["headline"]) == ("满100减30", "满100元减30元")
    assert {item["id"]: item["headline"] for item in await coupons_of(phone)} == {
        first["id"]: "满100元减20元",
        second["id"]: "满100元减30元",
    }


async def test_a_version_and_a_written_down_change_are_never_rewritten(admin):
    template = await make_template(admin)

    for table, change in (
        ("coupon_template_version", "title = 'x'"),
        ("coupon_change", "action = 'x'"),
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.pool().execute(f"UPDATE {table} SET {change} WHERE template_id = $1", template["id"])
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.pool().execute(f"DELETE FROM {table} WHERE template_id = $1", template["id"])


async def test_the_offer_changes_but_the_total_not_below_what_is_issued(admin, phone):
    template = await make_template(admin, total=5)
    await claim(phone, template_id=template["id"])
    path = f"{TEMPLATES}/{template['id']}"
    assert (await admin.post(f"{path}/batches", {"total": 3})).status_code == 201

    refused = await admin.call("PUT", f"{path}/offer", {"claim_by": "centre", "total": 3})
    raised = await admin.call("PUT", f"{path}/offer", {"claim_by": "link", "total": 4, "sort": 7})

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/total")
    assert raised.status_code == 200, raised.text
    assert [raised.json()[name] for name in ("claim_by", "total", "issued", "reserved", "left", "sort")] == [
        *("link", 4, 1, 3, 0, 7)
    ]


async def test_so_many_run_at_once_and_one_whose_time_is_over_makes_room(admin, clock, monkeypatch):
    soon = (clock.now() + timedelta(minutes=5)).isoformat()
    await make_template(admin, ends_at=soon)
    draft = await make_template(admin, active=False)
    running = await db.fetchval("SELECT count(*) FROM coupon_template WHERE state = 'active'")
    monkeypatch.setattr(queries, "MOST_OFFERED", running)

    refused = await admin.post(f"{TEMPLATES}/{draft['id']}/activate")
    clock.shift(timedelta(minutes=6))
    activated = await admin.post(f"{TEMPLATES}/{draft['id']}/activate")

    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_template_conflict")
    assert (activated.status_code, activated.json()["state"]) == (200, "active")


async def test_one_whose_time_is_over_does_not_come_back_where_there_is_no_room(admin, clock, monkeypatch):
    over = await make_template(admin, ends_at=(clock.now() + timedelta(minutes=5)).isoformat())
    running = await make_template(admin)
    path = f"{TEMPLATES}/{over['id']}/offer"
    clock.shift(timedelta(minutes=6))
    monkeypatch.setattr(queries, "MOST_OFFERED", 0)

    refused = await admin.call("PUT", path, {"claim_by": "centre"})
    still_over = await admin.call("PUT", path, {"ends_at": over["ends_at"], "sort": 7})
    goes_on = await admin.call("PUT", f"{TEMPLATES}/{running['id']}/offer", {"claim_by": "centre"})

    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_template_conflict")
    assert (still_over.status_code, goes_on.status_code) == (200, 200)
    assert (await admin.get(f"{TEMPLATES}/{over['id']}")).json()["ends_at"] == over["ends_at"]


@pytest.mark.parametrize(
    "change",
    [{"ends_at": "2026-01-01T00:00:00Z"}, {"terms": CASH | {"validity": {"until_on": "2026-01-01"}}}],
    ids=["its time", "its coupons"],
)
async def test_refuses_to_let_run_what_is_over(admin, change):
    template = await make_template(admin, active=False, **change)

    refused = await admin.post(f"{TEMPLATES}/{template['id']}/activate")

    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_template_conflict")
    assert (await admin.get(f"{TEMPLATES}/{template['id']}")).json()["state"] == "draft"


async def test_lists_templates_page_by_page_newest_first(admin):
    made = [(await make_template(admin, active=False, title=f"券{n}"))["id"] for n in range(5)]

    first = (await admin.get(f"{TEMPLATES}?state=draft&limit=3")).json()
    second = (await admin.get(f"{TEMPLATES}?state=draft&limit=100&cursor={first['next_cursor']}")).json()
    bad = await admin.get(f"{TEMPLATES}?cursor=nonsense")

    found = [item["id"] for item in first["items"] + second["items"]]
    assert found[:5] == made[::-1]
    assert second["next_cursor"] is None
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/query/cursor")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"terms": CASH | {"face_fen": 0}}, "/terms/face_fen"),
        ({"terms": CASH | {"surprise": 1}}, "/terms/surprise"),
        ({"terms": CASH | {"scope": {"weekdays": [8]}}}, "/terms/scope/weekdays/0"),
        ({"total": 0}, "/total"),
        ({"per_member": 0}, "/per_member"),
        ({"starts_at": "2026-02-01T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}, "/ends_at"),
        ({"triggers": [{"on": "registration", "min_fen": 5}]}, "/triggers/0/min_fen"),
        ({"triggers": [{"on": "sale"}, {"on": "sale", "min_fen": 5}]}, "/triggers"),
        ({"title": ""}, "/title"),
        ({"terms": CASH | {"scope": {"stores": ["S1", "S9"]}}}, "/terms/scope/stores/1"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "/starts_at"),
        ({"ends_at": "9999-12-31T23:59:59-14:00"}, "/ends_at"),
    ],
)
async def test_refuses_a_template_that_makes_no_sense(admin, change, pointer):
    before = await db.fetchval("SELECT count(*) FROM coupon_template")

    refused = await admin.post(TEMPLATES, {"title": "券", "terms": CASH} | change)

    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert await db.fetchval("SELECT count(*) FROM coupon_template") == before


async def test_only_head_office_keeps_templates(client, chain):
    manager = await log_in(client, chain, "manager-S1")

    for method, path, body in (
        ("GET", TEMPLATES, None),
        ("POST", TEMPLATES, {"title": "券", "terms": CASH}),
        ("POST", f"{TEMPLATES}/{uuid.uuid4().hex[:12]}/activate", None),
    ):
        assert (await manager.call(method, path, body)).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        "state = 'gone'",
        "claim_by = 'x'",
        "total = 0",
        "issued = total + 1",
        "reserved = total + 1",
        "issued = -1",
        "per_member = 0",
        "starts_at = now(), ends_at = now() - interval '1 day'",
    ],
)
async def test_the_database_refuses(admin, change):
    template = await make_template(admin, total=5)

    with pytest.raises(asyncpg.CheckViolationError):
        await db.pool().execute(f"UPDATE coupon_template SET {change} WHERE id = $1", template["id"])
    assert (await counts(template["id"])).issued == 0
