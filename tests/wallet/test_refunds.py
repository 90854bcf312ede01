"""Recharges that are given back: what it comes to, who may ask, what moves and when."""

from __future__ import annotations

import asyncio
import uuid
from datetime import date

import msgspec
import pytest

from backend.kernel import config, outbox
from backend.ledger import queries as ledger
from backend.wallet import reports
from backend.wallet.commands import forfeiting
from backend.wechat import service as wechat
from tests.support import recharge, refunds
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.messages import inbox
from tests.support.races import at_once, codes_of, outcomes

pytestmark = pytest.mark.usefixtures("books")


async def wallet(phone) -> dict[str, int]:
    return (await phone.wallet())["stored"]


async def spend(client, chain, phone, fen: int) -> dict:
    """A sale of so much stored value, in pieces that need no confirmation."""
    sold = await chain.till.sell(client, (await codes_of(phone, 1))[0], fen=fen)
    assert sold.status_code == 201, sold.text
    return sold.json()


async def give_back(client, chain, sale_id: str, fen: int) -> dict:
    answer = await chain.till.post(client, f"/v1/pos/sales/{sale_id}/refunds", {"amount_fen": fen, "reason": "退货"})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_whole_recharge_goes_back_and_its_gift_with_it(client, phone, offers, admin, clock):
    recharge_id = await refunds.paid(client, phone, offer_id=offers.big)

    made = (await refunds.ask(admin, recharge_id)).json()

    assert (made["status"], made["amount_fen"], made["bonus_forfeited_fen"]) == ("frozen", 50_000, 5_000)
    assert await wallet(phone) == {"total_fen": 0, "principal_fen": 0, "bonus_fen": 0, "held_fen": 55_000}
    done = await refunds.until_state(clock, made["id"], "done")
    at_wechat = await wechat.query_refund(made["id"])
    assert (at_wechat.amount_fen, at_wechat.total_fen, at_wechat.status) == (50_000, 50_000, "SUCCESS")
    assert (done.psp_refund_id, done.points, done.due_at) == (at_wechat.refund_id, 500, None)
    assert await wallet(phone) == {"total_fen": 0, "principal_fen": 0, "bonus_fen": 0}
    assert (await phone.wallet())["points"]["available"] == 0
    shown = (await phone.call("GET", f"/v1/member/recharges/{recharge_id}")).json()
    assert (shown["status"], shown["refunded_fen"]) == ("refunded", 50_000)
    again = await refunds.ask(admin, recharge_id)
    assert (again.status_code, again.json()["code"]) == (409, "recharge_not_refundable")


async def test_a_part_goes_back_the_bonus_is_given_up_whole_and_the_rest_stays(client, phone, offers, admin, clock):
    recharge_id = await refunds.paid(client, phone, offer_id=offers.big)

    first = await refunds.asked(admin, recharge_id, 20_000)
    await refunds.until_state(clock, first, "done")

    assert await wallet(phone) == {"total_fen": 30_000, "principal_fen": 30_000, "bonus_fen": 0}
    assert await recharge.status(phone, recharge_id) == "paid"
    second = await refunds.asked(admin, recharge_id)
    done = await refunds.until_state(clock, second, "done")
    assert (done.amount_fen, done.bonus_fen, done.points) == (30_000, 0, 0)
    assert await recharge.status(phone, recharge_id) == "refunded"


async def test_no_more_than_is_left_of_the_principal_goes_back(client, chain, phone, admin, clock, settings):
    recharge_id = await refunds.paid(client, phone, amount_fen=10_000)
    await spend(client, chain, phone, 4_000)
    before = await fingerprint(settings)

    refused = await refunds.ask(admin, recharge_id, 6_001)

    assert (refused.status_code, refused.json()["code"]) == (409, "refund_exceeds_principal")
    assert refused.json()["refundable_fen"] == 6_000
    assert await fingerprint(settings) == before
    terms = (await admin.get(f"/v1/admin/recharges/{recharge_id}/refund-terms")).json()
    assert terms == {
        "refundable_fen": 6_000, "bonus_forfeited_fen": 0, "withheld_fen": 0, "needs_approval": False,
    }  # fmt: skip
    await refunds.until_state(clock, await refunds.asked(admin, recharge_id), "done")
    assert await recharge.status(phone, recharge_id) == "paid"  # a part of it was spent, and stays so
    assert (await wallet(phone))["total_fen"] == 0


