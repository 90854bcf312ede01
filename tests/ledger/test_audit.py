"""The proof of the books fires for every way of falsifying them, and for nothing else."""

from __future__ import annotations

import pytest

from backend.kernel.db import connect_args
from backend.ledger import audit as proof
from backend.ledger import plans, service
from backend.ledger.plans import Issue, Leg, NewDocument
from tests.ledger.tampering import tamper
from tests.ledger.test_audit_gift_cards import TAMPERING_WITH_GIFT_CARDS
from tests.support.books import connected, open_books, plan, points, sale_document, stored
from tests.support.value import findings


async def with_history() -> int:
    """Five transfers: a recharge of 500 + 100, 50 points, two sales of 200 and 30, and 5 points owed."""
    member_id = await open_books()
    lots = (Issue("principal", 500), Issue("bonus", 100))
    await service.post(
        plan(
            member_id,
            Leg(plans.STORED, plans.FEN, 600, issue=lots),
            Leg(plans.HOUSE_PSP, plans.FEN, -500),
            Leg(plans.HOUSE_BONUS, plans.FEN, -100),
            kind="recharge",
            document=NewDocument(f"R{member_id}", "recharge", "paid", {"pay_fen": 500, "bonus_fen": 100}),
        )
    )
    await service.post(plan(member_id, *points(50)))
    for amount in (200, 30):
        document = sale_document(f"S{member_id}-{amount}", {"stored": amount})
        await service.post(plan(member_id, *stored(-amount), kind="sale", document=document))
    owed = (Leg(plans.POINTS_DEBT, plans.POINT, 5), Leg(plans.HOUSE_POINTS_RECEIVABLE, plans.POINT, -5))
    await service.post(plan(member_id, *owed))
    return member_id


async def with_coupons() -> int:
    """Four transfers: a counted coupon, one of 5,000 fen, a sale that uses one and 2,000 of the other, a hold."""
    member_id = await open_books()
    await service.post(plan(member_id, *plans.issue_coupon("C1", "T1", plans.USES, 1, expires_on=None)))
    await service.post(plan(member_id, *plans.issue_coupon("C2", "T2", plans.FEN, 5_000, expires_on=None)))
    used = (*plans.use_coupon("C1", "T1", plans.USES, 1), *plans.use_coupon("C2", "T2", plans.FEN, 2_000))
    borne = (
        Leg(plans.HOUSE_COUPON_COST, plans.FEN, -2_500, ref="head_office"),
        Leg(plans.HOUSE_SALES, plans.FEN, 2_500, ref="S1"),
    )
    document = sale_document(f"S{member_id}", {"coupon": 2_500})
    await service.post(plan(member_id, *used, *borne, kind="sale", document=document))
    await service.post(plan(member_id, *plans.hold_coupon("C2", "T2", plans.FEN, 1_500)))
    return member_id


ENTRY = "UPDATE ledger_entry SET {} WHERE member_id = $1 AND seq = 3 AND kind = '{}'"
TRANSFER = "UPDATE ledger_transfer SET {} WHERE member_id = $1 AND seq = 3"
STORED = "member_id = $1 AND kind = 'stored'"
FORGED_LOT = (
    "INSERT INTO ledger_lot SELECT member_id, 99, kind, ref, part, source, 5, 5, true, expires_on, matures_on,"
    " issued_at FROM ledger_lot WHERE member_id = $1 AND lot_id = 1"
)
FORGED_DOCUMENT = (
    "INSERT INTO ledger_document SELECT member_id, 'free', kind, state, version, store_id, body, progress, memo, at,"
    " updated_at, due_at FROM ledger_document WHERE member_id = $1"
)

