"""Campaign cards of a member who becomes part of another: the stamps are added up."""

from __future__ import annotations

from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.ledger.plans import (
    HOUSE_STAMPS_CLAWED,
    HOUSE_STAMPS_MERGED,
    HOUSE_STAMPS_RECEIVABLE,
    STAMPS,
    STAMPS_OWED,
    USES,
    Issue,
    Leg,
)
from backend.members.holding import Carrying, MovingTable
from backend.merging import service as merging

from . import locks, service

_CAMPAIGNS = "SELECT campaign_id FROM stamp_card WHERE member_id = $1 ORDER BY campaign_id"
# While a campaign's cards are being closed one may be and the other not: both are closed with what is on the other.
_ADDED = """
UPDATE stamp_card t SET rewards = t.rewards + s.rewards, since = least(t.since, s.since),
       last_on = greatest(t.last_on, s.last_on), closed_at = CASE WHEN s.closed_at IS NOT NULL THEN t.closed_at END
  FROM stamp_card s WHERE t.member_id = $2 AND s.member_id = $1 AND s.campaign_id = t.campaign_id"""
_EMPTIED = """
UPDATE stamp_card s SET rewards = 0, waiting = false WHERE member_id = $1 AND EXISTS
       (SELECT FROM stamp_card t WHERE t.member_id = $2 AND t.campaign_id = s.campaign_id)"""
_MOVED = MovingTable("stamp_card", key=("campaign_id",)).sql
_WAITS_NOT = "UPDATE stamp_card SET waiting = false WHERE member_id = $1 AND waiting"
_HELD = f"""
SELECT ref, coalesce(sum(balance) FILTER (WHERE member_id = $1 AND kind = '{STAMPS}'), 0)::bigint AS theirs,
       coalesce(sum(balance) FILTER (WHERE member_id = $1 AND kind = '{STAMPS_OWED}'), 0)::bigint AS they_owe,
       coalesce(sum(balance) FILTER (WHERE member_id = $2 AND kind = '{STAMPS}'), 0)::bigint AS mine,
       coalesce(sum(balance) FILTER (WHERE member_id = $2 AND kind = '{STAMPS_OWED}'), 0)::bigint AS i_owe
  FROM ledger_account WHERE member_id IN ($1, $2) AND kind IN ('{STAMPS}', '{STAMPS_OWED}')
 GROUP BY ref HAVING sum(balance) FILTER (WHERE member_id = $1) > 0 ORDER BY ref"""  # noqa: S608 - constants


async def join_cards(tx: Tx, source_id: int, target_id: int) -> None:
    """Lock both members' cards, and make two of one campaign one; before the books."""
    campaigns = [row[0] for row in await db.fetch_in(tx, _CAMPAIGNS, source_id)]
    if not campaigns:
        return
    await locks.hold_campaigns(tx, campaigns)
    mine = [row[0] for row in await db.fetch_in(tx, _CAMPAIGNS, target_id)]
    keys = [(source_id, campaign) for campaign in campaigns] + [(target_id, c) for c in mine if c in campaigns]
    await locks.lock_cards(tx, keys, clock.now())
    for sql in (_ADDED, _EMPTIED, _MOVED):
        await db.raw(tx).execute(sql, source_id, target_id)


async def carry(tx: Tx, carrying: Carrying) -> None:
    """Add the source's stamps to the target's, campaign by campaign; what either owes is paid out of what both have.

    A card that the source was given at that very moment may be full: it waits no more, the target's does.
    """
    rows = await db.fetch_in(tx, _HELD, carrying.source_id, carrying.target_id)
    for row in rows:
        what = f"stamps:{row['ref']}"
        await merging.post_half(tx, carrying.source_id, carrying, what, _out_legs(row))
        await merging.post_half(tx, carrying.target_id, carrying, what, _in_legs(row, carrying.merge_id))
    campaigns = await locks.hold_campaigns(tx, [row["ref"] for row in rows])
    await db.raw(tx).execute(_WAITS_NOT, carrying.source_id)
    cards = await locks.lock_cards(tx, [(carrying.target_id, row["ref"]) for row in rows], carrying.at)
    for (_, campaign_id), card in cards.items():
        await service.keep(tx, campaigns[campaign_id], card)


def _out_legs(row: db.Record) -> tuple[Leg, ...]:
    legs: list[Leg] = []
    if held := row["theirs"]:
        legs.append(Leg(STAMPS, USES, -held, ref=row["ref"]))
        legs.append(Leg(HOUSE_STAMPS_MERGED, USES, held, ref=row["ref"]))
    if owed := row["they_owe"]:
        legs.append(Leg(STAMPS_OWED, USES, -owed, ref=row["ref"]))
        legs.append(Leg(HOUSE_STAMPS_RECEIVABLE, USES, owed, ref=row["ref"]))
    return tuple(legs)


def _in_legs(row: db.Record, merge_id: str) -> tuple[Leg, ...]:
    held, owed = row["theirs"] + row["mine"], row["they_owe"] + row["i_owe"]
    paid = min(held, owed)
    legs = [
        *_change(STAMPS, row["ref"], held - paid - row["mine"], "stamp", merge_id),
        *_change(STAMPS_OWED, row["ref"], owed - paid - row["i_owe"], "owed", merge_id),
    ]
    for house, amount in (
        (HOUSE_STAMPS_MERGED, -row["theirs"]),
        (HOUSE_STAMPS_CLAWED, paid),
        (HOUSE_STAMPS_RECEIVABLE, -(owed - paid - row["i_owe"])),
    ):
        if amount:
            legs.append(Leg(house, USES, amount, ref=row["ref"]))
    return tuple(legs)


def _change(account: str, campaign_id: str, amount: int, part: str, source: str) -> tuple[Leg, ...]:
    if not amount:
        return ()
    issue = (Issue(part, amount, source=source),) if amount > 0 else ()
    return (Leg(account, USES, amount, ref=campaign_id, issue=issue),)