async def test_what_other_recharges_brought_is_not_touched(client, phone, admin, clock):
    kept = await refunds.paid(client, phone, amount_fen=3_000)
    recharge_id = await refunds.paid(client, phone, amount_fen=7_000)

    await refunds.until_state(clock, await refunds.asked(admin, recharge_id), "done")

    lots = await ledger.list_open_lots(phone.member_id, "stored")
    assert [(lot.source, lot.remaining) for lot in lots] == [(kept, 3_000)]


async def told() -> tuple[int, int, int, int]:
    """What the report says in all: paid back, forfeited, withheld; and what is owed when its last day is over."""
    await reports.roll_up("Asia/Shanghai")
    days = await reports.list_days("Asia/Shanghai", date(2000, 1, 1), date(2900, 1, 1))
    sums = [sum(getattr(day, f"{name}_fen") for day in days) for name in ("paid_back", "bonus_forfeited", "withheld")]
    return (*sums, (days[-1].owed_principal_fen or 0) + (days[-1].owed_bonus_fen or 0))


async def test_spent_bonus_is_paid_with_principal_where_the_chain_says_so(client, chain, phone, offers, admin, clock):
    recharge_id = await refunds.paid(client, phone, offer_id=offers.big)
    await spend(client, chain, phone, 2_000)  # the bonus expires first, so it goes first
    before = await told()
    config.use(msgspec.structs.replace(config.settings(), recharge_refund_withholds_bonus=True))
    try:
        refused = await refunds.ask(admin, recharge_id, 48_001)
        assert refused.json()["refundable_fen"] == 48_000
        made = await refunds.asked(admin, recharge_id)
        done = await refunds.until_state(clock, made, "done")
    finally:
        config.use(msgspec.structs.replace(config.settings(), recharge_refund_withholds_bonus=False))

    assert (done.amount_fen, done.bonus_fen, done.withheld_fen) == (48_000, 3_000, 2_000)
    after = await told()
    assert [one - was for one, was in zip(after, before, strict=True)] == [
        48_000,
        3_000,
        2_000,
        -48_000 - 2_000 - 3_000,
    ]
    assert (await wallet(phone))["total_fen"] == 0
    assert await recharge.status(phone, recharge_id) == "refunded"


async def test_points_that_were_spent_are_owed(client, chain, phone, offers, admin, clock):
    recharge_id = await refunds.paid(client, phone, offer_id=offers.big)
    code = (await codes_of(phone, 1))[0]
    tenders = [{"type": "points", "points": 300}]
    assert (await chain.till.sell(client, code, fen=300, tenders=tenders)).status_code == 201

    await refunds.until_state(clock, await refunds.asked(admin, recharge_id), "done")

    assert (await phone.wallet())["points"]["available"] == -300


