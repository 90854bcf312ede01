"""A member whose phone cannot show the code: a manager who knows their number's last digits hands the order over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from backend.orders import queries
from tests.orders.test_after_sales import ask
from tests.orders.test_fulfilment import buy, delivery
from tests.support.books import fingerprint
from tests.support.mall import put
from tests.support.members import Phone
from tests.support.races import outcomes
from tests.support.staff import StaffSession
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")


@pytest_asyncio.fixture(loop_scope="session")
async def waiting(phone: Phone, manager: StaffSession) -> str:
    """An order that waits in its store."""
    await give(phone.member_id, principal=10_000)
    await put("S1", "6902", 10, 7_501)
    order_id = await buy(phone, 1)
    assert (await manager.post(f"/v1/admin/orders/{order_id}/ready")).status_code == 200
    return order_id


def said(phone: Phone, **changed: Any) -> dict[str, Any]:
    """What the member says: the last digits of the number."""
    return {"phone_last4": phone.member["phone_masked"][-4:], "reason": "phone_dead"} | changed


def other_digits(phone: Phone) -> str:
    return f"{(int(phone.member['phone_masked'][-4:]) + 1) % 10_000:04d}"


async def hand_over(staff: StaffSession, order_id: str, body: dict[str, Any]) -> Any:
    return await staff.post(f"/v1/admin/orders/{order_id}/handover", body)


async def test_a_manager_hands_over_without_the_code_once_and_it_is_written_down(phone, manager, chain, waiting):
    code = (await delivery(phone, waiting))["pickup"]["code"]

    answers = await asyncio.gather(*(hand_over(manager, waiting, said(phone)) for _ in range(3)))
    at_the_till = await chain.tills["S1"][0].post(phone.client, f"/v1/pos/pickups/{waiting}/handover", {"code": code})
    changes = (await manager.get(f"/v1/admin/orders/{waiting}/changes")).json()["items"]

    assert outcomes(answers) == {200: 3}
    assert {answer.json()["order"]["status"] for answer in answers} == {"received"}
    assert at_the_till.json()["code"] == "pickup_done"
    assert [(one["action"], one["detail"]) for one in changes] == [("handed_over", {"reason": "phone_dead"})]
    assert (await delivery(phone, waiting))["received_by"] == "staff"


async def test_who_may_not_or_does_not_know_the_number_gets_nothing(settings, phone, admin, manager, stranger, waiting):
    not_ready = await buy(phone, 1)
    before = await fingerprint(settings)

    refused = [
        await hand_over(stranger, waiting, said(phone)),
        await hand_over(manager, not_ready, said(phone)),
        await hand_over(manager, waiting, said(phone, phone_last4="123")),
        await hand_over(manager, waiting, said(phone, reason="because")),
        *[await hand_over(manager, waiting, said(phone, phone_last4=other_digits(phone))) for _ in range(5)],
        await hand_over(manager, waiting, said(phone)),
        await hand_over(admin, waiting, said(phone)),
    ]

    assert outcomes(refused) == {
        "not_found": 2,
        "validation_failed": 2,
        "identity_mismatch": 5,
        "rate_limited": 2,
    }
    assert await fingerprint(settings) == before
    assert await queries.changes.list_of(waiting, 10) == []
    assert (await delivery(phone, waiting))["status"] == "ready_for_pickup"


async def test_what_was_fetched_or_is_asked_back_is_not_handed_over(phone, manager, chain, waiting):
    request = (await ask(phone, waiting, "refund")).json()["id"]
    asked_back = await hand_over(manager, waiting, said(phone))
    await phone.call("POST", f"/v1/member/after-sales/{request}/cancel")
    code = (await delivery(phone, waiting))["pickup"]["code"]
    await chain.tills["S1"][0].post(phone.client, f"/v1/pos/pickups/{waiting}/handover", {"code": code})

    fetched = await hand_over(manager, waiting, said(phone))

    assert outcomes([asked_back, fetched]) == {"after_sale_open": 1, "pickup_done": 1}
    assert (await delivery(phone, waiting))["received_by"] == "till"
    assert (await manager.get(f"/v1/admin/orders/{waiting}/changes")).json()["items"] == []
