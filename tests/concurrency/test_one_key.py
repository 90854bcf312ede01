"""One idempotency key, many requests: one effect, one answer; anything else with that key is a conflict."""

from __future__ import annotations

import asyncio
import uuid

import httpx

from backend.kernel import clock, db
from tests.support.members import Phone, register
from tests.support.races import at_once, codes_of, outcomes
from tests.support.value import findings, give


def one_effect(answers: list[httpx.Response], status: int) -> dict[str, object]:
    """All the same, all but one replayed; returns it."""
    assert {answer.status_code for answer in answers} == {status}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    found: dict[str, object] = answers[0].json()
    return found


def basket(code: str, **more: object) -> dict[str, object]:
    lines = [{"sku": "X-1", "qty": 1, "unit_price_fen": 1_000}]
    return {"code": code, "order_no": uuid.uuid4().hex[:16], "lines": lines} | more


async def test_a_sale(client, chain, phone, settings):
    await give(phone.member_id, principal=1_000)  # a second one could not be paid
    body, key = basket(phone.code()), uuid.uuid4().hex

    answers = await at_once(chain.till.post(client, "/v1/pos/sales", body, key=key) for _ in range(12))

    sale = one_effect(answers, 201)
    assert sale["status"] == "completed"
    assert (await phone.wallet())["stored"]["total_fen"] == 0
    assert await db.fetchval("SELECT count(*) FROM ledger_document WHERE member_id = $1", phone.member_id) == 1
    assert await findings(settings) == []


async def test_a_waiting_sale_and_its_cancel(client, chain, phone):
    await give(phone.member_id, principal=100_000)
    body, key = basket(phone.code(), code_entry="typed"), uuid.uuid4().hex

    sale = one_effect(await at_once(chain.till.post(client, "/v1/pos/sales", body, key=key) for _ in range(8)), 201)
    path = f"/v1/pos/sales/{sale['id']}/cancel"
    cancelled = one_effect(await at_once(chain.till.post(client, path, None, key=f"c{key}") for _ in range(8)), 200)

    assert (sale["status"], cancelled["status"]) == ("awaiting_confirmation", "cancelled")


async def test_a_refund(client, chain, phone, settings):
    await give(phone.member_id, principal=1_000)
    sale = (await chain.till.sell(client, phone.code(), fen=900)).json()
    path, key = f"/v1/pos/sales/{sale['id']}/refunds", uuid.uuid4().hex
    body = {"amount_fen": 300, "reason": "坏了"}

    refund = one_effect(await at_once(chain.till.post(client, path, body, key=key) for _ in range(10)), 201)

    assert refund["refund_fen"] == 300
    assert (await phone.wallet())["stored"]["total_fen"] == 400
    assert await findings(settings) == []


async def test_an_accrual(client, chain, phone, settings):
    body = {
        "member_no": phone.member["member_no"],
        "order_no": f"ACC-{phone.member_id}",
        "total_fen": 5_000,
        "lines": [{"sku": "X", "qty": 5, "unit_price_fen": 1_000}],
        "occurred_at": clock.now().isoformat(),
    }
    key = uuid.uuid4().hex

    answers = await at_once(chain.till.post(client, "/v1/pos/accruals", body, key=key) for _ in range(10))

    assert one_effect(answers, 201)["points_earned"] == 50
    assert (await phone.wallet())["points"]["available"] == 50
    assert await findings(settings) == []


