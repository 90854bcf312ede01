"""What the proof of the books finds of stamps that were falsified, and that it finds nothing else."""

from __future__ import annotations

import pytest

from backend.kernel import clock
from backend.ledger import plans, service
from backend.stamps import plans as stamps
from backend.stamps.types import Stamps
from tests.support.books import open_books, plan
from tests.support.value import findings

from .tampering import tamper


async def with_stamps() -> int:
    """Five transfers: four stamps, a reward with its coupon, a refund after which one is owed, and one more stamp."""
    member_id, now = await open_books(), clock.now()
    on = clock.local_date(now, "Asia/Shanghai")
    await service.post(stamps.give(member_id, "P1", Stamps(), 4, source="S1", lost=0, now=now, on=on))
    await service.post(plan(member_id, *plans.issue_coupon("C1", "T1", plans.USES, 1, expires_on=None)))
    await service.post(stamps.redeem(member_id, "P1", 3, number=1, coupon_ids=("C1",), now=now, on=on))
    await service.post(stamps.take(member_id, "P1", Stamps(1, 0, 1), 3, source="S1", taken=3, now=now, on=on))
    await service.post(stamps.give(member_id, "P1", Stamps(0, 2, 1), 1, source="S2", lost=0, now=now, on=on))
    return member_id


STAMPS = "UPDATE ledger_entry SET {} WHERE member_id = $1 AND seq = {} AND kind = '{}'"
TAMPERING: dict[str, tuple[str, ...]] = {
    "stamps_add_up: stamps that were never given": (STAMPS.format("amount = -3", 1, "house.stamps_issued"),),
    "stamps_add_up: a reward booked as an expiry of another campaign": (
        STAMPS.format("ref = 'P9'", 3, "house.stamps_redeemed"),
    ),
    "stamps_add_up: what is owed forgiven": (STAMPS.format("amount = 1", 4, "stamps_owed"),),
    "stamps_given_once: a sale's given for another": (
        "UPDATE ledger_transfer SET document_id = 'S1' WHERE member_id = $1 AND seq = 5",
    ),
    "stamps_given_once: taken back of another": (
        "UPDATE ledger_transfer SET document_id = 'S2' WHERE member_id = $1 AND seq = 4",
    ),
    "stamps_given_once: a reward that is none": (
        "UPDATE ledger_transfer SET document_id = 'C9' WHERE member_id = $1 AND seq = 3",
    ),
    "chain: a reward": (STAMPS.format("amount = -4", 3, "stamps"),),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_the_audit_finds_of_stamps(settings, database, what):
    member_id, bystander = await with_stamps(), await with_stamps()

    await tamper(settings, member_id, *TAMPERING[what])

    found = await findings(settings)
    assert what.partition(":")[0] in {finding.check for finding in found if finding.member_id == member_id}
    assert not [finding for finding in found if finding.member_id == bystander]


async def test_honest_stamps_have_no_findings(settings, database):
    member_id = await with_stamps()

    assert [finding for finding in await findings(settings) if finding.member_id == member_id] == []
