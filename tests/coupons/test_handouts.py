"""Staff give a coupon to a list: a job with progress, once for each member, however often it is taken up."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

import httpx
import pytest

from backend.coupons import service
from backend.coupons.commands import handouts
from backend.kernel import db
from backend.kernel.jobs import runner
from tests.support.coupons import TEMPLATES, Counts, changes, counts, coupons_of, make_template
from tests.support.members import register


async def hand_out(admin, template, member_ids: Sequence[object], key: str | None = None) -> httpx.Response:
    return await send(admin, template, {"member_ids": [str(member_id) for member_id in member_ids]}, key)


async def send(admin, template, body: object, key: str | None = None) -> httpx.Response:
    return await admin.client.post(
        f"{TEMPLATES}/{template['id']}/handouts",
        json=body,
        headers={"Authorization": f"Bearer {admin.access_token}", "Idempotency-Key": key or uuid.uuid4().hex},
    )


async def test_each_member_of_the_list_is_given_one(admin, client, chain, settings, books):
    phones = [await register(client) for _ in range(3)]
    template = await make_template(admin, claim_by="nobody")
    listed = [phones[0].member_id, phones[1].member_id, phones[0].member_id, phones[2].member_id, 4711]

    begun = await hand_out(admin, template, listed)
    await runner.run_waiting(settings)
    await runner.run_waiting(settings)

    assert (begun.status_code, begun.json()["state"], begun.json()["total"]) == (202, "waiting", 4)
    done = (await admin.get(f"/v1/admin/coupons/handouts/{begun.json()['id']}")).json()
    assert [done[name] for name in ("state", "done", "issued", "refused")] == ["done", 4, 3, {"member_unknown": 1}]
    assert [len(await coupons_of(phone)) for phone in phones] == [1, 1, 1]
    assert await counts(template["id"]) == Counts(booked=3, rows=3, issued=3, reserved=0)
    assert (await changes(admin, template["id"]))[-1] == "handout"


async def test_a_list_that_was_cut_short_goes_on_where_it_stood(admin, client, chain, settings, monkeypatch, books):
    phones = [await register(client) for _ in range(5)]
    template = await make_template(admin, claim_by="nobody", per_member=None)
    monkeypatch.setattr(handouts, "AT_ONCE", 2)
    begun = (await hand_out(admin, template, [phone.member_id for phone in phones])).json()
    chunks = 0
    issue = service.issue

    async def fail_at_the_second(*args, **more):
        nonlocal chunks
        chunks += 1
        if chunks == 2:
            raise ConnectionError
        return await issue(*args, **more)

    monkeypatch.setattr(service, "issue", fail_at_the_second)
    with pytest.raises(ConnectionError):
        await handouts.hand_out(begun["id"])
    halfway = (await admin.get(f"/v1/admin/coupons/handouts/{begun['id']}")).json()
    await handouts.hand_out(begun["id"])
    await handouts.hand_out(begun["id"])

    assert [halfway[name] for name in ("state", "done", "issued")] == ["running", 2, 2]
    assert [len(await coupons_of(phone)) for phone in phones] == [1] * 5
    assert await counts(template["id"]) == Counts(booked=5, rows=5, issued=5, reserved=0)
    await runner.run_waiting(settings)
    assert (await counts(template["id"])).booked == 5


async def test_a_segment_is_worked_through_member_by_member(admin, client, chain, settings, monkeypatch, books):
    phones = [await register(client) for _ in range(5)]
    for phone in phones[:3]:
        await phone.call("PATCH", "/v1/member/profile", {"store_id": "S2"})
    await admin.post(f"/v1/admin/members/{phones[2].member_id}/freeze")
    template = await make_template(admin, claim_by="nobody")
    monkeypatch.setattr(handouts, "AT_ONCE", 2)

    begun = await send(admin, template, {"segment": {"store_id": "S2", "levels": ["basic"]}})
    await handouts.hand_out(begun.json()["id"])
    nobody = await send(admin, template, {"segment": {"levels": ["gold"]}})
    await handouts.hand_out(nobody.json()["id"])

    done = (await admin.get(f"/v1/admin/coupons/handouts/{begun.json()['id']}")).json()
    assert [done[name] for name in ("state", "total", "done", "issued")] == ["done", 2, 2, 2]
    assert [len(await coupons_of(phone)) for phone in (*phones[:2], *phones[3:])] == [1, 1, 0, 0]
    assert (await counts(template["id"])).issued == 2


async def test_the_total_and_the_cap_hold_for_staff_too(admin, client, chain, settings):
    phones = [await register(client) for _ in range(4)]
    template = await make_template(admin, claim_by="nobody", total=3)
    first = (await hand_out(admin, template, [phones[0].member_id])).json()
    await handouts.hand_out(first["id"])

    second = (await hand_out(admin, template, [phone.member_id for phone in phones])).json()
    await handouts.hand_out(second["id"])

    done = (await admin.get(f"/v1/admin/coupons/handouts/{second['id']}")).json()
    assert (done["issued"], done["refused"]) == (2, {"coupon_limit_reached": 1, "coupon_sold_out": 1})
    assert (await counts(template["id"])).issued == 3


async def test_the_same_key_is_the_same_handout(admin, phone):
    template = await make_template(admin, claim_by="nobody")

    first = await hand_out(admin, template, [phone.member_id], key="same")
    again = await hand_out(admin, template, [phone.member_id], key="same")
    other = await hand_out(admin, template, [phone.member_id, 4711], key="same")

    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_a_list_waits_while_its_template_is_paused(admin, client, chain, settings, monkeypatch, books):
    phones = [await register(client) for _ in range(3)]
    template = await make_template(admin, claim_by="nobody")
    path = f"{TEMPLATES}/{template['id']}"
    begun = (await hand_out(admin, template, [phone.member_id for phone in phones])).json()
    await admin.post(f"{path}/pause")

    await runner.run_waiting(settings)
    paused = (await admin.get(f"/v1/admin/coupons/handouts/{begun['id']}")).json()
    await admin.post(f"{path}/activate")
    await runner.run_waiting(settings)

    assert [paused[name] for name in ("state", "done", "refused")] == ["waiting", 0, {}]
    done = (await admin.get(f"/v1/admin/coupons/handouts/{begun['id']}")).json()
    assert [done[name] for name in ("state", "done", "issued", "refused")] == ["done", 3, 3, {}]
    assert [len(await coupons_of(phone)) for phone in phones] == [1, 1, 1]


async def test_a_list_is_over_with_its_template(admin, phone, settings, books):
    template = await make_template(admin, claim_by="nobody")
    path = f"{TEMPLATES}/{template['id']}"
    begun = (await hand_out(admin, template, [phone.member_id])).json()
    for move in ("pause", "end"):
        await admin.post(f"{path}/{move}")
        await runner.run_waiting(settings)

    done = (await admin.get(f"/v1/admin/coupons/handouts/{begun['id']}")).json()
    assert [done[name] for name in ("state", "issued", "refused")] == ["done", 0, {"coupon_not_claimable": 1}]


async def test_refuses_a_list_for_a_template_whose_time_has_not_come_or_is_over(admin, phone, clock):
    soon = clock.now() + timedelta(minutes=5)
    to_come = await make_template(admin, claim_by="nobody", starts_at=soon.isoformat())
    over = await make_template(admin, claim_by="nobody", ends_at=soon.isoformat())
    before = await db.fetchval("SELECT count(*) FROM coupon_handout")

    too_early = await hand_out(admin, to_come, [phone.member_id])
    clock.shift(timedelta(minutes=6))
    too_late = await hand_out(admin, over, [phone.member_id])

    for refused in (too_early, too_late):
        assert (refused.status_code, refused.json()["code"]) == (409, "coupon_template_conflict")
    assert await db.fetchval("SELECT count(*) FROM coupon_handout") == before


async def test_refuses_a_list_for_a_template_that_does_not_run(admin, phone):
    template = await make_template(admin, active=False)
    before = await db.fetchval("SELECT count(*) FROM coupon_handout")

    refused = await hand_out(admin, template, [phone.member_id])
    unreadable = await hand_out(admin, template, ["x"])
    empty = await hand_out(admin, template, [])
    both = await send(admin, template, {"member_ids": ["1"], "segment": {}})

    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_template_conflict")
    assert unreadable.status_code == empty.status_code == both.status_code == 422
    assert await db.fetchval("SELECT count(*) FROM coupon_handout") == before
