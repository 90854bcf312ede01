"""A member claims: from the centre, by a link; once per key, within the cap and the total, in time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from backend.coupons import queries
from backend.coupons.types import CouponState
from backend.kernel import clock as kernel_clock
from backend.kernel import db
from backend.ledger import queries as ledger
from tests.support.books import fingerprint
from tests.support.coupons import (
    CASH,
    TEMPLATES,
    VALUE,
    Counts,
    claim,
    counts,
    coupons_of,
    log_in_again,
    make_template,
)
from tests.support.members import register

pytestmark = pytest.mark.usefixtures("books")


def today() -> date:
    return kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")


async def test_a_claimed_coupon_is_in_the_books_and_in_the_list(admin, phone):
    template = await make_template(admin)

    answer = await claim(phone, template_id=template["id"])

    assert answer.status_code == 201, answer.text
    coupon = answer.json()
    last = today() + timedelta(days=29)
    assert {name: coupon[name] for name in ("title", "kind", "state", "unit", "balance", "expires_on")} == {
        "title": "满100减20",
        "kind": "cash",
        "state": "available",
        "unit": "uses",
        "balance": 1,
        "expires_on": last.isoformat(),
    }
    assert await coupons_of(phone) == [coupon]
    held = await ledger.find_refs(phone.member_id, "coupon", [coupon["id"]])
    assert (held[coupon["id"]].balance, held[coupon["id"]].unit, held[coupon["id"]].expires_on) == (1, "uses", last)
    assert await counts(template["id"]) == Counts(booked=1, rows=1, issued=1, reserved=0)


async def test_a_value_coupon_begins_with_its_face(admin, phone):
    template = await make_template(admin, VALUE)

    coupon = (await claim(phone, template_id=template["id"])).json()

    assert (coupon["unit"], coupon["balance"]) == ("fen", 5_000)
    (held,) = await queries.list_held(phone.member_id, today())
    assert (held.id, held.template, held.balance, held.state) == (
        coupon["id"],
        template["id"],
        5_000,
        CouponState.AVAILABLE,
    )
    assert held.terms.face_fen == 5_000


async def test_a_retry_gets_the_first_answer_and_another_body_is_a_conflict(admin, phone):
    template = await make_template(admin, per_member=None)
    first = await claim(phone, template_id=template["id"], key="k1")

    again = await claim(phone, template_id=template["id"], key="k1")
    other = await claim(phone, share_token=template["share_token"], key="k1")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert await counts(template["id"]) == Counts(booked=1, rows=1, issued=1, reserved=0)


async def test_a_retry_is_answered_also_when_the_template_has_ended_or_is_gone(admin, phone, client):
    template = await make_template(admin, total=1)
    first = await claim(phone, template_id=template["id"], key="k2")
    gone = await claim(await register(client), template_id=template["id"])

    sold_out = await claim(phone, template_id=template["id"], key="k2")
    await admin.post(f"{TEMPLATES}/{template['id']}/end")
    ended = await claim(phone, template_id=template["id"], key="k2")

    assert (gone.status_code, gone.json()["code"]) == (409, "coupon_sold_out")
    assert sold_out.json() == ended.json() == first.json()


async def test_refuses_more_than_the_cap_and_nothing_moves(admin, phone, settings):
    template = await make_template(admin, per_member=2)
    for _ in range(2):
        assert (await claim(phone, template_id=template["id"])).status_code == 201
    before = await fingerprint(settings)

    refused = await claim(phone, template_id=template["id"])

    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_limit_reached")
    assert await fingerprint(settings) == before


async def test_refuses_when_all_are_gone_and_nothing_moves(admin, phone, client, settings):
    template = await make_template(admin, total=1)
    assert (await claim(await register(client), template_id=template["id"])).status_code == 201
    before = await fingerprint(settings)

    refused = [await claim(phone, template_id=template["id"]) for _ in range(3)]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(409, "coupon_sold_out")] * 3
    assert await fingerprint(settings) == before


async def test_a_raised_total_is_claimed_from_soon(admin, phone, client, monkeypatch):
    from backend.coupons.commands import claims

    template = await make_template(admin, total=1)
    await claim(await register(client), template_id=template["id"])
    assert (await claim(phone, template_id=template["id"])).status_code == 409
    raised = {"claim_by": "centre", "total": 2}
    assert (await admin.call("PUT", f"{TEMPLATES}/{template['id']}/offer", raised)).status_code == 200

    monkeypatch.setattr(claims, "_gone", {})  # a second later

    assert (await claim(phone, template_id=template["id"])).status_code == 201


async def test_holds_from_its_start_to_its_end(admin, phone, clock):
    now = clock.now()
    template = await make_template(
        admin,
        per_member=None,
        starts_at=(now + timedelta(minutes=2)).isoformat(),
        ends_at=(now + timedelta(minutes=5)).isoformat(),
    )

    answers = []
    for _ in range(3):
        answers.append((await claim(phone, template_id=template["id"])).status_code)
        clock.shift(timedelta(minutes=3))

    assert answers == [409, 201, 409]


async def test_a_link_claims_what_the_centre_does_not_show(admin, phone):
    template = await make_template(admin, claim_by="link")
    path = "/v1/member/coupon-offers"

    offered = await phone.call("GET", f"{path}/{template['share_token']}")
    by_id = await claim(phone, template_id=template["id"])
    by_link = await claim(phone, share_token=template["share_token"])
    by_wrong_link = await claim(phone, share_token="x" * 22)
    after = (await phone.call("GET", f"{path}/{template['share_token']}")).json()
    await admin.post(f"/v1/admin/coupons/templates/{template['id']}/pause")
    gone = [await phone.call("GET", f"{path}/{token}") for token in (template["share_token"], "x" * 22)]

    assert (by_id.status_code, by_id.json()["code"]) == (409, "coupon_not_claimable")
    assert by_link.status_code == 201
    assert offered.json() | {"claimed": 1, "state": after["state"], "left": after["left"]} == after
    assert (offered.json()["title"], offered.json()["claimed"]) == (template["title"], 0)
    assert [(answer.status_code, answer.json()["code"]) for answer in gone] == [(404, "not_found")] * 2
    assert (by_wrong_link.status_code, by_wrong_link.json()["code"]) == (409, "coupon_not_claimable")


async def test_nobody_claims_what_only_staff_give(admin, phone):
    template = await make_template(admin, claim_by="nobody")

    for what in ({"template_id": template["id"]}, {"share_token": template["share_token"]}):
        assert (await claim(phone, **what)).json()["code"] == "coupon_not_claimable"
    assert (await counts(template["id"])).issued == 0


@pytest.mark.parametrize("body", [{}, {"template_id": "T1", "code": "X"}, {"template_id": "T1", "share_token": "X"}])
async def test_names_one_thing_to_claim(phone, body):
    refused = await claim(phone, **body)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/template_id")


async def test_what_was_for_a_time_that_is_over_is_not_issued(admin, phone, clock):
    until = today() + timedelta(days=1)
    terms = CASH | {"validity": {"from_on": today().isoformat(), "until_on": until.isoformat()}}
    template = await make_template(admin, terms, per_member=None)
    in_time = await claim(phone, template_id=template["id"])
    clock.shift(timedelta(days=2))
    await log_in_again(phone)

    late = await claim(phone, template_id=template["id"])

    assert (in_time.status_code, in_time.json()["expires_on"]) == (201, until.isoformat())
    assert (late.status_code, late.json()["code"]) == (409, "coupon_not_claimable")
    assert (await counts(template["id"])).issued == 1


async def test_the_centre_shows_what_is_left_and_what_this_member_had(admin, phone, client):
    one = await make_template(admin, total=2, sort=1, title="两张")
    many = await make_template(admin, per_member=3, sort=2, title="不限量")
    await make_template(admin, claim_by="link", title="链接领取")
    gone = await make_template(admin, total=1, sort=3, title="一张")
    await claim(phone, template_id=one["id"])
    await claim(phone, template_id=many["id"])
    await claim(await register(client), template_id=gone["id"])
    queries.forget_offered()

    items = (await phone.call("GET", "/v1/member/coupon-centre")).json()["items"]

    shown = {item["template_id"]: (item["state"], item["left"], item["claimed"]) for item in items}
    assert {key: shown[key] for key in (one["id"], many["id"], gone["id"])} == {
        one["id"]: ("claimed", 1, 1),
        many["id"]: ("claimable", None, 1),
        gone["id"]: ("sold_out", 0, 0),
    }
    assert "链接领取" not in [item["title"] for item in items]
    first = next(item for item in items if item["template_id"] == one["id"])
    assert (first["headline"], first["validity"]) == ("满100元减20元", "领取后30天内有效")


async def test_a_frozen_member_claims_nothing(admin, phone):
    template = await make_template(admin)
    await admin.post(f"/v1/admin/members/{phone.member_id}/freeze")

    refused = await claim(phone, template_id=template["id"])

    assert refused.status_code == 403
    assert await db.fetchval("SELECT count(*) FROM coupon WHERE member_id = $1", phone.member_id) == 0