async def test_a_recharge(client, phone):
    key = uuid.uuid4().hex

    answers = await at_once(phone.call("POST", "/v1/member/recharges", {"amount_fen": 500}, key=key) for _ in range(8))

    assert {answer.status_code for answer in answers} == {201}, answers[0].text
    assert len({(answer.json()["id"], answer.json()["out_trade_no"]) for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert await db.fetchval("SELECT count(*) FROM ledger_document WHERE member_id = $1", phone.member_id) == 1


async def test_one_key_with_two_bodies_has_one_winner(client, chain, phone, settings):
    await give(phone.member_id, principal=10_000)
    codes = await codes_of(phone, 2)
    bodies, key = [basket(code) for code in codes], uuid.uuid4().hex

    answers = await at_once(chain.till.post(client, "/v1/pos/sales", bodies[n % 2], key=key) for n in range(10))

    counted = outcomes(answers)
    assert counted == {201: 5, "idempotency_conflict": 5}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert (await phone.wallet())["stored"]["total_fen"] == 9_000
    assert await findings(settings) == []


async def test_one_key_for_two_members_has_one_winner(client, chain, settings):
    for _ in range(4):
        phones: list[Phone] = list(await asyncio.gather(register(client), register(client)))
        for phone in phones:
            await give(phone.member_id, principal=1_000)
        bodies, key = [basket(phone.code()) for phone in phones], uuid.uuid4().hex

        answers = await at_once(chain.till.post(client, "/v1/pos/sales", bodies[n % 2], key=key) for n in range(6))

        assert outcomes(answers) == {201: 3, "idempotency_conflict": 3}
        assert sorted([(await phone.wallet())["stored"]["total_fen"] for phone in phones]) == [0, 1_000]
    assert await findings(settings) == []


async def test_a_key_of_another_terminal_or_member_is_another_key(client, chain, phone):
    await give(phone.member_id, principal=10_000)
    codes = await codes_of(phone, 2)
    stranger, key = await register(client), uuid.uuid4().hex

    sales = await at_once(
        till.post(client, "/v1/pos/sales", basket(code), key=key)
        for till, code in zip(chain.tills["S1"], codes, strict=True)
    )
    recharges = await at_once(
        who.call("POST", "/v1/member/recharges", {"amount_fen": 500}, key=key) for who in (phone, stranger)
    )

    assert [answer.status_code for answer in (*sales, *recharges)] == [201] * 4
    assert len({answer.json()["id"] for answer in (*sales, *recharges)}) == 4
    assert not any("idempotency-replayed" in answer.headers for answer in (*sales, *recharges))


async def test_one_key_for_a_sale_and_its_refund_is_a_conflict(client, chain, phone, settings):
    await give(phone.member_id, principal=10_000)
    key = uuid.uuid4().hex
    sale = (await chain.till.post(client, "/v1/pos/sales", basket(phone.code()), key=key)).json()
    path = f"/v1/pos/sales/{sale['id']}"

    refund = await chain.till.post(client, f"{path}/refunds", {"amount_fen": 1, "reason": "x"}, key=key)
    cancel = await chain.till.post(client, f"{path}/cancel", None, key=key)

    assert outcomes([refund, cancel]) == {"idempotency_conflict": 2}
    assert (await phone.wallet())["stored"]["total_fen"] == 9_000


async def test_a_refused_request_leaves_its_key_free(client, chain, phone):
    key, code = uuid.uuid4().hex, phone.code()
    body = basket(code)
    poor = await at_once(chain.till.post(client, "/v1/pos/sales", body, key=key) for _ in range(5))

    await give(phone.member_id, principal=1_000)
    rich = await chain.till.post(client, "/v1/pos/sales", body, key=key)

    assert outcomes(poor) == {"insufficient_balance": 5}
    assert rich.status_code == 201
    assert "idempotency-replayed" not in rich.headers


async def test_a_formatted_body_is_the_same_body_and_a_changed_one_is_not(client, chain, phone):
    import json

    await give(phone.member_id, principal=10_000)
    body, key = basket(phone.code()), uuid.uuid4().hex

    async def send(raw: str) -> httpx.Response:
        sent = raw.encode()
        headers = {
            "Authorization": chain.till.authorization("POST", "/v1/pos/sales", sent, key),
            "Idempotency-Key": key,
            "Content-Type": "application/json",
        }
        return await client.post("/v1/pos/sales", content=sent, headers=headers)

    first = await send(json.dumps(body))
    pretty = await send(json.dumps(dict(reversed(body.items())), indent=4))
    with_default = await send(json.dumps(body | {"code_entry": "scanned"}))

    assert first.status_code == pretty.status_code == 201
    assert pretty.headers["idempotency-replayed"] == "true"
    assert with_default.json()["code"] == "idempotency_conflict"