TAMPERING: dict[str, tuple[str, ...]] = {
    "transfer_balanced: an amount": (ENTRY.format("amount = amount + 1", "house.sales"),),
    "transfer_balanced: a unit": (ENTRY.format("unit = 'points'", "house.sales"),),
    "transfer_balanced: an entry deleted": (
        "DELETE FROM ledger_entry WHERE member_id = $1 AND seq = 3 AND kind = 'house.sales'",
    ),
    "transfer_has_entries: all entries deleted": ("DELETE FROM ledger_entry WHERE member_id = $1 AND seq = 5",),
    "transfer_has_entries: a transfer deleted": ("DELETE FROM ledger_transfer WHERE member_id = $1 AND seq = 5",),
    "balance_is_sum: a balance": (f"UPDATE ledger_account SET balance = balance + 1 WHERE {STORED}",),
    "balance_is_sum: a debt forgiven": (
        "UPDATE ledger_account SET balance = 0 WHERE member_id = $1 AND kind = 'points_debt'",
    ),
    "balance_is_sum: a balance and its lot": (
        f"UPDATE ledger_account SET balance = balance + 1 WHERE {STORED}",
        f"UPDATE ledger_lot SET remaining = remaining + 1, issued = issued + 1 WHERE {STORED} AND part = 'principal'",
    ),
    "balance_is_sum: an account from nowhere": ("INSERT INTO ledger_account VALUES ($1, 'rebate', '', 'fen', 100, 1)",),
    "balance_is_sum: an account deleted": (f"DELETE FROM ledger_account WHERE {STORED}",),
    "balance_is_sum: a version": (f"UPDATE ledger_account SET version = version + 1 WHERE {STORED}",),
    "balance_is_sum: an entry deleted": (
        "DELETE FROM ledger_entry WHERE member_id = $1 AND seq = 4 AND kind = 'stored'",
    ),
    "running_balance: what was held then": (ENTRY.format("balance_after = balance_after + 1", "stored"),),
    "running_balance: an amount": (ENTRY.format("amount = amount - 1", "stored"),),
    "running_balance: a gap": (ENTRY.format("version = 9", "stored"),),
    "lots_are_balance: a lot": (
        f"UPDATE ledger_lot SET remaining = remaining - 1 WHERE {STORED} AND part = 'principal'",
    ),
    "lots_are_balance: a lot from nowhere": (FORGED_LOT,),
    "lots_are_balance: a lot deleted": ("DELETE FROM ledger_lot WHERE member_id = $1 AND lot_id = 2",),
    "lot_is_moves: bonus made principal": (
        "UPDATE ledger_lot SET remaining = remaining + 50, issued = issued + 50 WHERE member_id = $1 AND lot_id = 1",
        "UPDATE ledger_lot SET remaining = remaining - 50 WHERE member_id = $1 AND lot_id = 2",
    ),
    "lot_is_moves: what was issued": ("UPDATE ledger_lot SET issued = 10000 WHERE member_id = $1 AND lot_id = 1",),
    "lot_is_moves: a move": (
        "UPDATE ledger_lot_move SET amount = amount - 1 WHERE member_id = $1 AND seq = 3 AND lot_id = 1",
    ),
    "lot_is_moves: a move deleted": ("DELETE FROM ledger_lot_move WHERE member_id = $1 AND seq = 3",),
    "entry_is_moves: a move with its lot": (
        "UPDATE ledger_lot_move SET amount = amount + 1 WHERE member_id = $1 AND seq = 3 AND lot_id = 1",
        "UPDATE ledger_lot SET remaining = remaining + 1 WHERE member_id = $1 AND lot_id = 1",
    ),
    "chain: a time": (TRANSFER.format("at = at + interval '1 microsecond'"),),
    "chain: a kind": (TRANSFER.format("kind = 'gift'"),),
    "chain: a document": (TRANSFER.format("document_id = 'other'"),),
    "chain: what it reverses": (TRANSFER.format("reverses = 1"),),
    "chain: a digest": (TRANSFER.format("digest = digest || '\\x00'"),),
    "chain: a hash": (TRANSFER.format("hash = sha256(hash)"),),
    "chain: an account's reference": (ENTRY.format("ref = 'S2'", "house.sales"),),
    "chain: the order of two": (
        "UPDATE ledger_transfer SET seq = 30 WHERE member_id = $1 AND seq = 3",
        "UPDATE ledger_transfer SET seq = 3 WHERE member_id = $1 AND seq = 4",
        "UPDATE ledger_transfer SET seq = 4 WHERE member_id = $1 AND seq = 30",
    ),
    "chain: one cut out": (
        "DELETE FROM ledger_transfer WHERE member_id = $1 AND seq = 2",
        "DELETE FROM ledger_entry WHERE member_id = $1 AND seq = 2",
    ),
    "chain: the last cut off": (
        "DELETE FROM ledger_transfer WHERE member_id = $1 AND seq = 5",
        "DELETE FROM ledger_entry WHERE member_id = $1 AND seq = 5",
        "DELETE FROM ledger_account WHERE member_id = $1 AND kind = 'points_debt'",
    ),
    "chain: all of it deleted": (
        "DELETE FROM ledger_transfer WHERE member_id = $1",
        "DELETE FROM ledger_entry WHERE member_id = $1",
        "DELETE FROM ledger_lot_move WHERE member_id = $1",
        "DELETE FROM ledger_lot WHERE member_id = $1",
        "DELETE FROM ledger_account WHERE member_id = $1",
    ),
    "chain: the head": ("UPDATE ledger_head SET hash = sha256(hash) WHERE member_id = $1",),
    "chain: the head's number": ("UPDATE ledger_head SET seq = seq + 1 WHERE member_id = $1",),
    "document_digest: a body": (
        "UPDATE ledger_document SET body = body || '{\"more\": 1}' WHERE member_id = $1 AND kind = 'sale'",
    ),
    "document_digest: a document deleted": ("DELETE FROM ledger_document WHERE member_id = $1 AND kind = 'sale'",),
    "sale_paid_once: not sold after all": (
        "UPDATE ledger_document SET state = 'cancelled' WHERE member_id = $1 AND kind = 'sale'",
    ),
    "sale_paid_once: another price": (
        "UPDATE ledger_document SET body = '{\"paid\": {\"stored\": 1}}' WHERE member_id = $1 AND kind = 'sale'",
    ),
    "sale_paid_once: sold without paying": (FORGED_DOCUMENT + " AND id LIKE 'S%-200'",),
    "order_paid_once: paid without paying": (
        "UPDATE ledger_document SET kind = 'order', state = 'paid' WHERE member_id = $1 AND kind = 'sale'",
    ),
    "held_is_open_orders: held for no order": (
        "UPDATE ledger_entry SET kind = 'house.order_held' WHERE member_id = $1 AND kind = 'house.sales'",
    ),
    "refunds_within_sales: more than the sale took": (
        "UPDATE ledger_transfer SET kind = 'refund', reverses = 4 WHERE member_id = $1 AND seq = 1",
    ),
    "transfer_has_entries: an entry's month": (ENTRY.format("at = at - interval '1 month'", "stored"),),
    "rolled_up_is_posted: what is still to come": ("INSERT INTO ledger_rolled VALUES ($1, 'UTC', 999)",),
    "recharge_credited_once: not paid after all": (
        "UPDATE ledger_document SET state = 'pending' WHERE member_id = $1 AND kind = 'recharge'",
    ),
    "recharge_credited_once: another amount": (
        "UPDATE ledger_document SET body = body || '{\"pay_fen\": 5}' WHERE member_id = $1 AND kind = 'recharge'",
    ),
    "recharge_credited_once: paid without credit": (FORGED_DOCUMENT + " AND kind = 'recharge'",),
    "lot_in_its_turn: bonus before its turn": (
        "UPDATE ledger_lot SET rank = -1 WHERE member_id = $1 AND kind = 'stored' AND part = 'bonus'",
    ),
    "balance_is_sum: an account's unit": (f"UPDATE ledger_account SET unit = 'points' WHERE {STORED}",),
}

