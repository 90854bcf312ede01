"""One pass at many tills at once: each use is taken once, and whoever loses has lost nothing."""

from __future__ import annotations

import asyncio

import pytest_asyncio

from backend.kernel import outbox
from backend.worker import load
from tests.support.passes import (
    CLUB,
    PARKING,
    WASHES,
    buy,
    held,
    line_of,
    make_pass_product,
    passes_of,
    scan,
    undo,
    use,
)
from tests.support.races import at_once, codes_of, outcomes
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


async def bought(client, chain, admin, phone, terms=WASHES, *, tills: int = 2) -> tuple[str, str, list[str]]:
    """A pass of the member's, the sale that sold it, and a scan token at each of so many tills of the store."""
    product = await make_pass_product(admin, terms)
    token = (await scan(client, chain.till, phone))["scan_token"]
    sale = await buy(client, chain.till, token, line_of(product))
    (card,) = await passes_of(phone)
    codes = await codes_of(phone, tills - 1)
    scans = [
        (await till.post(client, "/v1/pos/scan", {"code": code})).json()["scan_token"]
        for till, code in zip(chain.tills["S1"][1:], codes, strict=False)
    ]
    return card["id"], sale["id"], [token, *scans]


async def test_the_last_use_is_taken_by_one_of_two_tills(client, chain, admin, phone, settings):
    pass_id, _, tokens = await bought(client, chain, admin, phone)
    assert (await use(client, chain.till, tokens[0], pass_id, qty=2)).status_code == 201

    answers = await at_once(
        use(client, till, token, pass_id) for till, token in zip(chain.tills["S1"], tokens, strict=True)
    )

    assert outcomes(answers) == {201: 1, "pass_used_up": 1}
    assert await held(pass_id) == (0, 0)
    assert await findings(settings) == []


async def test_many_uses_at_once_take_no_more_than_there_is(client, chain, admin, phone, settings):
    pass_id, _, (token, *_) = await bought(client, chain, admin, phone, WASHES | {"uses": 5})

    answers = await at_once(use(client, chain.till, token, pass_id) for _ in range(8))
    while any(answer.status_code == 409 and answer.json()["code"] == "stale" for answer in answers):
        again = [answer for answer in answers if answer.status_code != 409 or answer.json()["code"] != "stale"]
        more = await at_once(use(client, chain.till, token, pass_id) for _ in range(8 - len(again)))
        answers = again + more

    counted = outcomes(answers)
    assert counted[201] == 5
    assert counted["pass_used_up"] == 3
    assert await held(pass_id) == (0, 0)
    assert await findings(settings) == []


async def test_a_use_and_a_refund_of_the_line_do_not_both_go_through(client, chain, admin, phone, settings):
    pass_id, sale_id, (token, *_) = await bought(client, chain, admin, phone)
    path = f"/v1/pos/sales/{sale_id}/refunds"

    used, refunded = await asyncio.gather(
        use(client, chain.till, token, pass_id),
        chain.tills["S1"][1].post(client, path, {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}),
    )

    if used.status_code == 201:
        assert (refunded.status_code, refunded.json()["code"]) == (409, "pass_used")
        assert await held(pass_id) == (2, 6_667)
    else:
        assert (used.json()["code"], refunded.status_code) == ("pass_void", 201)
        assert await held(pass_id) == (0, 0)
    assert await findings(settings) == []


async def test_a_timed_pass_is_used_or_refunded(client, chain, admin, phone, settings):
    """Nothing is taken from it by a use: the door's own count decides."""
    pass_id, sale_id, (token, *_) = await bought(client, chain, admin, phone, PARKING)
    path = f"/v1/pos/sales/{sale_id}/refunds"

    used, refunded = await asyncio.gather(
        use(client, chain.till, token, pass_id),
        chain.tills["S1"][1].post(client, path, {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}),
    )

    assert sorted([used.status_code, refunded.status_code]) == [201, 409]
    assert {used.json().get("code"), refunded.json().get("code")} - {None} <= {"pass_void", "pass_used"}
    assert await findings(settings) == []


async def test_a_use_is_undone_once_by_many(client, chain, admin, phone, settings):
    pass_id, _, (token, *_) = await bought(client, chain, admin, phone)
    used = (await use(client, chain.till, token, pass_id)).json()["id"]

    answers = await at_once(undo(client, chain.tills["S1"][n % 2], used) for n in range(6))

    assert outcomes(answers) == {200: 1, "pass_use_undone": 5}
    assert await held(pass_id) == (3, 10_000)
    assert await findings(settings) == []


async def test_a_pass_is_refunded_by_staff_once(client, chain, admin, phone, settings):
    load()
    pass_id, _, _ = await bought(client, chain, admin, phone)
    await outbox.drain()
    path = f"/v1/admin/passes/{pass_id}/refund"

    answers = await at_once(admin.post(path, {"reason": "x"}, key=f"k{n}") for n in range(5))

    counted = outcomes(answers)
    assert counted.pop(200) == 1
    assert counted.keys() <= {"pass_void", "stale"}
    assert await held(pass_id) == (0, 0)
    assert await findings(settings) == []


async def test_a_sale_beside_the_refund_of_its_discount_card_is_not_priced_by_it(client, chain, admin, phone, settings):
    load()
    pass_id, sale_id, _ = await bought(client, chain, admin, phone, CLUB, tills=1)
    await outbox.drain()
    (code,) = await codes_of(phone, 1)
    path = f"/v1/pos/sales/{sale_id}/refunds"

    sold, refunded = await asyncio.gather(
        chain.tills["S1"][1].sell(client, code, fen=10_000, tenders=[{"type": "cash"}]),
        chain.till.post(client, path, {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}),
    )

    assert sold.status_code == 201, sold.text
    if refunded.status_code == 201:
        assert (sold.json()["payable_fen"], await held(pass_id)) == (10_000, (0, 0))
    else:
        assert (refunded.json()["code"], sold.json()["payable_fen"]) == ("pass_used", 9_000)
    assert await findings(settings) == []
