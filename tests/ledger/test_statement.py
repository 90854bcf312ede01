"""A page of a statement is right wherever its lines lie: in old months, far apart, or on two accounts at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backend.ledger import plans, queries, service
from backend.ledger.plans import Issue, Leg
from tests.support.books import changed, plan, points, stored

DAY = datetime(2026, 5, 1, tzinfo=UTC)


def rebate(amount: int) -> tuple[Leg, Leg]:
    return (
        Leg(plans.REBATE, plans.FEN, amount, issue=(Issue("earned", amount),)),
        Leg(plans.HOUSE_REBATE_COST, plans.FEN, -amount),
    )


def debt(amount: int) -> tuple[Leg, Leg]:
    return Leg(plans.POINTS_DEBT, plans.POINT, amount), Leg(plans.HOUSE_POINTS_RECEIVABLE, plans.POINT, -amount)


async def told(member_id: int, kind: str, *, less: str = "", limit: int = 3) -> list[tuple[int, int, int]]:
    """The whole statement as ``(transfer, amount, balance after)``, read page by page."""
    lines: list[tuple[int, int, int]] = []
    before = None
    while page := await queries.list_statement(member_id, kind, less=less, before=before, limit=limit):
        lines += [(entry.seq, entry.amount, entry.balance_after) for entry in page]
        before = page[-1].seq
    return lines


async def test_a_few_lines_are_found_among_many_transfers(member_id):
    for number in range(1, 61):
        legs = stored(1) if number not in (2, 31, 32, 58) else (*stored(1), *rebate(number))
        await service.post(plan(member_id, *legs))

    for limit in (1, 2, 3, 50):
        assert await told(member_id, "rebate", limit=limit) == [(58, 58, 123), (32, 32, 65), (31, 31, 33), (2, 2, 2)]
    assert len(await told(member_id, "stored", limit=7)) == 60


async def test_lines_stand_in_the_order_of_posting_whatever_their_day(member_id):
    for number, days in enumerate((0, 40, -400, 41, -800, 3), 1):
        await service.post(changed(plan(member_id, *stored(number)), at=DAY + timedelta(days=days)))

    wanted = [(6, 6, 21), (5, 5, 15), (4, 4, 10), (3, 3, 6), (2, 2, 3), (1, 1, 1)]
    for limit in (1, 2, 6):
        assert await told(member_id, "stored", limit=limit) == wanted


async def test_points_are_told_less_what_is_owed_also_where_a_transfer_touched_one_of_the_two(member_id):
    for legs in (points(100), debt(30), points(5), stored(1), (*points(2), *debt(4)), debt(-10), points(-50)):
        await service.post(plan(member_id, *legs))

    wanted = [(7, -50, 33), (6, 10, 83), (5, -2, 73), (3, 5, 75), (2, -30, 70), (1, 100, 100)]
    for limit in (1, 2, 4, 9):
        assert await told(member_id, "points", less="points_debt", limit=limit) == wanted


async def test_an_account_that_was_never_used_has_no_lines(member_id):
    await service.post(plan(member_id, *stored(1)))

    assert await told(member_id, "rebate") == []
    assert await told(member_id, "points", less="points_debt") == []
