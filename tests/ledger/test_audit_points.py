"""The proof of the books fires for every way of falsifying what members gave each other."""

from __future__ import annotations

import pytest

from backend.ledger import plans, service
from backend.ledger.plans import Issue, Leg
from tests.ledger.tampering import tamper
from tests.support.books import open_books, plan
from tests.support.value import findings


async def with_transfer() -> int:
    """A member who was given 100 points and gave 40 of them to another one: the giver."""
    giver, receiver = await open_books(), await open_books()
    house, about = plans.HOUSE_POINTS_CLEARING, f"X{giver}"
    lot = (Issue("earned", 100),)
    earned = Leg(plans.POINTS, plans.POINT, 100, issue=lot), Leg(plans.HOUSE_POINTS_ISSUED, plans.POINT, -100)
    await service.post(plan(giver, *earned))
    out = Leg(plans.POINTS, plans.POINT, -40), Leg(house, plans.POINT, 40)
    await service.post(plan(giver, *out, kind="points_transfer", about=about))
    into = Leg(plans.POINTS, plans.POINT, 40, issue=(Issue("transferred", 40),)), Leg(house, plans.POINT, -40)
    await service.post(plan(receiver, *into, kind="points_transfer", about=about))
    return giver


TAMPERING = {
    "points_clearing: another transfer's": (
        "UPDATE ledger_transfer SET document_id = 'other' WHERE member_id = $1 AND seq = 2",
    ),
    "points_clearing: a point more": (
        "UPDATE ledger_entry SET amount = amount + 1 WHERE member_id = $1 AND kind = 'house.points_clearing'",
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_the_audit_finds_of_transfers(settings, database, what):
    giver, bystander = await with_transfer(), await with_transfer()

    await tamper(settings, giver, *TAMPERING[what])

    found = await findings(settings)
    assert "points_clearing" in {one.check for one in found if str(giver) in one.what}
    assert not [one for one in found if one.member_id == bystander or str(bystander) in one.what]


async def test_honest_transfers_have_no_findings(settings, database):
    giver = await with_transfer()

    assert not [one for one in await findings(settings) if one.member_id == giver or str(giver) in one.what]
