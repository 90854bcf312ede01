"""Recharges whose money a till takes: by the offers and limits of the phone, in the shift's cash, back within it."""

from __future__ import annotations

from datetime import timedelta

import httpx
import msgspec
import pytest
import pytest_asyncio

from backend.kernel import config, db, outbox
from backend.kernel.config import Settings
from tests.support import kept
from tests.support.books import fingerprint
from tests.support.gift_cards import make_cards
from tests.support.gifts import GOODS, make_gift, redeemed
from tests.support.mall import put
from tests.support.members import AUTHORISING, Phone, register
from tests.support.overrides import manager_phone, put_limit
from tests.support.races import at_once, codes_of, outcomes
from tests.support.shifts import close_shift, open_shift, tender
from tests.support.staff import StaffSession, log_in
from tests.support.value import give

RECHARGES, ACCRUALS = "/v1/pos/recharges", "/v1/pos/accruals"


@pytest_asyncio.fixture(loop_scope="session")
async def boss(settings: Settings, client: httpx.AsyncClient, office, chain, admin: StaffSession) -> Phone:
    """The manager's phone."""
    await (await kept.connection(settings, "huiyuan_owner")).execute("TRUNCATE override_grant")
    await put_limit(admin)
    return await manager_phone(client, await log_in(office, chain, "manager-S1"))


async def recharge(client, till, phone, *, key=None, **fields):
    body = {"member_no": phone.member["member_no"]} | fields
    return await till.post(client, RECHARGES, body, key=key)


async def reverse(client, till, recharge_id, boss, *, key=None):
    body = {"override": {"code": boss.authorisation(), "reason": "mistake"}, "cashier": "小李"}
    return await till.post(client, f"{RECHARGES}/{recharge_id}/reversal", body, key=key)


async def offer(admin, **fields):
    made = {"pay_fen": 10_000, "bonus_fen": 1_000, "points": 50} | fields
    answer = await admin.call("POST", "/v1/admin/recharge-offers", made)
    assert answer.status_code == 201, answer.text
    offer_id: str = answer.json()["id"]
    return offer_id


async def test_cash_becomes_stored_value_with_what_the_offer_gives(client, till, phone, admin, books):
    offer_id = await offer(admin)
    shown = await till.post(client, "/v1/pos/recharge-offers", {"member_no": phone.member["member_no"]})

    answer = await recharge(client, till, phone, offer_id=offer_id, cashier="小李")

    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert offer_id in {one["id"] for one in shown.json()["items"]}
    assert (made["status"], made["pay_fen"], made["bonus_fen"], made["points"]) == ("paid", 10_000, 1_000, 50)
    assert (made["tender"], made["cashier"], made["member_no"]) == ("cash", "小李", phone.member["member_no"])
    assert made["balances"] == {"stored_fen": 11_000, "points": 50}
    wallet = await phone.wallet()
    assert (wallet["stored"]["principal_fen"], wallet["stored"]["bonus_fen"]) == (10_000, 1_000)
    assert (await till.get(client, f"{RECHARGES}/{made['id']}")).json() == made


async def test_by_scan_token_which_still_buys_and_by_code_once(client, till, phone, books):
    token = (await till.post(client, "/v1/pos/scan", {"code": phone.code()})).json()["scan_token"]
    by_token = await till.post(client, RECHARGES, {"scan_token": token, "amount_fen": 5_000})
    sold = await till.post(
        client,
        "/v1/pos/sales",
        {"scan_token": token, "order_no": "T-1", "lines": [{"sku": "X-1", "qty": 1, "unit_price_fen": 5_000}]},
    )
    (code,) = await codes_of(phone, 1)
    by_code = [await till.post(client, RECHARGES, {"code": code, "amount_fen": 500}) for _ in range(2)]

    assert (by_token.status_code, sold.status_code) == (201, 201)
    assert outcomes(by_code) == {201: 1, "code_used": 1}


async def test_a_retry_credits_once(client, till, phone, books):
    answers = await at_once(recharge(client, till, phone, amount_fen=700, key=f"r-{phone.member_id}") for _ in range(6))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert (await phone.wallet())["stored"]["total_fen"] == 700


async def test_it_stands_in_the_shift_s_cash(client, till, phone, boss, books):
    await open_shift(client, till)
    first = (await recharge(client, till, phone, amount_fen=20_000)).json()
    await recharge(client, till, phone, amount_fen=3_000, tender="external", reference="pos-77")
    await outbox.drain()
    back = await reverse(client, till, first["id"], boss)

    closed = await close_shift(
        client,
        till,
        10_000,
        counted=[{"tender": "cash", "amount_fen": 10_000}, {"tender": "external", "amount_fen": 3_000}],
    )

    assert back.status_code == 201, back.text
    figures = closed["figures"]
    assert figures["recharges"] == {"count": 2, "fen": 23_000}
    assert figures["recharge_reversals"] == {"count": 1, "fen": 20_000}
    assert (tender(figures, "cash")["in_fen"], tender(figures, "cash")["out_fen"]) == (20_000, 20_000)
    assert closed["difference_fen"] == 0


