"""Plans that give stamps, take them back, turn them into rewards and let them expire: pure."""

from __future__ import annotations

from datetime import date, datetime

from backend.kernel.events import encode as encode_event
from backend.ledger import plans as ledger
from backend.ledger.plans import Issue, Leg, Plan, job_hash

from .events import RewardEarned
from .types import Stamps

GIVEN = "stamps_given"
TAKEN = "stamps_taken"
REDEEMED = "stamps_redeemed"
EXPIRED = "stamps_expired"
SCOPE = "stamps"


def give(
    member_id: int, campaign_id: str, before: Stamps, amount: int, *, source: str, lost: int, now: datetime, on: date
) -> Plan:
    """Give so many stamps for a source, once; what is owed is paid first. ``lost`` expire before (a missed day)."""
    paid = min(before.owed, amount)
    legs = [
        *_move(campaign_id, -lost, ledger.HOUSE_STAMPS_EXPIRED),
        Leg(ledger.HOUSE_STAMPS_ISSUED, ledger.USES, -amount, ref=campaign_id),
    ]
    if paid:
        legs += [
            Leg(ledger.STAMPS_OWED, ledger.USES, -paid, ref=campaign_id),
            Leg(ledger.HOUSE_STAMPS_RECEIVABLE, ledger.USES, paid, ref=campaign_id),
            Leg(ledger.HOUSE_STAMPS_CLAWED, ledger.USES, paid, ref=campaign_id),
        ]
    if amount > paid:
        lot = Issue("stamp", amount - paid, source=source)
        legs.append(Leg(ledger.STAMPS, ledger.USES, amount - paid, ref=campaign_id, issue=(lot,)))
    return _plan(member_id, GIVEN, f"{campaign_id}:{source}", legs, source, now, on)


def take(
    member_id: int, campaign_id: str, before: Stamps, amount: int, *, source: str, taken: int, now: datetime, on: date
) -> Plan:
    """Take so many stamps of a source back, ``taken`` being all that was taken of it then; what is gone is owed."""
    there = min(before.held, amount)
    legs = _move(campaign_id, -there, ledger.HOUSE_STAMPS_CLAWED)
    if amount > there:
        lot = Issue("owed", amount - there, source=source)
        legs += [
            Leg(ledger.STAMPS_OWED, ledger.USES, amount - there, ref=campaign_id, issue=(lot,)),
            Leg(ledger.HOUSE_STAMPS_RECEIVABLE, ledger.USES, there - amount, ref=campaign_id),
        ]
    return _plan(member_id, TAKEN, f"{campaign_id}:{source}:{taken}", legs, source, now, on)


def redeem(
    member_id: int, campaign_id: str, goal: int, *, number: int, coupon_ids: tuple[str, ...], now: datetime, on: date
) -> Plan:
    """Turn a full card into its reward, the member's ``number``-th of this campaign."""
    earned = RewardEarned(member_id=member_id, campaign_id=campaign_id, coupon_ids=coupon_ids)
    legs = _move(campaign_id, -goal, ledger.HOUSE_STAMPS_REDEEMED)
    return _plan(
        member_id, REDEEMED, f"{campaign_id}:{number}", legs, coupon_ids[0], now, on, events=(encode_event(earned),)
    )


def expire(member_id: int, campaign_id: str, left: Stamps, *, now: datetime, on: date) -> Plan | None:
    """End a card: its stamps expire, and nothing is owed any more. None where there is neither."""
    legs = _move(campaign_id, -left.held, ledger.HOUSE_STAMPS_EXPIRED)
    if left.owed:
        legs += [
            Leg(ledger.STAMPS_OWED, ledger.USES, -left.owed, ref=campaign_id),
            Leg(ledger.HOUSE_STAMPS_RECEIVABLE, ledger.USES, left.owed, ref=campaign_id),
        ]
    # Once by the card's own row; not by the key, for a merge may bring stamps to a card that has ended.
    return _plan(member_id, EXPIRED, f"{campaign_id}:{now.isoformat()}", legs, campaign_id, now, on) if legs else None


def _move(campaign_id: str, amount: int, house: str) -> list[Leg]:
    """The two legs of stamps that go, or none."""
    if not amount:
        return []
    return [
        Leg(ledger.STAMPS, ledger.USES, amount, ref=campaign_id),
        Leg(house, ledger.USES, -amount, ref=campaign_id),
    ]


def _plan(
    member_id: int,
    kind: str,
    key: str,
    legs: list[Leg],
    about: str,
    now: datetime,
    on: date,
    *,
    events: tuple[dict[str, object], ...] = (),
) -> Plan:
    # The member is in the key: a campaign has the same days, tasks and ends for everybody, and keys are unique to all.
    return Plan(
        member_id=member_id,
        kind=kind,
        at=now,
        on=on,
        scope=f"{SCOPE}/{kind}",
        key=f"{member_id}:{key}",
        hash=job_hash(kind, member_id, key),
        about=about,
        legs=tuple(legs),
        events=events,
    )
