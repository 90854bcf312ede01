"""The proof of the books fires for every way of falsifying what gift cards did."""

from __future__ import annotations

import msgspec
import pytest

from backend.ledger import plans, service
from backend.ledger.plans import Issue, Leg, NewDocument
from tests.ledger.tampering import tamper
from tests.support.books import changed, connected, open_books, plan, sale_document
from tests.support.value import findings


async def with_gift_card() -> int:
    """Five transfers: a card is loaded with 5,000, pays 2,000 of a sale, of which 500 come back, and 300 charged."""
    card_id, member_id = await open_books(), await open_books()
    sale_id, charge_id = f"S{card_id}", f"H{card_id}"
    clearing = Leg(plans.HOUSE_GIFT_CLEARING, plans.FEN, 2_000, ref="S1")
    load = Leg(plans.GIFT_CARD, plans.FEN, 5_000, issue=(Issue("gift_card", 5_000),))
    await service.post(
        plan(card_id, load, Leg(plans.HOUSE_GIFT_CARDS_SOLD, plans.FEN, -5_000, ref="S1"), kind="gift_activation")
    )
    document = sale_document(sale_id, {"gift_card": 2_000})
    await service.post(
        plan(
            member_id,
            changed_leg(clearing, -2_000),
            Leg(plans.HOUSE_SALES, plans.FEN, 2_000, ref="S1"),
            kind="sale",
            document=document,
        )
    )
    await service.post(plan(card_id, Leg(plans.GIFT_CARD, plans.FEN, -2_000), clearing, kind="sale", about=sale_id))
    refund = {"kind": "refund", "about": f"F{card_id}"}
    await service.post(
        plan(member_id, changed_leg(clearing, 500), Leg(plans.HOUSE_SALES, plans.FEN, -500, ref="S1"), **refund)
    )
    back = Leg(plans.GIFT_CARD, plans.FEN, 500, lots=((1, 500),))
    await service.post(plan(card_id, back, changed_leg(clearing, -500), reverses=2, **refund))
    charge = NewDocument(charge_id, "gift_charge", "charged", {"amount_fen": 300}, progress={"refunded_fen": 100})
    paid = Leg(plans.GIFT_CARD, plans.FEN, -300), Leg(plans.HOUSE_SALES, plans.FEN, 300, ref="S1")
    await service.post(plan(card_id, *paid, kind="gift_charge", document=charge))
    back = Leg(plans.GIFT_CARD, plans.FEN, 100, lots=((1, 100),))
    given = plan(card_id, back, Leg(plans.HOUSE_SALES, plans.FEN, -100, ref="S1"), kind="gift_charge_refund")
    await service.post(changed(given, reverses=4, about=f"K{card_id}"))
    return card_id


def changed_leg(leg: Leg, amount: int) -> Leg:
    """The same leg with another amount."""
    return msgspec.structs.replace(leg, amount=amount)


CHARGE = "member_id = $1 AND kind = 'gift_charge'"
TAMPERING_WITH_GIFT_CARDS: dict[str, tuple[str, ...]] = {
    "gift_card_loaded_once: loaded again": (
        "UPDATE ledger_transfer SET kind = 'gift_activation' WHERE member_id = $1 AND seq = 2",
    ),
    "gift_card_loaded_once: undone before it was loaded": (
        "UPDATE ledger_transfer SET kind = 'gift_activation_undone' WHERE member_id = $1 AND seq = 1",
    ),
    "gift_card_within_load: loaded by nobody": (
        "UPDATE ledger_transfer SET kind = 'gift' WHERE member_id = $1 AND seq = 1",
    ),
    "gift_charge_taken_once: another amount": (
        f"UPDATE ledger_document SET body = '{{\"amount_fen\": 301}}' WHERE {CHARGE}",
    ),
    "gift_charge_taken_once: a refund that is not counted": (
        f"UPDATE ledger_document SET progress = '{{\"refunded_fen\": 0}}' WHERE {CHARGE}",
    ),
    "gift_charge_taken_once: a refund of another's": (
        "UPDATE ledger_transfer SET reverses = 2 WHERE member_id = $1 AND seq = 5",
    ),
    "gift_clearing: another sale's": (
        "UPDATE ledger_transfer SET document_id = 'other' WHERE member_id = $1 AND seq = 2",
    ),
    "gift_clearing: a fen more": (
        "UPDATE ledger_entry SET amount = amount + 1 WHERE member_id = $1 AND seq = 3 AND kind = 'house.gift_clearing'",
    ),
    "refunds_within_sales: more than the card paid": (
        "UPDATE ledger_entry SET amount = 2001 WHERE member_id = $1 AND seq = 3 AND kind = 'gift_card'",
    ),
}


@pytest.mark.parametrize("what", TAMPERING_WITH_GIFT_CARDS)
async def test_the_audit_finds_of_gift_cards(settings, database, what):
    card_id, bystander = await with_gift_card(), await with_gift_card()

    await tamper(settings, card_id, *TAMPERING_WITH_GIFT_CARDS[what])

    found = await findings(settings)
    of_card = {finding.check for finding in found if finding.member_id == card_id or str(card_id) in finding.what}
    assert what.partition(":")[0] in of_card
    assert not [finding for finding in found if finding.member_id == bystander or str(bystander) in finding.what]


async def test_a_sale_that_says_less_of_its_gift_cards_than_it_drew_shows(settings, database):
    card_id = await with_gift_card()
    async with connected(settings, "postgres") as postgres:
        (member_id,) = await postgres.fetchrow("SELECT member_id FROM ledger_document WHERE id = $1", f"S{card_id}")

    body = 'UPDATE ledger_document SET body = \'{"paid": {"gift_card": 1999}}\' WHERE member_id = $1'
    await tamper(settings, member_id, body)

    assert "sale_paid_once" in {f.check for f in await findings(settings) if f.member_id == member_id}


async def test_honest_gift_cards_have_no_findings(settings, database):
    card_id = await with_gift_card()

    found = await findings(settings)

    assert not [finding for finding in found if finding.member_id == card_id or str(card_id) in finding.what]
