"""Gift cards at the till: in a member's sale, for a passer-by, and what goes back to them."""

from __future__ import annotations

import uuid

import pytest
import pytest_asyncio

from backend.kernel import db, limits
from tests.support.books import fingerprint
from tests.support.gift_cards import (
    CARDS,
    Plastic,
    activate,
    bind,
    bound_card,
    by_cards,
    cards_of,
    charge,
    check,
    make_cards,
    sold_card,
    token_of,
)
from tests.support.members import register
from tests.support.races import at_once, codes_of
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings, give


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest.fixture(autouse=True)
def _fresh_limits(engines) -> None:
    engines.valkey.flush()
    limits.forget()


async def booked(document_id: str) -> dict[tuple[str, str], int]:
    """What a document and its refunds booked on all books together, by account and reference."""
    rows = await db.fetch(
        "SELECT e.kind, e.ref, sum(e.amount)::bigint FROM ledger_entry e JOIN ledger_transfer t USING (member_id, seq)"
        " WHERE t.document_id = $1 OR t.document_id IN ("
        "   SELECT id FROM ledger_document WHERE body->>'sale_id' = $1 OR body->>'charge_id' = $1)"
        " GROUP BY 1, 2 HAVING sum(e.amount) <> 0",
        document_id,
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def test_a_card_is_worth_something_from_its_activation_and_pays_part_of_a_sale(
    client, chain, admin, phone, settings
):
    (card,) = await make_cards(admin)
    unsold = await check(chain.till, client, card)

    sold = await activate(chain.till, client, card, 10_000)
    shown = await check(chain.till, client, card)
    token = shown.json()["card_token"]
    answer = await chain.till.sell(client, phone.code(), fen=12_000, tenders=by_cards((token, 10_000)))

    assert (unsold.status_code, unsold.json()["code"]) == (409, "gift_card_not_active")
    assert (sold.status_code, sold.json()["amount_fen"]) == (201, 10_000)
    assert sold.json()["number_masked"] == f"**** **** **** {card.number[-4:]}"
    assert (shown.json()["balance_fen"], len(token) <= 64) == (10_000, True)
    assert answer.status_code == 201, answer.text
    sale = answer.json()
    assert sale["tenders"] == [
        {"type": "gift_card", "amount_fen": 10_000, "reference": sold.json()["card_id"]},
        {"type": "cash", "amount_fen": 2_000},
    ]
    assert (sale["status"], sale["points_earned"]) == ("completed", 120)
    assert await booked(sale["id"]) == {
        ("gift_card", ""): -10_000,
        ("house.sales", "S1"): 10_000,
        ("points", ""): 120,
        ("house.points_issued", ""): -120,
    }
    assert (await check(chain.till, client, card)).json()["balance_fen"] == 0
    assert await findings(settings) == []


async def test_a_card_bound_to_a_member_pays_by_their_code_and_gets_its_share_of_a_refund(
    client, chain, admin, phone, clock, settings
):
    card = await bound_card(admin, chain.till, phone, 10_000)
    other = await bound_card(admin, chain.till, phone, 500)
    await give(phone.member_id, principal=3_000)

    answer = await chain.till.sell(
        client, phone.code(), fen=9_000, tenders=by_cards((card["id"], 7_000), (other["id"], 500), rest="stored")
    )
    sale = answer.json()
    refunds = [
        await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", {"amount_fen": fen, "reason": "退"})
        for fen in (1_000, 8_000)
    ]

    assert answer.status_code == 201, answer.text
    assert [tender["amount_fen"] for tender in sale["tenders"]] == [7_000, 500, 1_500]
    assert [refund.json()["by_tender"] for refund in refunds] == [
        [
            {"type": "gift_card", "amount_fen": 778, "reference": card["id"]},
            {"type": "gift_card", "amount_fen": 55, "reference": other["id"]},
            {"type": "stored", "amount_fen": 167},
        ],
        [
            {"type": "gift_card", "amount_fen": 6_222, "reference": card["id"]},
            {"type": "gift_card", "amount_fen": 445, "reference": other["id"]},
            {"type": "stored", "amount_fen": 1_333},
        ],
    ]
    assert {item["id"]: item["balance_fen"] for item in await cards_of(phone)} == {card["id"]: 10_000, other["id"]: 500}
    assert (await phone.wallet())["stored"]["total_fen"] == 3_000
    clawed = {("house.points_clawed", ""): 90, ("house.points_issued", ""): -90}
    assert await booked(sale["id"]) == clawed
    entries = (await phone.call("GET", f"/v1/member/gift-cards/{card['id']}/entries")).json()["items"]
    assert [(entry["title"], entry["amount"], entry["balance_after"]) for entry in entries] == [
        ("退款", 6_222, 10_000),
        ("退款", 778, 3_778),
        ("消费", -7_000, 3_000),
        ("激活", 10_000, 10_000),
    ]
    assert await findings(settings) == []


async def rest_of(client, till, card: Plastic) -> int:
    answer = await check(till, client, card)
    balance: int = answer.json()["balance_fen"]
    return balance


async def test_a_card_that_cannot_pay_refuses_the_sale_and_nothing_moves(client, chain, admin, phone, clock, settings):
    clock.freeze(clock.now())  # the code is shown to the end
    till = chain.till
    poor, named, others = (
        await token_of(till, client, await sold_card(admin, till, client, 500)),
        await sold_card(admin, till, client, 500, min_fen=1, max_fen=500, holder="named"),
        await bound_card(admin, till, await register(client), 500),
    )
    (unsold,) = await make_cards(admin)
    mine = await bound_card(admin, till, phone, 500)
    unbound = (await admin.post(f"{CARDS}/search", {"card_no": named.number})).json()["id"]
    code = phone.code()
    before = await fingerprint(settings)

    async def sell(*tenders, fen=900, at=till):
        answer = await at.sell(client, code, fen=fen, tenders=list(tenders))
        return answer.status_code, answer.json()["code"]

    card = {"type": "gift_card"}
    assert await sell(card | {"reference": poor}) == (409, "insufficient_balance")
    assert await sell(card | {"reference": poor, "amount_fen": 501}, {"type": "cash"}) == (409, "insufficient_balance")
    assert await sell(card) == (422, "validation_failed")
    assert await sell(card | {"reference": others["id"]}) == (404, "gift_card_not_held")
    assert await sell(card | {"reference": unbound}) == (404, "gift_card_not_held")
    assert await sell(card | {"reference": "gc.AAAA"}) == (422, "gift_card_token_invalid")
    assert await sell(card | {"reference": poor}, at=chain.tills["S2"][0]) == (422, "gift_card_token_invalid")
    twice = [card | {"reference": mine["id"], "amount_fen": 1}, card | {"reference": mine["id"]}]
    assert await sell(*twice) == (422, "tenders_mismatch")
    six = [card | {"reference": mine["id"], "amount_fen": 1} for _ in range(6)]
    assert await sell(*six) == (422, "tenders_mismatch")
    assert (await check(till, client, unsold)).json()["code"] == "gift_card_not_active"
    assert await fingerprint(settings) == before
    assert (await till.sell(client, code, fen=500, tenders=by_cards(mine["id"], rest=None))).status_code == 201


async def test_a_bound_card_pays_in_a_sale_of_its_member_only(client, chain, admin, phone, settings):
    """Whoever else knows its number and PIN: by a token of before, at the till, and in a sale that waited meanwhile."""
    till, stranger = chain.till, await register(client)
    card = await sold_card(admin, till, client, 30_000)
    token = await token_of(till, client, card)
    tenders = by_cards(token, rest=None)
    waiting = (await till.sell(client, stranger.code(), fen=25_000, tenders=tenders)).json()
    mine = (await bind(phone, card)).json()
    (code,) = await codes_of(stranger, 1)
    before = await fingerprint(settings)

    refused = [
        await check(till, client, card),
        await till.sell(client, code, fen=500, tenders=tenders),
        await charge(till, client, token, 500),
        await stranger.call("POST", f"/v1/member/confirmations/{waiting['id']}", {"decision": "approve"}),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(409, "gift_card_named")] * 4
    assert await fingerprint(settings) == before
    own, other = await codes_of(phone, 2)
    assert (await till.sell(client, own, fen=500, tenders=tenders)).status_code == 201
    assert (await till.sell(client, other, fen=500, tenders=by_cards(mine["id"], rest=None))).status_code == 201


async def test_a_quote_with_a_card_spends_nothing_and_says_whether_it_is_enough(client, chain, admin, phone, settings):
    card = await bound_card(admin, chain.till, phone, 1_000)
    lines = [{"sku": "X-1", "qty": 1, "unit_price_fen": 1_000}]
    before = await fingerprint(settings)

    answers = [
        await chain.till.post(
            client,
            "/v1/pos/quotes",
            {"code": phone.code(), "lines": lines, "tenders": by_cards((card["id"], fen))},
            key="",
        )
        for fen in (1_000, 400)
    ]
    over = await chain.till.post(
        client,
        "/v1/pos/quotes",
        {
            "code": phone.code(),
            "lines": [lines[0] | {"unit_price_fen": 1_001}],
            "tenders": by_cards(card["id"], rest=None),
        },
        key="",
    )

    assert [answer.json()["sufficient"] for answer in (*answers, over)] == [True, True, False]
    assert answers[1].json()["tenders"] == [
        {"type": "gift_card", "amount_fen": 400, "reference": card["id"]},
        {"type": "cash", "amount_fen": 600},
    ]
    assert await fingerprint(settings) == before


async def test_a_sale_above_the_password_free_limit_waits_and_takes_from_the_card_when_it_is_approved(
    client, chain, admin, phone, settings
):
    till = chain.till
    card = await sold_card(admin, till, client, 30_000)
    token = await token_of(till, client, card)

    waiting = (await till.sell(client, phone.code(), fen=25_000, tenders=by_cards(token, rest=None))).json()
    reserved = await rest_of(client, till, card)
    spent = await charge(till, client, token, 10_000)
    refused = await phone.call("POST", f"/v1/member/confirmations/{waiting['id']}", {"decision": "approve"})
    still = (await till.get(client, f"/v1/pos/sales/{waiting['id']}")).json()
    body = {"amount_fen": 10_000, "reason": "退"}
    back = await till.post(client, f"/v1/pos/gift-cards/charges/{spent.json()['id']}/refunds", body)
    approved = await phone.call("POST", f"/v1/member/confirmations/{waiting['id']}", {"decision": "approve"})
    again = await phone.call("POST", f"/v1/member/confirmations/{waiting['id']}", {"decision": "approve"})

    assert (waiting["status"], reserved) == ("awaiting_confirmation", 30_000)
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_balance")
    assert refused.json()["tender"] == "gift_card"
    assert still["status"] == "awaiting_confirmation"
    assert back.status_code == 201
    assert (approved.status_code, approved.json()["status"]) == (200, "completed")
    assert again.json() == approved.json()
    assert await rest_of(client, till, card) == 5_000
    assert await findings(settings) == []


async def test_a_card_that_was_frozen_meanwhile_leaves_the_sale_waiting(client, chain, admin, phone, settings):
    card = await bound_card(admin, chain.till, phone, 30_000)
    tenders = by_cards((card["id"], 25_000))
    waiting = (await chain.till.sell(client, phone.code(), fen=26_000, tenders=tenders)).json()
    path = f"{CARDS}/{card['id']}"
    await admin.post(f"{path}/freeze", {"reason": "x"})
    before = await fingerprint(settings)

    refused = await phone.call("POST", f"/v1/member/confirmations/{waiting['id']}", {"decision": "approve"})

    assert (refused.status_code, refused.json()["code"]) == (409, "gift_card_frozen")
    assert await fingerprint(settings) == before
    await admin.post(f"{path}/thaw", {"reason": "x"})
    approved = await phone.call("POST", f"/v1/member/confirmations/{waiting['id']}", {"decision": "approve"})
    assert approved.json()["status"] == "completed"
    assert (await cards_of(phone))[0]["balance_fen"] == 5_000


async def test_the_same_answer_many_times_at_once_is_one_answer(client, chain, admin, phone, settings):
    card = await bound_card(admin, chain.till, phone, 30_000)
    waiting = (await chain.till.sell(client, phone.code(), fen=30_000, tenders=by_cards(card["id"], rest=None))).json()
    path = f"/v1/member/confirmations/{waiting['id']}"

    answers = await at_once(phone.call("POST", path, {"decision": "approve"}) for _ in range(8))

    assert {(answer.status_code, answer.json()["status"]) for answer in answers} == {(200, "completed")}
    assert await findings(settings) == []


async def test_a_retry_of_a_sale_with_a_card_is_answered_as_the_first_time(client, chain, admin, phone, settings):
    token = await token_of(chain.till, client, await sold_card(admin, chain.till, client, 1_000))
    key, code = uuid.uuid4().hex, phone.code()
    body = {
        "code": code,
        "order_no": uuid.uuid4().hex[:16],
        "lines": [{"sku": "X-1", "qty": 1, "unit_price_fen": 1_000}],
        "tenders": by_cards(token, rest=None),
    }

    first, second = [await chain.till.post(client, "/v1/pos/sales", body, key=key) for _ in range(2)]

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert await findings(settings) == []


async def test_a_refund_by_pieces_gives_the_card_its_share_and_the_till_pays_out_the_rest(
    client, chain, admin, phone, settings
):
    till = chain.till
    card = await sold_card(admin, till, client, 1_000)
    sale = (
        await till.post(
            client,
            "/v1/pos/sales",
            {
                "code": phone.code(),
                "order_no": uuid.uuid4().hex[:16],
                "lines": [{"sku": "X-1", "qty": 3, "unit_price_fen": 500}],
                "tenders": by_cards((await token_of(till, client, card), 1_000)),
            },
        )
    ).json()
    key = uuid.uuid4().hex
    body = {"lines": [{"line_no": 1, "qty": 1}], "reason": "退"}
    path = f"/v1/pos/sales/{sale['id']}/refunds"

    first, replayed = [await till.post(client, path, body, key=key) for _ in range(2)]
    middle = await rest_of(client, till, card)
    second = await till.post(client, path, {"lines": [{"line_no": 1, "qty": 2}], "reason": "退"})
    over = await till.post(client, path, {"amount_fen": 1, "reason": "退"})

    assert [(t["type"], t["amount_fen"]) for t in first.json()["by_tender"]] == [("gift_card", 333), ("cash", 167)]
    assert replayed.json() == first.json()
    assert middle == 333
    assert [(t["type"], t["amount_fen"]) for t in second.json()["by_tender"]] == [("gift_card", 667), ("cash", 333)]
    assert (over.status_code, over.json()["code"]) == (409, "sale_not_refundable")
    assert await rest_of(client, till, card) == 1_000
    assert await findings(settings) == []