async def test_above_the_limit_a_second_person_approves(client, phone, admin, second, clock):
    """The limit is the recharge's: what went back before counts."""
    recharge_id = await refunds.paid(client, phone, amount_fen=60_000)
    await refunds.until_state(clock, await refunds.asked(admin, recharge_id, 20_000), "done")

    terms = (await admin.get(f"/v1/admin/recharges/{recharge_id}/refund-terms")).json()
    made = (await refunds.ask(admin, recharge_id)).json()

    assert (made["status"], terms["needs_approval"]) == ("asked", True)
    assert [step["step"] for step in made["steps"]] == ["ask", "propose"]
    assert await wallet(phone) == {"total_fen": 40_000, "principal_fen": 40_000, "bonus_fen": 0}
    approval = f"/v1/admin/approvals/{made['approval_id']}"
    own = await admin.post(f"{approval}/approve", {"note": "自己"})
    assert (own.status_code, own.json()["code"]) == (409, "approval_own")
    again = (await refunds.decide(admin, made["id"], "approve")).json()
    assert (again["status"], again["approval_id"]) == ("asked", made["approval_id"])
    assert await wallet(phone) == {"total_fen": 40_000, "principal_fen": 40_000, "bonus_fen": 0}
    approved = await second.post(f"{approval}/approve", {"note": "已核对"})
    assert approved.status_code == 200, approved.text
    frozen = (await admin.get(f"/v1/admin/recharge-refunds/{made['id']}")).json()
    assert (frozen["status"], (await wallet(phone))["held_fen"]) == ("frozen", 40_000)
    await refunds.until_state(clock, made["id"], "done")


async def test_a_large_wish_of_a_member_needs_two_of_the_staff_a_lesser_amount_one(client, phone, admin, second):
    recharge_id = await refunds.paid(client, phone, amount_fen=60_000)
    refund_id = await refunds.asked(phone, recharge_id)

    proposed = (await refunds.decide(admin, refund_id, "approve")).json()
    assert (proposed["status"], (await wallet(phone))["total_fen"]) == ("asked", 60_000)
    less = (await refunds.decide(admin, refund_id, "approve", amount_fen=50_000)).json()
    late = await second.post(f"/v1/admin/approvals/{proposed['approval_id']}/approve", {"note": ""})

    assert (less["status"], less["amount_fen"]) == ("frozen", 50_000)
    assert (late.status_code, late.json()["code"]) == (409, "recharge_refund_conflict")
    assert await wallet(phone) == {"total_fen": 10_000, "principal_fen": 10_000, "bonus_fen": 0, "held_fen": 50_000}


async def test_what_a_second_person_rejects_is_refused_and_the_member_hears_of_it(client, phone, admin, second):
    recharge_id = await refunds.paid(client, phone, amount_fen=60_000)
    refund_id = await refunds.asked(phone, recharge_id)
    proposed = (await refunds.decide(admin, refund_id, "approve")).json()

    said = await second.post(f"/v1/admin/approvals/{proposed['approval_id']}/reject", {"note": "请到店核对"})
    shown = (await phone.call("GET", "/v1/member/recharges")).json()["items"]
    await outbox.drain()

    assert said.status_code == 200, said.text
    assert [(one["refund"]["status"], one["refund"]["note"]) for one in shown] == [("rejected", "请到店核对")]
    assert (await wallet(phone))["total_fen"] == 60_000
    assert (await inbox(phone))["items"][0]["title"] == "充值退款未通过"
    again = await refunds.asked(phone, recharge_id)
    assert again != refund_id


async def test_what_a_second_person_approves_too_late_moves_nothing(client, chain, phone, admin, second, settings):
    recharge_id = await refunds.paid(client, phone, amount_fen=60_000)
    made = (await refunds.ask(admin, recharge_id)).json()
    await spend(client, chain, phone, 1_000)
    before = await fingerprint(settings)

    refused = await second.post(f"/v1/admin/approvals/{made['approval_id']}/approve", {"note": ""})

    assert (refused.status_code, refused.json()["code"]) == (409, "refund_exceeds_principal")
    assert refused.json()["refundable_fen"] == 59_000
    assert await fingerprint(settings) == before


