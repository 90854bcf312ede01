"""Campaigns for tests: made by head office over HTTP, and what the books say of the cards in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest_asyncio

from backend.kernel import db, outbox
from backend.kernel.config import Settings
from backend.stamps import queries
from backend.stamps.commands import cards, giving
from tests.support.coupons import make_template
from tests.support.members import Phone
from tests.support.staff import StaffSession

CAMPAIGNS = "/v1/admin/campaigns"
CARDS = "/v1/member/campaign-cards"
GIFT = {"kind": "cash", "face_fen": 1_000, "validity": {"days": 30}, "stacking": "joint"}


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_other_campaign(database: Settings) -> AsyncIterator[None]:
    """No campaign of one test runs in the next."""
    yield
    await db.pool().execute("UPDATE stamp_campaign SET state = 'ended' WHERE state <> 'ended'")
    queries.forget_running()


class Held(NamedTuple):
    """What the books say of a card: stamps held and owed, and rewards by its row."""

    stamps: int
    owed: int
    rewards: int


async def make_campaign(admin: StaffSession, **fields: Any) -> dict[str, Any]:
    """An active campaign; its reward is a coupon of its own unless one is named. Ten sales, one reward."""
    active = fields.pop("active", True)
    if "reward" not in fields:
        offer = {"claim_by": "nobody", "per_member": None, "title": "集章礼"} | fields.pop("gift", {})
        gift = await make_template(admin, GIFT, **offer)
        fields["reward"] = [gift["id"]]
    body = {"title": "集章有礼", "kind": "stamps", "goal": 10} | fields
    made = await admin.post(CAMPAIGNS, body)
    assert made.status_code == 201, made.text
    campaign: dict[str, Any] = made.json()
    if active:
        campaign = await move(admin, campaign["id"], "activate")
    return campaign


async def move(admin: StaffSession, campaign_id: str, what: str) -> dict[str, Any]:
    """Activate, pause or end it."""
    moved = await admin.post(f"{CAMPAIGNS}/{campaign_id}/{what}")
    assert moved.status_code == 200, moved.text
    queries.forget_running()
    campaign: dict[str, Any] = moved.json()
    return campaign


async def settle() -> None:
    """What the worker does after a sale: hand out the events, give what is due, turn full cards into rewards."""
    await outbox.drain()
    await cards.redeem_all(await giving.give_due())


async def card(phone: Phone, campaign_id: str) -> dict[str, Any]:
    """The member's card as the phone gets it."""
    answer = await phone.call("GET", f"{CARDS}/{campaign_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def held(member_id: int, campaign_id: str) -> Held:
    """What the books and the row say."""
    row = await db.fetchrow(
        "SELECT coalesce(max(balance) FILTER (WHERE kind = 'stamps'), 0),"
        " coalesce(max(balance) FILTER (WHERE kind = 'stamps_owed'), 0),"
        " coalesce((SELECT rewards FROM stamp_card WHERE member_id = $1 AND campaign_id = $2), 0)"
        " FROM ledger_account WHERE member_id = $1 AND ref = $2",
        member_id,
        campaign_id,
    )
    return Held(*row)


async def rewards_of(member_id: int, campaign_id: str) -> int:
    """How many coupons a member was given by a campaign."""
    return int(
        await db.fetchval(
            "SELECT count(*) FROM coupon WHERE member_id = $1 AND source LIKE 'stamps:' || $2 || ':%'",
            member_id,
            campaign_id,
        )
    )
