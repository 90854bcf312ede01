"""One code, one use: whoever comes second learns that it was used."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.members import make_code, register
from tests.support.races import at_once, codes_of, outcomes
from tests.support.value import findings, give


@pytest.mark.parametrize("round_", range(4))
async def test_a_code_read_at_many_tills_buys_once(client, chain, phone, settings, round_):
    await give(phone.member_id, principal=10_000)
    code = phone.code()
    tills = [*chain.tills["S1"], *chain.tills["S2"]]

    answers = await at_once(tills[n % 4].sell(client, code, fen=1_000) for n in range(8))

    assert outcomes(answers) == {201: 1, "code_used": 7}
    assert (await phone.wallet())["stored"]["total_fen"] == 9_000
    assert await findings(settings) == []


@pytest.mark.parametrize("round_", range(4))
async def test_a_scan_and_a_sale_of_one_code_cannot_both_have_it(client, chain, phone, settings, round_):
    await give(phone.member_id, principal=10_000)
    code = phone.code()
    one, other = chain.tills["S1"]

    scanned, sold = await at_once(
        [one.post(client, "/v1/pos/scan", {"code": code}), other.sell(client, code, fen=1_000)]
    )

    assert sorted(outcomes([scanned, sold]), key=str) in ([200, "code_used"], [201, "code_used"])
    spent = 1_000 if sold.status_code == 201 else 0
    assert (await phone.wallet())["stored"]["total_fen"] == 10_000 - spent
    assert await findings(settings) == []


async def test_a_code_is_scanned_by_one_terminal_and_its_repetitions_get_the_same_token(client, chain, phone):
    code = phone.code()
    one, other = chain.tills["S1"]

    answers = await at_once(
        till.post(client, "/v1/pos/scan", {"code": code}) for till in (one, other, one, other, one, other)
    )

    assert outcomes(answers) == {200: 3, "code_used": 3}
    assert len({answer.json()["scan_token"] for answer in answers if answer.status_code == 200}) == 1


async def test_a_scan_token_buys_once(client, chain, phone, settings):
    await give(phone.member_id, principal=10_000)
    token = (await chain.till.post(client, "/v1/pos/scan", {"code": phone.code()})).json()["scan_token"]

    answers = await at_once(chain.till.sell(client, None, scan_token=token) for _ in range(6))

    assert outcomes(answers) == {201: 1, "code_used": 5}
    assert (await phone.wallet())["stored"]["total_fen"] == 9_000
    assert await findings(settings) == []


async def test_two_steps_of_one_device_are_good_only_forwards(client, chain, phone):
    """The step before is still accepted: once it is used first both sell, else it is dead with the later one."""
    await give(phone.member_id, principal=10_000)
    older, newer = phone.code(steps_ago=1), phone.code()

    answers = await at_once(chain.tills["S1"][n % 2].sell(client, (older, newer)[n % 2]) for n in range(8))

    counted = outcomes(answers)
    assert counted[201] in (1, 2)
    assert counted[201] + counted["code_used"] + counted["code_expired"] == 8
    assert (await chain.till.sell(client, older)).status_code != 201
    assert (await phone.wallet())["stored"]["total_fen"] == 10_000 - 1_000 * counted[201]


async def test_a_device_that_is_revoked_sells_no_more_from_then_on(client, chain, phone):
    await give(phone.member_id, principal=10_000)
    path = f"/v1/member/devices/{phone.device['device_id']}"

    revoked, sold = await at_once([phone.call("DELETE", path), chain.till.sell(client, phone.code())])
    later = await chain.till.sell(client, phone.code())

    assert revoked.status_code == 204
    assert sold.status_code == 201 or sold.json()["code"] in ("code_invalid", "code_used")
    assert later.status_code in (409, 422)


async def test_an_offline_code_earns_once(client, chain, phone):
    from backend.kernel import clock

    code = phone.code()

    def accrual(n: int) -> dict[str, object]:
        return {
            "code": code,
            "order_no": f"OFF-{phone.member_id}-{n}",
            "total_fen": 1_000,
            "lines": [{"sku": "X", "qty": 1, "unit_price_fen": 1_000}],
            "occurred_at": clock.now().isoformat(),
        }

    answers = await at_once(chain.tills["S1"][n % 2].post(client, "/v1/pos/accruals", accrual(n)) for n in range(6))

    assert outcomes(answers) == {201: 1, "code_used": 5}
    assert (await phone.wallet())["points"]["available"] == 10


async def test_an_order_number_taken_by_two_members_at_once_is_one_s(client, chain, settings):
    phones = await asyncio.gather(*(register(client) for _ in range(4)))
    for phone in phones:
        await give(phone.member_id, principal=10_000)

    answers = await at_once(
        chain.tills["S1"][n % 2].sell(client, phone.code(), order_no="RACED-1") for n, phone in enumerate(phones)
    )
    elsewhere = await chain.tills["S2"][0].sell(client, (await codes_of(phones[0], 1))[0], order_no="RACED-1")

    (winner,) = [answer.json() for answer in answers if answer.status_code == 201]
    assert outcomes(answers) == {201: 1, "order_exists": 3}
    assert {answer.json()["id"] for answer in answers} == {winner["id"]}
    assert elsewhere.status_code == 201  # another store's numbers are its own
    assert await findings(settings) == []


async def test_codes_of_several_devices_do_not_stand_in_each_other_s_way(client, chain, phone):
    await give(phone.member_id, principal=10_000)
    devices = [(await phone.call("POST", "/v1/member/devices", {"name": f"{n}"})).json() for n in range(4)]
    from backend.kernel import clock

    step = clock.unix() // 15

    answers = await at_once(
        chain.tills["S1"][n % 2].sell(client, make_code(device["handle"], device["secret"], step))
        for n, device in enumerate(devices)
    )

    assert outcomes(answers) == {201: 4}
