"""Campaigns as head office keeps them: drafts, what is refused, and how they end."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from backend.kernel import db, outbox
from backend.kernel.clock import local_date, months_after, now
from backend.kernel.kept import Kept
from backend.stamps import queries
from backend.stamps.commands import closing
from backend.stamps.events import RewardEarned
from backend.stamps.handlers import give_level
from backend.stamps.jobs import close_campaigns
from tests.support.books import fingerprint
from tests.support.coupons import TEMPLATES, coupons_of, log_in_again, make_template
from tests.support.staff import log_in
from tests.support.stamps import CAMPAIGNS, CARDS, GIFT, Held, card, held, make_campaign, move, settle

from .test_sales import buy, refund

pytestmark = pytest.mark.usefixtures("books")

TASK = {"code": "visit", "title": "到店"}


async def test_a_draft_may_be_changed_and_what_runs_may_not(admin):
    campaign = await make_campaign(admin, active=False)
    path, reward = f"{CAMPAIGNS}/{campaign['id']}", campaign["reward"]
    body = {"title": "签到", "kind": "attendance", "goal": 7, "reward": reward, "earning": {"in_a_row": True}}

    changed = await admin.call("PUT", path, body)
    await move(admin, campaign["id"], "activate")
    refused = await admin.call("PUT", path, body)
    actions = [item["action"] for item in (await admin.get(f"{path}/changes")).json()["items"]]

    assert changed.status_code == 200
    assert (changed.json()["kind"], changed.json()["goal"]) == ("attendance", 7)
    assert (refused.status_code, refused.json()["code"]) == (409, "campaign_conflict")
    assert actions == ["activate", "change", "create"]
    assert (await admin.get(path)).json()["state"] == "active"
    listed = (await admin.get(f"{CAMPAIGNS}?state=active")).json()["items"]
    assert [item["id"] for item in listed] == [campaign["id"]]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"reward": ["TNONE"]}, "/reward/0"),
        ({"reward": []}, "/reward"),
        ({"level": "none", "level_months": 3}, "/level"),
        ({"level": "basic"}, "/level_months"),
        ({"level_months": 3}, "/level"),
        ({"starts_at": "2027-01-02T00:00:00Z", "ends_at": "2027-01-02T00:00:00Z"}, "/ends_at"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, "/starts_at"),
        ({"kind": "attendance", "stores": ["S1"]}, "/stores"),
        ({"kind": "attendance", "earning": {"min_fen": 1}}, "/earning"),
        ({"earning": {"skus": ["6901"]}}, "/earning"),
        ({"earning": {"per": "piece", "min_fen": 1}}, "/earning/min_fen"),
        ({"earning": {"in_a_row": True}}, "/earning/in_a_row"),
        ({"earning": {"tasks": [TASK]}}, "/earning/tasks"),
        ({"kind": "tasks"}, "/earning/tasks"),
        ({"kind": "tasks", "goal": 1, "per_member": 1, "earning": {"tasks": [TASK, TASK]}}, "/earning/tasks"),
        ({"kind": "tasks", "goal": 2, "per_member": 1, "earning": {"tasks": [TASK]}}, "/goal"),
        ({"kind": "tasks", "goal": 1, "earning": {"tasks": [TASK]}}, "/per_member"),
        ({"goal": 0}, "/goal"),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_refuses_what_means_nothing_and_nothing_moves(admin, settings, fields, pointer):
    gift = await make_template(admin, GIFT, claim_by="nobody", per_member=None)
    before = await fingerprint(settings)

    refused = await admin.post(
        CAMPAIGNS, {"title": "集章", "kind": "stamps", "goal": 3, "reward": [gift["id"]]} | fields
    )

    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert await fingerprint(settings) == before


async def test_refuses_to_promise_what_cannot_be_had(admin):
    draft = await make_template(admin, GIFT, claim_by="nobody", per_member=None, active=False)
    few = await make_template(admin, GIFT, claim_by="nobody", per_member=2)
    wanted = [
        await make_campaign(admin, active=False, reward=[draft["id"]]),
        await make_campaign(admin, active=False, reward=[few["id"]]),
        await make_campaign(admin, active=False, reward=[few["id"]], per_member=3),
        await make_campaign(admin, active=False, ends_at="2020-01-01T00:00:00Z"),
        await make_campaign(admin, active=False, reward=[few["id"]], per_member=2),
    ]

    answers = [await admin.post(f"{CAMPAIGNS}/{item['id']}/activate") for item in wanted]
    ended = await admin.post(f"{CAMPAIGNS}/{wanted[0]['id']}/end")
    too_late = await admin.post(f"{CAMPAIGNS}/{wanted[0]['id']}/activate")

    assert [answer.status_code for answer in answers] == [409, 409, 409, 409, 200]
    assert {answer.json()["code"] for answer in answers[:4]} == {"campaign_conflict"}
    assert ended.json()["state"] == "ended"
    assert too_late.status_code == 409


async def test_only_head_office_keeps_campaigns(client, chain, admin):
    campaign = await make_campaign(admin)
    manager = await log_in(client, chain, "manager-S1")

    answers = [
        await manager.get(CAMPAIGNS),
        await manager.post(f"{CAMPAIGNS}/{campaign['id']}/end"),
        await manager.call("PUT", f"{CAMPAIGNS}/{campaign['id']}", {}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


async def test_when_a_campaign_ends_full_cards_become_rewards_and_the_rest_expires(chain, client, admin, phone, clock):
    campaign = await make_campaign(admin, goal=2, earning={"per": "piece"}, gift={"total": 1})
    owing = await make_campaign(admin, goal=1)
    sale = await buy(chain, client, phone, ("X", 5, 100))
    await settle()
    await refund(chain, client, sale, lines=[{"line_no": 1, "qty": 1}])
    await settle()
    full = await held(phone.member_id, campaign["id"])
    offer = {"claim_by": "nobody", "per_member": None, "total": 2}
    await admin.call("PUT", f"{TEMPLATES}/{campaign['reward'][0]}/offer", offer)
    await refund(chain, client, sale, lines=[{"line_no": 1, "qty": 4}])
    await settle()
    for item in (campaign, owing):
        await move(admin, item["id"], "end")

    await close_campaigns()
    again = await closing.close_ended()

    assert full == Held(2, 0, 1)
    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 1)
    assert await held(phone.member_id, owing["id"]) == Held(0, 0, 1)  # what was owed is owed no more
    assert again == 0
    closed = await db.fetch("SELECT id FROM stamp_campaign WHERE closed_at IS NULL AND state = 'ended'")
    assert closed == []
    items = (await phone.call("GET", CARDS)).json()["items"]
    assert items == []
    gone = await phone.call("POST", f"{CARDS}/{campaign['id']}/redeem")
    assert gone.json()["code"] == "campaign_card_not_full"


async def test_a_campaign_is_over_by_its_time_and_counts_what_was_before(chain, client, admin, phone, clock):
    now = clock.now()
    campaign = await make_campaign(
        admin, goal=2, earning={"per": "piece"}, ends_at=(now + timedelta(minutes=30)).isoformat()
    )
    await buy(chain, client, phone, ("X", 3, 100))
    clock.shift(timedelta(minutes=31))
    await log_in_again(phone)
    late = await buy(chain, client, phone, ("X", 1, 100))
    queries.forget_running()
    await settle()
    counted = await held(phone.member_id, campaign["id"])
    not_yet = await closing.end_over(clock.now())

    clock.shift(timedelta(hours=1))
    await close_campaigns()
    await log_in_again(phone)
    await refund(chain, client, late, lines=[{"line_no": 1, "qty": 1}])
    await settle()

    assert counted == Held(1, 0, 1)
    assert not_yet == 0
    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 1)
    assert (await card(phone, campaign["id"]))["have"] == 0
    assert len(await coupons_of(phone)) == 1
    assert (await admin_state(campaign["id"])) == ("ended", True)


async def admin_state(campaign_id: str) -> tuple[str, bool]:
    row = await db.fetchrow("SELECT state, closed_at IS NOT NULL FROM stamp_campaign WHERE id = $1", campaign_id)
    return row[0], row[1]


async def test_what_is_due_when_a_campaign_has_ended_opens_no_card(chain, client, admin, phone, monkeypatch):
    campaign = await make_campaign(admin)
    await buy(chain, client, phone, ("X", 1, 100))
    known = await queries.running()
    await db.pool().execute("UPDATE stamp_campaign SET state = 'ended' WHERE id = $1", campaign["id"])
    await closing.close_ended()

    async def remember() -> queries.Running:
        return known

    monkeypatch.setattr(queries, "_running", Kept(remember, keep_s=math.inf))  # this process takes it for active still

    await settle()

    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 0)
    assert (await admin_state(campaign["id"])) == ("ended", True)
    assert await db.fetchval("SELECT count(*) FROM stamp_card WHERE campaign_id = $1", campaign["id"]) == 0
    assert await db.fetchval("SELECT count(*) FROM stamp_due") == 0


async def test_a_full_card_gives_its_level_for_some_months_once(client, chain, admin, phone, levels, clock):
    campaign = await make_campaign(admin, goal=1, per_member=1, level="gold", level_months=6)
    await buy(chain, client, phone, ("6901", 1, 500))

    await settle()
    await outbox.drain()
    path = f"/v1/admin/members/{phone.member_id}/level"
    given = (await admin.get(path)).json()["grants"]
    level = (await phone.call("GET", "/v1/member/profile")).json()["level"]
    clock.shift(timedelta(days=1))
    async with db.transaction() as tx:
        (coupon_id,) = [
            row["id"] for row in await db.fetch("SELECT id FROM coupon WHERE member_id = $1", phone.member_id)
        ]
        event = RewardEarned(member_id=phone.member_id, campaign_id=campaign["id"], coupon_ids=(coupon_id,))
        await give_level(event, tx)
    again = await db.fetchval("SELECT count(*) FROM lifecycle_grant WHERE member_id = $1", phone.member_id)

    until = months_after(local_date(now(), "Asia/Shanghai"), 6)
    assert level["code"] == "gold"
    assert [(one["level"], one["source"], one["reason"]) for one in given] == [("gold", "campaign", "集章有礼")]
    assert given[0]["until"] in (str(until), str(until - timedelta(days=1)))
    assert again == 1