async def test_a_reversal_takes_all_of_it_back_once(client, till, phone, boss, admin, books):
    offer_id = await offer(admin, first_only=True)
    made = (await recharge(client, till, phone, offer_id=offer_id)).json()
    await open_shift(client, till)
    late = await reverse(client, till, made["id"], boss)
    again = (await recharge(client, till, phone, amount_fen=500)).json()

    codes = await codes_of(boss, 4, purpose=AUTHORISING)
    answers = await at_once(
        till.post(
            client,
            f"{RECHARGES}/{again['id']}/reversal",
            {"override": {"code": code, "reason": "mistake"}},
        )
        for code in codes
    )

    (grant,) = (await admin.get(f"/v1/admin/overrides?subject={again['id']}")).json()["items"]
    assert (late.status_code, late.json()["code"]) == (409, "recharge_not_reversible")
    assert outcomes(answers) == {201: 1, "recharge_not_reversible": 3}
    assert (grant["act"], grant["fen"]) == ("recharge_reversal", 500)
    assert (await phone.wallet())["stored"]["total_fen"] == 11_000
    assert (await till.get(client, f"{RECHARGES}/{again['id']}")).json()["status"] == "reversed"


async def test_the_first_recharge_may_be_made_again_after_its_reversal(client, till, phone, boss, admin, books):
    await open_shift(client, till)
    offer_id = await offer(admin, first_only=True)
    first = (await recharge(client, till, phone, offer_id=offer_id)).json()
    taken = await recharge(client, till, phone, offer_id=offer_id)
    await reverse(client, till, first["id"], boss)

    wallet = await phone.wallet()

    assert (taken.status_code, taken.json()["code"]) == (409, "offer_unavailable")
    assert (wallet["stored"]["total_fen"], wallet["points"]["available"]) == (0, 0)


async def test_what_was_spent_is_not_taken_back(client, till, phone, boss, settings):
    await open_shift(client, till)
    made = (await recharge(client, till, phone, amount_fen=1_000)).json()
    await till.sell(client, phone.code(), fen=100)
    before = await fingerprint(settings)

    refused = await reverse(client, till, made["id"], boss)

    assert (refused.status_code, refused.json()["code"]) == (409, "recharge_spent")
    assert await fingerprint(settings) == before


@pytest.mark.parametrize("who", ["customer", "nobody"])
async def test_a_reversal_needs_a_manager(client, till, phone, boss, settings, who):
    await open_shift(client, till)
    made = (await recharge(client, till, phone, amount_fen=1_000)).json()
    code = (await register(client)).authorisation() if who == "customer" else "71000000000000000000"
    before = await fingerprint(settings)

    refused = await till.post(
        client, f"{RECHARGES}/{made['id']}/reversal", {"override": {"code": code, "reason": "mistake"}}
    )

    assert refused.json()["code"] == {"customer": "override_not_allowed", "nobody": "code_invalid"}[who]
    assert await fingerprint(settings) == before


async def test_another_till_takes_nothing_back_and_another_store_sees_nothing(client, chain, till, phone, boss):
    await open_shift(client, till)
    neighbour, other = chain.tills["S1"][1], chain.tills["S2"][0]
    made = (await recharge(client, till, phone, amount_fen=1_000)).json()
    (code,) = await codes_of(boss, 1, purpose=AUTHORISING)

    near = await neighbour.post(
        client, f"{RECHARGES}/{made['id']}/reversal", {"override": {"code": code, "reason": "mistake"}}
    )
    far = await other.get(client, f"{RECHARGES}/{made['id']}")

    assert (near.status_code, near.json()["code"]) == (409, "recharge_not_reversible")
    assert far.status_code == 404


async def test_the_limits_of_stored_value_hold_at_a_till(client, till, phone, settings):
    config.use(msgspec.structs.replace(settings, stored_limit_fen=10_000, recharge_day_max_fen=8_000))
    try:
        first = await recharge(client, till, phone, amount_fen=6_000)
        answers = await at_once(recharge(client, till, phone, amount_fen=1_500) for _ in range(4))
    finally:
        config.use(settings)

    assert first.status_code == 201
    assert outcomes(answers) == {201: 1, "recharge_day_limit_reached": 3}
    assert (await phone.wallet())["stored"]["total_fen"] == 7_500


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, "/offer_id"),
        ({"amount_fen": 1}, "/amount_fen"),
        ({"amount_fen": 500, "offer_id": "x"}, "/offer_id"),
        ({"amount_fen": 500, "scan_token": "x"}, "/scan_token"),
        ({"amount_fen": 500, "tender": "stored"}, "/tender"),
    ],
    ids=str,
)
async def test_what_is_wrong_names_its_field_and_moves_nothing(client, till, phone, settings, fields, pointer):
    before = await fingerprint(settings)

    answer = await recharge(client, till, phone, **fields)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await fingerprint(settings) == before


