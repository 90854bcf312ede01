"""Row locks. Campaigns come first, then cards (member, campaign ascending), then coupon templates, then books."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries import CAMPAIGN, CARD, campaign_of, card_of
from .types import Campaign, Card

WITHIN = "SET LOCAL lock_timeout = '3s'"
"""What a transaction waits for each lock; its database connection is one of few."""


async def lock_campaign(tx: Tx, campaign_id: str) -> Campaign:
    """A campaign, to be changed; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{CAMPAIGN} WHERE id = $1 FOR UPDATE", campaign_id)
    if not rows:
        raise NotFound("there is no such campaign")
    return campaign_of(rows[0])


async def hold_campaigns(tx: Tx, campaign_ids: Iterable[str]) -> dict[str, Campaign]:
    """These campaigns as they stand; none of them is changed before the transaction ends."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{CAMPAIGN} WHERE id = ANY($1) ORDER BY id FOR SHARE", sorted(set(campaign_ids)))
    return {row["id"]: campaign_of(row) for row in rows}


async def lock_cards(tx: Tx, wanted: Iterable[tuple[int, str]], now: datetime) -> dict[tuple[int, str], Card]:
    """The cards of these (member, campaign), made where there are none, with what they hold; nobody else moves it."""
    keys = sorted(set(wanted))
    members, campaigns = [key[0] for key in keys], [key[1] for key in keys]
    await db.raw(tx).execute(
        "INSERT INTO stamp_card (member_id, campaign_id, since)"
        " SELECT m, c, $3 FROM unnest($1::bigint[], $2::text[]) AS w (m, c) ORDER BY m, c ON CONFLICT DO NOTHING",
        members,
        campaigns,
        now,
    )
    await db.fetch_in(
        tx,
        "SELECT FROM stamp_card c JOIN unnest($1::bigint[], $2::text[]) AS w (m, k)"
        " ON c.member_id = w.m AND c.campaign_id = w.k ORDER BY c.member_id, c.campaign_id FOR UPDATE OF c",
        members,
        campaigns,
    )
    # Read again once they are locked: what they hold may have changed while this waited.
    rows = await db.fetch_in(
        tx,
        f"{CARD} JOIN unnest($1::bigint[], $2::text[]) AS w (m, k) ON c.member_id = w.m AND c.campaign_id = w.k",
        members,
        campaigns,
    )
    return {(row["member_id"], row["campaign_id"]): card_of(row) for row in rows}


async def lock_card(tx: Tx, member_id: int, campaign_id: str) -> Card | None:
    """One card, or None where the member has none."""
    await db.raw(tx).execute(WITHIN)
    found = await db.fetch_in(
        tx,
        "SELECT FROM stamp_card WHERE member_id = $1 AND campaign_id = $2 FOR UPDATE",
        member_id,
        campaign_id,
    )
    if not found:
        return None
    rows = await db.fetch_in(tx, f"{CARD} WHERE c.member_id = $1 AND c.campaign_id = $2", member_id, campaign_id)
    return card_of(rows[0])
