"""From registration to a settled sale."""

from __future__ import annotations

from tests.support.value import findings, give


async def test_a_member_registers_pays_at_the_till_and_sees_it(client, chain, phone, settings):
    await give(phone.member_id, principal=50_000, points=300)

    answer = await chain.till.post(
        client,
        "/v1/pos/sales",
        {
            "code": phone.code(),
            "order_no": "A-1",
            "lines": [
                {"sku": "6901", "qty": 3, "unit_price_fen": 200},
                {"sku": "6902", "qty": 1, "unit_price_fen": 1250},
            ],
            "tenders": [{"type": "points", "points": 150}, {"type": "stored"}],
        },
    )

    assert answer.status_code == 201, answer.text
    sale = answer.json()
    assert sale["status"] == "completed"
    assert (sale["total_fen"], sale["payable_fen"]) == (1850, 1850 - sale["discount_fen"])
    assert sale["balances"]["stored_fen"] == 50_000 - sale["payable_fen"] + 150
    wallet = await phone.wallet()
    assert wallet["stored"]["total_fen"] == sale["balances"]["stored_fen"]
    assert wallet["points"]["available"] == 150 + sale["points_earned"]
    seen = await chain.till.get(client, f"/v1/pos/sales/{sale['id']}")
    assert seen.json()["tenders"] == sale["tenders"]
    assert await findings(settings) == []