async def test_what_a_till_took_is_spent_as_its_store_s_and_is_no_difference_to_wechat(client, chain, till, phone):
    from backend.reconciliation.commands.clearing import count_due
    from backend.wallet import queries as wallet
    from tests.support.recharge import document

    made = (await recharge(client, till, phone, amount_fen=1_000)).json()
    await chain.tills["S2"][0].sell(client, phone.code(), fen=400)
    await outbox.drain()
    await count_due()

    rows = await db.fetch("SELECT from_store, to_store, fen FROM clearing_line WHERE to_store = 'S2'")
    moves = await wallet.list_psp_movements([await document(phone, made["id"])])

    assert ("S1", "S2", 400) in {tuple(row) for row in rows}
    assert moves == []


async def test_gift_cards_that_a_till_sells_stand_in_its_shift(client, till, admin, books):
    await open_shift(client, till)
    cards = await make_cards(admin, 3)
    sold = []
    for card, paid in zip(cards, ({"tender": "cash"}, {}, {"tender": "cash"}), strict=True):
        body = {"card_no": card.number, "order_no": card.number, "amount_fen": 2_000} | paid
        sold.append((await till.post(client, "/v1/pos/gift-cards/activate", body)).json())
    await outbox.drain()
    undone = await till.post(client, f"/v1/pos/gift-cards/activations/{sold[2]['id']}/undo", {})

    closed = await close_shift(client, till, 12_000)

    figures = closed["figures"]
    assert undone.status_code == 200, undone.text
    assert figures["gift_cards"] == {"count": 3, "fen": 6_000}
    assert figures["gift_cards_undone"] == {"count": 1, "fen": 2_000}
    assert (tender(figures, "cash")["in_fen"], tender(figures, "cash")["out_fen"]) == (4_000, 2_000)
    assert tender(figures, "unnamed")["in_fen"] == 2_000
    assert closed["difference_fen"] == 0


async def test_gifts_that_a_till_hands_over_stand_in_its_shift_and_bring_no_money(client, till, phone, admin, books):
    await put("S1", "6902", 5, 3_750)
    await give(phone.member_id, points=300, principal=900)
    gift = await make_gift(admin, GOODS, pay_fen=300)
    await open_shift(client, till)
    two, one = await redeemed(phone, gift, quantity=2), await redeemed(phone, gift)
    for made in (two, one):
        done = await till.post(client, f"/v1/pos/gift-pickups/{made['id']}/handover", {"code": made["code"]})
        assert done.status_code == 200, done.text
    await outbox.drain()

    figures = (await close_shift(client, till, 10_000))["figures"]

    assert figures["gifts"] == {"count": 2, "fen": 900}
    assert (figures["sales"]["fen"], tender(figures, "cash")["in_fen"], figures["difference_fen"]) == (0, 0, 0)
    assert [one["tender"] for one in figures["tenders"]] == ["cash", "external"]


async def test_a_code_that_is_late_is_refused(client, till, phone, clock):
    code = phone.code()
    clock.shift(timedelta(seconds=60))

    answer = await till.post(client, RECHARGES, {"code": code, "amount_fen": 500})

    assert (answer.status_code, answer.json()["code"]) == (422, "code_expired")


async def test_a_till_that_tries_member_numbers_is_told_of_none_for_a_while(client, chain, phone, clock, settings):
    till = chain.tills["S2"][1]
    mine = {"member_no": phone.member["member_no"]}
    wrong = {"member_no": "100000000000"}
    token = (await till.post(client, "/v1/pos/scan", {"code": phone.code()})).json()["scan_token"]
    clock.freeze(clock.now().replace(second=30))  # within one window of the limit
    before = await fingerprint(settings)

    asked = [await till.post(client, "/v1/pos/recharge-offers", wrong) for _ in range(6)]
    paid = [await till.post(client, RECHARGES, wrong | {"amount_fen": 1_000}) for _ in range(6)]
    lines = [{"sku": "6901", "qty": 1, "unit_price_fen": 500}]
    sold = {"total_fen": 1, "lines": lines, "occurred_at": clock.now().isoformat()}  # a sum that is refused of whomever
    batch = {"items": [sold | wrong | {"order_no": f"OFF-{n}"} for n in range(9)]}
    told = (await till.post(client, f"{ACCRUALS}/batch", batch)).json()["items"]
    right = [
        await till.post(client, "/v1/pos/recharge-offers", mine),
        await till.post(client, RECHARGES, mine | {"amount_fen": 1_000}),
        await till.post(client, ACCRUALS, sold | mine | {"order_no": "OFF-10"}),
    ]
    by_code = await till.post(client, "/v1/pos/recharge-offers", {"scan_token": token})

    assert (outcomes(asked), outcomes(paid)) == ({"not_found": 6}, {"not_found": 6})
    assert [(row["code"], row.get("retry")) for row in told] == [("not_found", None)] * 8 + [("rate_limited", True)]
    assert outcomes(right) == {"rate_limited": 3}, "or what is not refused is a member"
    assert by_code.status_code == 200
    assert await fingerprint(settings) == before
