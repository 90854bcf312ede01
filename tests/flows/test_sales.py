"""Sales: prices, tenders, keys and refusals that move nothing."""

from __future__ import annotations

import pytest

from tests.support.books import fingerprint
from tests.support.value import findings, give


async def test_a_sale_splits_over_four_tenders(client, chain, phone):
    await give(phone.member_id, principal=5_000, points=500)

    answer = await chain.till.sell(
        client,
        phone.code(),
        fen=10_000,
        tenders=[
            {"type": "stored", "amount_fen": 3_000},
            {"type": "points", "points": 200},
            {"type": "external", "amount_fen": 1_800, "reference": "card 1"},
            {"type": "cash"},
        ],
    )

    assert answer.status_code == 201, answer.text
    sale = answer.json()
    assert [(t["type"], t["amount_fen"]) for t in sale["tenders"]] == [
        ("stored", 3_000),
        ("points", 200),
        ("external", 1_800),
        ("cash", 5_000),
    ]
    assert sale["points_earned"] == 98
    assert sale["balances"] == {"stored_fen": 2_000, "points": 398}


async def test_bonus_earns_no_points(client, chain, phone):
    await give(phone.member_id, principal=4_000, bonus=6_000)

    sale = (await chain.till.sell(client, phone.code(), fen=10_000)).json()

    assert sale["points_earned"] == 40


async def test_our_articles_category_decides_the_points(client, chain, phone):
    lines = [
        {"sku": "6902", "qty": 1, "unit_price_fen": 1_000, "category": "liquor"},
        {"sku": "6903", "qty": 1, "unit_price_fen": 1_000},
        {"sku": "unknown", "qty": 1, "unit_price_fen": 1_000, "category": "fruit"},
        {"sku": "unknown2", "qty": 1, "unit_price_fen": 1_000, "category": "no such"},
    ]

    sale = (await chain.till.sell(client, phone.code(), lines=lines, tenders=[{"type": "cash"}])).json()

    assert sale["points_earned"] == 20 + 0 + 20 + 10


async def test_a_retry_gets_the_first_answer_even_after_the_code_has_died(client, chain, phone, clock):
    from datetime import timedelta

    await give(phone.member_id, principal=5_000)
    code = phone.code()
    body = {"code": code, "order_no": "R-1", "lines": [{"sku": "a", "qty": 1, "unit_price_fen": 900}]}
    first = await chain.till.post(client, "/v1/pos/sales", body, key="retry-1")

    at_once = await chain.till.post(client, "/v1/pos/sales", body, key="retry-1")
    await phone.call("POST", f"/v1/member/devices/{phone.device['device_id']}/rotate")
    clock.shift(timedelta(seconds=200))
    later = await chain.till.post(client, "/v1/pos/sales", body, key="retry-1")

    assert first.status_code == at_once.status_code == later.status_code == 201
    assert "idempotency-replayed" not in first.headers
    assert at_once.headers["idempotency-replayed"] == later.headers["idempotency-replayed"] == "true"
    assert first.json() == at_once.json() == later.json()
    assert (await phone.wallet())["stored"]["total_fen"] == 4_100


async def test_a_key_of_another_request_is_a_conflict(client, chain, phone):
    await give(phone.member_id, principal=5_000)
    body = {"code": phone.code(), "order_no": "R-2", "lines": [{"sku": "a", "qty": 1, "unit_price_fen": 900}]}
    assert (await chain.till.post(client, "/v1/pos/sales", body, key="retry-2")).status_code == 201

    other = await chain.till.post(client, "/v1/pos/sales", body | {"order_no": "R-3"}, key="retry-2")

    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (await phone.wallet())["stored"]["total_fen"] == 4_100


async def test_an_order_number_is_sold_once_a_store(client, chain, phone, clock):
    from datetime import timedelta

    await give(phone.member_id, principal=5_000)
    first = await chain.till.sell(client, phone.code(), order_no="DUP-1")
    clock.shift(timedelta(seconds=15))
    second = await chain.till.sell(client, phone.code(), order_no="DUP-1")

    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "order_exists")
    assert second.json()["id"] == first.json()["id"]
    found = await chain.till.get(client, "/v1/pos/sales?order_no=DUP-1")
    assert found.json()["id"] == first.json()["id"]


