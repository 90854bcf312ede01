"""The proof of the books fires for every way of falsifying a pass, and for nothing else."""

from __future__ import annotations

import pytest

from backend.ledger import plans, service
from backend.ledger.plans import DocumentUpdate, Issue, Leg, NewDocument
from tests.ledger.tampering import tamper
from tests.support.books import open_books, plan
from tests.support.value import findings


async def with_a_pass() -> int:
    """Four transfers: a sale that sells three uses for 1,000 fen, a use, another one, and that one undone."""
    member_id = await open_books()
    sold = {"id": "P1", "product_id": "K1", "version": 1, "line_no": 1, "piece": 1, "paid_fen": 1_000, "uses": 3}
    document = NewDocument("S1", "sale", "completed", {"paid": {"cash": 1_000}, "passes": [sold]}, store_id="S1")
    issued = (
        Leg(plans.SERVICE, plans.USES, 3, ref="P1", issue=(Issue("K1/1", 3, source="P1"),)),
        Leg(plans.HOUSE_SERVICES_ISSUED, plans.USES, -3, ref="K1"),
        Leg(plans.SERVICE_VALUE, plans.FEN, 1_000, ref="P1", issue=(Issue("K1/1", 1_000, source="P1"),)),
        Leg(plans.HOUSE_SALES, plans.FEN, -1_000, ref="S1"),
    )
    await service.post(plan(member_id, *issued, kind="sale", document=document))
    for use_id in ("U1", "U2"):
        body = {"pass_id": "P1", "qty": 1, "value_fen": 333, "uses_left": 2}
        used = NewDocument(use_id, "pass_use", "used", body, store_id="S1")
        await service.post(plan(member_id, *moved(-1, -333), kind="pass_use", document=used))
    undone = DocumentUpdate("U2", 1, state="undone")
    await service.post(plan(member_id, *moved(1, 333), kind="pass_undo", update=undone))
    return member_id


def moved(uses: int, fen: int) -> tuple[Leg, ...]:
    """The legs of a use, or of its undo to the pass's two lots."""
    lots = [((1, uses),), ((2, fen),)] if uses > 0 else [(), ()]
    return (
        Leg(plans.SERVICE, plans.USES, uses, ref="P1", lots=lots[0]),
        Leg(plans.HOUSE_SERVICES_USED, plans.USES, -uses, ref="K1"),
        Leg(plans.SERVICE_VALUE, plans.FEN, fen, ref="P1", lots=lots[1]),
        Leg(plans.HOUSE_SERVICE_INCOME, plans.FEN, -fen, ref="S1"),
    )


P1 = "member_id = $1 AND ref = 'P1'"
U1, U2 = ("member_id = $1 AND id = 'U1'", "member_id = $1 AND id = 'U2'")
OTHER_LOT = (
    "INSERT INTO ledger_lot SELECT member_id, 99, kind, ref, part, source, issued, 0, false, expires_on, matures_on,"
    " issued_at FROM ledger_lot"
)
BODY = "UPDATE ledger_document SET body = jsonb_set(body, '{%s}', '%s') WHERE %s"

TAMPERING: dict[str, tuple[str, ...]] = {
    "pass_issued_once: its lot of uses deleted": (f"DELETE FROM ledger_lot WHERE {P1} AND kind = 'service'",),
    "pass_issued_once: another lot of value": (f"{OTHER_LOT} WHERE {P1} AND kind = 'service_value'",),
    "pass_issued_once: value of another version": (
        f"UPDATE ledger_lot SET part = 'K1/2' WHERE {P1} AND kind = 'service_value'",
    ),
    "pass_value_is_deferred: a pass of another price": (
        BODY % ("passes,0,paid_fen", 999, "member_id = $1 AND id = 'S1'"),
    ),
    "pass_value_is_deferred: a pass of more uses": (BODY % ("passes,0,uses", 4, "member_id = $1 AND id = 'S1'"),),
    "pass_value_is_deferred: a sale that was rejected": (
        "UPDATE ledger_document SET state = 'rejected' WHERE member_id = $1 AND id = 'S1'",
    ),
    "pass_value_is_deferred: value of a pass without uses": (
        f"UPDATE ledger_account SET balance = 0 WHERE {P1} AND kind = 'service'",
    ),
    "pass_uses_are_booked: a use of two": (BODY % ("qty", 2, U1),),
    "pass_uses_are_booked: a use for less": (BODY % ("value_fen", 1, U1),),
    "pass_uses_are_booked: an undone use that took": (f"UPDATE ledger_document SET state = 'undone' WHERE {U1}",),
    "pass_uses_are_booked: a use that counts, undone in the books": (
        f"UPDATE ledger_document SET state = 'used' WHERE {U2}",
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_the_audit_finds(settings, database, what):
    member_id, bystander = await with_a_pass(), await with_a_pass()

    await tamper(settings, member_id, *TAMPERING[what])

    found = await findings(settings)
    assert what.partition(":")[0] in {finding.check for finding in found if finding.member_id == member_id}
    assert not [finding for finding in found if finding.member_id == bystander]
