"""Scan: who stands there, once a code; the token buys one sale, at the till that scanned."""

from __future__ import annotations

from datetime import timedelta

from tests.support.value import findings, give


async def test_a_scan_shows_the_member_and_its_token_pays(client, chain, phone):
    await give(phone.member_id, principal=10_000, bonus=500, points=70)

    scan = await chain.till.post(client, "/v1/pos/scan", {"code": phone.code()})

    assert scan.status_code == 200, scan.text
    found = scan.json()
    assert found["member"]["name_masked"] != phone.member["name"]
    assert found["wallet"]["stored"] == {"total_fen": 10_500, "principal_fen": 10_000, "bonus_fen": 500}
    assert found["wallet"]["points"]["available"] == 70
    body = {
        "scan_token": found["scan_token"],
        "order_no": "SC-1",
        "lines": [{"sku": "q", "qty": 1, "unit_price_fen": 700}],
    }
    sale = await chain.till.post(client, "/v1/pos/sales", body)
    assert sale.status_code == 201, sale.text
    again = await chain.till.post(client, "/v1/pos/sales", body | {"order_no": "SC-2"})
    assert (again.status_code, again.json()["code"]) == (409, "code_used")
    assert (await phone.wallet())["stored"]["total_fen"] == 9_800


async def test_the_same_scan_at_the_same_till_gives_the_same_token(client, chain, phone):
    code = phone.code()

    first = await chain.till.post(client, "/v1/pos/scan", {"code": code})
    second = await chain.till.post(client, "/v1/pos/scan", {"code": code})
    elsewhere = await chain.tills["S1"][1].post(client, "/v1/pos/scan", {"code": code})

    assert first.json()["scan_token"] == second.json()["scan_token"]
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "code_used")


async def test_a_lost_answer_can_be_asked_for_although_the_code_has_died_meanwhile(client, chain, phone, clock):
    code = phone.code(steps_ago=1)
    first = await chain.till.post(client, "/v1/pos/scan", {"code": code})

    clock.shift(timedelta(seconds=28))
    second = await chain.till.post(client, "/v1/pos/scan", {"code": code})
    elsewhere = await chain.tills["S1"][1].post(client, "/v1/pos/scan", {"code": code})
    sale = await chain.till.sell(client, code, tenders=[{"type": "cash"}])
    clock.shift(timedelta(seconds=4))
    too_late = await chain.till.post(client, "/v1/pos/scan", {"code": code})

    assert (first.status_code, second.status_code) == (200, 200), second.text
    assert second.json()["scan_token"] == first.json()["scan_token"]
    assert second.json()["expires_at"] == first.json()["expires_at"]
    for refused in (elsewhere, sale, too_late):
        assert (refused.status_code, refused.json()["code"]) == (422, "code_expired")


async def test_a_token_is_good_only_at_its_till_and_for_five_minutes(client, chain, phone, clock):
    await give(phone.member_id, principal=10_000)
    token = (await chain.till.post(client, "/v1/pos/scan", {"code": phone.code()})).json()["scan_token"]
    body = {"scan_token": token, "order_no": "SC-3", "lines": [{"sku": "q", "qty": 1, "unit_price_fen": 700}]}

    other_till = await chain.tills["S1"][1].post(client, "/v1/pos/sales", body)
    other = "A" if token[-8] != "A" else "B"  # a letter of the signature that is all signature, and surely another one
    forged = await chain.till.post(client, "/v1/pos/sales", body | {"scan_token": token[:-8] + other + token[-7:]})
    clock.shift(timedelta(seconds=290))
    late = await chain.till.post(client, "/v1/pos/quotes", body)
    clock.shift(timedelta(seconds=12))
    too_late = await chain.till.post(client, "/v1/pos/quotes", body)

    assert (other_till.status_code, other_till.json()["code"]) == (422, "code_invalid")
    assert (forged.status_code, forged.json()["code"]) == (422, "code_invalid")
    assert late.status_code == 200, late.text
    assert (too_late.status_code, too_late.json()["code"]) == (422, "code_expired")


async def test_a_code_spent_by_a_sale_cannot_be_scanned(client, chain, phone, settings):
    await give(phone.member_id, principal=10_000)
    code = phone.code()
    assert (await chain.till.sell(client, code)).status_code == 201

    scan = await chain.till.post(client, "/v1/pos/scan", {"code": code})

    assert (scan.status_code, scan.json()["code"]) == (409, "code_used")
    assert await findings(settings) == []


async def test_an_old_code_is_expired_and_a_wrong_one_invalid(client, chain, phone):
    old = await chain.till.post(client, "/v1/pos/scan", {"code": phone.code(steps_ago=3)})
    code = phone.code()
    changed = code[:12] + str((int(code[12]) + 1) % 10) + code[13:]
    wrong = await chain.till.post(client, "/v1/pos/scan", {"code": changed})
    much_older = await chain.till.post(client, "/v1/pos/scan", {"code": phone.code(steps_ago=60)})

    assert (old.status_code, old.json()["code"]) == (422, "code_expired")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "code_invalid")
    assert (much_older.status_code, much_older.json()["code"]) == (422, "code_invalid")