C1 = "member_id = $1 AND kind = 'coupon' AND ref = 'C1'"
C2 = "member_id = $1 AND kind = 'coupon' AND ref = 'C2'"
TAMPERING_WITH_COUPONS: dict[str, tuple[str, ...]] = {
    "coupon_issued_once: a lot of two uses": (f"UPDATE ledger_lot SET issued = 2 WHERE {C1}",),
    "coupon_issued_once: its lot deleted": (f"DELETE FROM ledger_lot WHERE {C1}",),
    "coupon_issued_once: another lot": (
        FORGED_LOT.replace("5, 5, true", "issued, 0, false").partition(" WHERE")[0] + f" WHERE {C2}",
    ),
    "coupon_used_once: more than it was": (f"UPDATE ledger_lot SET issued = 4000 WHERE {C2}",),
    "coupon_used_once: used before it was issued": (f"UPDATE ledger_entry SET seq = 5 WHERE {C1} AND seq = 1",),
    "coupon_used_once: used once more": (f"UPDATE ledger_entry SET amount = -2 WHERE {C1} AND seq = 3",),
    "sale_paid_once: a coupon that took less": (
        "UPDATE ledger_document SET body = '{\"paid\": {\"coupon\": 2499}}' WHERE member_id = $1 AND kind = 'sale'",
    ),
    "sale_paid_once: a coupon in a sale that was rejected": (
        "UPDATE ledger_document SET state = 'rejected' WHERE member_id = $1 AND kind = 'sale'",
    ),
    "coupon_booked_by_template: a coupon of another template": (f"UPDATE ledger_lot SET source = 'T9' WHERE {C1}",),
    "coupon_booked_by_template: a use of another template": (
        "UPDATE ledger_entry SET ref = 'T9' WHERE member_id = $1 AND kind = 'house.coupons_used' AND ref = 'T1'",
    ),
    "chain: a use booked as an expiry": (
        "UPDATE ledger_entry SET kind = 'house.coupons_expired' WHERE member_id = $1 AND ref = 'T2' AND seq = 3",
    ),
    "transfer_balanced: a use": (f"UPDATE ledger_entry SET unit = 'fen' WHERE {C1} AND seq = 3",),
    "balance_is_sum: a use that comes back": (f"UPDATE ledger_account SET balance = 1 WHERE {C1}",),
    "balance_is_sum: a coupon's unit": (f"UPDATE ledger_account SET unit = 'fen' WHERE {C1}",),
    "running_balance: what a coupon held": (f"UPDATE ledger_entry SET balance_after = 1 WHERE {C1} AND seq = 3",),
    "lots_are_balance: a lot that can be used again": (f"UPDATE ledger_lot SET remaining = 1, open = true WHERE {C1}",),
    "lot_is_moves: a lot that can be used again": (f"UPDATE ledger_lot SET remaining = 1, open = true WHERE {C1}",),
    "entry_is_moves: the move of a use": (
        "UPDATE ledger_lot_move SET amount = -2 WHERE member_id = $1 AND seq = 3 AND lot_id = 1",
    ),
    "chain: who a coupon is": (f"UPDATE ledger_entry SET ref = 'C9' WHERE {C1}",),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_the_audit_finds(settings, database, what):
    member_id, bystander = await with_history(), await with_history()

    await tamper(settings, member_id, *TAMPERING[what])

    found = await findings(settings)
    fired = {finding.check for finding in found if finding.member_id == member_id}
    assert what.partition(":")[0] in fired
    assert not [finding for finding in found if finding.member_id == bystander]


@pytest.mark.parametrize("what", TAMPERING_WITH_COUPONS)
async def test_the_audit_finds_of_coupons(settings, database, what):
    member_id, bystander = await with_coupons(), await with_coupons()

    await tamper(settings, member_id, *TAMPERING_WITH_COUPONS[what])

    found = await findings(settings)
    assert what.partition(":")[0] in {finding.check for finding in found if finding.member_id == member_id}
    assert not [finding for finding in found if finding.member_id == bystander]


ISSUE = plans.issue_coupon("C1", "T1", plans.USES, 1, expires_on=None)
USE = plans.use_coupon("C1", "T1", plans.USES, 1)
HOLD = plans.hold_coupon("C1", "T1", plans.USES, 1)
BACK = plans.return_coupon("C1", "T1", plans.USES, 1, lot_id=1)
WORTH = plans.issue_coupon("C1", "T1", plans.FEN, 500, expires_on=None)
SPEND = plans.use_coupon("C1", "T1", plans.FEN, 250)
RESTORE = plans.return_coupon("C1", "T1", plans.FEN, 500, lot_id=1)

# Mistakes of a layer above, each posted through the door: its transfers, and all that is found.
MISTAKES: dict[str, tuple[tuple[tuple[Leg, ...], ...], tuple[str, str]]] = {
    "issued again after its use": ((ISSUE, USE, ISSUE), ("coupon_issued_once", "coupon C1: 2 lots of 2 uses")),
    "of two uses": (
        (plans.issue_coupon("C1", "T1", plans.USES, 2, expires_on=None),),
        ("coupon_issued_once", "coupon C1: 1 lots of 2 uses"),
    ),
    "value issued again after its use": (
        (WORTH, SPEND, SPEND, WORTH),
        ("coupon_issued_once", "coupon C1: 2 lots of 1000 fen"),
    ),
    "returned while it is held": ((ISSUE, HOLD, BACK), ("coupon_used_once", "coupon C1 after transfer 3: 2 of 1")),
    "value returned while it is held": (
        (WORTH, plans.hold_coupon("C1", "T1", plans.FEN, 500), RESTORE),
        ("coupon_used_once", "coupon C1 after transfer 3: 1000 of 500"),
    ),
    "used as one of another template": (
        (ISSUE, plans.use_coupon("C1", "T2", plans.USES, 1)),
        ("coupon_booked_by_template", "transfer 2, template T1: -1 uses"),
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
async def test_a_coupon_that_is_dealt_with_wrongly_shows_although_every_sum_is_right(settings, database, what):
    transfers, wanted = MISTAKES[what]
    member_id = await open_books()
    for legs in transfers:
        await service.post(plan(member_id, *legs))

    found = [finding for finding in await findings(settings) if finding.member_id == member_id]

    assert {finding.check for finding in found} == {wanted[0]}
    assert wanted[1] in {finding.what for finding in found}


async def test_a_refund_that_returns_what_another_sale_took_of_a_coupon_shows(settings, database):
    member_id = await open_books()
    await service.post(plan(member_id, *WORTH))
    for _ in range(2):
        await service.post(plan(member_id, *SPEND, kind="sale"))
    await service.post(plan(member_id, *RESTORE, kind="refund", reverses=2))

    found = [finding for finding in await findings(settings) if finding.member_id == member_id]

    assert [(finding.check, finding.what) for finding in found] == [
        ("refunds_within_sales", "sale in transfer 2: house.coupons_used T1")
    ]


async def test_a_refund_that_spares_a_party_more_than_the_sale_cost_it_shows(settings, database):
    member_id = await with_coupons()
    spared = (
        Leg(plans.HOUSE_COUPON_COST, plans.FEN, 2_501, ref="head_office"),
        Leg(plans.HOUSE_SALES, plans.FEN, -2_501, ref="S1"),
    )
    await service.post(plan(member_id, *spared, kind="refund", reverses=3))

    found = [finding for finding in await findings(settings) if finding.member_id == member_id]

    assert [(finding.check, finding.what) for finding in found] == [
        ("refunds_within_sales", "sale in transfer 3: house.coupon_cost head_office")
    ]


def test_every_check_has_a_falsification_that_makes_it_fire():
    from tests.ledger import test_audit_passes as passes  # both import this file
    from tests.ledger import test_audit_points as points
    from tests.ledger import test_audit_stamps as stamps

    tampering = {
        *TAMPERING,
        *TAMPERING_WITH_COUPONS,
        *TAMPERING_WITH_GIFT_CARDS,
        *passes.TAMPERING,
        *points.TAMPERING,
        *stamps.TAMPERING,
    }
    checks = {proof.CLEARING.name, proof.POINTS_CLEARING.name, *(check.name for check in proof.checks())}
    assert checks == {what.partition(":")[0] for what in tampering}


async def test_honest_books_have_no_findings(settings, database):
    members = [await make() for make in (with_history, with_coupons, with_history)]

    found = await findings(settings)

    assert not [finding for finding in found if finding.member_id in members]


async def test_a_second_refund_of_one_sale_shows_although_every_sum_is_right(settings, database):
    member_id = await with_history()
    for amount in (150, 50, 1):
        assert not [finding for finding in await findings(settings) if finding.member_id == member_id]
        back = (
            Leg(plans.STORED, plans.FEN, amount, lots=((1, amount),)),
            Leg(plans.HOUSE_SALES, plans.FEN, -amount),
        )
        await service.post(plan(member_id, *back, kind="refund", reverses=3))

    found = [finding for finding in await findings(settings) if finding.member_id == member_id]

    assert [(finding.check, finding.what) for finding in found] == [
        ("refunds_within_sales", "sale in transfer 3: stored")
    ]


FORGED_TRANSFER = """
WITH body AS (
    SELECT string_agg(concat_ws(':', kind, ref, unit, amount, coalesce(version, 0), coalesce(balance_after, 0)) || ';',
                      '' ORDER BY leg) AS entries
      FROM ledger_entry WHERE member_id = $1 AND seq = 2
), lots AS (
    SELECT string_agg(lot_id || ':' || amount || ';', '' ORDER BY lot_id) AS moves
      FROM ledger_lot_move WHERE member_id = $1 AND seq = 2
), before AS (
    SELECT hash FROM ledger_transfer WHERE member_id = $1 AND seq = 1
)
UPDATE ledger_transfer t SET kind = 'adjustment',
       hash = ledger_hash(member_id, seq, 'adjustment', document_id, reverses, t.at, digest,
                          entries || '|' || moves, before.hash)
  FROM body, lots, before WHERE member_id = $1 AND seq = 2"""


async def test_a_forged_transfer_with_a_hash_to_match_breaks_the_one_after_it(settings, database):
    """Who can compute the hash must forge every transfer since, up to the head: one alone shows."""
    member_id = await with_history()

    await tamper(settings, member_id, FORGED_TRANSFER)

    found = [finding for finding in await findings(settings) if finding.member_id == member_id]
    assert [(finding.check, finding.what) for finding in found] == [("chain", "transfer 3")]


async def test_members_are_proven_chunk_by_chunk(settings, database, monkeypatch):
    monkeypatch.setattr(proof, "CHUNK", 2)
    monkeypatch.setattr(proof, "MAX_FINDINGS", 10_000)  # those of the tests before, too
    members = [await with_history() for _ in range(5)]
    await tamper(settings, members[3], TAMPERING["chain: the head"][0])
    seen = []

    found = await proof.audit(
        connect_args(settings.migrate_database_url), lambda done, total: seen.append((done, total))
    )

    assert [finding.check for finding in found if finding.member_id in members] == ["chain"]
    assert seen[-1][0] == seen[-1][1] >= 5


async def test_the_member_with_the_last_number_is_proven_too(settings, database):
    await with_history()
    async with connected(settings, "postgres") as postgres:
        last = await postgres.fetchval("SELECT max(member_id) FROM ledger_head")

    await tamper(settings, last, TAMPERING["chain: the head"][0])

    assert ("chain", last) in {(finding.check, finding.member_id) for finding in await findings(settings)}


async def test_the_audit_reads_one_snapshot_beside_a_serving_system(settings, database):
    """It only reads: a read-only transaction could not write if it wanted to."""
    member_id = await with_history()
    async with connected(settings, "huiyuan_owner") as owner, owner.transaction():
        await owner.execute("SELECT 1 FROM ledger_head WHERE member_id = $1 FOR UPDATE", member_id)

        found = await findings(settings)  # a member who is being posted for does not hold it up

    assert not [finding for finding in found if finding.member_id == member_id]