async def test_a_member_asks_and_staff_decide(client, phone, admin, clock):
    recharge_id = await refunds.paid(client, phone, amount_fen=5_000)

    refused = await refunds.asked(phone, recharge_id, 1_000)
    assert (await refunds.decide(admin, refused, "reject", note="请到店办理")).json()["status"] == "rejected"
    shown = (await phone.call("GET", "/v1/member/recharges")).json()["items"]
    assert [(one["id"], one["refund"]["status"], one["refund"]["note"]) for one in shown] == [
        (recharge_id, "rejected", "请到店办理")
    ]
    taken_back = await refunds.asked(phone, recharge_id, 1_000)
    withdrawn = await phone.call("POST", f"/v1/member/recharge-refunds/{taken_back}/withdraw")
    assert withdrawn.json()["status"] == "withdrawn"
    late = await refunds.decide(admin, taken_back, "approve")
    assert (late.status_code, late.json()["code"]) == (409, "recharge_refund_conflict")
    wanted = await refunds.asked(phone, recharge_id)
    less = (await refunds.decide(admin, wanted, "approve", amount_fen=2_000)).json()
    assert (less["status"], less["amount_fen"]) == ("frozen", 2_000)
    await refunds.until_state(clock, wanted, "done")
    assert (await wallet(phone))["total_fen"] == 3_000


async def test_members_may_be_sent_to_the_counter(client, phone, settings):
    recharge_id = await refunds.paid(client, phone, amount_fen=5_000)
    config.use(msgspec.structs.replace(config.settings(), recharge_refund_by_member=False))
    before = await fingerprint(settings)
    try:
        refused = await refunds.ask(phone, recharge_id)
    finally:
        config.use(msgspec.structs.replace(config.settings(), recharge_refund_by_member=True))

    assert (refused.status_code, refused.json()["code"]) == (409, "recharge_refund_not_offered")
    assert await fingerprint(settings) == before


async def test_what_is_not_paid_or_not_ones_own_is_refused(client, phone, bystander, admin, chain, settings):
    unpaid = (await recharge.begin(phone, amount_fen=1_000))["id"]
    paid = await refunds.paid(client, phone, amount_fen=1_000)
    refund_id = await refunds.asked(phone, paid)
    before = await fingerprint(settings)

    answers = [
        await refunds.ask(admin, unpaid),
        await refunds.ask(bystander, paid),
        await bystander.call("GET", f"/v1/member/recharges/{paid}/refund-terms"),
        await bystander.call("POST", f"/v1/member/recharge-refunds/{refund_id}/withdraw"),
        await refunds.ask(admin, "R" + "0" * 26),
        await refunds.decide(admin, "Y" + "0" * 26, "approve"),
        await refunds.ask(admin, paid),
    ]

    codes = [(answer.status_code, answer.json()["code"]) for answer in answers]
    missing = (404, "not_found")
    under_way = (409, "recharge_refund_under_way")
    assert codes == [(409, "recharge_not_refundable"), missing, missing, missing, missing, missing, under_way]
    assert await fingerprint(settings) == before


async def test_the_same_key_is_the_same_refund(client, phone, admin):
    recharge_id = await refunds.paid(client, phone, amount_fen=9_000)
    key = uuid.uuid4().hex

    first = await refunds.ask(admin, recharge_id, 4_000, key=key)
    again = await refunds.ask(admin, recharge_id, 4_000, key=key)
    other = await refunds.ask(admin, recharge_id, 5_000, key=key)

    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert await wallet(phone) == {"total_fen": 5_000, "principal_fen": 5_000, "bonus_fen": 0, "held_fen": 4_000}


async def test_a_retry_is_answered_as_the_first_was_whatever_became_of_it(client, phone, admin, clock):
    own, theirs = uuid.uuid4().hex, uuid.uuid4().hex
    recharge_id = await refunds.paid(client, phone, amount_fen=9_000)
    first = await refunds.ask(admin, recharge_id, 4_000, key=theirs)
    await refunds.until_state(clock, first.json()["id"], "done")
    wish = await refunds.ask(phone, recharge_id, 3_000, key=own)
    assert (await refunds.decide(admin, wish.json()["id"], "approve", amount_fen=1_000)).status_code == 200

    again = await refunds.ask(admin, recharge_id, 4_000, key=theirs)
    wished = await refunds.ask(phone, recharge_id, 3_000, key=own)

    assert again.json() == first.json()
    assert wished.json() == wish.json()