async def test_what_cannot_be_paid_is_refused_and_moves_nothing(client, chain, phone, settings):
    await give(phone.member_id, principal=900, points=50)
    code = phone.code()
    before = await phone.wallet()

    poor = await chain.till.sell(client, code, fen=901)
    few_points = await chain.till.sell(
        client, code, fen=951, tenders=[{"type": "points", "points": 51}, {"type": "stored"}]
    )
    no_match = await chain.till.sell(client, code, fen=900, tenders=[{"type": "stored", "amount_fen": 899}])
    gift_card = await chain.till.sell(client, code, fen=900, tenders=[{"type": "gift_card", "reference": "x"}])

    assert (poor.status_code, poor.json()["code"]) == (409, "insufficient_balance")
    assert (few_points.status_code, few_points.json()["code"]) == (409, "insufficient_balance")
    assert (no_match.status_code, no_match.json()["code"]) == (422, "tenders_mismatch")
    assert (gift_card.status_code, gift_card.json()["code"]) == (404, "gift_card_not_held")
    assert await phone.wallet() == before
    assert (await chain.till.sell(client, code, fen=900)).status_code == 201
    assert await findings(settings) == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"lines": []}, "/lines"),
        ({"lines": [{"sku": "a", "qty": 0, "unit_price_fen": 1}]}, "/lines/0/qty"),
        ({"lines": [{"sku": "a", "qty": 1.5, "unit_price_fen": 1}]}, "/lines/0/qty"),
        ({"lines": [{"sku": "a", "qty": 1, "unit_price_fen": -5}]}, "/lines/0/unit_price_fen"),
        ({"lines": [{"sku": "a", "qty": 1, "unit_price_fen": 10**12}]}, "/lines/0/unit_price_fen"),
        ({"lines": [{"sku": "a", "qty": 1_000_000, "unit_price_fen": 10**11}]}, "/lines"),
        ({"lines": [{"sku": "a\u0000b", "qty": 1, "unit_price_fen": 1}]}, "/lines/0/sku"),
        ({"lines": [{"sku": "a", "qty": 1, "unit_price_fen": 1, "surprise": 1}]}, "/lines/0/surprise"),
        ({"order_no": "x" * 65}, "/order_no"),
        ({"cashier": "x" * 1_000}, "/cashier"),
        ({"code": None}, "/code"),
    ],
)
async def test_bad_input_names_the_field(client, chain, phone, change, pointer):
    body = {"code": phone.code(), "order_no": "BAD-1", "lines": [{"sku": "a", "qty": 1, "unit_price_fen": 1}]}

    answer = await chain.till.post(client, "/v1/pos/sales", body | change)

    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "validation_failed"
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_tender_of_no_known_type_is_named(client, chain, phone, settings):
    before = await fingerprint(settings)
    tenders = [{"type": "cash", "amount_fen": 1}, {"type": "gold"}]

    answer = await chain.till.sell(client, phone.code(), fen=100, tenders=tenders)

    assert (answer.status_code, answer.json()["code"]) == (422, "tender_unsupported")
    assert answer.json()["errors"][0]["pointer"] == "/tenders/1/type"
    assert await fingerprint(settings) == before


async def test_a_sale_of_another_store_is_not_found(client, chain, phone):
    await give(phone.member_id, principal=5_000)
    sale = (await chain.till.sell(client, phone.code())).json()

    stranger = chain.tills["S2"][0]
    seen = await stranger.get(client, f"/v1/pos/sales/{sale['id']}")
    refund = await stranger.post(client, f"/v1/pos/sales/{sale['id']}/refunds", {"amount_fen": 1, "reason": "x"})

    assert (seen.status_code, refund.status_code) == (404, 404)
    assert (await chain.till.get(client, "/v1/pos/sales/Snonsense")).status_code == 404


async def test_a_quote_binds_nothing(client, chain, phone):
    await give(phone.member_id, principal=5_000)
    code = phone.code()
    body = {"code": code, "lines": [{"sku": "6902", "qty": 2, "unit_price_fen": 1250}]}

    quote = await chain.till.post(client, "/v1/pos/quotes", body)

    assert quote.status_code == 200, quote.text
    assert quote.json()["payable_fen"] == 2_500
    assert quote.json()["sufficient"] is True
    assert (await chain.till.sell(client, code, fen=2_500)).status_code == 201
    spent = await chain.till.post(client, "/v1/pos/quotes", body)
    assert (spent.status_code, spent.json()["code"]) == (409, "code_used")


async def test_codes_of_the_server_are_good_too(client, chain, phone):
    await give(phone.member_id, principal=5_000)
    shown = (await phone.call("GET", "/v1/member/code")).json()
    svg = await phone.call("GET", "/v1/member/code.svg")
    png = await phone.call("GET", "/v1/member/code.png")

    sale = await chain.till.sell(client, shown["code"])

    assert sale.status_code == 201, sale.text
    assert 1 <= shown["refresh_after_s"] <= 15
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert png.content.startswith(b"\x89PNG")


async def test_a_revoked_device_makes_no_good_codes(client, chain, phone):
    await give(phone.member_id, principal=5_000)
    code = phone.code()
    assert (await phone.call("DELETE", f"/v1/member/devices/{phone.device['device_id']}")).status_code == 204

    sale = await chain.till.sell(client, code)

    assert (sale.status_code, sale.json()["code"]) == (422, "code_invalid")


async def test_retries_with_codes_long_dead_are_no_guesses(client, chain, phone, clock):
    from datetime import timedelta

    await give(phone.member_id, principal=5_000)
    body = {"code": phone.code(), "order_no": "OLD-1", "lines": [{"sku": "a", "qty": 1, "unit_price_fen": 900}]}
    till = chain.tills["S2"][1]
    first = await till.post(client, "/v1/pos/sales", body, key="old-1")
    clock.shift(timedelta(minutes=25))

    again = [await till.post(client, "/v1/pos/sales", body, key="old-1") for _ in range(25)]
    live_one = await till.sell(client, phone.code(), tenders=[{"type": "cash"}])

    assert {answer.text for answer in again} == {first.text}
    assert live_one.json()["status"] == "completed"