async def test_of_refunds_at_once_one_is_under_way(client, phone, admin):
    recharge_id = await refunds.paid(client, phone, amount_fen=10_000)

    answers = await at_once(refunds.ask(admin, recharge_id, 6_000) for _ in range(6))

    assert outcomes(answers) == {201: 1, "recharge_refund_under_way": 5}
    assert await wallet(phone) == {"total_fen": 4_000, "principal_fen": 4_000, "bonus_fen": 0, "held_fen": 6_000}


async def test_a_sale_and_the_freeze_at_once_never_take_the_same_money(client, chain, phone, admin):
    recharge_id = await refunds.paid(client, phone, amount_fen=10_000)
    codes = await codes_of(phone, 4)

    answers = await at_once(
        [refunds.ask(admin, recharge_id, 7_000), *(chain.till.sell(client, code, fen=2_000) for code in codes)]
    )

    sold = sum(answer.status_code == 201 for answer in answers[1:])
    frozen = 7_000 if answers[0].status_code == 201 else 0
    left = await wallet(phone)
    assert left["total_fen"] == 10_000 - 2_000 * sold - frozen >= 0
    assert left.get("held_fen", 0) == frozen
    assert set(outcomes(answers)) <= {201, "refund_exceeds_principal", "insufficient_balance"}


async def test_a_sales_refund_after_its_recharge_went_back_returns_to_the_lot_without_the_bonus(
    client, chain, phone, offers, admin, clock
):
    recharge_id = await refunds.paid(client, phone, offer_id=offers.big)
    sale = await spend(client, chain, phone, 8_000)  # 5,000 of bonus, 3,000 of principal
    await refunds.until_state(clock, await refunds.asked(admin, recharge_id), "done")
    assert (await wallet(phone))["total_fen"] == 0

    back = await give_back(client, chain, sale["id"], 8_000)
    assert await forfeiting.forfeit(phone.member_id, back["id"]) == 5_000
    assert await forfeiting.forfeit(phone.member_id, back["id"]) == 0

    assert await wallet(phone) == {"total_fen": 3_000, "principal_fen": 3_000, "bonus_fen": 0}
    rest = await refunds.asked(admin, recharge_id)
    done = await refunds.until_state(clock, rest, "done")
    assert (done.amount_fen, await recharge.status(phone, recharge_id)) == (3_000, "refunded")


async def test_staff_find_refunds_by_state_and_page(client, phone, admin):
    made = [
        await refunds.asked(phone, await refunds.paid(client, phone, amount_fen=fen)) for fen in (1_000, 2_000, 3_000)
    ]
    await refunds.decide(admin, made[0], "reject", note="重复申请")
    path = f"/v1/admin/recharge-refunds?member_id={phone.member_id}"

    first = (await admin.get(f"{path}&limit=2")).json()
    rest = (await admin.get(f"{path}&limit=2&cursor={first['next_cursor']}")).json()
    asked = (await admin.get(f"{path}&status=asked")).json()

    assert [one["id"] for one in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None
    assert [one["id"] for one in asked["items"]] == [made[2], made[1]]


async def test_a_manager_sees_the_own_stores_members_only(client, chain, office, admin):
    from tests.support.staff import log_in

    visitor = await register(client)
    recharge_id = await refunds.paid(client, visitor, amount_fen=1_000)
    refund_id = await refunds.asked(admin, recharge_id)
    manager = await log_in(office, chain, "manager-S1")

    answers = await asyncio.gather(
        refunds.ask(manager, recharge_id),
        refunds.decide(manager, refund_id, "cancel", note="x"),
        manager.get(f"/v1/admin/recharge-refunds/{refund_id}"),
        manager.get(f"/v1/admin/members/{visitor.member_id}/recharges"),
        manager.get("/v1/admin/recharge-refunds?store_id=S2"),
    )

    assert {answer.status_code for answer in answers} == {404}
    assert (await manager.get("/v1/admin/recharge-refunds")).json()["items"] == []
